# Made from _HOMES in __init__.py by python -m agno_shell.base.stubs.

from .memories import memory_fields as memory_fields
from .memories import memory_line as memory_line
from .memories import memory_of as memory_of
from .messages import ROLES as ROLES
from .messages import STATUSES as STATUSES
from .messages import is_settled as is_settled
from .messages import message_fields as message_fields
from .messages import message_line as message_line
from .messages import message_of as message_of
from .sessions import REASONINGS as REASONINGS
from .sessions import session_fields as session_fields
from .sessions import session_of as session_of
from .values import EPOCH as EPOCH
from .values import Damage as Damage
from .values import UnwritableError as UnwritableError
from .values import dumps as dumps
from .values import finite as finite
from .values import loads as loads
from .values import local_stamp as local_stamp
from .values import moment as moment
from .values import refuse_constant as refuse_constant
from .values import scan as scan
from .values import stamp as stamp
from .values import time_of as time_of
