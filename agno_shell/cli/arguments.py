"""The parser of the whole command line, and the commands in it, a file or folder each.

Nothing else is imported up here, so that ``--version`` and ``--help`` cost nothing.
"""

from __future__ import annotations

import os

from agno_shell.cli.parser import (
    COMMAND,
    Commands,
    Parser,
    PrintCompletionAction,
    VersionAction,
    add_common_options,
    completes,
    configured,
    json_object,
)

TYPE_CHECKING = False  # as in ``typing``, without importing it at every start
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from agno_shell.cli.parser import FindMore, Make

_FOLDER = os.path.join(os.path.dirname(__file__), "commands")

_USUAL = (
    "chat",
    "session",
    "search",
    "agents",
    "trace",
    "metrics",
    "provider",
    "doctor",
    "migrate",
    "plugins",
    "config",
)
"""What the list of commands begins with, in this order; others follow by name."""

_SUMMARY = 'SUMMARY = "'

_EPILOG = """\
Without a command, agno-shell chats in the session that was used last.

REF is the id of a session, the beginning of one that no other shares, or a name.

exit status: 0 done; 1 the request failed; 2 wrong usage or configuration; 130 Ctrl-C

examples:
  agno-shell                                  go on with the last session
  agno-shell --new "Tax questions"            begin a session with a name
  agno-shell chat --quick "What is a monad?"  one question, nothing is saved
  agno-shell session --list                   list the sessions
  agno-shell search "blue cups"               find a message

one line installs completion by Tab in bash, zsh, fish and tcsh:
  echo 'eval "$(agno-shell --print-completion bash)"' >> ~/.bashrc
  echo 'eval "$(agno-shell --print-completion zsh)"' >> ~/.zshrc  # behind compinit
  echo 'agno-shell --print-completion fish | source' >> ~/.config/fish/config.fish
  agno-shell --print-completion tcsh >> ~/.tcshrc
"""


def build_parser(find_more: FindMore | None = None) -> Parser:
    """The parser of the whole command line; absent options leave nothing behind.

    ``find_more`` adds the commands that are not built in: see :attr:`Commands.find_more`.
    """
    parser = configured(
        Parser,
        prog="agno-shell",
        description="A chat shell for any language model, with durable sessions.",
        epilog=_EPILOG,
    )
    parser.run = lambda given: _run("chat", parser, given)
    parser.add_argument(
        "--version", action=VersionAction, nargs=0, help="show the version and exit"
    )
    parser.add_argument(
        "--print-completion",
        action=PrintCompletionAction,
        choices=("bash", "zsh", "fish", "tcsh"),
        help="print a script that completes this command line in that shell; see below",
    )
    add_chat_options(parser)
    add_common_options(parser)
    commands: Any = parser.add_subparsers(
        action=Commands,
        # With its name given, argparse need not format a usage to find it.
        prog="agno-shell",
        dest=COMMAND,
        metavar="COMMAND",
        title="commands",
    )
    for name in command_names():
        _add(commands, name)
    if find_more is not None:
        commands.find_more = find_more
    return parser


# The commands -----------------------------------------------------------------------------


def command_names() -> list[str]:
    """The commands that are built in, in the order in which they are listed."""
    found = set(_listed())
    return [name for name in _USUAL if name in found] + sorted(found.difference(_USUAL))


def _listed() -> Iterator[str]:
    with os.scandir(_FOLDER) as entries:
        for entry in entries:
            name, dot, ending = entry.name.partition(".")
            if name.startswith("_"):
                continue
            # What is left of a folder that is gone holds no more than its __pycache__.
            if ending == "py" or (not dot and os.path.exists(os.path.join(entry, "__init__.py"))):
                yield name


def _add(commands: Commands, name: str) -> None:
    def build(make: Make) -> Parser:
        parser = configured(make)
        module_of(name).add(parser)
        add_common_options(parser)
        parser.run = lambda given: _run(name, parser, given)
        return parser

    commands.add(name, lambda: summary_of(name), build)


def module_of(name: str) -> Any:
    """What is imported once a command is chosen: its ``SUMMARY``, ``add(parser)``, which
    gives the parser its options, and ``run(context, given)``, which does what they ask for and
    returns the exit status."""
    # Not by importlib.import_module, of which -X importtime says nothing.
    return __import__(f"agno_shell.cli.commands.{name}", fromlist=["run"])


def _run(name: str, parser: Parser, given: Mapping[str, Any]) -> int:
    from agno_shell.cli.context import Context

    status: int = module_of(name).run(Context(parser, given), given)
    return status


def summary_of(name: str) -> str:
    """What stands in the list of commands, read from the file: to list all, none needs to be
    imported."""
    place = os.path.join(_FOLDER, name)
    try:
        path = os.path.join(place, "__init__.py") if os.path.isdir(place) else f"{place}.py"
        with open(path, encoding="utf-8") as file:
            for line in file:
                if line.startswith(_SUMMARY):
                    return line[len(_SUMMARY) :].rstrip('"\n')
    except OSError:
        pass  # the module itself can say it
    summary: str = module_of(name).SUMMARY
    return summary


# The options of the chat, which are those of the program as well --------------------------


def add_chat_options(parser: Parser) -> None:
    completes(parser.add_argument("--session", metavar="REF", help="open this session"), "sessions")
    parser.add_argument(
        "--new",
        nargs="?",
        const="",
        metavar="NAME",
        help="begin a session, with this name if there is one",
    )
    completes(
        parser.add_argument("-a", "--agent", metavar="NAME", help="an agent of the configuration"),
        "agents",
    )
    completes(
        parser.add_argument("--model", metavar="NAME", help="a model, as litellm names it"),
        "models",
    )
    parser.add_argument(
        "--api-base", metavar="URL", help="a server that speaks the OpenAI protocol"
    )
    completes(
        parser.add_argument(
            "--api-key-env",
            metavar="NAME",
            help="the environment variable with the key of that server",
        ),
        "key_variables",
    )
    parser.add_argument(
        "--reasoning",
        choices=("off", "low", "medium", "high"),
        help="how much the model thinks before it answers, if it can",
    )
    parser.add_argument(
        "--context",
        type=json_object,
        metavar="JSON",
        help='facts for the model, as a JSON object: \'{"domain": "finance"}\'',
    )
    parser.add_argument(
        "--goal", metavar="TEXT", help="the aim of the conversation: the fact 'goal' for the model"
    )
    parser.add_argument("--trace", action="store_true", help="show what each request sends")
    parser.add_argument(
        "--metrics", action="store_true", help="show tokens, times and cost of each reply"
    )
