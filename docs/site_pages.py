"""What the site has beside ``docs/*.md``; ``mkdocs.yml`` names this file as a hook.

- Files from elsewhere in the repository, such as ``CONTRIBUTING.md``, become pages. Links between
  them and the pages of ``docs`` are written for the forge, and changed here.
- The pages of the Python API are made from the docstrings. They consist of directives that a forge
  would show as they are, so they are in no file.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

import site_api  # mkdocs puts the folder of a hook on the search path

ROOT = Path(__file__).resolve().parents[1]

FROM_ROOT = {
    "contributing.md": "CONTRIBUTING.md",
    "security.md": "SECURITY.md",
    "changes.md": "CHANGELOG.md",
    "benchmarks.md": "tests/bench/README.md",
    "plugin-echo.md": "plugins/agno-shell-echo/README.md",
    "plugin-mcp.md": "plugins/agno-shell-mcp/README.md",
    "plugin-sqlite.md": "plugins/agno-shell-sqlite/README.md",
    "config.example.toml": "config.example.toml",
    "LICENSE.txt": "LICENSE",
    "NOTICE.txt": "NOTICE",
}
"""By its name on the site, a file of the repository."""

ELSEWHERE = {
    "README.md": "index.md",
    **{f"plugins/agno-shell-{each}": f"plugin-{each}.md" for each in ("echo", "mcp", "sqlite")},
}
"""By its path in the repository, the page that replaces it on the site."""

FENCE = re.compile(r"^ *(```+)")
LINK = re.compile(r"(\]\()([^)\s]+)(?=\))")


def on_files(files: Any, config: Any) -> Any:
    """Add the files from elsewhere and the pages of the API."""
    from mkdocs.structure.files import File

    for name, path in FROM_ROOT.items():
        files.append(File.generated(config, name, abs_src_path=str(ROOT / path)))
    for name, text in site_api.pages().items():
        files.append(File.generated(config, name, content=text))
    return files


def on_page_markdown(markdown: str, *, page: Any, config: Any, files: Any) -> str:
    """The text of a page with the links of the site, and with its tables as Python-Markdown reads
    them: a bar in code needs no backslash there."""
    name = page.file.src_uri
    source = FROM_ROOT.get(name, f"docs/{name}")
    lines, fence = [], ""
    for line in markdown.split("\n"):
        mark = FENCE.match(line)
        if mark and fence in ("", mark[1]):
            fence = "" if fence else mark[1]
        elif not fence:
            line = LINK.sub(lambda link: link[1] + place_on_site(link[2], source), line)
            line = line.replace(r"\|", "|") if line.startswith("|") else line
        lines.append(line)
    return "\n".join(lines)


def place_on_site(link: str, source: str) -> str:
    """Where a link of the file ``source`` of the repository leads on the site."""
    if "://" in link or link.startswith("#"):
        return link
    path, sign, anchor = link.partition("#")
    path = posixpath.normpath(posixpath.join(posixpath.dirname(source), path))
    on_site = {path: name for name, path in FROM_ROOT.items()} | ELSEWHERE
    return on_site.get(path, path.removeprefix("docs/")) + sign + anchor
