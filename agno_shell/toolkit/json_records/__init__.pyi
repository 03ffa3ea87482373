# Made from _HOMES in __init__.py by python -m agno_shell.base.stubs.

from .memories import memory_fields as memory_fields
from .memories import memory_line as memory_line
from .memories import memory_of as memory_of
from .messages import ROLES as ROLES
from .messages import STATUSES as STATUSES
from .messages import message_fields as message_fields
from .messages import message_line as message_line
from .messages import message_of as message_of
from .sessions import REASONINGS as REASONINGS
from .sessions import session_fields as session_fields
from .sessions import session_of as session_of
from .strict_json import Damage as Damage
from .strict_json import UnwritableError as UnwritableError
from .strict_json import dumps as dumps
from .strict_json import finite as finite
from .strict_json import loads as loads
from .strict_json import refuse_constant as refuse_constant
from .strict_json import scan as scan
from .times import EPOCH as EPOCH
from .times import local_stamp as local_stamp
from .times import moment as moment
from .times import stamp as stamp
from .times import time_of as time_of
