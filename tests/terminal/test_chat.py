"""A conversation with a model server, through litellm and a real terminal.

Starting litellm takes seconds, so one shell goes through many steps.
"""

from __future__ import annotations

from collections.abc import Callable

from agno_shell.testing.model_server import ModelServer
from agno_shell.testing.terminal import CTRL_C, ENTER, TAB, Terminal

Start = Callable[..., Terminal]

REPLY = """# Cups

They are **blue**:

```python
cup = Cup("blue")
```
"""


def sent(server: ModelServer, number: int = -1) -> list[str]:
    return [message["content"] for message in server.requests[number].body["messages"]]


def test_chat_stop_new_switch_leave_and_remember(
    start: Start, server: ModelServer, local: tuple[str, ...]
) -> None:
    terminal = start(*local)
    assert terminal.sees("model openai/test")

    server.reply(REPLY)
    terminal.type("Which cups?\r")
    terminal.expect('cup = Cup("blue")', 60)
    assert "```" not in terminal.text()
    assert "**" not in terminal.text()

    release = server.stall(["Once upon a time.\n\n", "There was"])
    terminal.type("A story\r")
    terminal.expect_screen("There was")
    terminal.type(CTRL_C)
    terminal.expect("stopped; what was shown is kept")
    assert server.wait_for_disconnect()
    assert terminal.sees("There was")
    release()

    terminal.type("/new Second -- about nothing\r")
    terminal.expect("Created session 'Second' with ID:")
    terminal.type("Hello second\r")
    terminal.expect("You said: Hello second (1 messages)")

    terminal.type("/switch Sess")
    terminal.expect_screen("4 messages")
    terminal.type(TAB)
    terminal.expect_screen("› /switch Session 2")
    terminal.type(ENTER)  # takes what was chosen in the menu
    terminal.type(ENTER)
    terminal.expect("· 4 messages · model")

    server.reply("Still blue.")
    terminal.type("And now?\r")
    terminal.expect("Still blue.")
    assert sent(server) == [
        "Which cups?",
        REPLY,
        "A story",
        "Once upon a time.\n\nThere was",
        "And now?",
    ]
    terminal.type("quit\r")
    assert terminal.wait() == 0

    again = start("--api-base", server.base_url, "--model", "openai/test")
    again.expect("And now?")
    assert again.sees("Still blue.")
    assert again.sees("There was")
    again.type("One more\r")
    again.expect("You said: One more", 60)
    assert sent(server)[0] == "Which cups?"
    assert sent(server)[-2:] == ["Still blue.", "One more"]


def test_failures_are_one_line_and_the_question_is_kept(
    start: Start, server: ModelServer, local: tuple[str, ...]
) -> None:
    terminal = start(*local)
    server.status(401, "Incorrect API key provided: sk-fake-0000.")
    terminal.type("first\r")
    terminal.expect("401", 60)
    server.drop(["Half a \x1b[31mreply"])
    terminal.type("second\r")
    terminal.expect("Half a ␛[31mreply")
    terminal.type("/metrics on\r")
    terminal.expect("Metrics are on")
    terminal.type("third\r")
    terminal.expect("You said: third")
    terminal.expect("tokens in")
    assert sent(server)[0].startswith("first\n\nsecond"), "what nobody answered is sent again"
    assert "Traceback" not in terminal.text()
    terminal.type("/exit\r")
    assert terminal.wait() == 0
    assert terminal.sees("This run:")
