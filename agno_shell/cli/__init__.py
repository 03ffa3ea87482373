"""From the command line to one of the commands. Private.

Only the parser is imported up here, so that ``--version`` and ``--help`` cost nothing.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence

from agno_shell.cli.arguments import build_parser
from agno_shell.cli.parser import COMMAND, PARSER

TYPE_CHECKING = False  # as in ``typing``, without importing it at every start
if TYPE_CHECKING:
    from typing import Any

    from agno_shell.cli.parser import Commands, Parser

INTERRUPTED = 130
"""128 + SIGINT, as shells report it."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    if argv is not None:
        return _main(argv)
    # A process of its own. What it makes while it starts lives until it ends: to look
    # through all of it for garbage, several times and again at the exit, takes a tenth
    # of `session --list` and of the time to the prompt.
    gc.disable()
    status = 1
    try:
        status = _main(argv)
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else int(error.code is not None)
        raise
    finally:
        _settle_stderr()
        gc.freeze()
        if "agno_shell.plugins.manager" in sys.modules:  # whose threads may not want to end
            from agno_shell.app import ending

            ending.end_in_time(status)
    return status


def _main(argv: Sequence[str] | None) -> int:
    _prepare_output()
    parser = build_parser(_find_more)
    if "_ARGCOMPLETE" in os.environ:  # the shell asks what could stand at the cursor
        from agno_shell.cli.tab_completion import answer

        answer(parser)
    try:
        given = _parsed(parser, argv)
        status = _run(given.pop(PARSER), given)
        sys.stdout.flush()  # while an error can still be reported
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        from agno_shell.cli.errors import report

        return report(error)
    return status


def _parsed(parser: Parser, argv: Sequence[str] | None) -> dict[str, Any]:
    try:
        return vars(parser.parse_args(argv))
    except SystemExit:
        sys.stdout.flush()  # what --help and --version wrote, as above
        raise


def _find_more(commands: Commands, name: str | None, arguments: list[str]) -> None:
    from agno_shell.base.installed import GROUP, may_have

    if may_have(GROUP):  # most users have no plugin, and wait for none
        from agno_shell.cli.plugged import add_plugged

        add_plugged(commands, name, arguments)


def _run(parser: Parser, given: dict[str, Any]) -> int:
    command = given.pop(COMMAND, None) or "chat"
    if command != "chat":
        _refuse_chat_options(parser, command, given)
    if (log := _log_path(given)) is None:
        return parser.run(given)
    from agno_shell.app.program_log_file import kept

    return kept(log, command, lambda: parser.run(given))


def _log_path(given: dict[str, Any]) -> str | None:
    """The log that is asked for; the option counts more than the variable."""
    if "log" in given:
        named: str = given.pop("log")
        return os.path.abspath(os.path.expanduser(named))
    if not (path := os.environ.get("AGNO_SHELL_LOG")):  # an empty variable is one that is not set
        return None
    from agno_shell.base.paths import LOG_VARIABLE, absolute

    return absolute(path, LOG_VARIABLE, os.environ)


_CHAT_ONLY = (
    "session",
    "new",
    "agent",
    "model",
    "api_base",
    "api_key_env",
    "reasoning",
    "context",
    "goal",
    "trace",
    "metrics",
)


def _refuse_chat_options(parser: Parser, command: str, given: dict[str, Any]) -> None:
    """What stands in front of the command may be meant for the chat, which this is not."""
    own = {action.dest for action in parser._actions}
    for key in _CHAT_ONLY:
        if key in given and key not in own:
            parser.error(f"--{key.replace('_', '-')} goes with chat and not with {command}")


# The streams ------------------------------------------------------------------------------


def _prepare_output() -> None:
    """On a Latin-1 or ASCII terminal other characters come out as escapes, as they do on
    stderr anyway, instead of ending the command with an error."""
    if sys.stdout is None or sys.stderr is None:  # closed by the program that started us
        nowhere = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - to the very end
        sys.stdout, sys.stderr = sys.stdout or nowhere, sys.stderr or nowhere
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")


def _settle_stderr() -> None:
    """An error that cannot be written keeps its status: the interpreter would try once more
    at its end, and exit with 120."""
    try:
        sys.stderr.flush()
    except OSError:
        from agno_shell.cli.errors import drop

        drop(sys.stderr)
