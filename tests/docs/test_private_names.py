"""CONTRIBUTING.md lists every private name of a dependency that the code touches, and no other.

A private name that the code uses and nowhere defines is another's; so is one that is asked for by
its text, as with ``getattr``, and one that a class of ours shares with the class it is made from.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
DOCUMENTED = {"_asdict", "_fields", "_make", "_replace", "_exit", "_current_frames", "_getframe"}
"""Of named tuples, ``os`` and ``sys``: public in spite of how they begin."""
PYTHON = ("builtins", "abc", "typing", "collections", "enum", "_frozen_importlib")
"""Whose classes hold nothing that ours could use by mistake."""
MADE_BY_PYTHON = {"_abc_impl", "_is_protocol"}


def sources() -> Iterator[Path]:
    yield from (ROOT / "agno_shell").rglob("*.py")
    yield from (ROOT / "plugins").glob("*/agno_shell_*/**/*.py")


def is_private(name: str) -> bool:
    return re.fullmatch(r"_[A-Za-z]\w*", name) is not None and not name.endswith("_")


def defined(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.name
            case ast.Attribute(ctx=ast.Store()):
                yield node.attr
            case ast.Name(ctx=ast.Store()):
                yield node.id


def used(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Attribute():
                yield node.attr
            case ast.ImportFrom(module=str(module)) if module.partition(".")[0] != "agno_shell":
                yield from (*module.split("."), *(each.name for each in node.names))


def asked_for(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(args=[_, ast.Constant(value=str(name)), *_]):
                yield name


def shared(path: Path) -> Iterator[str]:
    """Private names of other people's classes that ours replace, or use."""
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    if path.name == "__main__.py" or not name.startswith("agno_shell."):
        return
    module = importlib.import_module(name)
    each: Any
    for each in vars(module).values():
        if inspect.isclass(each) and each.__module__ == module.__name__:
            others = [one for one in each.__mro__ if top(one) not in ("agno_shell", *PYTHON)]
            if not others:
                continue
            theirs = {name for one in others for name in {*vars(one), *own_names(one)}}
            yield from theirs & {*vars(each), *own_names(each)} - MADE_BY_PYTHON  # type: ignore[arg-type]


def top(one: type) -> str:
    return one.__module__.partition(".")[0]


@cache
def own_names(one: Any) -> list[str]:
    try:
        return re.findall(r"\bself\.(_[a-z]\w*)", inspect.getsource(one))
    except (OSError, TypeError):  # written in C
        return []


def touched() -> set[tuple[str, str]]:
    trees = {path: ast.parse(path.read_text()) for path in sources()}
    ours = {name for tree in trees.values() for name in defined(tree)}
    return {
        (name, str(path.relative_to(ROOT)))
        for path, tree in trees.items()
        for name in {*(set(used(tree)) - ours), *asked_for(tree), *shared(path)}
        if is_private(name) and name not in DOCUMENTED
    }


def listed() -> set[tuple[str, str]]:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    table = text.partition("<!-- private names: checked by tests -->")[2].partition("<!--")[0]
    found = set()
    for row in table.strip().splitlines()[2:]:
        name, _of, places, why = (cell.strip() for cell in row.strip("|").split("|"))
        assert why, name
        found |= {(name.strip("`"), place) for place in re.findall(r"`([^`]+)`", places)}
    return found


def test_the_list_of_private_names_is_whole_and_right() -> None:
    assert sorted(touched() - listed()) == [], "not in the list"
    assert sorted(listed() - touched()) == [], "not in the code"


def test_the_files_that_a_recipe_names_are_there() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    paths = set(re.findall(r"`((?:agno_shell|plugins|tests|docs|\.ci|\.github)/[\w./-]*)`", text))
    assert len(paths) > 30
    assert [path for path in sorted(paths) if not (ROOT / path).exists()] == []
