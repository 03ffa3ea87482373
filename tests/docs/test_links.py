"""Every link and every file that the documentation names is there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


def without_code(text: str) -> str:
    return re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as GitHub and most others make them."""
    headings = re.findall(r"^#+ (.*)$", without_code(text), re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.strip().replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    wrong = []
    for link in LINK.findall(without_code(page.read_text())):
        if link.startswith("https://"):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        there = target.exists() and target.is_relative_to(ROOT)
        if not there or (anchor and anchor not in anchors(target.read_text())):
            wrong.append(link)
    assert not wrong


def test_the_index_names_every_page() -> None:
    linked = set(LINK.findall((ROOT / "docs" / "index.md").read_text()))
    assert {page.name for page in (ROOT / "docs").glob("*.md")} - {"index.md"} <= linked


def test_modules_that_are_named_are_there() -> None:
    text = "\n".join(page.read_text() for page in PAGES)
    named = set(re.findall(r"python -m (agno_shell[\w.]*)", text))
    assert named
    for module in named:
        path = ROOT / module.replace(".", "/")
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), module


def test_the_picture_is_a_picture_of_this_program() -> None:
    """It is drawn by hand, with ``python docs/picture.py``; it must still be well-formed and
    show what the shell says today."""
    from xml.etree import ElementTree

    from agno_shell.builtin.commands.plugin import register_commands

    root = ElementTree.fromstring((ROOT / "docs" / "session.svg").read_text())
    shown = " ".join("".join(element.itertext()) for element in root.iter())
    for command in register_commands():
        if command.name in ("sessions", "switch"):
            assert command.summary in shown
    assert "/help lists the commands" in shown


def test_the_picture_script_can_be_imported_without_drawing() -> None:
    code = "import runpy; runpy.run_path('docs/picture.py', run_name='picture')"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)
