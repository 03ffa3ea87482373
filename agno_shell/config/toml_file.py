"""One TOML file, read with care: every way in which it can be wrong is a ``ConfigError``."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from typing import Any

from agno_shell.errors import ConfigError
from agno_shell.types import NOTHING

MAXIMUM_BYTES = 1_048_576
MAXIMUM_DEPTH = 50
_NON_BLOCKING = getattr(os, "O_NONBLOCK", 0)  # so that a FIFO cannot make us wait


class TomlFile:
    """A file that was read; it knows on which line a key stands."""

    __slots__ = ("_lines", "_text", "path", "table")

    def __init__(self, path: str, text: str = "", table: Mapping[str, Any] = NOTHING) -> None:
        self.path = path
        self.table = table
        self._text = text
        self._lines: Mapping[tuple[str, ...], int] | None = None

    def place(self, key: tuple[str, ...]) -> str:
        """``FILE, line N`` of a key, of the first one below it, or of the nearest table above
        it that has a line."""
        if self._lines is None:
            from agno_shell.config.key_lines import key_lines

            self._lines = key_lines(self._text)
        for length in range(len(key), 0, -1):
            above = key[:length]
            line = self._lines.get(above) or min(
                (below for each, below in self._lines.items() if each[:length] == above), default=0
            )
            if line:
                return f"{self.path}, line {line}"
        return self.path


def read_toml(path: str, *, required: bool = False) -> TomlFile | None:
    """The file at ``path``; None if there is none and none is required.

    Raises ``ConfigError`` for a file that is missing though required, cannot be read,
    is no plain file, is larger than 1 MiB, is not UTF-8 or is not TOML.
    """
    data = _read(path, required=required)
    if data is None:
        return None
    text = _decode(path, data)
    import tomllib

    try:
        table = tomllib.loads(text)
    except RecursionError:
        raise _too_deep(path) from None
    except ValueError as error:  # TOMLDecodeError, and what int() says of 5,000 digits
        raise _broken(path, text, str(error)) from None
    if _is_deep(table):  # dotted keys nest without recursion there, but not in their users
        raise _too_deep(path)
    return TomlFile(path, text, table)


def _read(path: str, *, required: bool) -> bytes | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | _NON_BLOCKING)
    except (FileNotFoundError, NotADirectoryError):
        if required:
            raise ConfigError(f"There is no configuration file {path}.") from None
        return None
    except OSError as error:
        raise _unreadable(path, error.strerror) from None
    except ValueError:  # a NUL, or a character that the file system's encoding lacks
        raise ConfigError("The path of the configuration file holds a forbidden sign.") from None
    try:
        with open(descriptor, "rb") as stream:
            mode = os.fstat(descriptor).st_mode
            if not stat.S_ISREG(mode):
                kind = "a folder" if stat.S_ISDIR(mode) else "not a plain file"
                raise ConfigError(f"The configuration file {path} is {kind}.")
            data = stream.read(MAXIMUM_BYTES + 1)
    except IsADirectoryError:  # what open() itself says of a folder's descriptor
        raise ConfigError(f"The configuration file {path} is a folder.") from None
    except OSError as error:
        raise _unreadable(path, error.strerror) from None
    if len(data) > MAXIMUM_BYTES:
        raise ConfigError(f"The configuration file {path} is larger than 1 MiB.")
    return data


def _decode(path: str, data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            f"{path}, line {line}: the file is not UTF-8.",
            hint="Save it in the encoding UTF-8.",
        ) from None


def _unreadable(path: str, reason: str | None) -> ConfigError:
    return ConfigError(f"The configuration file {path} could not be read: {reason or 'unknown'}.")


def _too_deep(path: str) -> ConfigError:
    return ConfigError(f"{path} cannot be read: it is nested too deeply.")


def _is_deep(table: Mapping[str, Any]) -> bool:
    waiting: list[tuple[Any, int]] = [(table, 0)]
    while waiting:
        item, depth = waiting.pop()
        if depth > MAXIMUM_DEPTH:
            return True
        if isinstance(item, dict | list):
            below = item.values() if isinstance(item, dict) else item
            waiting += [(value, depth + 1) for value in below]
    return False


def _broken(path: str, text: str, problem: str) -> ConfigError:
    """tomllib puts the place behind its sentence, as ``(at line 3, column 7)``."""
    import re

    found = re.search(r" \(at line (\d+), column (\d+)\)$", problem)
    line = None
    if found:
        line = int(found[1])
        place = f"{path}, line {line}, column {found[2]}"
        problem = problem[: found.start()]
    elif problem.endswith(" (at end of document)"):
        line = len(text.splitlines()) or 1
        place = f"{path}, line {line}, at the end"
        problem = problem.removesuffix(" (at end of document)")
    else:
        place = path
    problem = problem[:1].lower() + problem[1:]
    return ConfigError(f"{place}: this is not TOML: {problem}.", hint=_hint(problem, text, line))


def _hint(problem: str, text: str, line: int | None) -> str:
    if "invalid value" in problem:
        return 'Text stands in quotes, as in model = "name".'
    if "unescaped '\\'" in problem or "hex value" in problem:
        return (
            "Within double quotes a backslash begins an escape; a path with backslashes stands "
            r"in single quotes, as in path = 'C:\Users\me'."
        )
    if "twice" in problem or "overwrite" in problem:
        return _where_before(text, line)
    return ""


def _where_before(text: str, line: int | None) -> str:
    """Where the key or table that this line repeats was defined first."""
    from agno_shell.config.key_lines import stands_before

    found = stands_before(text, line) if line else None
    if found is None:
        return "Remove one of the two."
    key, first = found
    name = ".".join(key)[:60]
    if text.split("\n")[(line or 1) - 1].lstrip().startswith("["):
        return f"[{name}] is in line {first} already: put all of it there."
    return f"{name} is in line {first} already. Remove one of the two."
