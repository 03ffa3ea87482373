"""The pages of the Python API, which only the site has: they are made from the docstrings.

``mkdocs.yml`` names ``Roles`` as an extension of Griffe; ``site_pages.py`` asks for ``pages()``.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import Any

import griffe

import agno_shell

ROOT = Path(__file__).resolve().parents[1]

SINGLE = {
    "types": "Stored records",
    "errors": "Errors",
    "events": "Events and requests",
    "hookspecs": "Hooks",
    "contracts.storage": "Storages",
    "contracts.provider": "Providers",
    "contracts.renderer": "Renderers",
    "contracts.tools": "Tools",
    "contracts.commands": "Slash commands",
    "contracts.engine": "The engine",
    "contracts.subcommands": "Subcommands",
}
"""Modules with a page of their own, and its title. The packages below have one page each."""
TOGETHER = {"toolkit": "Toolkit", "testing": "Testing"}
FOLDED = ("agno_shell.testing.storage_contract.",)
"""A folder that is one class for a reader."""

TEMPLATE = "# {title}\n\nThe module `agno_shell.{module}`.\n\n::: agno_shell.{module}\n"


def pages() -> dict[str, str]:
    """The text of each page, by its name on the site."""
    texts = {"api/agno_shell.md": overview()}
    for module, title in SINGLE.items():
        texts[f"api/{module}.md"] = TEMPLATE.format(title=title, module=module)
    for package, title in TOGETHER.items():
        sections = "".join(
            f"::: {module}\n    options:\n      show_root_heading: true\n"
            "      show_root_full_path: true\n      show_root_toc_entry: true\n\n"
            for module in modules(package)
        )
        texts[f"api/{package}.md"] = f"# {title}\n\n{first_words(package)}\n\n{sections}"
    return texts


def modules(package: str) -> list[str]:
    """The public modules of a package, dotted; a package's own ``__init__`` is the package."""
    folder = ROOT / "agno_shell" / package
    found = []
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts).removesuffix(".__init__")
        if name != f"agno_shell.{package}" and not name.startswith(FOLDED):
            found.append(name)
    return found


def overview() -> str:
    """The page on ``agno_shell`` itself: what it exports, and where that is described."""
    homes = [f"agno_shell.{each}" for each in SINGLE]
    homes += [module for package in TOGETHER for module in modules(package)]
    rows = []
    for name in sorted(set(agno_shell.__all__) - {"__version__"}, key=str.lower):
        for home in homes:
            words = definitions(home).get(name)
            if words is not None:
                module = home.removeprefix("agno_shell.")
                rows.append(f"| [`{name}`][{home}.{name}] | {words} | `{module}` |")
                break
        else:
            raise LookupError(f"agno_shell exports {name}, and no page describes it")
    table = "\n".join(("| Name | What it is | Module |", "|---|---|---|", *rows))
    return (
        "# Python API\n\nWhat a plugin imports from `agno_shell` itself. Its modules export a few "
        "names more, for which there is less need.\n\n" + table + "\n"
    )


@cache
def definitions(module: str) -> dict[str, str]:
    """What a module defines, each with the first sentence of its docstring."""
    body = parsed(module).body
    found = {}
    for node, behind in zip(body, [*body[1:], None], strict=True):
        match node:
            case ast.ClassDef() | ast.FunctionDef():
                found[node.name] = first_sentence(ast.get_docstring(node))
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                found[name] = first_sentence(words_of(behind))
    return found


def words_of(node: ast.stmt | None) -> str | None:
    match node:
        case ast.Expr(value=ast.Constant(value=str(words))):
            return words
    return None


def first_words(package: str) -> str:
    return (ast.get_docstring(parsed(f"agno_shell.{package}")) or "").partition("\n")[0]


def first_sentence(text: str | None) -> str:
    words = " ".join((text or "").split())
    return plain(re.split(r"(?<=[.:;])\s", words, maxsplit=1)[0].rstrip(":;"))


def parsed(module: str) -> ast.Module:
    path = ROOT.joinpath(*module.split("."))
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return ast.parse(file.read_text(encoding="utf-8"))


# Docstrings --------------------------------------------------------------------------------

ROLE = re.compile(r":(?:attr|class|data|func|meth|mod):`(~?)([\w.]+)`")


def plain(text: str) -> str:
    """A docstring's roles as code, without links."""
    return ROLE.sub(lambda role: f"`{shown(*role.groups())}`", text)


def shown(tilde: str, path: str) -> str:
    return path.rpartition(".")[2] if tilde else path


class Roles(griffe.Extension):
    """Docstrings have Sphinx's roles and literal blocks; the site is Markdown."""

    def on_package(self, *, pkg: griffe.Module, loader: Any, **_: Any) -> None:
        if pkg.name == "agno_shell":
            self.walk(pkg)

    def walk(self, one: griffe.Object | griffe.Alias) -> None:
        for member in one.members.values():
            if not member.is_alias:
                self.walk(member)
        if one.docstring:
            text = ROLE.sub(lambda role: link(one, *role.groups()), one.docstring.value)
            one.docstring.value = re.sub(r"::$", ":", text, flags=re.MULTILINE)


def link(one: griffe.Object | griffe.Alias, tilde: str, path: str) -> str:
    """A link where there is a page for it, and code where there is none."""
    try:
        first, dot, rest = path.partition(".")
        whole = path if first == "agno_shell" else one.resolve(first) + dot + rest
    except griffe.NameResolutionError:
        return f"`{shown(tilde, path)}`"
    return f'<autoref optional identifier="{whole}"><code>{shown(tilde, path)}</code></autoref>'
