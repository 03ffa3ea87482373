"""Trace, metrics, titles, the limit of what a session may cost, and agents, in a real shell."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from agno_shell.errors import ConfigError
from agno_shell.events import Failed, Finished, UsageReported
from agno_shell.testing.memory_storage import MemoryStorage
from agno_shell.testing.scripted_provider import ScriptedProvider
from agno_shell.types import Usage

SitDown = Callable[..., Awaitable[Any]]


def costs(dollars: float) -> list[Any]:
    return ["Sure.", UsageReported(Usage(1_000, 10, cost=dollars)), Finished()]


# Trace and metrics ------------------------------------------------------------------------


async def test_trace_shows_the_last_turn_when_it_is_asked_for(
    sit_down: SitDown, provider: ScriptedProvider
) -> None:
    seat = await sit_down()
    seat.type("/trace\r")
    await seat.sees("Nothing was asked yet since the shell was started.")
    busy = Failed("rate_limited", "The server is busy.", temporary=True)
    provider.scripts.extend([[busy], ["Sure.", Finished()]])
    seat.type("Hello\r")
    await seat.sees("Sure.")
    await seat.sees_not("├─ request")
    seat.type("/trace\r")
    await seat.sees("├─ request")
    await seat.sees("│  ├─ retry        try 2 of 3 after 1.0 s")
    await seat.sees("└─ saved           the reply")
    assert seat.shell.status.flags["trace"] is False


async def test_metrics_shows_the_reply_the_session_and_the_run(
    sit_down: SitDown, provider: ScriptedProvider
) -> None:
    seat = await sit_down()
    provider.scripts.extend([costs(0.25), costs(0.5)])
    seat.type("One\rTwo\r")
    await seat.until(lambda: len(provider.requests) == 2)
    seat.type("/metrics\r")
    await seat.sees("Last reply:   1,000 tokens in · 10 out")
    await seat.sees("This session: 2 replies · 2,000 tokens in · 20 out · $0.7500")
    await seat.sees("This run:     2 replies · 2,000 tokens in · 20 out · $0.7500")


async def test_metrics_count_every_branch(sit_down: SitDown, provider: ScriptedProvider) -> None:
    seat = await sit_down()
    provider.scripts.extend([costs(0.25), costs(0.5)])
    seat.type("One\r/retry\r")
    await seat.until(lambda: len(provider.requests) == 2)
    seat.type("/metrics\r")
    await seat.sees("This session: 2 replies · 2,000 tokens in · 20 out · $0.7500")


async def test_a_failure_has_no_metrics(sit_down: SitDown, provider: ScriptedProvider) -> None:
    seat = await sit_down()
    seat.shell.status.flags["metrics"] = True
    provider.scripts.extend([[Failed("server", "It broke.")], costs(0.5)])
    seat.type("One\rTwo\r")
    await seat.sees("1,000 tokens in")
    assert "The provider reported no figures" not in seat.terminal.text()


# The limit --------------------------------------------------------------------------------


async def test_a_session_at_its_limit_asks_and_goes_on(
    sit_down: SitDown, provider: ScriptedProvider
) -> None:
    seat = await sit_down(values={"provider.max_cost_per_session": 1.0})
    provider.scripts.extend([costs(1.5), ["On we go.", Finished()]])
    seat.type("One\r")
    await seat.sees("Sure.")
    seat.type("Two\r")
    await seat.sees("Let it cost up to $2.00?")
    assert len(provider.requests) == 1
    seat.type("y\r")
    await seat.sees("Let it cost up to $2.00?\n\nOn we go.")


async def test_who_says_no_sends_nothing_and_can_talk_on(
    sit_down: SitDown, provider: ScriptedProvider
) -> None:
    storage = MemoryStorage()
    seat = await sit_down(storage, values={"provider.max_cost_per_session": 1.0})
    provider.scripts.extend([costs(1.5), ["On we go.", Finished()]])
    seat.type("One\r")
    await seat.sees("Sure.")
    seat.type("Two\r")
    await seat.sees("Let it cost up to $2.00?")
    seat.type("n\r")
    await seat.sees("Nothing was sent: this session has cost $1.50")
    assert len(provider.requests) == 1
    seat.type("/retry\r")
    await seat.until(lambda: seat.terminal.text().count("Let it cost up to $2.00?") == 2)
    seat.type("y\r")
    await seat.sees("On we go.")
    said = storage.messages(storage.current() or "")
    assert [each.content for each in said if each.role == "user"] == ["One", "Two"]


# Titles -----------------------------------------------------------------------------------


async def test_a_session_without_a_name_gets_one_in_the_background(
    sit_down: SitDown, provider: ScriptedProvider
) -> None:
    seat = await sit_down(values={"conversation.auto_title": True})
    gate = asyncio.Event()
    provider.scripts.extend([["Sure.", Finished()], [gate, "Blue cups", Finished()]])
    seat.type("One\r")
    await seat.until(lambda: len(provider.requests) == 2)
    seat.type("Two\r")  # nobody waits for a title
    await seat.sees("echo: Two")
    gate.set()
    await seat.sees("Blue cups")  # in the toolbar
    seat.type("/info\r")
    await seat.sees("Name:        Blue cups")


async def test_leaving_does_not_wait_for_a_title(
    sit_down: SitDown, provider: ScriptedProvider
) -> None:
    seat = await sit_down(values={"conversation.auto_title": True})
    provider.scripts.extend([["Sure.", Finished()], [asyncio.Event()]])
    seat.type("One\r")
    await seat.until(lambda: len(provider.requests) == 2)
    await seat.leaves()


# Agents and reasoning ---------------------------------------------------------------------


async def test_a_new_agent_is_used_at_once(sit_down: SitDown, provider: ScriptedProvider) -> None:
    seat = await sit_down()
    seat.type("/agent new bard model-b -- Sing everything.\r")
    await seat.sees("Agent bard is made and kept.")
    seat.type("/agent bard\r")
    await seat.sees("Agent: bard. Model: model-b")
    seat.type("Hello\r")
    await seat.sees("echo: Hello")
    request = provider.requests[0]
    assert request.model == "model-b"
    assert request.messages[0].content == "Sing everything."


async def test_an_agent_that_cannot_be_written_is_not_there(
    sit_down: SitDown, monkeypatch: Any
) -> None:
    seat = await sit_down()

    def refuse(_name: str, _table: Any) -> Any:
        raise ConfigError("shell.toml could not be written: No space left on device.")

    monkeypatch.setattr(seat.shell.context.app, "new_agent", refuse)
    seat.type("/agent new bard -- Sing.\r")
    await seat.sees("shell.toml could not be written")
    assert "bard" not in seat.shell.engine.current.agents


async def test_an_agent_falls_back_and_sends_its_pins(
    sit_down: SitDown, provider: ScriptedProvider, tmp_path: Path
) -> None:
    from agno_shell.config import Agent

    (tmp_path / "rules.md").write_text("Be kind.")
    pins = (f"@{tmp_path}/rules.md", f"@{tmp_path}/missing.md")
    bard = Agent("bard", "Sing.", "model-b", fallbacks=("model-c",), pins=pins, reasoning="low")
    values = {"provider.fallbacks": ("model-d", "model-c")}
    seat = await sit_down(agents={"bard": bard}, agent="bard", values=values)
    down = Failed("unreachable", "Nobody answers.")
    provider.scripts.extend([[down], [down], ["I sing.", Finished()]])
    seat.type("Hello\r")
    await seat.sees("I sing.")
    assert [each.model for each in provider.requests] == ["model-b", "model-c", "model-d"]
    assert provider.requests[0].messages[0].content == "Sing.\n\nBe kind."
    assert provider.requests[0].reasoning == "low"
    await seat.reads("not sent: No such file or directory.")


async def test_reasoning_of_the_session_counts_more_than_the_agents(
    sit_down: SitDown, provider: ScriptedProvider
) -> None:
    seat = await sit_down(reasoning="high", values={"provider.reasoning": "medium"})
    seat.type("One\r")
    await seat.sees("echo: One")
    seat.type("/reasoning off\rTwo\r")
    await seat.sees("echo: Two")
    seat.type("/reasoning default\rThree\r")
    await seat.sees("echo: Three")
    assert [each.reasoning for each in provider.requests] == ["high", "off", "medium"]
