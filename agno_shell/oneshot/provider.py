"""``agno-shell provider``: who answers, where, and what is kept warm for the next shell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TextIO

from agno_shell import settings
from agno_shell.config import Config
from agno_shell.contracts import Background
from agno_shell.conversation.models import OFFLINE, Models
from agno_shell.options import ProviderOptions
from agno_shell.reports import address_words, background_in_words
from agno_shell.terminal_text import clean_line
from agno_shell.wording import count

_OWN = "the service's own"


async def run(models: Models, config: Config, options: ProviderOptions, out: TextIO) -> None:
    """Look, or end what is kept warm, and tell. Raises ``ProviderError`` where that cannot be
    looked at."""
    try:
        found = [each for _name, each in await models.background(end=options.stop)]
        if options.json:
            from json import dumps

            out.write(dumps(_as_json(models, config, found, stopped=options.stop), indent=2) + "\n")
        else:
            lines = _ended(found) if options.stop else _shown(models, config, found)
            out.write("".join(f"{line}\n" for line in lines))
    finally:
        await models.close()


def _shown(models: Models, config: Config, found: Sequence[Background]) -> list[str]:
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


def _as_json(
    models: Models, config: Config, found: Sequence[Background], *, stopped: bool
) -> dict[str, Any]:
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
