"""``agno-shell provider``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agno_shell.argument_parser import add_common_options, common_options, configured

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from agno_shell.argument_parser import Make

_EPILOG = """\
With [provider] keep_warm a process that has litellm imported stays for the next shell. --stop ends
it, and those of other versions; what it has started for a running shell goes on. Nobody is
contacted, and nothing is started.

exit status: 0 done; 1 what is kept warm cannot be looked at; 2 wrong usage or configuration

examples:
  agno-shell provider
  agno-shell provider --json | jq '.kept_warm[].pid'
  agno-shell provider --stop
"""


def add(make: Make) -> ArgumentParser:
    """The options of the command."""
    parser = configured(
        make,
        description="Show which provider answers, where, and what is kept warm for the next shell.",
        epilog=_EPILOG,
    )
    parser.add_argument("--stop", action="store_true", help="end what is kept warm")
    parser.add_argument("--json", action="store_true", help="as JSON")
    add_common_options(parser)
    return parser


def run(_parser: ArgumentParser, given: dict[str, Any]) -> int:
    """Do what was asked for; the exit status."""
    import asyncio
    import sys

    from agno_shell import parts
    from agno_shell.oneshot import provider
    from agno_shell.options import ProviderOptions

    options = ProviderOptions(common_options(given), stop="stop" in given, json="json" in given)
    paths, config = parts.configure(options.common)
    models = parts.models_of(config, paths, parts.plugins_of(config, options.common))
    asyncio.run(provider.run(models, config, options, sys.stdout))
    return 0
