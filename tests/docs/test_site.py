"""The site shows every page, and its build ends at the first link that leads nowhere.

The build itself is a step of ``.ci/run``: what it needs is in the extra ``docs``, not in ``test``.
"""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
SITE = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
NAV = re.findall(r"^ +- [^:\n]+: (\S+)$", SITE.partition("\nnav:\n")[2], re.MULTILINE)
SCRIPT = (ROOT / "docs" / "site_pages.py").read_text(encoding="utf-8")
TABLE = SCRIPT.partition("\nFROM_ROOT = {\n")[2].partition("}")[0]
FROM_ROOT = dict(re.findall(r'^    "([\w.-]+)": "([\w./-]+)",$', TABLE, re.MULTILINE))


def public_modules(package: str) -> set[str]:
    folder = ROOT / "agno_shell" / package
    return {f"{package}.{path.stem}" for path in folder.glob("*.py") if path.stem != "__init__"}


def test_the_navigation_names_every_page_once() -> None:
    pages = {path.name for path in (ROOT / "docs").glob("*.md")}
    pages |= {name for name in FROM_ROOT if name.endswith(".md")}
    named = [page for page in NAV if not page.startswith("api/")]
    assert sorted(named) == sorted(pages)


def test_every_page_from_elsewhere_is_there() -> None:
    assert {"contributing.md", "security.md", "changes.md"} <= set(FROM_ROOT)
    assert all((ROOT / path).is_file() for path in FROM_ROOT.values())


def test_every_public_module_has_its_place_in_the_reference() -> None:
    named = {page.removeprefix("api/").removesuffix(".md") for page in NAV if page[:4] == "api/"}
    together = {"agno_shell", "toolkit", "testing"}
    alone = {"types", "errors", "events", "hookspecs"}
    assert named == together | alone | public_modules("contracts")


def test_the_site_is_built_strictly_with_all_links_checked() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    recipe = re.search(r"^site:.*\n\t(.*)$", makefile, re.MULTILINE)
    assert recipe is not None
    assert "mkdocs build --strict" in recipe[1]
    assert "--quiet" not in recipe[1]  # mkdocs counts no warning then
    assert re.search(r"^make .*\bsite\b", (ROOT / ".ci" / "run").read_text(), re.MULTILINE)
    checks = SITE.partition("\nvalidation:\n")[2].partition("\nnav:\n")[0]
    assert set(re.findall(r"^ +\w+: (\w+)$", checks, re.MULTILINE)) == {"warn"}


def test_the_site_loads_nothing_from_another_host() -> None:
    assert "  font: false\n" in SITE
    assert not re.search(r"https?://|extra_javascript|extra_css", SITE)
