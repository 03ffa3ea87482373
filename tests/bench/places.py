"""What is measured: the installed program, a floor beside it, and homes to run them in."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from agno_shell.base.paths import find_paths
from agno_shell.builtin.json_storage.store import open_storage
from agno_shell.contracts import Storage, StorageOptions
from agno_shell.types import Message, new_id, now

AGNO_SHELL = str(Path(sys.executable).with_name("agno-shell"))
"""The console script of this interpreter's environment, as a person starts it."""

BARE_PROMPT = [sys.executable, str(Path(__file__).with_name("bare_prompt.py"))]

SESSIONS = 100
CURRENT_NAME = "Benchmark of today"

REPLY = """\
There are *three* ways, each with its price:

1. **Read it whole.** Simple, and `json.load` is quick.
2. Read the end only, which needs a layout that allows it.

```python
def tail(path: str) -> bytes:
    with open(path, "rb") as file:
        file.seek(-4096, 2)
        return file.read()
```

The second one costs the same at any length.
"""


def environment(home: Path) -> dict[str, str]:
    """A clean environment: no keys, no configuration but what is in ``home``."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    return kept | {
        "AGNO_SHELL_HOME": str(home),
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
    }


def empty_home(folder: Path) -> dict[str, str]:
    """The environment of a person who has never used the program."""
    folder.mkdir()
    return environment(folder)


def full_home(folder: Path) -> dict[str, str]:
    """The environment of a person with 100 sessions, the current one with 40 messages."""
    environ = empty_home(folder)
    storage = open_storage(StorageOptions(find_paths(environ).sessions_dir))
    for number in range(1, SESSIONS):
        made = storage.create(f"Session number {number}", f"What was asked on day {number}")
        _talk(storage, made.session_id, 4)
    current = storage.create(CURRENT_NAME, "Opened by each launch")
    _talk(storage, current.session_id, 40)
    storage.set_current(current.session_id)
    storage.close()
    return environ


def index_file(environ: Mapping[str, str]) -> Path:
    """The list of sessions of a home."""
    return Path(find_paths(environ).sessions_dir) / "sessions.json"


def _talk(storage: Storage, session_id: str, messages: int) -> None:
    parent = None
    for number in range(messages):
        asks = number % 2 == 0
        message = Message(
            new_id(),
            "user" if asks else "assistant",
            f"How is the end of a long file read? ({number})" if asks else REPLY,
            now(),
            parent=parent,
        )
        storage.append(session_id, message)
        parent = message.id
