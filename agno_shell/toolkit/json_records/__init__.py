"""Records to JSON objects and back: what the files of every storage hold.

Decoding never refuses an object: what cannot be used is read as if it were missing
and kept, under its own key, in ``extra``. Encoding writes ``extra`` last, so that
an object that is read and written again stays the same.

``session --list`` passes by here and reads no message: what it does not need is loaded
when it is first asked for.
"""

from agno_shell.base.lazy_names import lazy_names

_HOMES = {
    "memories": "memory_fields memory_line memory_of",
    "messages": "ROLES STATUSES is_settled message_fields message_line message_of",
    "sessions": "REASONINGS session_fields session_of",
    "values": (
        "Damage EPOCH UnwritableError dumps finite loads local_stamp moment refuse_constant scan "
        "stamp time_of"
    ),
}

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
