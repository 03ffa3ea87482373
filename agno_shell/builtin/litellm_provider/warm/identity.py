"""Which server fits a shell: one of the same code, in the same interpreter and surroundings."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterator, Mapping

import agno_shell

_PACKAGE = os.path.dirname(os.path.abspath(agno_shell.__file__))
_CODE = ("", "builtin/litellm_provider", "builtin/litellm_provider/warm", "builtin/model_services")
"""The folders whose code a server has loaded."""

_DIGITS = 16


def identity(surroundings: Mapping[str, str], keep: float) -> str:
    """A short name that differs wherever a server started now would differ from one that was
    started before: after an upgrade, in another virtual environment, with another setting."""
    parts = [
        sys.executable,
        sys.version,
        sys.prefix,
        _PACKAGE,
        sorted(_changed()),
        _installed(),
        sorted(surroundings.items()),
        float(keep),
        os.nice(0),  # which a process inherits, and cannot lower
    ]
    return hashlib.sha256(json.dumps(parts).encode("ascii")).hexdigest()[:_DIGITS]


def _changed() -> Iterator[tuple[str, int]]:
    for folder in _CODE:
        with os.scandir(os.path.join(_PACKAGE, folder)) as entries:
            for entry in entries:
                if entry.name.endswith(".py"):
                    yield entry.name, entry.stat().st_mtime_ns


def _installed() -> tuple[str, int]:
    """The litellm that would be imported: where its description lies, and since when."""
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        path = str(distribution("litellm")._path)  # type: ignore[attr-defined]
        return path, os.stat(path).st_mtime_ns
    except (PackageNotFoundError, AttributeError, OSError):
        return "", 0
