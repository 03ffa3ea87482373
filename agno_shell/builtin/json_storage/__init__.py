"""The ``json`` storage: one folder per session, files that any tool can read.

The modules, lowest first: ``layout``, ``index_format`` and ``tree`` turn bytes into records and
back and touch no disk; ``disk`` is the only one that writes; ``locks`` keeps several shells
apart; ``folder``, ``message_reader``, ``index_line``, ``index``, ``memory_file``,
``attachments``, ``running_reply`` and ``trash`` are one kind of file each; ``repair`` rewrites
what is damaged; ``session_catalog`` knows which sessions exist, ``session_writer`` writes into one,
``session_data`` what it has beside its messages, ``importing`` brings one from elsewhere;
``check`` looks at all of it and repairs it; ``store`` is the policy that joins them.
"""

SESSION = "session.json"
MESSAGES = "messages.json"
MEMORY = "memory.json"
ATTACHMENTS = "attachments"
"""What is in the folder of a session, beside replies that are running."""
