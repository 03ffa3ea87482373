"""argparse as this program uses it: errors in one line, options by their whole names, and
the types of what stands behind them.

Only argparse is imported up here, so that ``--version`` and ``--help`` cost nothing.
"""

from __future__ import annotations

import argparse
import sys

import agno_shell

TYPE_CHECKING = False  # as in ``typing``, without importing it at every start
if TYPE_CHECKING:
    from typing import Any, NoReturn


class Parser(argparse.ArgumentParser):
    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Refuse an unknown or shortened option by its name, at every level.

        argparse would take what follows it for the command and complain about that.
        """
        arguments = sys.argv[1:] if args is None else list(args)
        for argument in arguments:
            if argument == "--" or self._is_command(argument):
                break
            option = argument.partition("=")[0]
            if not option.startswith("--") or " " in option:
                continue  # argparse, too, takes what holds a space for a text
            if option not in self._option_string_actions:
                self.error(f"there is no option {option}{self._did_you_mean(option)}")
        known, unknown = super().parse_known_args(arguments, namespace)
        # argparse takes words that stand together; there may be more behind an option.
        if "words" in known and not any(each.startswith("-") for each in unknown):
            known.words += unknown
            unknown = []
        return known, unknown

    def _is_command(self, argument: str) -> bool:
        return any(
            isinstance(action, argparse._SubParsersAction) and argument in action.choices
            for action in self._actions
        )

    def _did_you_mean(self, option: str) -> str:
        from difflib import get_close_matches

        near = get_close_matches(option[:100], self._option_string_actions, n=1)
        return f"; did you mean {near[0]}?" if near else ""

    def error(self, message: str) -> NoReturn:
        """One clean line behind the usage, as argparse writes it; exit status 2."""
        from agno_shell.terminal_text import clean_line

        super().error(clean_line(message, 1000))


class Version(argparse.Action):
    """argparse's own action formats its text, which imports four modules for the width."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        sys.stdout.write(f"agno-shell {agno_shell.__version__}\n")
        parser.exit(0)


class PrintCompletion(argparse.Action):
    """``--print-completion SHELL``; shtab is imported only for it."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        import shtab

        sys.stdout.write(shtab.complete(parser, shell=values) + "\n")
        parser.exit(0)


def configured(make: Any, *names: str, **settings: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = make(
        *names,
        formatter_class=_formatter,
        argument_default=argparse.SUPPRESS,
        **settings,
    )
    parser.set_defaults(parser=parser)  # so that a later error shows the usage of its own level
    return parser


def _formatter(prog: str) -> argparse.HelpFormatter:
    """argparse makes a formatter for every option it is given, and looks for the width
    of the terminal through a module that costs milliseconds."""
    import os

    try:
        width = int(os.environ["COLUMNS"])
    except (KeyError, ValueError):
        try:
            width = os.get_terminal_size(sys.stdout.fileno()).columns
        except (AttributeError, OSError, ValueError):  # no terminal, or no stdout at all
            width = 80
    return argparse.RawDescriptionHelpFormatter(prog, width=max(width, 40) - 2)


# The types of what stands behind an option ----------------------------------------------


def json_object(text: str) -> dict[str, Any]:
    """The value of ``--context``."""
    import json

    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise argparse.ArgumentTypeError('it must be a JSON object, such as {"domain": "finance"}')
    return value


def date(text: str) -> Any:
    """The value of ``--since``, in UTC; without an offset it is local time."""
    from datetime import UTC, datetime

    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        raise argparse.ArgumentTypeError(
            "it must be a date, such as 2026-01-31 or 2026-01-31T12:00"
        ) from None


def positive_number(text: str) -> int:
    # int() alone takes "٣" and "1_0".
    if not (text.isascii() and text.isdigit() and len(text) < 7 and int(text) > 0):
        raise argparse.ArgumentTypeError("it must be a whole number from 1 up")
    return int(text)


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")
