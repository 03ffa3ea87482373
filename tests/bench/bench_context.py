"""What choosing the messages of a request costs, in short sessions and in long ones."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from figures import Figure, interleaved, ratio
from stores import make_store, reply

from agno_shell.config import Config
from agno_shell.contracts import ProviderFactory, Storage, TokenCounts
from agno_shell.conversation.engine import Engine
from agno_shell.conversation.models import Models
from agno_shell.conversation.store import StoreThread
from agno_shell.conversation.tools.tool_registry import ToolRegistry
from agno_shell.plugins.manager import Plugins
from agno_shell.testing.scripted_provider import ScriptedProvider
from agno_shell.types import Message, new_id, now

SHORT, LONG = 100, 100_000
WINDOW = 6_000
"""Tokens: less than the messages of the short session have."""
TURNS = 300
WORDS = re.compile(r"\w+|[^\w\s]")


class Counting(ScriptedProvider):
    """Counts as a tokenizer does: by going through the text."""

    async def count_tokens(self, model: str, messages: Sequence[Message]) -> TokenCounts:
        return TokenCounts([len(WORDS.findall(each.content)) + 4 for each in messages], exact=True)


def choosing(folder: Path) -> list[Figure]:
    """The next request of an open session whose window is full, and the first one after it
    was opened."""
    places = make_store(folder / "store", [SHORT, LONG])
    with closing(places[0].storage()) as storage, asyncio.Runner() as runner:
        talks = [
            runner.run(_open(storage, place.session.session_id)) for place in (*places, places[1])
        ]
        runner.run(_read_all(talks[2]))
        short, long, loaded = interleaved([_turn(runner, talk) for talk in talks], TURNS)
        first, afar = interleaved(
            [
                lambda ident=place.session.session_id: _first(runner, storage, ident)
                for place in places
            ]
        )
    return [
        ratio(f"choosing among {LONG:,} messages against {SHORT}", long, short, 1.2, "µs"),
        ratio("the same with all of them in memory", loaded, short, 1.2, "µs"),
        ratio("the same for the first time after opening them", afar, first, None, "ms"),
    ]


async def _open(storage: Storage, session_id: str) -> Engine:
    provider = Counting(window=WINDOW)
    factory = ProviderFactory("counting", "", lambda _options: provider)
    models = Models(factory, factory, lambda made: made.open(None), default="m", environ={})  # type: ignore[arg-type]
    config = Config({})
    tool_registry = ToolRegistry(
        dict,
        lambda box: box.open(None),
        on=(),
        seconds=1.0,
        output_bytes=1,
        report=print,  # type: ignore[arg-type]
    )
    plugins = Plugins(installed=False)
    talk = Engine(
        StoreThread(lambda: storage), models, plugins, config, tool_registry=tool_registry
    )
    await talk.open(session_id)
    return talk


async def _read_all(talk: Engine) -> None:
    while await talk.open_session.path.read_further():
        pass


def _turn(runner: asyncio.Runner, talk: Engine) -> Callable[[], float]:
    """Microseconds to choose what the next question goes along with. What is said is not
    saved: that is another benchmark."""

    def measure() -> float:
        took = runner.run(_choose(talk))
        talk.open_session.path.append(reply(new_id(), None))
        return took * 1e6

    return measure


async def _choose(talk: Engine) -> float:
    """Seconds that it takes for one more question."""
    talk.open_session.path.append(Message(new_id(), "user", "What comes after that one?", now()))
    begun = time.perf_counter()
    prepared = await talk.requests.prepare(talk.current.choice)
    took = time.perf_counter() - begun
    assert prepared.receipt.left_out
    assert not prepared.receipt.estimated
    return took


def _first(runner: asyncio.Runner, storage: Storage, session_id: str) -> float:
    """Milliseconds to choose for the first time after a session was opened."""
    talk = runner.run(_open(storage, session_id))
    return runner.run(_choose(talk)) * 1e3
