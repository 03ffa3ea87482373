"""What a plugin may import is one sentence of the CHANGELOG, and what we import keeps to it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
SENTENCE = re.compile(r"What a plugin may import is\s(.*?)\.\n", re.DOTALL)


def listed() -> set[str]:
    match = SENTENCE.search((ROOT / "CHANGELOG.md").read_text())
    assert match
    return set(re.findall(r"`([\w.]+)`", match[1]))


def imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == "agno_shell":
            modules = (f"agno_shell.{each.name}" for each in node.names)
            yield from (each if is_module(each) else "agno_shell" for each in modules)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (each.name for each in node.names)


def is_module(name: str) -> bool:
    path = ROOT / name.replace(".", "/")
    return path.is_dir() or path.with_suffix(".py").is_file()


def test_builtins_and_official_plugins_import_what_any_plugin_may() -> None:
    files = [
        *(ROOT / "agno_shell" / "builtin").rglob("*.py"),
        *(ROOT / "plugins").glob("*/agno_*/**/*.py"),
    ]
    assert len(files) > 100
    used = {name for file in files for name in imported(file) if name.startswith("agno_shell.")}
    ours = {".".join(name.split(".")[:2]) for name in used} - {"agno_shell.builtin"}
    assert ours <= listed()


def test_every_module_of_the_sentence_is_there() -> None:
    assert all(name == "agno_shell" or is_module(name) for name in listed())
