"""Every command line in the documentation is one that the program takes.

The ones that need neither a model nor a package index are run; of all others at least the
arguments are parsed.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sysconfig
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from agno_shell.base.paths import find_paths
from agno_shell.builtin.commands.plugin import register_commands
from agno_shell.builtin.model_services.keys import WITH_MODELS
from agno_shell.cli.arguments import build_parser
from agno_shell.config import load_config

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])

BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
GUIDE = (ROOT / "README.md", ROOT / "docs" / "tour.md")
"""What a newcomer reads first, in this order."""

KNOWN_TOOLS = {
    "pip",
    "pipx",
    "uv",
    "pytest",
    "ruff",
    "mypy",
    "lint-imports",
    ".ci/run",
    "export",
    "git",
    "echo",
}


def blocks(page: Path, language: str) -> list[str]:
    return [text for _indent, name, text in BLOCK.findall(page.read_text()) if name == language]


def command_lines(page: Path) -> Iterator[list[str]]:
    """The single commands of a page's shell blocks, split into words, without comments."""
    for text in blocks(page, "sh"):
        for line in text.splitlines():
            words: list[str] = []
            lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>")
            lexer.whitespace_split = True
            for word in [*lexer, "\n"]:
                if word in ("|", "&&", ";", "\n"):
                    if words:
                        yield words
                    words = []
                else:
                    words.append(word)


ALL = [(page.name, words) for page in PAGES for words in command_lines(page)]
VENV = ".venv/bin/"
OURS = [(name, words[1:]) for name, words in ALL if words[0].removeprefix(VENV) == "agno-shell"]


def test_there_is_something_to_check() -> None:
    assert len([name for name, _ in OURS if name in ("README.md", "tour.md")]) > 20


@pytest.mark.parametrize(("page", "words"), ALL, ids=lambda value: str(value)[:60])
def test_programs_are_known(page: str, words: list[str]) -> None:
    known = KNOWN_TOOLS | {"agno-shell", "jq", "printf", "python", "python3"}
    assert words[0].removeprefix(VENV) in known, page


@pytest.mark.parametrize(("page", "arguments"), OURS, ids=lambda value: str(value)[:60])
def test_the_command_line_takes_it(page: str, arguments: list[str]) -> None:
    if {"--version", "--help"} & set(arguments):
        pytest.skip("ends while it is parsed")
    build_parser().parse_args(arguments)


def test_the_first_two_commands_are_those_that_are_promised() -> None:
    first = blocks(ROOT / "README.md", "sh")[0].splitlines()
    commands = [line.partition("#")[0].strip() for line in first]
    # A system's own Python takes no packages (PEP 668), so both make an environment.
    make = "python3 -m venv .venv && .venv/bin/pip install"
    assert commands == [
        f"{make} . && .venv/bin/agno-shell",
        f"{make} -e '.[test]' && .venv/bin/pytest",
    ]
    assert blocks(ROOT / "docs" / "start.md", "sh")[0].strip() == commands[0]


def test_what_is_tested_before_a_change_lands_are_these_two_commands() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    found = re.search(r"^readme_command\(\) \{.*?^\}", script, re.MULTILINE | re.DOTALL)
    assert found is not None
    first = blocks(ROOT / "README.md", "sh")[0].splitlines()
    for number, line in enumerate(first, 1):
        command = f"{found.group()}\nreadme_command {number}"
        done = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True)
        assert done.stdout.strip() == line.partition("#")[0].strip()
        assert f"readme_command {number}" in script.replace(found.group(), "")


def test_the_readme_and_the_tour_work_from_top_to_bottom(tmp_path: Path) -> None:
    """Everything in them that needs no model, no package index and no terminal, in order."""
    environ = {
        "AGNO_SHELL_HOME": str(tmp_path / "home"),
        "HOME": str(tmp_path),
        "PATH": f"{sysconfig.get_path('scripts')}:{os.defpath}",
        "LANG": "C.UTF-8",
    }
    ran = []
    for line in "".join(text for page in GUIDE for text in blocks(page, "sh")).splitlines():
        if re.match(r"python3 -m venv |git |agno-shell --model", line):
            continue
        command = ["/bin/sh", "-ec", line]
        done = subprocess.run(
            command,
            env=environ,
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert (done.returncode, done.stderr) == (0, ""), line
        ran.append((line, done.stdout))
    output = dict(ran)
    listing = output["agno-shell session --list"]
    assert "Tax questions" in listing
    assert "for the 2026 return" in listing
    assert "1. **you**: “hello”" in output[r"printf 'hello\nwhat did I say?\n' | agno-shell"]


def test_toml_blocks_are_right(tmp_path: Path) -> None:
    paths = find_paths({"AGNO_SHELL_HOME": str(tmp_path)})
    for page in PAGES:
        if page.name == "plugins.md":
            continue  # its blocks are of plugins' own files as well
        for number, text in enumerate(blocks(page, "toml")):
            tomllib.loads(text)
            file = tmp_path / f"{page.stem}-{number}.toml"
            file.write_text(text)
            assert load_config(paths, file=str(file), environ={}, overrides={}).warnings == ()


def test_slash_commands_that_are_named_are_there() -> None:
    known = {command.name for command in register_commands()}
    known |= {alias for command in register_commands() for alias in command.aliases}
    not_ours = {"etc", "health"}  # a path of an example, and of a server
    for page in PAGES:
        text = page.read_text()
        named = set(re.findall(r"(?:^|`)/([a-z]+)(?![a-z/])", text, re.MULTILINE))
        assert named - not_ours <= known, page


def test_the_readme_names_the_keys_that_choose_a_model() -> None:
    readme = (ROOT / "README.md").read_text()
    assert all(service.key_variable in readme for service in WITH_MODELS)
