"""Records to JSON objects and back: what the files say, whoever keeps them.

Decoding never refuses an object: what cannot be used is read as if it were missing
and kept, under its own key, in ``extra``. Encoding writes ``extra`` last, so that
an object that was read and is written again says what it said.

``session --list`` passes by here and reads no message: what it does not need is loaded
when it is first asked for.
"""

from agno_shell.base.lazy_names import lazy_names
from agno_shell.toolkit.json_records.sessions import REASONINGS, session_fields, session_of
from agno_shell.toolkit.json_records.values import (
    EPOCH,
    Damage,
    UnwritableError,
    dumps,
    finite,
    loads,
    local_stamp,
    moment,
    refuse_constant,
    scan,
    stamp,
    time_of,
)

TYPE_CHECKING = False  # as in ``typing``, without importing it
if TYPE_CHECKING:
    from agno_shell.toolkit.json_records.memories import memory_fields, memory_line, memory_of
    from agno_shell.toolkit.json_records.messages import (
        ROLES,
        STATUSES,
        is_settled,
        message_fields,
        message_line,
        message_of,
    )

__all__ = [
    "EPOCH",
    "REASONINGS",
    "ROLES",
    "STATUSES",
    "Damage",
    "UnwritableError",
    "dumps",
    "finite",
    "is_settled",
    "loads",
    "local_stamp",
    "memory_fields",
    "memory_line",
    "memory_of",
    "message_fields",
    "message_line",
    "message_of",
    "moment",
    "refuse_constant",
    "scan",
    "session_fields",
    "session_of",
    "stamp",
    "time_of",
]

_HOMES = {
    "memories": "memory_fields memory_line memory_of",
    "messages": "ROLES STATUSES is_settled message_fields message_line message_of",
}

__getattr__ = lazy_names(__name__, _HOMES)
