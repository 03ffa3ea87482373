from __future__ import annotations

import locale
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from agno_shell import hookimpl
from agno_shell.contracts import RendererFactory
from agno_shell.diagnosis.subject import Subject
from agno_shell.diagnosis.surroundings import surroundings
from agno_shell.plugins.manager import Plugins
from agno_shell.toolkit.findings import is_wrong, sentence
from agno_shell.types import Finding

LookAt = Callable[..., Subject]


def found(subject: Subject, *, repair: bool = False) -> list[str]:
    return [sentence(each) for each in surroundings(subject, repair=repair)]


def test_nothing_is_wrong_in_a_new_home_and_nothing_is_made(look_at: LookAt, home: Path) -> None:
    assert found(look_at(), repair=True) == []
    assert list(home.iterdir()) == []


def test_every_mistake_in_the_configuration_is_found_at_once(look_at: LookAt, home: Path) -> None:
    (home / "shell.toml").touch(0o600)
    (home / "shell.toml").write_text("provider.model = 1")
    lines = found(
        look_at(
            'shell.trace = 5\nshel.metrics = true\nagents.x.modle = "y"\nshell.toolbar = false\n',
            environ={"AGNO_SHELL_SHELL_HISTORY": "perhaps", "AGNO_SHELL_SHELL_TRACES": "1"},
        )
    )
    file = home / "config.toml"
    assert [line for line in lines if f"configuration: {file}, line 1: shell.trace must" in line]
    assert [line for line in lines if f'{file}, line 2: there is no setting "shel' in line]
    assert [line for line in lines if f'{file}, line 3: an agent has no key "modle"' in line]
    assert [line for line in lines if f"{home}/shell.toml, line 1: provider.model must" in line]
    assert [line for line in lines if "AGNO_SHELL_SHELL_HISTORY must be true or false" in line]
    assert [line for line in lines if "Did you mean AGNO_SHELL_SHELL_TRACE?" in line]
    assert len(lines) == 6


def test_a_file_that_is_no_toml_is_one_finding_and_the_rest_is_looked_at(look_at: LookAt) -> None:
    (line, other) = found(look_at("[", environ={"AGNO_SHELL_RENDERER_PLUGIN": "x"}))
    assert "line 1" in line
    assert "There is no renderer called 'x'" in other


def test_what_is_selected_must_be_there(look_at: LookAt, home: Path) -> None:
    lines = found(
        look_at('storage.plugin = "jsn"\nprovider.plugin = "litelm"\nrenderer.plugin = "plan"')
    )
    assert [line.partition(": ")[0] for line in lines] == [
        f"{home}/config.toml, line {number}" for number in (1, 2, 3)
    ]
    assert [
        near in line for line, near in zip(lines, ("'json'", "'litellm'", "'plain'"), strict=True)
    ]


def test_a_renderer_that_cannot_be_opened(look_at: LookAt) -> None:
    (line,) = found(look_at('renderer.theme = "no such theme"'))
    assert line.startswith("renderer: ")
    assert "no such theme" in line


def test_a_plugin_with_a_bug_is_a_finding_and_not_the_end(look_at: LookAt) -> None:
    def open_broken(_options: object) -> Any:
        raise ZeroDivisionError("boom")

    @hookimpl
    def register_renderers() -> Sequence[RendererFactory]:
        return [RendererFactory("broken", "", open_broken)]

    module = ModuleType("broken")
    module.register_renderers = register_renderers
    plugins = Plugins(installed=False)
    plugins._load("broken", "dist-broken", "1.2", "broken", lambda: module)
    plugins._load("worse", "dist-worse", "3", "worse", lambda: 1 // 0)
    lines = found(look_at('renderer.plugin = "broken"', plugins=plugins))
    assert [line for line in lines if "boom" in line]
    (worse,) = [line for line in lines if line.startswith("plugin worse (dist-worse 3): ")]
    assert "load: ZeroDivisionError" in worse
    assert 'off = ["worse"]' in worse


def test_names_of_plugins_that_are_not_there(look_at: LookAt, home: Path) -> None:
    config = 'plugins.off = ["offlin", "plain"]\n[plugins.litelm]\nx = 1\n[plugins.json]\n'
    off, table = surroundings(look_at(config))
    assert off.where == f"{home}/config.toml, line 1"
    assert '"offlin"' in off.problem
    assert 'mean "offline"' in off.advice
    assert is_wrong(off)
    assert (table.where, table.note) == ("[plugins.litelm]", True)
    assert list(surroundings(look_at(config, all_plugins=False))) == [], "nobody knows then"


def test_the_rights_of_what_is_kept(look_at: LookAt, home: Path) -> None:
    subject = look_at("shell.trace = true")
    (home / "log").mkdir()
    kept = ["config.toml", "shell.toml", "history", "log/litellm.log"]
    for name in kept:
        (home / name).touch()
        (home / name).chmod(0o644)
    for folder in (home, home / "log"):
        folder.chmod(0o755)
    wrong = {each.where: each for each in surroundings(subject)}
    assert wrong.keys() == {str(home), str(home / "log"), *(str(home / name) for name in kept)}
    assert wrong[str(home)].advice == f"Set its rights with: chmod 700 {home}"
    assert wrong[str(home / "history")].advice.endswith(f"chmod 600 {home}/history")
    assert all(each.healed for each in surroundings(subject, repair=True))
    assert list(surroundings(subject)) == []
    assert [(home / name).stat().st_mode & 0o777 for name in kept] == [0o600] * 4


def test_a_history_that_is_a_link_is_named(look_at: LookAt, home: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").touch(0o600)
    (home / "history").symlink_to(tmp_path / "elsewhere")
    (line,) = found(look_at())
    assert line.startswith(f"{home}/history: It is a symbolic link")
    assert found(look_at("shell.history = false")) == []


def test_a_file_named_on_the_command_line_may_be_read_by_others(
    look_at: LookAt, tmp_path: Path
) -> None:
    file = tmp_path / "team.toml"
    subject = look_at("shell.trace = true", file=file)
    file.chmod(0o644)
    assert found(subject) == []
    file.chmod(0o666)
    (line,) = found(subject, repair=True)
    assert line == f"{file}: Others may change it. Set its rights with: chmod go-w {file}"


@pytest.mark.parametrize(
    ("encoding", "named"), [("UTF-8", False), ("utf8", False), ("latin-1", True)]
)
def test_a_locale_that_lacks_letters_is_worth_knowing(
    encoding: str, named: bool, look_at: LookAt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locale, "getpreferredencoding", lambda _do_setlocale: encoding)
    notes: list[Finding] = list(surroundings(look_at()))
    assert [note.note for note in notes] == [True] * named
    assert [encoding in note.problem for note in notes] == [True] * named
