"""From the command line to one call of ``app``.

Only the parser is imported up here, so that ``--version`` and ``--help`` cost nothing.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence

from agno_shell.argument_parser import common_options
from agno_shell.arguments import build_parser, subcommand

TYPE_CHECKING = False  # as in ``typing``, without importing it at every start
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from typing import Any, TextIO

    from agno_shell.options import SessionAction

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
    finally:
        _settle_stderr()
        gc.freeze()
        if "agno_shell.plugins" in sys.modules:  # whose threads may not want to end
            from agno_shell import ending

            ending.end_in_time(status)
    return status


def _main(argv: Sequence[str] | None) -> int:
    _prepare_output()
    if "_ARGCOMPLETE" in os.environ:  # the shell asks what could stand at the cursor
        from agno_shell.tab_completion import answer

        answer(build_parser())
    try:
        given = _parsed(argv)
        status = _run(given.pop("parser"), given)
        sys.stdout.flush()  # while an error can still be reported
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reader, such as head, has seen enough
        _drop_output()
        return 1
    except Exception as error:
        return _report(error)
    return status


def _parsed(argv: Sequence[str] | None) -> dict[str, Any]:
    try:
        return vars(build_parser().parse_args(argv))
    except SystemExit:
        sys.stdout.flush()  # what --help and --version wrote, as above
        raise


def _run(parser: ArgumentParser, given: dict[str, Any]) -> int:
    command = given.get("command") or "chat"
    _refuse_chat_options(parser, command, given)
    if command == "session":
        return _session(parser, given)
    if command == "chat":
        return _chat(parser, given)
    if command in _COMMANDS:
        return _COMMANDS[command](given)
    status: int = subcommand(command).run(parser, given)
    return status


# What each command asks for ---------------------------------------------------------------


def _chat(parser: ArgumentParser, given: dict[str, Any]) -> int:
    from agno_shell import app
    from agno_shell.options import ChatOptions, QuickOptions

    agent, context = given.get("agent"), dict(given.get("context", {}))
    if "goal" in given:
        context["goal"] = given["goal"]
    if "session" in given and "new" in given:
        parser.error("--session opens a session and --new makes one: give one of the two")
    if "quick" not in given:
        for key in ("attach", "json"):
            if key in given:
                parser.error(f"--{key} goes with --quick")
        return app.chat(
            ChatOptions(
                common_options(given, chat=True),
                session=given.get("session"),
                new=given.get("new"),
                agent=agent,
                context=context,
            )
        )
    if "session" in given or "new" in given:
        parser.error("--quick saves nothing and takes no --session or --new")
    return app.quick(
        QuickOptions(
            given["quick"],
            common_options(given, chat=True),
            agent=agent,
            context=context,
            json="json" in given,
            attach=tuple(given.get("attach", ())),
        )
    )


def _session(parser: ArgumentParser, given: dict[str, Any]) -> int:
    from agno_shell import app
    from agno_shell.options import SessionOptions

    actions: tuple[SessionAction, ...] = (
        "create",
        "set",
        "update",
        "delete",
        "trash",
        "restore",
        "purge",
    )
    action: SessionAction = next((name for name in actions if name in given), "list")
    name, description = given.get("name"), given.get("description")
    if action == "create":
        if name is not None:
            parser.error("--create takes the name itself; --name goes with --update")
        name = given["create"]
    elif action != "update" and (name is not None or description is not None):
        parser.error("--name goes with --update, --description with --create or --update")
    elif action == "update" and name is None and description is None:
        parser.error("--update needs --name or --description")
    if action not in ("list", "trash") and "json" in given:
        parser.error("--json goes with --list or --trash")
    if "all" in given and action != "purge":
        parser.error("--all goes with --purge")
    if action == "purge" and ("all" in given) == (given["purge"] is not None):
        parser.error("--purge takes a REF, or --all for all that the trash holds")
    return app.session(
        SessionOptions(
            action,
            common_options(given),
            reference=None if action in ("list", "create", "trash") else given[action],
            name=name,
            description=description,
            json="json" in given,
        )
    )


def _search(given: dict[str, Any]) -> int:
    from agno_shell import app
    from agno_shell.options import SearchOptions

    return app.search(
        SearchOptions(
            " ".join(given["words"]),
            common_options(given),
            reference=given.get("session"),
            role=given.get("role"),
            since=given.get("since"),
            limit=given.get("limit", 20),
            json="json" in given,
        )
    )


def _doctor(given: dict[str, Any]) -> int:
    from agno_shell import app
    from agno_shell.options import DoctorOptions

    return app.doctor(
        DoctorOptions(common_options(given), repair="repair" in given, json="json" in given)
    )


def _plugins(given: dict[str, Any]) -> int:
    from agno_shell import app

    return app.plugins(common_options(given), json=given.get("json", False))


def _migrate(given: dict[str, Any]) -> int:
    from agno_shell import app
    from agno_shell.options import MigrateOptions

    return app.migrate(
        MigrateOptions(
            given["source"],
            given["target"],
            common_options(given),
            source_path=_absolute(given.get("source_path")),
            target_path=_absolute(given.get("target_path")),
            dry_run="dry_run" in given,
        )
    )


def _absolute(path: str | None) -> str | None:
    return None if path is None else os.path.abspath(os.path.expanduser(path))


_COMMANDS = {"search": _search, "doctor": _doctor, "migrate": _migrate, "plugins": _plugins}

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


def _refuse_chat_options(parser: ArgumentParser, command: str, given: dict[str, Any]) -> None:
    """What stands in front of the command may be meant for the chat, which this is not."""
    own = {action.dest for action in parser._actions}
    for key in _CHAT_ONLY:
        if key in given and key not in own:
            parser.error(f"--{key.replace('_', '-')} goes with chat and not with {command}")


# Errors -----------------------------------------------------------------------------------


def _report(error: Exception) -> int:
    """One line on stderr for what a person can mend; anything else goes on as it came."""
    from contextlib import suppress

    from agno_shell.errors import AgnoShellError, SessionNotFoundError
    from agno_shell.terminal_text import clean_line

    if isinstance(error, OSError) and _is_failed_output(error):
        _drop_output()
        error = AgnoShellError(f"The output could not be written: {error.strerror}.")
    if not isinstance(error, AgnoShellError):
        raise error
    lines = [f"agno-shell: {clean_line(error.sentence(), 1000)}"]
    if isinstance(error, SessionNotFoundError):
        lines += [f"  {clean_line(candidate)}" for candidate in error.candidates]
    with suppress(OSError):  # what nobody hears keeps its status
        sys.stderr.write("\n".join(lines) + "\n")
    return error.exit_code


def _prepare_output() -> None:
    """On a Latin-1 or ASCII terminal other characters come out as escapes, as they do on
    stderr anyway, instead of ending the command with an error."""
    if sys.stdout is None or sys.stderr is None:  # closed by whoever started us
        nowhere = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - to the very end
        sys.stdout, sys.stderr = sys.stdout or nowhere, sys.stderr or nowhere
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")


def _is_failed_output(error: OSError) -> bool:
    """A stream's error names no file; the storage reports its own in words of its own."""
    from errno import EFBIG, EIO, ENOSPC

    return error.filename is None and error.errno in (ENOSPC, EFBIG, EIO)


def _settle_stderr() -> None:
    """What nobody hears keeps its status: the interpreter would try once more at its end, and
    make it 120."""
    try:
        sys.stderr.flush()
    except OSError:
        _drop(sys.stderr)


def _drop_output() -> None:
    """Let stdout lead nowhere, or the interpreter complains once more when it ends."""
    _drop(sys.stdout)


def _drop(stream: TextIO) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
