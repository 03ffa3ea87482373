"""The ``json`` storage: one folder per session, files that any tool can read.

The rooms, lowest first: ``ids``, ``layout`` and ``index_format`` turn records into bytes
and back and touch no disk, and neither does ``index_salvage``, which reads a damaged list;
``tree`` finds the conversation in a list of messages;
``disk`` is the only room that writes; ``locks`` keeps several shells apart; ``folder``,
``message_reader``, ``message_writer``, ``memory_file``, ``attachments``, ``index``,
``running_reply`` and ``trash`` are one kind of file each; ``catalog`` says which sessions
there are, ``session_writer`` changes one, ``session_data`` what it has beside its messages,
``importing`` brings one from elsewhere; ``check`` looks at all of it and mends it;
``store`` is the policy that joins them.
"""
