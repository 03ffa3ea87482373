"""What a plugin may import is one list, in pyproject.toml, and all that speaks of it agrees."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import agno_shell

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "agno_shell"
TOOLS: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
PUBLIC: list[str] = TOOLS["agno_shell"]["public_modules"]


def is_public(module: str) -> bool:
    top = ".".join(module.split(".")[:2])
    return top in PUBLIC


def is_module(name: str) -> bool:
    path = ROOT / name.replace(".", "/")
    return path.is_dir() or path.with_suffix(".py").is_file()


def imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == "agno_shell":
            modules = (f"agno_shell.{each.name}" for each in node.names)
            yield from (each if is_module(each) else "agno_shell" for each in modules)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (each.name for each in node.names)


def first_line(module: str) -> str:
    path = ROOT / module.replace(".", "/")
    source = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return (ast.get_docstring(ast.parse(source.read_text())) or "").partition("\n")[0]


def first_column(page: str, head: str) -> set[str]:
    """What is named in the first column of a table, with the lines that ``head`` begins."""
    table = (ROOT / page).read_text().partition(f"| {head} |")[2].partition("\n\n")[0]
    rows = table.splitlines()[2:]
    return {name for row in rows for name in re.findall(r"`([\w.]+)`", row.split("|")[1])}


def test_every_module_is_public_or_says_that_it_is_private() -> None:
    modules = {
        f"agno_shell.{path.stem}" for path in PACKAGE.glob("[a-z]*") if path.suffix != ".typed"
    }
    assert {*PUBLIC} - {"agno_shell"} <= modules
    for module in modules:
        assert first_line(module).endswith("Private.") != is_public(module), module


def test_what_the_package_exports_comes_from_public_modules() -> None:
    assert all(is_public(f"agno_shell.{home}") for home in agno_shell._HOMES)


def test_the_linter_lets_builtins_import_these_and_no_others() -> None:
    (rule,) = (
        each
        for each in TOOLS["importlinter"]["contracts"]
        if each["name"] == "builtins import only what a plugin may"
    )
    assert rule["source_modules"] == ["agno_shell.builtin"]
    assert rule["forbidden_modules"] == ["agno_shell.*"]
    allowed = {*PUBLIC} - {"agno_shell", "agno_shell.testing"}
    packages = {name for name in allowed if (ROOT / name.replace(".", "/")).is_dir()}
    assert sorted(rule["ignore_imports"]) == sorted(
        f"agno_shell.builtin.** -> {name}"
        for name in {*allowed, *(f"{package}.**" for package in packages)}
    )


def test_official_plugins_import_what_any_plugin_may() -> None:
    files = [*(ROOT / "plugins").glob("*/agno_*/**/*.py")]
    assert len(files) > 20
    used = {
        name for file in files for name in imported(file) if name.partition(".")[0] == "agno_shell"
    }
    assert used
    assert [name for name in sorted(used) if not is_public(name)] == []


def test_the_documentation_for_plugins_says_what_each_is_for() -> None:
    assert first_column("docs/plugins.md", "Module") == {*PUBLIC}
    tools = {path.stem for path in (PACKAGE / "toolkit").glob("[a-z]*")}
    assert first_column("docs/plugins.md", "Module of `agno_shell.toolkit`") == tools


def test_the_architecture_says_which_are_public() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    marked = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \| yes \|", text, re.MULTILINE)
    names = {name for cell in marked for name in re.findall(r"\w+", cell)}
    assert {f"agno_shell.{name}" for name in names} == {*PUBLIC} - {"agno_shell"}


def test_the_changelog_promises_them() -> None:
    sentence = re.search(
        r"What a plugin may import is\s(.*?)\.\n", (ROOT / "CHANGELOG.md").read_text(), re.DOTALL
    )
    assert sentence
    assert set(re.findall(r"`([\w.]+)`", sentence[1])) == {*PUBLIC}
