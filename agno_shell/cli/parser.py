"""argparse as this program uses it: errors in one line, options by their whole names, commands
that are built when they are asked for, and the types of what stands behind options.

Only argparse is imported up here, so that ``--version`` and ``--help`` cost nothing.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping

import agno_shell

TYPE_CHECKING = False  # as in ``typing``, without importing it at every start
if TYPE_CHECKING:
    from typing import Any, NoReturn

    from agno_shell.base.options import CommonOptions

    Make = Callable[..., "Parser"]
    """Makes the parser of one command, with the settings of ``argparse.ArgumentParser``."""
    Build = Callable[[Make], "Parser"]
    """Gives that parser its options, and gives it back."""
    FindMore = Callable[["Commands", str | None, list[str]], None]

COMMAND, PARSER = "its command", "its parser"
"""Where the result of parsing has the command and its parser. No option or argument of a
command is called like this."""


class Parser(argparse.ArgumentParser):
    run: Callable[[Mapping[str, Any]], int]
    """Does what its command was asked for, with what was given; returns the exit status."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Refuse an unknown or shortened option by its name, at every level.

        argparse would take what follows it for the command and complain about that.
        """
        arguments = sys.argv[1:] if args is None else list(args)
        self._check_options(arguments)
        known, unknown = super().parse_known_args(arguments, namespace)
        # argparse takes words that stand together; there may be more behind an option.
        if "words" in known and not any(each.startswith("-") for each in unknown):
            known.words += unknown
            unknown = []
        return known, unknown

    def _check_options(self, arguments: list[str]) -> None:
        """Up to the command where there are commands, whose parser checks its own."""
        commands = next(
            (each for each in self._actions if isinstance(each, argparse._SubParsersAction)), None
        )
        is_value = False
        for argument in arguments:
            if argument == "--":
                return
            option, equals, _value = argument.partition("=")
            action = self._option_string_actions.get(option)
            if not argument.startswith("-"):
                if commands is not None and not is_value:
                    if isinstance(commands, Commands):
                        commands.look_for(argument, arguments)
                    return
            elif isinstance(commands, Commands) and isinstance(action, argparse._HelpAction):
                commands.look_for(None, arguments)
            # argparse, too, takes what holds a space for a text.
            elif option.startswith("--") and " " not in option and action is None:
                meant = _did_you_mean(option, self._option_string_actions)
                self.error(f"there is no option {option}{meant}")
            is_value = action is not None and not equals and action.nargs in (None, "?")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Name the nearest command; argparse would list them all, and nothing else."""
        if isinstance(action, Commands) and value not in action.choices:
            meant = _did_you_mean(value, action.choices)
            known = f"; there are {', '.join(action.choices)}"
            self.error(f"there is no command {value}{meant or known}")
        super()._check_value(action, value)

    def _print_message(self, message: str, file: Any = None) -> None:
        """Help that cannot be written is an error, which newer argparse swallows; an error that
        cannot be written keeps its status, which older argparse does not see to."""
        if not message:
            return
        if file is not None and file is not sys.stderr:
            file.write(message)
            return
        from contextlib import suppress

        with suppress(AttributeError, OSError):
            sys.stderr.write(message)

    def error(self, message: str) -> NoReturn:
        """One clean line behind the usage, as argparse writes it; exit status 2."""
        from agno_shell.toolkit.terminal_text import clean_line

        if message.endswith("expected one argument"):
            message += "; one that begins with a dash is joined to the option, as in --name=-x"
        super().error(clean_line(message, 1000))


def _did_you_mean(typed: str, known: Any) -> str:
    from agno_shell.toolkit.nearest import nearest

    near = nearest(typed, known)
    return f"; did you mean {near}?" if near else ""


class Commands(argparse._SubParsersAction):  # type: ignore[type-arg]
    """Commands of which only the one that is asked for is built."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self._summaries: dict[str, Callable[[], str]] = {}
        self.find_more: FindMore = lambda _commands, _name, _arguments: None
        """Called once, when a command is asked for that is not here, or None: all of them; it
        adds what there is, and gets the whole command line."""
        built: Any = _LazyParsers(self._make)
        self.choices = self._name_parser_map = built  # argparse looks commands up in both

    def add(self, name: str, summary: Callable[[], str], build: Build) -> None:
        """A command; ``summary`` gives what stands in the list of them."""
        self._summaries[name] = summary
        built: Any = self._name_parser_map
        built.builders[name] = build

    def look_for(self, name: str | None, arguments: list[str]) -> None:
        """See to it that the command is there, if there is such a one; None: all of them."""
        if name not in self._summaries:
            find, self.find_more = self.find_more, lambda *_: None
            find(self, name, arguments)

    def _get_subactions(self) -> Any:
        """What the help lists."""
        return [
            self._ChoicesPseudoAction(name, (), summary())
            for name, summary in self._summaries.items()
        ]

    def _make(self, name: str, **settings: Any) -> Any:
        return self._parser_class(prog=f"{self._prog_prefix} {name}", **settings)


class _LazyParsers(Mapping[str, Parser]):
    """The parsers of commands by name, each built when it is first looked up."""

    def __init__(self, make: Callable[..., Any]) -> None:
        self.builders: dict[str, Build] = {}
        self._make = make
        self._parsers: dict[str, Parser] = {}

    def __getitem__(self, name: str) -> Parser:
        if name not in self._parsers:
            build = self.builders[name]
            self._parsers[name] = build(lambda **settings: self._make(name, **settings))
        return self._parsers[name]

    def __contains__(self, name: object) -> bool:
        return name in self.builders

    def __iter__(self) -> Iterator[str]:
        return iter(self.builders)

    def __len__(self) -> int:
        return len(self.builders)


class VersionAction(argparse.Action):
    """argparse's own action formats its text, which imports four modules for the width."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        sys.stdout.write(f"agno-shell {agno_shell.__version__}\n")
        parser.exit(0)


class PrintCompletionAction(argparse.Action):
    """``--print-completion SHELL``; the library is imported only for it."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        from agno_shell.cli.completion_scripts import script

        sys.stdout.write(script(values))
        parser.exit(0)


def completes(action: argparse.Action, source: str) -> argparse.Action:
    """Declare what the value of an option may be, for completion: the name of a function of
    :mod:`agno_shell.cli.tab_completion`."""
    action.completes = source  # type: ignore[attr-defined]
    return action


def configured(make: Callable[..., Any], **settings: Any) -> Parser:
    """A parser that shows help as it was written, and whose result has what was given alone."""
    parser: Parser = make(
        formatter_class=_formatter, argument_default=argparse.SUPPRESS, **settings
    )
    # So that a later error shows the usage of its own level.
    parser.set_defaults(**{PARSER: parser})
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


# What every command takes -----------------------------------------------------------------


def add_common_options(parser: argparse.ArgumentParser) -> None:
    completes(
        parser.add_argument(
            "--config", metavar="FILE", help="read this configuration file instead"
        ),
        "files",
    )
    parser.add_argument(
        "--no-plugins", action="store_true", help="load only what is part of agno-shell"
    )
    completes(
        parser.add_argument(
            "--log",
            metavar="FILE",
            help="log what the program does, without a word of a conversation",
        ),
        "files",
    )


_OVERRIDES = (
    ("model", "provider.model"),
    ("api_base", "provider.api_base"),
    ("api_key_env", "provider.api_key_env"),
    ("reasoning", "provider.reasoning"),
    ("trace", "shell.trace"),
    ("metrics", "shell.metrics"),
)
"""Options that decide a setting for one run."""


def common_options(given: Mapping[str, Any], *, chat: bool = False) -> CommonOptions:
    """What was given of the options that every command takes; with ``chat`` also of those
    that decide a setting."""
    from agno_shell.base.options import CommonOptions

    overrides = {setting: given[key] for key, setting in _OVERRIDES if chat and key in given}
    # The key of the configured server is not for another one.
    if "provider.api_base" in overrides:
        overrides.setdefault("provider.api_key_env", "")
    return CommonOptions(
        config_file=given.get("config"),
        no_plugins=given.get("no_plugins", False),
        overrides=overrides,
    )


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
    from agno_shell.toolkit.typed_numbers import whole_number

    value = whole_number(text)
    if not value:
        raise argparse.ArgumentTypeError("it must be a whole number from 1 up")
    return value


def number(text: str) -> float:
    """A finite number."""
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if value - value != 0 or not text.isascii():  # an infinity, or not a number
        raise argparse.ArgumentTypeError("it must be a number, such as 0.7")
    return value


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")
