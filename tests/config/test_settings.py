from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agno_shell.config import settings
from agno_shell.config.settings import Setting

TOML_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@pytest.mark.parametrize("setting", settings.ALL, ids=lambda setting: setting.name)
def test_every_default_is_valid_and_every_setting_has_help(setting: Setting[Any]) -> None:
    assert setting.validate(setting.default) == setting.default
    assert setting.help.endswith(".")
    if setting.example and setting.kind is str:
        assert setting.validate(setting.example) == setting.example


def test_names_and_variables_are_each_used_once() -> None:
    assert len(settings.BY_NAME) == len(settings.ALL)
    assert len({setting.variable for setting in settings.ALL}) == len(settings.ALL)


@pytest.mark.parametrize(
    ("setting", "value", "expected"),
    [
        (settings.LIMIT_CONNECT, 5, 5.0),
        (settings.LIMIT_CONNECT, 0.5, 0.5),
        (settings.PLUGINS_OFF, ["a", "b"], ("a", "b")),
        (settings.SHELL_TRACE, True, True),
        (settings.PROVIDER_API_BASE, "", ""),
        (settings.PROVIDER_API_BASE, "HTTPS://host/v1", "HTTPS://host/v1"),
        (settings.PROVIDER_KEEP_WARM, "15m", "15m"),
        (settings.PROVIDER_KEEP_WARM, "", ""),
        (settings.STORAGE_PATH, "~", "~"),
        (settings.STORAGE_PATH, "C:\\chats", "C:\\chats"),
    ],
)
def test_what_is_accepted(setting: Setting[Any], value: object, expected: object) -> None:
    accepted = setting.validate(value)
    assert accepted == expected
    assert type(accepted) is setting.kind


@pytest.mark.parametrize(
    ("setting", "value", "complaint"),
    [
        (settings.PROVIDER_MODEL, 4, "must be text in quotes"),
        (settings.PROVIDER_KEEP_WARM, 900, "must be text in quotes"),
        (settings.PROVIDER_KEEP_WARM, "15 minutes", 'must be a time such as "15m"'),
        (settings.SHELL_TRACE, "yes", "must be true or false"),
        (settings.SHELL_TRACE, 1, "must be true or false"),
        (settings.LIMIT_CONNECT, True, "must be a number"),
        (settings.LIMIT_CONNECT, 0, "must be at least 0.1"),
        (settings.LIMIT_CONNECT, float("nan"), "must be a finite number of at least 0.1"),
        (settings.LIMIT_CONNECT, float("inf"), "must be a finite number of at least 0.1"),
        (settings.LIMIT_CONNECT, 10**400, "is too large"),
        (settings.LIMIT_REPLY_BYTES, 1.5, "must be a whole number"),
        (settings.SHELL_EDITING_MODE, "nano", 'must be "emacs" or "vi"'),
        (settings.PLUGINS_OFF, "echo", "must be a list of texts"),
        (settings.PLUGINS_OFF, ["echo", 1], "must be a list of texts"),
        (settings.STORAGE_PATH, "chats", "must be a whole path"),
        (settings.STORAGE_PATH, "~someone/chats", "must be a whole path"),
        (settings.PROVIDER_API_BASE, "localhost:1234", "must be a web address"),
        (settings.PROVIDER_API_BASE, "file:///etc/passwd", "must be a web address"),
        (settings.PROVIDER_API_BASE, "https:///v1", "must be a web address"),
        (settings.PROVIDER_API_BASE, "https://host/\x1b[2J", "must be a web address"),
        (settings.PROVIDER_API_BASE, "https://me:secret@host/", "without a password"),
        (settings.PROVIDER_API_BASE, "https://host/?key=1", "without a password"),
        (settings.PROVIDER_API_BASE, "https://host/#part", "without a password"),
        (settings.PROVIDER_API_BASE, "https://host/ v1", "without a password"),
        (settings.PROVIDER_API_KEY_ENV, "sk-fake-0000", "and not the key itself"),
        (settings.PROVIDER_API_KEY_ENV, "gsk_fake0000", "and not the key itself"),
        (settings.PROVIDER_API_KEY_ENV, "1KEY", "and not the key itself"),
    ],
)
def test_what_is_refused(setting: Setting[Any], value: object, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        setting.validate(value)


@pytest.mark.parametrize(
    ("setting", "text", "expected"),
    [
        (settings.PROVIDER_MODEL, "x/y", "x/y"),
        (settings.SHELL_TRACE, " On ", True),
        (settings.SHELL_TRACE, "0", False),
        (settings.LIMIT_CONNECT, "2.5", 2.5),
        (settings.SHELL_LAST_EXCHANGES, "4", 4),
        (settings.PLUGINS_OFF, "a, b,", ("a", "b")),
        (settings.PLUGINS_OFF, '["a", "b, c"]', ("a", "b, c")),
        (settings.PLUGINS_OFF, " []", ()),
    ],
)
def test_what_a_variable_means(setting: Setting[Any], text: str, expected: object) -> None:
    assert setting.parse(text) == expected


@pytest.mark.parametrize(
    ("setting", "text", "complaint"),
    [
        (settings.SHELL_TRACE, "perhaps", "must be true or false"),
        (settings.LIMIT_CONNECT, "soon", "must be a number"),
        (settings.LIMIT_CONNECT, "-1", "must be at least"),
        (settings.PLUGINS_OFF, '["a"', "must be a list, such as one, two or"),
        (settings.PLUGINS_OFF, "[1]", "must be a list of texts"),
        (settings.PLUGINS_OFF, "[" * 10_000, "must be a list"),
        (settings.SHELL_LAST_EXCHANGES, "1.5", "must be a whole number"),
        (settings.SHELL_LAST_EXCHANGES, "9" * 5000, "must be a whole number"),
    ],
)
def test_what_a_variable_cannot_mean(setting: Setting[Any], text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        setting.parse(text)


@given(st.sampled_from(settings.ALL), TOML_VALUES)
def test_any_value_is_taken_with_the_right_type_or_refused(
    setting: Setting[Any], value: object
) -> None:
    try:
        accepted = setting.validate(value)
    except ValueError:
        return
    assert type(accepted) is setting.kind


@given(st.sampled_from(settings.ALL), st.text(alphabet="abcdef0123456789", min_size=8))
def test_a_refusal_never_repeats_the_value(setting: Setting[Any], text: str) -> None:
    complaint = ""
    try:
        setting.parse(f"sk-fake-{text}")
    except ValueError as error:
        complaint = str(error)
    assert text not in complaint
