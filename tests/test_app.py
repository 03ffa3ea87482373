"""The composition root: what is made of a command line, and in which order."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

CODE = """
import os, sys
from agno_shell import app, cli

class Front:
    async def show(self):
        late = ("agno_shell.conversation.conversation", "agno_shell.shell.loop", "markdown_it")
        print([each for each in late if each in sys.modules], flush=True)
        os._exit(0)

app._capable = lambda _environ: True
app._terminal_frontend = lambda _config, _paths: Front()
cli.main([])
"""


def test_the_prompt_stands_before_the_engine_is_imported(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CODE],
        env={**os.environ, "AGNO_SHELL_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout == "[]\n", done.stderr
