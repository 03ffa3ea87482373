from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from agno_shell import cli
from agno_shell.app import chat, parts
from agno_shell.base import installed
from agno_shell.base.options import CommonOptions
from agno_shell.cli import commands
from agno_shell.cli.commands.chat import question
from agno_shell.errors import AgnoShellError, ConfigError, SessionNotFoundError, StorageError

Calls = list[tuple[Any, ...]]
Given = Callable[..., dict[str, Any]]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    """What the command line asks of the application, beyond what it was given."""
    made: Calls = []

    def record(name: str) -> Any:
        def call(*arguments: Any, **named: Any) -> int:
            given = {
                key: value for key, value in named.items() if value not in (None, {}, (), False)
            }
            made.append((name, *arguments, given))
            return 0

        return call

    monkeypatch.setattr(chat, "chat", record("chat"))
    monkeypatch.setattr(question, "ask", record("quick"))
    for name in ("open_storage", "subject_of", "plugins_of", "read"):
        monkeypatch.setattr(parts, name, record(name))
    # A developer may have plugins installed, which add commands of their own.
    monkeypatch.setattr(installed, "may_have", lambda _group: False)
    return made


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> Given:
    """What a command is given of a command line."""

    def given(*arguments: str) -> dict[str, Any]:
        taken: list[dict[str, Any]] = []

        def run(_context: object, given: dict[str, Any]) -> int:
            taken.append(given)
            return 0

        command = next(each for each in arguments if each in cli.arguments.command_names())
        monkeypatch.setattr(f"{commands.__name__}.{command}.run", run)
        assert cli.main(arguments) == 0
        [found] = taken
        return found

    return given


def fail_with(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def fail(*_: Any, **__: Any) -> int:
        raise error

    monkeypatch.setattr(chat, "chat", fail)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("", {}),
        ("chat", {}),
        ("--session 3f", {"session": "3f"}),
        ("chat --session 3f", {"session": "3f"}),
        ("--new", {"new": ""}),
        ("--new session", {"new": "session"}),
        ("chat --new Tax --agent a", {"new": "Tax", "agent": "a"}),
        ("--agent a chat", {"agent": "a"}),
        ("--agent a chat --agent b", {"agent": "b"}),
        ("--agent session chat", {"agent": "session"}),
        ('chat --context {"a":["é"]}', {"facts": {"a": ["é"]}}),
        ("chat -a poet", {"agent": "poet"}),
        ("-a poet --goal Peace", {"agent": "poet", "facts": {"goal": "Peace"}}),
        ('chat --goal new --context {"goal":"old"}', {"facts": {"goal": "new"}}),
    ],
)
def test_chat(calls: Calls, arguments: str, expected: dict[str, Any]) -> None:
    assert cli.main(arguments.split()) == 0
    assert calls == [("chat", CommonOptions(), expected)]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (
            "--model m --api-base http://x --trace chat --metrics",
            CommonOptions(
                overrides={
                    "provider.model": "m",
                    "provider.api_base": "http://x",
                    "provider.api_key_env": "",
                    "shell.trace": True,
                    "shell.metrics": True,
                }
            ),
        ),
        (
            "--api-base http://x --api-key-env MY_KEY",
            CommonOptions(
                overrides={"provider.api_base": "http://x", "provider.api_key_env": "MY_KEY"}
            ),
        ),
        ("--reasoning low", CommonOptions(overrides={"provider.reasoning": "low"})),
        ("--config f --no-plugins", CommonOptions("f", no_plugins=True)),
        ("chat --config f", CommonOptions("f")),
    ],
)
def test_options_that_decide_a_setting(
    calls: Calls, arguments: str, expected: CommonOptions
) -> None:
    assert cli.main(arguments.split()) == 0
    assert calls == [("chat", expected, {})]


@pytest.mark.parametrize("text", ["-- what is this in SQL?", "--verbose flag: what for?", "- a"])
def test_a_text_may_begin_with_dashes(given: Given, text: str) -> None:
    assert given("chat", "--quick", text) == {"quick": text}
    created = given("session", "--create", "x", "--description", text)
    assert created == {"create": "x", "description": text}


def test_one_question(calls: Calls) -> None:
    arguments = ["chat", "--quick", "Why is it?", "--json", "--agent", "a", "--context", "{}"]
    assert cli.main([*arguments, "--model", "m"]) == 0
    common = CommonOptions(overrides={"provider.model": "m"})
    assert calls == [("quick", "Why is it?", common, {"agent": "a", "as_json": True})]


def test_one_question_in_short(calls: Calls) -> None:
    assert cli.main(["chat", "-a", "a", "-q", "Why?", "--goal", "x"]) == 0
    assert cli.main(["chat", "-q"]) == 0
    asked = {"agent": "a", "facts": {"goal": "x"}}
    common = CommonOptions()
    assert calls == [("quick", "Why?", common, asked), ("quick", "", common, {})]


def test_one_question_with_files(calls: Calls) -> None:
    arguments = ["chat", "--quick", "Why?", "--attach", "a b.png", "--attach", "~/c.txt"]
    assert cli.main(arguments) == 0
    assert calls == [("quick", "Why?", CommonOptions(), {"attach": ["a b.png", "~/c.txt"]})]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["session"], {}),
        (["session", "-l"], {"list": True}),
        (["session", "--list", "--json"], {"list": True, "json": True}),
        (["session", "--create=-x"], {"create": "-x"}),
        (["session", "--update", "3f", "--description="], {"update": "3f", "description": ""}),
        (["session", "--config", "f", "--list"], {"list": True, "config": "f"}),
        (["--config", "f", "session"], {"config": "f"}),
        (["session", "--purge", "3f"], {"purge": "3f"}),
        (["session", "--all", "--purge"], {"purge": None, "all": True}),
        (["search", "tax", "return"], {"words": ["tax", "return"]}),
        (["search", '"blue cups" sauc*'], {"words": ['"blue cups" sauc*']}),
        (["search", "--", "--tax", "-x"], {"words": ["--tax", "-x"]}),
        (
            ["search", "blue", "--limit", "7", "cups", "--json", "red"],
            {"words": ["blue", "cups", "red"], "limit": 7, "json": True},
        ),
        (
            ["search", "x", "--since", "2026-01-31T12:00+02:00"],
            {"words": ["x"], "since": datetime(2026, 1, 31, 10, tzinfo=UTC)},
        ),
        (
            ["search", "x", "--since", "2026-01-31"],
            {"words": ["x"], "since": datetime(2026, 1, 31).astimezone(UTC)},
        ),
        (["doctor"], {}),
        (["doctor", "--repair", "--json"], {"repair": True, "json": True}),
        (["migrate", "--from", "json", "--to", "sqlite"], {"source": "json", "target": "sqlite"}),
        (["plugins", "--no-plugins", "--json"], {"no_plugins": True, "json": True}),
    ],
)
def test_what_a_command_is_given(
    given: Given, arguments: list[str], expected: dict[str, Any]
) -> None:
    assert given(*arguments) == expected


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["frob"], "there is no command frob; there are chat, session, search,"),
        (["Sesion"], "there is no command Sesion; did you mean session?"),
        (["frob", "--list"], "there is no command frob; there are chat, session, search,"),
        (["--agent", "poet", "frob", "--list"], "there is no command frob; there are chat,"),
        (["--modle", "x"], "there is no option --modle; did you mean --model?"),
        (["--mod=x"], "there is no option --mod; did you mean --model?"),
        (["chat", "--quik", "x"], "there is no option --quik; did you mean --quick?"),
        (["session", "--list", "x"], "unrecognized arguments: x"),
        (["--context", "no json"], 'it must be a JSON object, such as {"domain": "finance"}'),
        (["--context", "[1]"], "it must be a JSON object"),
        (["--context", '{"a": NaN}'], "it must be a JSON object"),
        (["--context", "[" * 100_000], "it must be a JSON object"),
        (["--context", "1" * 5000], "it must be a JSON object"),
        (["chat", "--json"], "--json goes with --quick"),
        (["chat", "--attach", "x"], "--attach goes with --quick"),
        (["chat", "--quick", "x", "--new"], "--quick saves nothing"),
        (["chat", "--quick", "x", "--session", "3f"], "--quick saves nothing"),
        (["--session", "3f", "--new"], "give one of the two"),
        (["session", "--set", "x", "--delete", "y"], "not allowed with"),
        (["session", "--list", "--create", "y"], "not allowed with"),
        (["session", "--update", "x"], "--update needs --name or --description"),
        (["session", "--set", "x", "--name", "y"], "--name goes with --update"),
        (["session", "--create", "x", "--name", "y"], "--create takes the name itself"),
        (["session", "--set", "x", "--json"], "--json goes with --list or --trash"),
        (["session", "--purge", "x", "--json"], "--json goes with --list or --trash"),
        (["session", "--trash", "x"], "unrecognized arguments: x"),
        (["session", "--trash", "--restore", "x"], "not allowed with"),
        (["session", "--restore"], "expected one argument"),
        (["session", "--create", "-x"], "begins with a dash is joined to the option, as in --name"),
        (["session", "--purge"], "--purge takes a REF, or --all for all that the trash holds"),
        (["session", "--purge", "x", "--all"], "--purge takes a REF, or --all"),
        (["session", "--delete", "x", "--all"], "--all goes with --purge"),
        (["session", "--all"], "--all goes with --purge"),
        (["search"], "required: WORDS"),
        (["search", "x", "--role", "tool"], "invalid choice: 'tool'"),
        (["search", "x", "--since", "yesterday"], "it must be a date"),
        (["search", "x", "--limit", "0"], "it must be a whole number from 1 up"),
        (["search", "x", "--limit", "٣"], "it must be a whole number from 1 up"),
        (["--model", "m", "search", "x"], "--model goes with chat and not with search"),
        (["--session", "3f", "doctor"], "--session goes with chat and not with doctor"),
        (["migrate", "--to", "sqlite"], "required: --from"),
        (["migrate", "--from", "json"], "required: --to"),
        (["migrate", "json", "sqlite"], "required: --from, --to"),
        (["--model", "x", "session"], "--model goes with chat and not with session"),
        (["--reasoning", "low", "search", "x"], "--reasoning goes with chat and not with search"),
        (["--trace", "config"], "--trace goes with chat and not with config"),
        (["config", "--show", "--path"], "not allowed with"),
        (["config", "--get", "x", "--set", "y=z"], "not allowed with"),
        (["config", "--check", "--json"], "--json goes with --show or --get"),
        (["config", "--set", "x=y", "--json"], "--json goes with --show or --get"),
        (["agents", "--list", "--create", "x"], "not allowed with"),
        (["agents", "--model", "m"], "--model goes with --create"),
        (["--model", "m", "agents", "--show", "x"], "--model goes with --create"),
        (["agents", "--remove", "x", "--json"], "--json goes with --list or --show"),
        (["agents", "--create", "x", "--temperature", "warm"], "it must be a number, such as 0.7"),
        (["agents", "--create", "x", "--temperature", "inf"], "it must be a number, such as 0.7"),
        (["--agent", "x", "agents"], "--agent goes with chat and not with agents"),
        (["trace", "--list", "--show"], "not allowed with"),
        (["trace", "--output", "x"], "--output goes with --export"),
        (["trace", "--show", "--limit", "3"], "--limit goes with --list"),
        (["trace", "--export", "--json"], "--json goes with --list or --show"),
        (["metrics", "--format", "csv"], "--format goes with --export"),
        (["metrics", "--export", "xml"], "invalid choice: 'xml'"),
        (["metrics", "--export", "csv", "--format", "json"], "differ: give one"),
        (["metrics", "--export", "--json"], "--json goes with --summary"),
        (["--goal", "x", "doctor"], "--goal goes with chat and not with doctor"),
        (["a\x1b[2Jb\nc"], "there is no command a␛[2Jb c; there are"),
        (["--x\x1b]0;t\x07"], "there is no option --x␛]0;t␇"),
    ],
)
def test_wrong_usage_is_one_clean_line_and_status_2(
    calls: Calls, capsys: pytest.CaptureFixture[str], arguments: list[str], complaint: str
) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    assert caught.value.code == 2
    error = capsys.readouterr().err
    last = error.rstrip("\n").rpartition("\n")[2]
    assert last.startswith("agno-shell")
    assert complaint in last
    assert "\x1b" not in error
    assert calls == []


def test_the_usage_is_that_of_the_level_of_the_mistake(
    calls: Calls, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        cli.main(["session", "--update", "x"])
    assert capsys.readouterr().err.startswith("usage: agno-shell session [-h]")


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (AgnoShellError("It failed.", hint="Try again."), 1, "agno-shell: It failed. Try again.\n"),
        (ConfigError("Line 3 is wrong."), 2, "agno-shell: Line 3 is wrong.\n"),
        (StorageError("a\x1b[2J\nb"), 1, "agno-shell: a␛[2J b\n"),
        (
            SessionNotFoundError("None.", hint="Nearest:", candidates=["1a  A", "2b\nB\x9b"]),
            1,
            "agno-shell: None. Nearest:\n  1a A\n  2b B‹U+009B›\n",
        ),
        (KeyboardInterrupt(), 130, ""),
    ],
)  # fmt: skip
def test_what_can_be_mended_is_a_sentence_and_no_traceback(
    calls: Calls,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    status: int,
    message: str,
) -> None:
    fail_with(monkeypatch, error)
    assert cli.main([]) == status
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == message


def test_a_bug_is_not_hidden(calls: Calls, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_with(monkeypatch, RuntimeError("a bug"))
    with pytest.raises(RuntimeError, match="a bug"):
        cli.main([])


def test_the_status_of_a_command_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{commands.__name__}.doctor.run", lambda _context, _given: 1)
    assert cli.main(["doctor"]) == 1


def test_context_is_taken_as_json_means_it(calls: Calls) -> None:
    facts = {"domain": "finance", "figures": [1, 2.5, None], "nested": {"a": True}}
    assert cli.main(["--context", json.dumps(facts)]) == 0
    assert calls == [("chat", CommonOptions(), {"facts": facts})]


@pytest.mark.usefixtures("calls")
def test_the_log_calls_a_command_line_without_a_command_a_chat(tmp_path: Path) -> None:
    log = tmp_path / "program.log"
    assert cli.main(["--log", str(log)]) == 0
    assert " start command=chat " in log.read_text()
