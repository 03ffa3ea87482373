"""The way to install without litellm names every other dependency."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_requirements_without_litellm_are_current() -> None:
    subprocess.run([sys.executable, "docs/slim.py", "--check"], cwd=ROOT, check=True, timeout=60)


def test_they_are_the_dependencies_but_for_litellm() -> None:
    lines = (ROOT / "requirements-slim.txt").read_text(encoding="utf-8").splitlines()
    names = {name(line) for line in lines if not line.startswith("#")}
    needed = {name(each) for each in requires("agno-shell") or () if "extra ==" not in each}
    assert needed - names == {"litellm"}
    assert names <= needed


def name(requirement: str) -> str:
    """The name of a package, without its versions and extras."""
    return re.split(r"[^\w-]", requirement, maxsplit=1)[0].replace("_", "-").lower()
