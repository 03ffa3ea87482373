"""Who is at the other end of a Unix socket, as the system reports it."""

from __future__ import annotations

import os
import socket
import struct
import sys

from agno_shell.builtin.litellm_provider.warm.problems import NotWarmError
from agno_shell.toolkit.owners import user_name

_CREDENTIALS = struct.Struct("3i")
"""``struct ucred`` of Linux: process, user, group."""

_SOL_LOCAL, _LOCAL_PEERCRED, _LOCAL_PEERPID = 0, 1, 2
_XUCRED = struct.Struct("@IIh16I")
"""``struct xucred`` of macOS: version, user, number of groups, groups."""


def process_and_user(connection: socket.socket) -> tuple[int, int]:
    """The ids of the process and of its user; 0 for a process that cannot be seen from here.
    Raises ``OSError``."""
    if sys.platform == "darwin":
        packed = connection.getsockopt(_SOL_LOCAL, _LOCAL_PEERCRED, _XUCRED.size)
        user = _XUCRED.unpack(packed.ljust(_XUCRED.size, b"\0"))[1]
        return connection.getsockopt(_SOL_LOCAL, _LOCAL_PEERPID), user
    packed = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    process, user, _group = _CREDENTIALS.unpack(packed)
    return process, user


def check(connection: socket.socket) -> int:
    """The id of the process at the other end. Raises :class:`NotWarmError` where it is another
    user's, and ``OSError``."""
    process, user = process_and_user(connection)
    if user != os.geteuid():
        raise NotWarmError(f"The process at the other end is {user_name(user)}'s.")
    return process
