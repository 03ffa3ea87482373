from __future__ import annotations

import pytest

from agno_shell.shell.typed import Call, Leave, Say, escaped, is_command, read, unknown


@pytest.mark.parametrize("text", ["", " ", "\n \t\n"])
def test_blanks_say_nothing(text: str) -> None:
    assert read(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "hello",
        "what is /etc?",
        "/etc/hosts is empty",
        "/usr/bin/env: python\n/usr/bin/env: perl",
        "// comment",
        "//",
        "/re/",
        "  indented\n    code",
        "\n/help",
        "\t/help",
        "exit the loop",
        "exit\nand more",
        "quit smoking?",
        ":w",
        ":q please",
        "help",
        "?",
        "\u2044help",
    ],
)
def test_messages_are_sent_as_they_were_typed(text: str) -> None:
    assert read(text + " \n") == Say(text)


@pytest.mark.parametrize(
    ("text", "call"),
    [
        ("/help", Call("help", "")),
        ("/help  me \n", Call("help", "me")),
        ("/switch\tPlan", Call("switch", "Plan")),
        ("/save ~/a/b.md", Call("save", "~/a/b.md")),
        ("/edit 2 -- a  \n\nb", Call("edit", "2 -- a  \n\nb")),
        ("/edit\nb", Call("edit", "b")),
        ("/* not", Call("*", "not")),
        ("/", Call("", "")),
        ("/ x", Call("", "x")),
    ],
)
def test_a_command_is_its_name_and_all_behind_it(text: str, call: Call) -> None:
    assert read(text) == call


@pytest.mark.parametrize(
    "text", ["exit", "QUIT", "exit()", "quit()", ":q", ":Q!", ":wq", "exit \n", "\tquit"]
)
def test_words_that_leave(text: str) -> None:
    assert read(text) == Leave()


@pytest.mark.parametrize("text", ["/word", "/help\nmore", "exit", ":q", " /word", "/"])
def test_a_blank_in_front_sends_anything(text: str) -> None:
    assert read(" " + text) == Say(text)
    assert read(escaped(text)) == Say(text)


@pytest.mark.parametrize("text", ["hello", "/a/b", " indented", "\n/x", "// c"])
def test_what_is_a_message_anyway_is_left_alone(text: str) -> None:
    assert escaped(text) == text
    assert read(text) == Say(text)


def test_what_is_being_typed() -> None:
    assert is_command("/")
    assert is_command("/sa")
    assert is_command("/save /tmp/x")
    assert not is_command("/tmp/")
    assert not is_command(" /sa")
    assert not is_command("")


def test_an_unknown_command_names_the_nearest_whatever_its_case_and_the_way_to_send_it() -> None:
    said = unknown("INFO", ["info", "help"]).sentence()
    assert said.startswith("There is no command /INFO. Did you mean /info? Nothing was sent")
    assert "with a blank in front it is sent as a message" in said
    assert "/help lists them." in unknown("zzzzzz", ["info"]).sentence()


def test_a_very_long_word_is_shown_cut_and_not_compared() -> None:
    said = unknown("x" * 5_000_000, ["info"]).sentence()
    assert len(said) < 300
    assert "Did you mean" not in said
