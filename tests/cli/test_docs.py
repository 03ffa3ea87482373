from __future__ import annotations

import pytest

from agno_shell.cli import docs


def test_the_page_says_what_the_parser_says(capsys: pytest.CaptureFixture[str]) -> None:
    assert docs.main(["--check"]) == 0, capsys.readouterr().err


def test_every_command_and_option_stands_there() -> None:
    text = docs.page()
    for command in ("agents", "trace", "metrics", "config", "session", "chat"):
        assert f"## agno-shell {command}\n" in text
    assert "| `-q, --quick [TEXT]` |" in text
    assert "| `--print-completion bash\\|zsh\\|fish\\|tcsh` |" in text
    assert "| `-f, --format json\\|markdown\\|text` |" in text


def test_a_page_that_says_something_else_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(docs, "page", lambda: "other")
    assert docs.main(["--check"]) == 1
    assert "Run: python -m agno_shell.cli.docs" in capsys.readouterr().err
    assert docs.main(["--frob"]) == 2
