from __future__ import annotations

import io
import json
from collections.abc import Sequence

import pytest

from agno_shell.cli.commands import provider
from agno_shell.config import Config
from agno_shell.contracts import Address, Background, ProviderFactory
from agno_shell.conversation.models import Models
from agno_shell.testing.scripted_provider import ScriptedProvider

BUSY = Background(42, "tables\x1b 1.0", 130.0, 1, 900.0)
STARTING = Background(43, "tables", 0, 0, 0, starting=True)


class WarmProvider(ScriptedProvider):
    kept: Sequence[Background] = ()
    closed = False

    def address(self, model: str, api_base: str | None = None) -> Address | None:
        return Address("https://example.org/v1", "NAME_BASE_URL") if model == "elsewhere" else None

    async def background(self) -> Sequence[Background]:
        return self.kept

    async def end_background(self) -> Sequence[Background]:
        return self.kept

    async def close(self) -> None:
        self.closed = True


async def shown(
    *kept: Background,
    model: str | None = "m",
    keep: str = "off",
    stop: bool = False,
    as_json: bool = False,
) -> str:
    scripted = WarmProvider()
    scripted.kept = kept
    factory = ProviderFactory("scripted", "", None)  # type: ignore[arg-type]
    offline = ProviderFactory("offline", "", None)  # type: ignore[arg-type]
    models = Models(factory, offline, lambda _each: scripted, default=model, environ={})
    config = Config({"provider.keep_warm": (keep, lambda: "a test")})
    out = io.StringIO()
    await provider.report(models, config, out, stop=stop, as_json=as_json)
    assert scripted.closed
    return out.getvalue()


async def test_who_answers_and_where() -> None:
    assert (await shown()).splitlines() == [
        "Provider   scripted",
        "Model      m",
        "Address    the service's own",
        "Kept warm  off",
    ]
    assert "Address    https://example.org/v1 (NAME_BASE_URL)" in await shown(model="elsewhere")


async def test_without_a_model() -> None:
    assert (await shown(model=None)).splitlines() == [
        "Provider   offline",
        "Model      none is set up",
        "Kept warm  off",
    ]


async def test_what_is_kept_warm() -> None:
    assert "Kept warm  nothing yet; keep_warm is 15m\n" in await shown(keep="15m")
    assert (await shown(BUSY, STARTING)).splitlines()[3:] == [
        "Kept warm  tables␛ 1.0, pid 42, 2 min old, serving 1 shell; it ends 15 min after the last",
        "Kept warm  tables, pid 43, not ready yet",
    ]


async def test_the_end_of_it() -> None:
    assert await shown(stop=True) == "Nothing is kept warm.\n"
    assert (await shown(BUSY, STARTING, stop=True)).splitlines() == [
        "Ended: tables␛ 1.0, pid 42. 1 shell goes on with what it has started for them.",
        "Ended: tables, pid 43.",
    ]


@pytest.mark.parametrize("model", ["elsewhere", None])
async def test_as_json(model: str | None) -> None:
    found = json.loads(await shown(BUSY, model=model, as_json=True))
    assert found["model"] == model
    assert found["provider"] == ("scripted" if model else "offline")
    expected = {"url": "https://example.org/v1", "chosen_by": "NAME_BASE_URL"} if model else None
    assert found["address"] == expected
    assert found["kept_warm"] == [BUSY._asdict()]
    assert json.loads(await shown(BUSY, stop=True, as_json=True)) == {"ended": [BUSY._asdict()]}
