"""How many files, functions and changes of file one message passes: how far an heir has to go.

The second message of a shell is typed, answered and shown: with the default storage on a disk,
the default renderer, and a provider that answers from a script. Each function of the package is
counted once, in the order in which functions are first called; a change is a function in another
file than the one before it. `python tests/bench/message_profile.py [--files]`
"""

from __future__ import annotations

import asyncio
import io
import os
import sys
import threading
from collections import Counter
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import Any

from prompt_toolkit.data_structures import Size
from prompt_toolkit.input import create_pipe_input

import agno_shell
from agno_shell.builtin.json_storage.store import open_storage
from agno_shell.config import Config
from agno_shell.contracts import RendererOptions, StorageOptions
from agno_shell.events import Finished
from agno_shell.shell.history import InputHistory
from agno_shell.shell.loop import Shell
from agno_shell.shell.terminal import FrameOutput, patch_parser
from agno_shell.shell.terminal_frontend import TerminalFrontend
from agno_shell.testing.memory_engine import FakeProvider, memory_engine

PACKAGE = os.path.dirname(agno_shell.__file__) + os.sep

REPLIES = (
    ["Hello **there**.\n\n```python\nprint(1)\n```\n", "More text.", Finished()],
    ["Second reply.", Finished()],
)

SETTLED_SECONDS = 1.0
"""After which everything has happened that a message brings about."""


class Profile:
    """The functions of the package that are called, in the order of their first calls."""

    def __init__(self) -> None:
        self.functions: dict[tuple[str, str], None] = {}
        self.is_on = False

    def __call__(self, frame: FrameType, event: str, _argument: Any) -> None:
        code = frame.f_code
        if self.is_on and event == "call" and code.co_filename.startswith(PACKAGE):
            self.functions.setdefault((code.co_filename, code.co_qualname))

    @property
    def files(self) -> Counter[str]:
        return Counter(file.removeprefix(PACKAGE) for file, _function in self.functions)

    @property
    def changes(self) -> int:
        return sum(one[0] != other[0] for one, other in pairwise(self.functions))


async def chat(folder: str, profile: Profile) -> None:
    """A shell in which two messages are typed; the second is profiled."""
    storage = open_storage(StorageOptions(folder, {}, print, folder))
    engine = memory_engine(storage, FakeProvider(*REPLIES))
    with create_pipe_input() as keyboard:
        patch_parser(keyboard)
        terminal = io.StringIO()
        terminal.isatty = lambda: True  # type: ignore[method-assign]
        output = FrameOutput(terminal, lambda: Size(24, 80), term="xterm", enable_cpr=False)
        frontend = TerminalFrontend(keyboard, output, history=InputHistory(None), vi=False)
        renderer = engine.plugins.renderers.get("pygments").open(RendererOptions("default", {}))
        shell = Shell(
            engine, frontend, renderer, Config(), remember=lambda _values: None, greeting="Hello."
        )
        running = asyncio.create_task(shell.run())
        await asyncio.sleep(SETTLED_SECONDS)
        keyboard.send_text("first\r")
        await asyncio.sleep(SETTLED_SECONDS)
        profile.is_on = True
        keyboard.send_text("second\r")
        await asyncio.sleep(SETTLED_SECONDS)
        profile.is_on = False
        keyboard.send_text("\x04")
        await running


def main() -> None:
    profile = Profile()
    threading.setprofile(profile)
    sys.setprofile(profile)
    with TemporaryDirectory() as folder:
        asyncio.run(chat(folder, profile))
    sys.setprofile(None)
    files = profile.files
    if "--files" in sys.argv:
        for file, functions in sorted(files.items()):
            print(f"{functions:4}  {Path(file)}")
    print(
        f"One message: {len(files)} files, {len(profile.functions)} functions, "
        f"{profile.changes} changes of file."
    )


if __name__ == "__main__":
    main()
