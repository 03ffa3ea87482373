"""Makes ``requirements-slim.txt``: what agno-shell needs without litellm.

``python docs/slim.py`` writes it; with ``--check`` it only says, by exit code 1, that the file
is not what ``pyproject.toml`` would give.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
FILE = ROOT / "requirements-slim.txt"

HEAD = """\
# What agno-shell needs without litellm; made by python docs/slim.py.
# pip install -r requirements-slim.txt && pip install --no-deps .
"""


def text() -> str:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = [each for each in project["dependencies"] if not each.startswith("litellm")]
    return HEAD + "".join(f"{each}\n" for each in needed)


def main(arguments: Sequence[str]) -> int:
    """Write or check the file; 0 when it is up to date, 1 when not."""
    if "--check" not in arguments:
        FILE.write_text(text(), encoding="utf-8")
        return 0
    if FILE.exists() and FILE.read_text(encoding="utf-8") == text():
        return 0
    sys.stderr.write(f"{FILE.name} is not what pyproject.toml says. Run: python docs/slim.py\n")
    return 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
