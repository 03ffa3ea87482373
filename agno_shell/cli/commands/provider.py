"""``agno-shell provider``: who answers, where, and what is kept warm for the next shell."""

from __future__ import annotations

from agno_shell.cli.output import write_json
from agno_shell.toolkit.terminal_text import clean_line
from agno_shell.toolkit.wording import count

TYPE_CHECKING = False  # as in ``typing``, without importing it for the help
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, TextIO

    from agno_shell.cli.context import Context
    from agno_shell.cli.parser import Parser
    from agno_shell.config import Config
    from agno_shell.contracts import Background
    from agno_shell.conversation.models import Models

SUMMARY = "show which provider answers, and end what is kept warm"

_EPILOG = """\
With [provider] keep_warm a process that has litellm imported stays for the next shell. --stop ends
it, and those of other versions; what it has started for a running shell goes on. No server
is contacted, and nothing is started.

exit status: 0 done; 1 what is kept warm cannot be checked; 2 wrong usage or configuration

examples:
  agno-shell provider
  agno-shell provider --json | jq '.kept_warm[].pid'
  agno-shell provider --stop
"""

_OWN = "the service's own"


def add(parser: Parser) -> None:
    """The options of the command."""
    parser.description = (
        "Show which provider answers, where, and what is kept warm for the next shell."
    )
    parser.epilog = _EPILOG
    parser.add_argument("--stop", action="store_true", help="end what is kept warm")
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(context: Context, given: Mapping[str, Any]) -> int:
    """Look, or end what is kept warm, and report."""
    import asyncio

    from agno_shell.app import parts

    models = parts.models_of(context.config, context.paths, context.plugins)
    stop, as_json = "stop" in given, "json" in given
    asyncio.run(report(models, context.config, context.out, stop=stop, as_json=as_json))
    return 0


async def report(models: Models, config: Config, out: TextIO, *, stop: bool, as_json: bool) -> None:
    """What there is, or what was ended, in words or as JSON. Raises ``ProviderError`` where that
    cannot be looked at."""
    try:
        found = [each for _name, each in await models.background(end=stop)]
        if as_json:
            write_json(_record(models, config, found, stopped=stop), out)
        else:
            lines = _ended(found) if stop else _shown(models, config, found)
            out.write("".join(f"{line}\n" for line in lines))
    finally:
        await models.close()


def _shown(models: Models, config: Config, found: Sequence[Background]) -> list[str]:
    from agno_shell.config import settings
    from agno_shell.conversation.models import OFFLINE
    from agno_shell.toolkit.reports import address_words, background_in_words

    choice = models.choose(None)
    address = models.address(choice, config[settings.PROVIDER_API_BASE] or None)
    rows = [("Provider", clean_line(choice.provider))]
    if choice.provider == OFFLINE:
        rows.append(("Model", "none is set up"))
    else:
        rows.append(("Model", clean_line(choice.model)))
        rows.append(("Address", address_words(address) or _OWN))
    kept = [background_in_words(each) for each in found]
    if not kept:
        wanted = config[settings.PROVIDER_KEEP_WARM]
        off = wanted in ("", "off")
        kept = ["off" if off else f"nothing yet; keep_warm is {wanted}"]
    rows += [("Kept warm", each) for each in kept]
    return [f"{heading:<10} {text}" for heading, text in rows]


def _ended(found: Sequence[Background]) -> list[str]:
    if not found:
        return ["Nothing is kept warm."]
    return [f"Ended: {clean_line(each.about)}, pid {each.pid}.{_goes_on(each)}" for each in found]


def _goes_on(process: Background) -> str:
    if not process.serving:
        return ""
    go = "goes" if process.serving == 1 else "go"
    return f" {count(process.serving, 'shell')} {go} on with what it has started for them."


def _record(
    models: Models, config: Config, found: Sequence[Background], *, stopped: bool
) -> dict[str, Any]:
    from agno_shell.config import settings
    from agno_shell.conversation.models import OFFLINE

    kept = [each._asdict() for each in found]
    if stopped:
        return {"ended": kept}
    choice = models.choose(None)
    address = models.address(choice, config[settings.PROVIDER_API_BASE] or None)
    return {
        "provider": choice.provider,
        "model": None if choice.provider == OFFLINE else choice.model,
        "address": None if address is None else address._asdict(),
        "kept_warm": kept,
    }
