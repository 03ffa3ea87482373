from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import agno_shell
from agno_shell import cli
from agno_shell.errors import AgnoShellError, ConfigError, SessionNotFoundError, StorageError
from agno_shell.options import (
    ChatOptions,
    CommonOptions,
    DoctorOptions,
    MigrateOptions,
    QuickOptions,
    SearchOptions,
    SessionOptions,
)

Calls = list[tuple[str, Any]]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    """What the command line asks of the application."""
    made: Calls = []

    def record(name: str) -> Any:
        def call(*arguments: Any, **named: Any) -> int:
            made.append((name, *arguments, *named.items()))  # type: ignore[arg-type]
            return 0

        return call

    names = ("chat", "quick", "session", "search", "doctor", "migrate", "plugins")
    fake = SimpleNamespace(**{name: record(name) for name in names})
    monkeypatch.setattr(agno_shell, "app", fake, raising=False)
    monkeypatch.setitem(sys.modules, "agno_shell.app", fake)  # type: ignore[arg-type]
    return made


def fail_with(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def fail(*_: Any, **__: Any) -> int:
        raise error

    monkeypatch.setattr(agno_shell.app, "chat", fail)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("", ChatOptions()),
        ("chat", ChatOptions()),
        ("--session 3f", ChatOptions(session="3f")),
        ("chat --session 3f", ChatOptions(session="3f")),
        ("--new", ChatOptions(new="")),
        ("chat --new Tax --agent a", ChatOptions(new="Tax", agent="a")),
        ("--agent a chat", ChatOptions(agent="a")),
        ("--agent a chat --agent b", ChatOptions(agent="b")),
        (
            "--model m --api-base http://x --trace chat --metrics",
            ChatOptions(
                CommonOptions(
                    overrides={
                        "provider.model": "m",
                        "provider.api_base": "http://x",
                        "provider.api_key_env": "",
                        "shell.trace": True,
                        "shell.metrics": True,
                    }
                )
            ),
        ),
        (
            "--api-base http://x --api-key-env MY_KEY",
            ChatOptions(
                CommonOptions(
                    overrides={"provider.api_base": "http://x", "provider.api_key_env": "MY_KEY"}
                )
            ),
        ),
        (
            "--reasoning low",
            ChatOptions(CommonOptions(overrides={"provider.reasoning": "low"})),
        ),
        ("--config f --no-plugins", ChatOptions(CommonOptions("f", no_plugins=True))),
        ("chat --config f", ChatOptions(CommonOptions("f"))),
        ('chat --context {"a":["é"]}', ChatOptions(context={"a": ["é"]})),
        ("chat -a poet", ChatOptions(agent="poet")),
        ("-a poet --goal Peace", ChatOptions(agent="poet", context={"goal": "Peace"})),
        ('chat --goal new --context {"goal":"old"}', ChatOptions(context={"goal": "new"})),
    ],
)
def test_chat(calls: Calls, arguments: str, expected: ChatOptions) -> None:
    assert cli.main(arguments.split()) == 0
    assert calls == [("chat", expected)]


@pytest.mark.parametrize("text", ["-- what is this in SQL?", "--verbose flag: what for?", "- a"])
def test_a_text_may_begin_with_dashes(calls: Calls, text: str) -> None:
    assert cli.main(["chat", "--quick", text]) == 0
    assert cli.main(["session", "--create", "x", "--description", text]) == 0
    (_, quick), (_, created) = calls
    assert quick.text == created.description == text


def test_one_question(calls: Calls) -> None:
    arguments = ["chat", "--quick", "Why is it?", "--json", "--agent", "a", "--context", "{}"]
    assert cli.main([*arguments, "--model", "m"]) == 0
    common = CommonOptions(overrides={"provider.model": "m"})
    expected = QuickOptions("Why is it?", common, agent="a", context={}, json=True)
    assert calls == [("quick", expected)]


def test_one_question_in_short(calls: Calls) -> None:
    assert cli.main(["chat", "-a", "a", "-q", "Why?", "--goal", "x"]) == 0
    assert cli.main(["chat", "-q"]) == 0
    asked = QuickOptions("Why?", agent="a", context={"goal": "x"})
    assert calls == [("quick", asked), ("quick", QuickOptions(""))]


def test_one_question_with_files(calls: Calls) -> None:
    arguments = ["chat", "--quick", "Why?", "--attach", "a b.png", "--attach", "~/c.txt"]
    assert cli.main(arguments) == 0
    assert calls == [("quick", QuickOptions("Why?", attach=("a b.png", "~/c.txt")))]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("", SessionOptions("list")),
        ("-l", SessionOptions("list")),
        ("--list --json", SessionOptions("list", json=True)),
        ("--create Tax", SessionOptions("create", name="Tax")),
        ("--create=-x", SessionOptions("create", name="-x")),
        (
            "--create Tax --description d",
            SessionOptions("create", name="Tax", description="d"),
        ),
        ("--set 3f", SessionOptions("set", reference="3f")),
        ("--update 3f --name n", SessionOptions("update", reference="3f", name="n")),
        (
            "--update 3f --description=",
            SessionOptions("update", reference="3f", description=""),
        ),
        ("--delete 3f", SessionOptions("delete", reference="3f")),
        ("--config f --list", SessionOptions("list", CommonOptions("f"))),
        ("--trash", SessionOptions("trash")),
        ("--trash --json", SessionOptions("trash", json=True)),
        ("--restore 3f", SessionOptions("restore", reference="3f")),
        ("--purge 3f", SessionOptions("purge", reference="3f")),
        ("--purge --all", SessionOptions("purge")),
        ("--all --purge", SessionOptions("purge")),
    ],
)
def test_sessions(calls: Calls, arguments: str, expected: SessionOptions) -> None:
    assert cli.main(["session", *arguments.split()]) == 0
    assert calls == [("session", expected)]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["tax"], SearchOptions("tax")),
        (["tax", "return"], SearchOptions("tax return")),
        (['"blue cups" sauc*'], SearchOptions('"blue cups" sauc*')),
        (["--", "--tax", "-x"], SearchOptions("--tax -x")),
        (
            ["blue", "--limit", "7", "cups", "--json", "red"],
            SearchOptions("blue cups red", limit=7, json=True),
        ),
        (
            ["x", "--session", "3f", "--role", "user", "--limit", "7", "--json"],
            SearchOptions("x", reference="3f", role="user", limit=7, json=True),
        ),
        (
            ["x", "--since", "2026-01-31T12:00+02:00"],
            SearchOptions("x", since=datetime(2026, 1, 31, 10, tzinfo=UTC)),
        ),
        (
            ["x", "--since", "2026-01-31"],
            SearchOptions("x", since=datetime(2026, 1, 31).astimezone(UTC)),
        ),
    ],
)
def test_search(calls: Calls, arguments: list[str], expected: SearchOptions) -> None:
    assert cli.main(["search", *arguments]) == 0
    assert calls == [("search", expected)]


def test_doctor(calls: Calls) -> None:
    for arguments in ("doctor", "doctor --repair --json --config f"):
        assert cli.main(arguments.split()) == 0
    assert calls == [
        ("doctor", DoctorOptions()),
        ("doctor", DoctorOptions(CommonOptions("f"), repair=True, json=True)),
    ]


def test_migrate(calls: Calls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/somebody")
    assert cli.main(["migrate", "--from", "json", "--to", "sqlite"]) == 0
    paths = "--from-path ~/old --to-path new/../place --dry-run"
    assert cli.main(f"migrate --from json --to json {paths}".split()) == 0
    assert calls == [
        ("migrate", MigrateOptions("json", "sqlite")),
        (
            "migrate",
            MigrateOptions(
                "json",
                "json",
                source_path="/home/somebody/old",
                target_path=str(tmp_path / "place"),
                dry_run=True,
            ),
        ),
    ]


def test_plugins(calls: Calls) -> None:
    for arguments in ("plugins", "plugins --json --no-plugins", "--config f plugins"):
        assert cli.main(arguments.split()) == 0
    assert calls == [
        ("plugins", CommonOptions(), ("json", False)),
        ("plugins", CommonOptions(no_plugins=True), ("json", True)),
        ("plugins", CommonOptions("f"), ("json", False)),
    ]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["frob"], "there is no command frob; there are chat, session, search,"),
        (["Sesion"], "there is no command Sesion; did you mean session?"),
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


def test_the_status_of_the_application_is_passed_on(
    calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agno_shell.app, "doctor", lambda *_: 1)  # type: ignore[attr-defined]
    assert cli.main(["doctor"]) == 1


def test_context_is_taken_as_json_means_it(calls: Calls) -> None:
    facts = {"domain": "finance", "figures": [1, 2.5, None], "nested": {"a": True}}
    assert cli.main(["--context", json.dumps(facts)]) == 0
    assert calls == [("chat", ChatOptions(context=facts))]
