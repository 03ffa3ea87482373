"""Makes the stubs of the packages whose names are loaded late, out of their tables.

Type checkers and editors do not call ``__getattr__``, so they read ``__init__.pyi`` beside the
package. ``python -m agno_shell.base.stubs`` writes these; with ``--check`` it only says, by exit
code 1, that one has other names than its table.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parents[2]

HEAD = "# Made from _HOMES in __init__.py by python -m agno_shell.base.stubs.\n\n"


def packages() -> list[str]:
    """The packages of agno-shell that load their names late."""
    return [
        ".".join(path.parent.relative_to(ROOT).parts)
        for path in sorted((ROOT / "agno_shell").rglob("__init__.py"))
        if "= lazy_names(" in path.read_text(encoding="utf-8")
    ]


def stub(package: str) -> str:
    """Every name as an import that is meant for others, in the order of our style."""
    module = import_module(package)
    lines = [
        f"from .{home} import {name} as {name}\n"
        for home, names in sorted(module._HOMES.items())
        for name in sorted(names.split(), key=_kind_and_name)
    ]
    version = "\n__version__: str\n" if hasattr(module, "__version__") else ""
    return HEAD + "".join(lines) + version


def _kind_and_name(name: str) -> tuple[bool, bool, str]:
    return not name.isupper(), name[0].islower(), name.lower()


def main(arguments: Sequence[str]) -> int:
    """Write or check the stubs; 0 when they are up to date, 1 when not."""
    stale = 0
    for package in packages():
        path = ROOT.joinpath(*package.split("."), "__init__.pyi")
        text = stub(package)
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        if "--check" in arguments:
            stale = 1
            where = path.relative_to(ROOT)
            sys.stderr.write(f"{where} is out of date: run python -m agno_shell.base.stubs\n")
        else:
            path.write_text(text, encoding="utf-8")
    return stale


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
