"""The first words on a connection, before it is one of :mod:`..protocol`.

The shell sends one byte, with which the descriptor of its log may go along, and a line: ``{"do":
"serve", "environment": {…}, "umask": N}`` or ``{"do": "look"}``. It is answered with a line:
``{"serving": PID}`` or ``{"refused": SENTENCE}``, or ``{"seen": {…}, "about": TEXT}``, and before
it every second ``{"alive": true}`` while litellm is being imported. These words stay as they are:
shells of other versions look as well.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

CARRIER = b"\n"
"""The byte."""

ANSWER_SECONDS = 10.0
"""Without a byte from the other end."""

IMPORT_SECONDS = 60.0
"""The same while litellm is imported: a large library on a slow disk holds up every thread."""

LOOK = {"do": "look"}


def serve(environ: Mapping[str, str], umask: int) -> dict[str, Any]:
    """What a shell says that wants a model process."""
    record = {"do": "serve", "environment": dict(environ), "umask": umask}
    if sys.platform == "darwin":
        # What was forked must not ask the system's frameworks for it.
        import urllib.request

        record["system_proxies"] = [
            urllib.request._get_proxies(),
            urllib.request._get_proxy_settings(),
        ]
    return record
