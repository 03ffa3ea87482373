"""The composition root: what is made of a command line, and in which order."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

START = """
import os, sys
from agno_shell.app import chat
from agno_shell import cli

class Front:
    is_script = False

    async def show(self):
        late = ("agno_shell.conversation.engine", "agno_shell.shell.loop", "markdown_it")
        print([each for each in late if each in sys.modules], flush=True)

    async def stop(self):
        print("the terminal is as before", flush=True)

def broken(*_):
    raise OSError("broken")

chat._capable = lambda _environ: True
chat._terminal_frontend = lambda _config, _paths: Front()
chat._shell = broken
cli.main([])
"""


def test_the_prompt_stands_before_the_engine_and_never_stays_without_it(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", START],
        env={**os.environ, "AGNO_SHELL_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout == "[]\nthe terminal is as before\n", done.stderr
    assert "OSError: broken" in done.stderr
