"""The parser of the whole command line.

Only argparse is imported up here, so that ``--version`` and ``--help`` cost nothing.
"""

from __future__ import annotations

import argparse

from agno_shell.argument_parser import (
    Commands,
    Parser,
    PrintCompletion,
    Version,
    add_common_options,
    completes,
    configured,
    date,
    json_object,
    positive_number,
)

TYPE_CHECKING = False  # as in ``typing``, without importing it at every start
if TYPE_CHECKING:
    from typing import Any

    from agno_shell.argument_parser import Make

_MAIN_EPILOG = """\
Without a command, agno-shell chats in the session that was used last.

REF is the id of a session, the beginning of one that no other shares, or a name.

exit status: 0 done; 1 the request failed; 2 wrong usage or configuration; 130 Ctrl-C

examples:
  agno-shell                                  go on with the last session
  agno-shell --new "Tax questions"            begin a session with a name
  agno-shell chat --quick "What is a monad?"  one question, nothing is saved
  agno-shell session --list                   what there is
  agno-shell search "blue cups"               where something was said

completion by Tab in bash, zsh, fish and tcsh is installed by one line:
  echo 'eval "$(agno-shell --print-completion bash)"' >> ~/.bashrc
  echo 'eval "$(agno-shell --print-completion zsh)"' >> ~/.zshrc  # behind compinit
  echo 'agno-shell --print-completion fish | source' >> ~/.config/fish/config.fish
  agno-shell --print-completion tcsh >> ~/.tcshrc
"""
_CHAT_EPILOG = """\
examples:
  agno-shell chat --session 3f2a --agent analyst
  agno-shell chat --new --model ollama_chat/llama3.2
  agno-shell chat --model openai/qwen --api-base http://localhost:1234/v1
  agno-shell chat --context '{"domain": "finance"}'
  git diff | agno-shell chat --quick "Write a commit message for this:"
  agno-shell chat -q "What is in this picture?" --attach photo.png
  agno-shell chat -a analyst --goal "Compare the two offers"
"""
_SESSION_EPILOG = """\
REF is the id of a session, the beginning of one that no other shares, or a name; with
--restore and --purge it is what --trash shows.

examples:
  agno-shell session --list --json
  agno-shell session --create "Tax questions" --description "for the 2026 return"
  agno-shell session --set "Tax questions"
  agno-shell session --update 3f2a --name "Tax 2026"
  agno-shell session --delete 3f2a
  agno-shell session --trash
  agno-shell session --restore "Tax 2026"
  agno-shell session --purge --all
"""
_SEARCH_EPILOG = """\
WORDS are words, "phrases" and prefix*, in any letter case; a message must hold them all.
Nothing typed is an error, and nothing leaves this machine.

exit status: 0 something was found; 1 nothing was; 2 wrong usage

examples:
  agno-shell search tax return
  agno-shell search '"blue cups" sauc*' --role user --since 2026-01-01
  agno-shell search 你好 --session 3f2a --json
"""
_DOCTOR_EPILOG = """\
Without --repair nothing is changed. What --repair replaces is kept beside it.

exit status: 0 all is well, or was mended; 1 something is wrong

examples:
  agno-shell doctor
  agno-shell doctor --repair
  agno-shell doctor --json | jq '.[].problem'
"""
_MIGRATE_EPILOG = """\
The storage that is read is never changed. What was copied before, and is still the same, is
not copied again, so that an interrupted copy goes on where it was.

exit status: 0 all is copied and compared; 1 something is not; 2 wrong usage

examples:
  agno-shell migrate --from json --to sqlite --dry-run
  agno-shell migrate --from json --to sqlite
  agno-shell migrate --from json --to json --to-path ~/backup/sessions
"""
_PLUGINS_EPILOG = """\
A plugin is switched off in the configuration: [plugins] off = ["NAME"].

examples:
  agno-shell plugins
  agno-shell plugins --json
"""


def build_parser() -> argparse.ArgumentParser:
    """The parser of the whole command line; absent options leave no attribute behind."""
    parser = configured(
        Parser,
        prog="agno-shell",
        description="A chat shell for any language model, with durable sessions.",
        epilog=_MAIN_EPILOG,
    )
    parser.add_argument("--version", action=Version, nargs=0, help="show the version and exit")
    parser.add_argument(
        "--print-completion",
        action=PrintCompletion,
        choices=("bash", "zsh", "fish", "tcsh"),
        help="print a script that completes this command line in that shell; see below",
    )
    _add_chat_options(parser)
    add_common_options(parser)
    commands: Any = parser.add_subparsers(
        action=Commands,
        # With its name given, argparse need not format a usage to find it.
        prog="agno-shell",
        dest="command",
        metavar="COMMAND",
        title="commands",
    )
    for name, (summary, build) in _COMMANDS.items():
        commands.add(name, summary, build)
    return parser


def subcommand(name: str) -> Any:
    """The module of a command that brings its own options, as ``add(make)``, and does what
    they ask for, as ``run(parser, given)``."""
    from importlib import import_module

    return import_module(f"agno_shell.subcommands.{name}")


def _add_chat_options(parser: argparse.ArgumentParser) -> None:
    completes(parser.add_argument("--session", metavar="REF", help="open this session"), "sessions")
    parser.add_argument(
        "--new",
        nargs="?",
        const="",
        metavar="NAME",
        help="begin a session, with this name if given",
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
        help="how much the model is to think before it answers, where it can",
    )
    parser.add_argument(
        "--context",
        type=json_object,
        metavar="JSON",
        help='facts for the model, as a JSON object: \'{"domain": "finance"}\'',
    )
    parser.add_argument(
        "--goal", metavar="TEXT", help="what is to be reached: the fact 'goal' for the model"
    )
    parser.add_argument("--trace", action="store_true", help="show what each request sends")
    parser.add_argument(
        "--metrics", action="store_true", help="show tokens, times and cost of each reply"
    )


def _add_chat(make: Make) -> argparse.ArgumentParser:
    parser = configured(
        make,
        description="Chat in a session, or ask one question with --quick.",
        epilog=_CHAT_EPILOG,
    )
    _add_chat_options(parser)
    parser.add_argument(
        "-q",
        "--quick",
        nargs="?",
        const="",
        metavar="TEXT",
        help="ask one question and save nothing; what is piped in is put behind it, or is "
        "the question itself",
    )
    completes(
        parser.add_argument(
            "--attach",
            action="append",
            metavar="PATH",
            help="with --quick: a file that goes along; may be given several times",
        ),
        "files",
    )
    parser.add_argument("--json", action="store_true", help="with --quick: the reply as JSON")
    add_common_options(parser)
    return parser


def _add_session(make: Make) -> argparse.ArgumentParser:
    parser = configured(
        make,
        description="List, create, choose, change and delete sessions. Deleted ones go to the\n"
        "trash and stay there until you purge them.",
        epilog=_SESSION_EPILOG,
    )
    actions = parser.add_mutually_exclusive_group()
    actions.add_argument(
        "-l", "--list", action="store_true", help="show all sessions, the newest first (default)"
    )
    actions.add_argument(
        "--create", metavar="NAME", help="make a session; it becomes the current one"
    )
    for option, text in (
        ("--set", "make this session the current one"),
        ("--update", "change --name or --description of this"),
        ("--delete", "move this session to the trash"),
    ):
        completes(actions.add_argument(option, metavar="REF", help=text), "sessions")
    actions.add_argument(
        "--trash", action="store_true", help="show the deleted sessions, the latest first"
    )
    completes(
        actions.add_argument("--restore", metavar="REF", help="bring this one back from the trash"),
        "trash",
    )
    completes(
        actions.add_argument(
            "--purge",
            nargs="?",
            const=None,
            metavar="REF",
            help="delete this one of the trash for good; asks first on a terminal",
        ),
        "trash",
    )
    parser.add_argument("--all", action="store_true", help="with --purge: all that the trash holds")
    parser.add_argument("--name", metavar="NAME", help="with --update: the new name")
    parser.add_argument(
        "--description", metavar="TEXT", help="with --create and --update: what it is about"
    )
    parser.add_argument("--json", action="store_true", help="with --list and --trash: as JSON")
    add_common_options(parser)
    return parser


def _add_search(make: Make) -> argparse.ArgumentParser:
    parser = configured(
        make,
        description="Find what was said, in every message of every session, the best first.",
        epilog=_SEARCH_EPILOG,
    )
    parser.add_argument("words", nargs="+", metavar="WORDS", help="what to look for")
    completes(
        parser.add_argument("--session", metavar="REF", help="look in this session only"),
        "sessions",
    )
    parser.add_argument(
        "--role", choices=("user", "assistant"), help="look in what you, or the models, said"
    )
    parser.add_argument(
        "--since",
        type=date,
        metavar="DATE",
        help="leave out what was said before: 2026-01-31, or 2026-01-31T12:00",
    )
    parser.add_argument(
        "--limit", type=positive_number, metavar="N", help="show the best N messages (default: 20)"
    )
    parser.add_argument("--json", action="store_true", help="as JSON")
    add_common_options(parser)
    return parser


def _add_doctor(make: Make) -> argparse.ArgumentParser:
    parser = configured(
        make,
        description="Look at the configuration, the plugins, the permissions, the list of\n"
        "sessions and every stored message, and say what is wrong.",
        epilog=_DOCTOR_EPILOG,
    )
    parser.add_argument(
        "--repair", action="store_true", help="mend what can be mended without losing anything"
    )
    parser.add_argument("--json", action="store_true", help="as JSON")
    add_common_options(parser)
    return parser


def _add_migrate(make: Make) -> argparse.ArgumentParser:
    parser = configured(
        make,
        description="Copy every session, with its branches, and the trash from one storage to\n"
        "another, and compare the two afterwards.",
        epilog=_MIGRATE_EPILOG,
    )
    for option, dest, text in (
        ("--from", "source", "the storage to read: json"),
        ("--to", "target", "the storage to write: sqlite"),
    ):
        completes(
            parser.add_argument(option, dest=dest, required=True, metavar="NAME", help=text),
            "storages",
        )
    for option, dest, text in (
        ("--from-path", "source_path", "where it is, if not in the configured place"),
        ("--to-path", "target_path", "where it is to be, if not in the configured place"),
    ):
        completes(parser.add_argument(option, dest=dest, metavar="PATH", help=text), "files")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be copied")
    add_common_options(parser)
    return parser


def _add_plugins(make: Make) -> argparse.ArgumentParser:
    parser = configured(
        make,
        description="List every plugin: what it registers, how long it took to load, its state.",
        epilog=_PLUGINS_EPILOG,
    )
    parser.add_argument("--json", action="store_true", help="as JSON")
    add_common_options(parser)
    return parser


_COMMANDS = {
    "chat": ("chat in a session (what happens without a command, too)", _add_chat),
    "session": ("list, create, choose, change, delete and restore sessions", _add_session),
    "search": ("find what was said, in every message of every session", _add_search),
    "agents": ("list, show, create and remove agents", lambda make: subcommand("agents").add(make)),
    "trace": (
        "what happened in the turns of a session",
        lambda make: subcommand("trace").add(make),
    ),
    "metrics": ("what replies used, in all sessions", lambda make: subcommand("metrics").add(make)),
    "provider": (
        "show who answers, and end what is kept warm",
        lambda make: subcommand("provider").add(make),
    ),
    "doctor": ("look for what is wrong, and mend it", _add_doctor),
    "migrate": ("copy all sessions from one storage to another", _add_migrate),
    "plugins": ("list the plugins", _add_plugins),
    "config": (
        "show, find, check and change the configuration",
        lambda make: subcommand("config").add(make),
    ),
}
"""What each command is for, and how its parser is built."""
