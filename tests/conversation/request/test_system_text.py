from __future__ import annotations

from agno_shell.conversation.request.system_text import SystemText, system_message
from agno_shell.types import Memory, now


def memory(text: str) -> Memory:
    return Memory("1", text, now())


def test_everything_that_always_goes_makes_one_message() -> None:
    made = system_message(
        " Be exact. ",
        {"domain": "finance", "year": 2026, "tags": ["a"]},
        ["Prices are in euro."],
        [memory("The deadline is Friday."), memory("Two\nlines")],
    )
    assert made is not None
    assert made.role == "system"
    assert made.content == (
        "Be exact.\n"
        "\n"
        "Prices are in euro.\n"
        "\n"
        "Facts:\n"
        "- domain: finance\n"
        "- year: 2026\n"
        '- tags: ["a"]\n'
        "\n"
        "The user asked you to remember:\n"
        "- The deadline is Friday.\n"
        "- Two\n"
        "  lines"
    )


def test_nothing_makes_no_message() -> None:
    assert system_message("") is None
    assert system_message(" \n", {}, ["  "], []) is None


def test_the_same_text_is_the_same_message() -> None:
    system = SystemText()
    first = system.message(system_message("Be exact."))
    assert first is not None
    assert system.message(system_message("Be exact.")) is first
    other = system.message(system_message("Be brief."))
    assert other is not None
    assert other.id != first.id
    assert system.message(None) is None
