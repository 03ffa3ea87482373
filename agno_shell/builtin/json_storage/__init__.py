"""The ``json`` storage: one folder per session, files that any tool can read.

The rooms, lowest first: ``ids``, ``codec`` and ``layout`` turn records into bytes
and back and touch no disk; ``tree`` finds the conversation in a list of messages;
``disk`` is the only room that writes; ``locks`` keeps several shells apart;
``folder``, ``message_file``, ``index``, ``running_reply`` and ``trash`` are one kind
of file each; ``store`` is the policy that joins them.
"""
