"""What the import of litellm has read of the environment: three hundred variables, more with each
version, so that they are noted and not listed here."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from types import FrameType
from typing import Any

_IMPORTING = "<frozen importlib._bootstrap>"
_PROXY = "_proxy"


class Reads:
    """Names that were read while a module was being imported, with what stood there; and what
    the import has put there itself."""

    def __init__(self) -> None:
        self._values: dict[str, str | None] = {}
        self._everything = False
        self._written: dict[str, str | None] = {}

    @contextmanager
    def noting(self) -> Iterator[None]:
        """Note what imports within read of ``os.environ``."""
        # Everybody holds that one object, so it is given another class for a while.
        environ: Any = os.environ
        usual = type(environ)
        environ.__class__ = _EnvironRecorder
        environ.reads = self
        try:
            yield
        finally:
            environ.__class__ = usual
            del environ.reads

    def note(self, name: str, value: str | None) -> None:
        if name not in self._written:
            self._values[name] = value

    def note_written(self, name: str, value: str | None) -> None:
        self._written[name] = value

    def note_everything(self) -> None:
        """All names were gone through. Who does that at an import looks for proxies, as the
        standard library does it."""
        self._everything = True

    def differing(self, environ: Mapping[str, str]) -> list[str]:
        """The names with which the import would have gone otherwise in ``environ``."""
        differing = {name for name, value in self._values.items() if environ.get(name) != value}
        if self._everything:
            differing |= {
                name
                for name in {*environ, *self._values}
                if name.lower().endswith(_PROXY) and environ.get(name) != self._values.get(name)
            }
        return sorted(differing)

    def write(self, environ: MutableMapping[str, str]) -> None:
        """Put into ``environ`` what the import has put into its own."""
        for name, value in self._written.items():
            environ.pop(name, None)
            if value is not None:
                environ[name] = value


class _EnvironRecorder(os._Environ):  # type: ignore[type-arg]  # at run time it takes no parameter
    """``os.environ`` that notes what is read of it."""

    reads: Reads

    def __getitem__(self, key: str) -> str:
        try:
            value: str | None = super().__getitem__(key)
        except KeyError:
            value = None
        if _imports(sys._getframe(1)):
            self.reads.note(key, value)
        if value is None:
            raise KeyError(key)
        return value

    def __setitem__(self, key: str, value: str) -> None:
        super().__setitem__(key, value)
        if _imports(sys._getframe(1)):
            self.reads.note_written(key, value)

    def __delitem__(self, key: str) -> None:
        super().__delitem__(key)
        if _imports(sys._getframe(1)):
            self.reads.note_written(key, None)

    def __iter__(self) -> Iterator[str]:
        if _imports(sys._getframe(1)):
            self.reads.note_everything()
        return super().__iter__()


def _imports(frame: FrameType | None) -> bool:
    """Whether an import is under way in the calls that lead to ``frame``. What is read in a call
    behind that is read again in the next call."""
    while frame is not None:
        if frame.f_code.co_filename == _IMPORTING:
            return True
        frame = frame.f_back
    return False
