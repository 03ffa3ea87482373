"""Keys are taken out of every text, the known ones first, then what looks like one."""

from __future__ import annotations

import io

import pytest

from agno_shell.builtin.model_services.redact import (
    HIDDEN,
    RedactingWriter,
    Redactor,
    secrets,
)


def test_secrets_are_values_whose_variables_say_so() -> None:
    environ = {
        "SOME_API_KEY": "fake-key-0000",
        "DB_PASSWORD": "fake-password",
        "KEY_FILE": "/etc/some/key",
        "TOKENIZERS_PARALLELISM": "true",
        "EDITOR": "something-long",
    }
    assert secrets(environ) == ["fake-key-0000", "fake-password"]


def test_a_secret_that_is_part_of_another_leaves_nothing_behind() -> None:
    redactor = Redactor(["fake-0000", "fake-0000-longer"])
    assert redactor.redact("x fake-0000-longer y fake-0000") == f"x {HIDDEN} y {HIDDEN}"


@pytest.mark.parametrize(
    "text",
    [
        "Incorrect API key provided: sk-fake0000abcdef.",
        "provided: sk-proj-fake****0000",
        "Authorization: Bearer fakefake0000",
        "https://h/v1?key=fakefake0000&x=1",
        "https://user:fakefake0000@host/v1",
        "AIzafakefake00000000",
        '{"api_key": "fakefake0000"}',
        "gsk_fakefake0000",
    ],
)
def test_what_looks_like_a_key_is_hidden(text: str) -> None:
    redacted = Redactor([]).redact(text)
    assert HIDDEN in redacted
    assert "fake" not in redacted


@pytest.mark.parametrize("text", ["ask-me-something", "The task-list is long.", "a key: none"])
def test_ordinary_words_stay(text: str) -> None:
    assert Redactor([]).redact(text) == text


def test_the_log_gets_whole_lines_without_keys_however_they_were_written() -> None:
    target = io.StringIO()
    writer = RedactingWriter(target, Redactor(["fake-0000"]))
    for piece in ("one fake-", "0000 two\nnext", " line\n", "open"):
        writer.write(piece)
    assert target.getvalue() == f"one {HIDDEN} two\nnext line\n"


def test_a_secret_is_hidden_where_a_line_was_wrapped_within_it() -> None:
    assert Redactor(["fake-0000-key"]).redact("x fake-\n  0000-key y") == f"x {HIDDEN} y"


def test_digits_of_base_64_do_not_make_a_secret_a_path() -> None:
    environ = {"AWS_SECRET_ACCESS_KEY": "fake/0000+secret", "KEY_FILE": "~/some/key"}
    assert secrets(environ) == ["fake/0000+secret"]


def test_what_is_hidden_already_stays_as_it_is() -> None:
    redactor = Redactor(["fake-key-0000"])
    for text in (
        "Authorization: Bearer fake-key-0000",
        "https://h/v1?key=fake-key-0000&x=1",
        "api_key: 'fake-key-0000'",
    ):
        once = redactor.redact(text)
        assert once.count(HIDDEN) == 1
        assert "fake" not in once
        assert redactor.redact(once) == once


def test_the_variable_that_is_named_for_the_key_is_secret_whatever_its_name_and_value() -> None:
    environ = {"MY_SERVER": "/a fake key", "OTHER": "something", "SHORT": "abc"}
    assert secrets(environ) == []
    assert secrets(environ, "MY_SERVER") == ["/a fake key"]
    assert secrets(environ, "SHORT") == [], "it would take away half of every text"
    assert secrets(environ, "UNSET") == []
    redactor = Redactor([])
    redactor.hide(secrets(environ, "MY_SERVER"))
    assert redactor.redact("sent: /a fake key.") == f"sent: {HIDDEN}."
