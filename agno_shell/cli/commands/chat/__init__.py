"""``agno-shell chat``: the shell, or one question."""

from __future__ import annotations

from agno_shell.cli.arguments import add_chat_options
from agno_shell.cli.parser import common_options, completes

TYPE_CHECKING = False  # as in ``typing``, without importing it for the help
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from agno_shell.cli.context import Context
    from agno_shell.cli.parser import Parser

SUMMARY = "chat in a session (what happens without a command, too)"

_EPILOG = """\
examples:
  agno-shell chat --session 3f2a --agent analyst
  agno-shell chat --new --model ollama_chat/llama3.2
  agno-shell chat --model openai/qwen --api-base http://localhost:1234/v1
  agno-shell chat --context '{"domain": "finance"}'
  git diff | agno-shell chat --quick "Write a commit message for this:"
  agno-shell chat -q "What is in this picture?" --attach photo.png
  agno-shell chat -a analyst --goal "Compare the two offers"
"""


def add(parser: Parser) -> None:
    """The options of the command."""
    parser.description = "Chat in a session, or ask one question with --quick."
    parser.epilog = _EPILOG
    add_chat_options(parser)
    parser.add_argument(
        "-q",
        "--quick",
        nargs="?",
        const="",
        metavar="TEXT",
        help="ask one question and save nothing; piped input is put behind it, or is the "
        "question itself",
    )
    completes(
        parser.add_argument(
            "--attach",
            action="append",
            metavar="PATH",
            help="with --quick: a file to attach; can be repeated",
        ),
        "files",
    )
    parser.add_argument("--json", action="store_true", help="with --quick: the reply as JSON")


def run(context: Context, given: Mapping[str, Any]) -> int:
    """The shell until the user leaves, or one question; 130 when that was stopped."""
    common = common_options(given, chat=True)
    agent, facts = given.get("agent"), dict(given.get("context", {}))
    if "goal" in given:
        facts["goal"] = given["goal"]
    if "session" in given and "new" in given:
        context.wrong_usage("--session opens a session and --new makes one: give one of the two")
    if "quick" not in given:
        for key in ("attach", "json"):
            if key in given:
                context.wrong_usage(f"--{key} goes with --quick")
        from agno_shell.app import chat

        return chat.chat(
            common, session=given.get("session"), new=given.get("new"), agent=agent, facts=facts
        )
    if "session" in given or "new" in given:
        context.wrong_usage("--quick saves nothing and takes no --session or --new")
    from agno_shell.cli.commands.chat import question

    return question.ask(
        given["quick"],
        common,
        agent=agent,
        facts=facts,
        attach=given.get("attach", ()),
        as_json="json" in given,
    )
