"""Random conversations over the real engine, with a model that behaves at random and refuses
what the strictest servers refuse, and whatever holds the word poison. None is ever refused
for its form, and what was refused is not sent again by itself."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agno_shell.builtin.litellm_provider.provider import LitellmProvider
from agno_shell.builtin.model_services.destination import Destination
from agno_shell.builtin.model_services.messages import Manner, in_openai_form
from agno_shell.builtin.model_services.sendable import message_record
from agno_shell.builtin.model_services.target import Target
from agno_shell.contracts import Provider, ProviderOptions, TokenCounts, Tool, ToolBox, ToolFactory
from agno_shell.conversation.compaction.compaction import Compaction
from agno_shell.conversation.compaction.compaction import undo as uncompact
from agno_shell.conversation.engine import Engine
from agno_shell.errors import UsageError
from agno_shell.events import (
    Event,
    Failed,
    Finished,
    ProviderToolFinished,
    ReasoningDelta,
    Request,
    SpeakerChanged,
    TextDelta,
)
from agno_shell.testing.memory_storage import MemoryStorage
from agno_shell.testing.model_server import ModelServer, Script
from agno_shell.testing.strict import body_problem, request_problem
from agno_shell.testing.turn_events import events_of
from agno_shell.types import Attachment, Message, ToolCall, ToolSchema, new_id, new_session, now

POISON = "poison"
TARGET = Target(Destination("openai/strict", "here", None), "openai", "strict")
FILES = {"a.txt": "text/plain", "cat.png": "image/png", "paper.pdf": "application/pdf"}
SEARCH = ProviderToolFinished(ToolCall("s", "search", "{}"), "Found.")
STOPPED = object()
"""Stands in a script for a pause in which the person stops the reply."""

Step = Event | object

STEPS = 14


class RandomModel(Provider):
    """Takes what the strictest server takes, and then does anything that a model does. With
    ``server`` and ``inner`` it is the real provider that asks, over HTTP."""

    name = "random"

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.inner: Provider | None = None
        self.server: ModelServer | None = None
        self.refused: list[str] = []
        """Why a strict server refused a request: a fault of the engine."""
        self.poisoned = 0
        """Requests that were refused for the poison in them."""
        self.asked = 0
        self.stop: Callable[[], object] = lambda: None

    async def stream(self, request: Request) -> AsyncGenerator[Event, None]:
        self.asked += 1
        if problem := self._problem(request):
            self.refused.append(problem)
            yield Failed("refused", problem)
            return
        if any(POISON in each.content for each in request.messages):
            self.poisoned += 1
            yield Failed("refused", "The content filter does not let it through.")
            return
        script = self._script(bool(request.tools))
        events = self._really(request, script) if self.inner else self._pretend(script)
        async for event in events:
            yield event

    def _problem(self, request: Request) -> str:
        """On its way to a provider, and as it then is on the wire."""
        records = [message_record(message) for message in request.messages]
        body = {"messages": in_openai_form(records, Manner(TARGET, files=request.files))}
        return request_problem(request) or body_problem(body)

    def _script(self, has_tools: bool) -> list[Step]:
        pick = self.chance.random()
        whole: list[Step] = [TextDelta(f"reply {self.asked} " * self.chance.randint(1, 9))]
        if pick < 0.4:
            return [*whole, Finished()]
        if self.chance.random() < 0.2:
            whole = [SpeakerChanged("Ada"), *whole, SpeakerChanged("Ben"), TextDelta("And I.")]
        if pick < 0.55 and has_tools:
            names = self.chance.choices(["noon", "broken", "nothing", "silent"], k=2)
            ids = self.chance.choices(["1", "2", str(self.asked)], k=2)
            calls = [ToolCall(*each, "{}") for each in zip(ids, names, strict=True)]
            text = whole if self.chance.random() < 0.3 else []
            return [*text, *calls[: self.chance.randint(1, 2)], Finished("tool_calls")]
        return self.chance.choice(
            [
                [*whole, STOPPED],
                [STOPPED],
                [ReasoningDelta("hm"), STOPPED],
                [Finished()],
                [TextDelta(" \n"), Finished()],
                [*whole, Finished("length")],
                [*whole, Finished("content_filter")],
                [Finished("content_filter")],
                [Failed("unreachable", "No connection.")],
                [Failed("overflow", "Too long.")],
                [Failed("authentication", "No key.")],
                [*whole, Failed("server", "Cut off.")],
                [*whole, SEARCH, SpeakerChanged("Ada"), *whole, Finished()],
                [SpeakerChanged("Ada"), *whole, SpeakerChanged("Ben"), SEARCH, STOPPED],
                [SpeakerChanged("Ada"), SEARCH, SpeakerChanged(), Finished("length")],
            ]
        )

    async def _pretend(self, script: Sequence[Step]) -> AsyncGenerator[Event, None]:
        for step in script:
            if step is STOPPED:
                self.stop()
                await asyncio.Event().wait()
            yield step  # type: ignore[misc]

    async def _really(
        self, request: Request, script: Sequence[Step]
    ) -> AsyncGenerator[Event, None]:
        assert self.inner is not None
        assert self.server is not None
        if isinstance(script[-1], Failed) or STOPPED in script[:1]:
            # What a server does not say, or nobody waits for.
            async for event in self._pretend(script):
                yield event
            return
        deltas: list[dict[str, Any]] = []
        for step in script:
            if isinstance(step, TextDelta):
                deltas.append({"content": step.text})
            elif isinstance(step, ToolCall):
                call = {"index": len(deltas), "id": step.id, "type": "function"}
                function = {"name": step.name, "arguments": step.arguments}
                deltas.append({"tool_calls": [call | {"function": function}]})
        last = script[-1]
        finish = last.reason if isinstance(last, Finished) else "stop"
        self.server.script(Script(deltas, finish))
        request = replace(request, api_base=self.server.base_url)
        async for event in self.inner.stream(request):
            yield event
            if last is STOPPED and isinstance(event, TextDelta):
                self.stop()
                await asyncio.Event().wait()

    async def context_window(self, model: str) -> int | None:
        return 400 if model == "small" else 100_000

    async def count_tokens(self, model: str, messages: Sequence[Message]) -> TokenCounts:
        return TokenCounts([len(message.content.split()) for message in messages], exact=True)


class Box(ToolBox):
    async def tools(self) -> Sequence[Tool]:
        schema = {"type": "object", "properties": {}}
        names = {"noon": "12:00", "silent": "", "broken": None}
        return [
            Tool(ToolSchema(name, "A tool.", schema), tool(says)) for name, says in names.items()
        ]


def tool(says: str | None) -> Any:
    async def run(_arguments: Any) -> str:
        if says is None:
            raise RuntimeError("the spring is broken")
        return says

    return run


BOX = ToolFactory("clock", "Tells the time.", lambda _options: Box())


class RandomTalk:
    """One conversation, step by step."""

    def __init__(
        self, chance: random.Random, talk: Engine, storage: MemoryStorage, model: RandomModel
    ) -> None:
        self.chance = chance
        self.talk = talk
        self.storage = storage
        self.model = model
        self.moves = talk.moves
        talk.tools.approve = self._approve
        self.was_poisoned = False
        """Whether the last thing that happened was a refusal for the poison in a question."""

    async def _approve(self, *_asked: Any) -> Any:
        pick = self.chance.random()
        if pick < 0.1:
            self.model.stop()
            await asyncio.Event().wait()
        return "once" if pick < 0.7 else "no"

    async def run(self, steps: int) -> None:
        await self._begin()
        for _number in range(steps):
            step = self.chance.choices(*zip(*self._steps(), strict=True))[0]
            try:
                await step()
            except UsageError:
                continue  # there is nothing to take back, to sum up, …
            assert self.model.refused == []
            await self.talk.requests.receipt()

    def _steps(self) -> list[tuple[Any, int]]:
        return [
            (self._ask, 10),
            (self._ask_poison, 2),
            (self._retry, 2),
            (self._resume, 2),
            (self._edit, 2),
            (lambda: self._moved(self.moves.undo(self.chance.randint(1, 2))), 2),
            (lambda: self._moved(self.moves.redo(1)), 1),
            (self._go_to, 1),
            (self._fork, 1),
            (self._compact, 2),
            (lambda: uncompact(self.talk.compaction_services), 1),
            (self._pin, 2),
            (lambda: self.talk.set_model(self.chance.choice(["small", "large"])), 1),
            (lambda: self.talk.set_agent(self.chance.choice([None, "poet", "analyst"])), 1),
        ]

    async def _begin(self) -> None:
        """An empty session, or one from another program, which may begin with anything."""
        if self.chance.random() < 0.5:
            await self.talk.create("Test")
            return
        said: list[Message] = []
        for number in range(self.chance.randint(1, 7)):
            role: Any = self.chance.choice(["user", "assistant", "system", "tool"])
            text = self.chance.choice(["", "said", f"said {number} " * 30])
            parent = said[-1].id if said else None
            answers = "1" if role == "tool" else None
            said.append(Message(new_id(), role, text, now(), parent, tool_call_id=answers))
        session = new_session("Imported")
        self.storage.import_session(session, said)
        await self.talk.open(session.session_id)

    async def _turn(self, turn: Any, *, harmless: bool = False) -> None:
        self.model.stop = turn.stop
        before = self.model.poisoned
        if self.chance.random() < 0.05:
            turn.stop()
        await events_of(turn)
        poisoned = self.model.poisoned > before
        assert not (poisoned and harmless and self.was_poisoned), "it was sent again by itself"
        self.was_poisoned = poisoned

    async def _ask(self) -> None:
        files = self.chance.sample(sorted(FILES), self.chance.choice([0, 0, 0, 1, 2]))
        await self._turn(
            await self._question("What? " * self.chance.randint(1, 20), files), harmless=True
        )

    async def _ask_poison(self) -> None:
        files = self.chance.sample(sorted(FILES), self.chance.choice([0, 1]))
        await self._turn(await self._question(f"{POISON} {self.chance.random()}", files))

    async def _question(self, text: str, names: Sequence[str]) -> Any:
        session_id = self.talk.session.session_id
        attached = []
        for name in names:
            data = f"the content of {name}".encode()
            sha256 = await self.talk.store(lambda s, data=data: s.attach(session_id, data))  # type: ignore[misc]
            attached.append(Attachment(name, FILES[name], sha256, len(data)))
        text = "" if names and self.chance.random() < 0.2 else text
        return self.talk.turn(text, attached)

    async def _retry(self) -> None:
        await self._turn(self.talk.turn_from((await self.moves.retry(None)).start))

    async def _resume(self) -> None:
        await self._turn(self.talk.turn_from((await self.moves.resume()).start))

    async def _edit(self) -> None:
        asked = [each for each in self.talk.history if each.role == "user"]
        if asked:
            await self._turn(
                self.talk.turn_from(
                    await self.moves.edit(self.chance.choice(asked).id, "Otherwise?")
                )
            )

    async def _moved(self, step: Any) -> None:
        await step
        self.was_poisoned = False

    async def _go_to(self) -> None:
        if tree := await self.talk.messages.tree():
            await self._moved(self.moves.go_to(self.chance.choice(tree).id))

    async def _fork(self) -> None:
        if path := await self.talk.messages.path():
            made = await self.moves.fork("Fork", self.chance.choice(path).id)
            await self._moved(self.talk.open(made.session_id))

    async def _compact(self) -> None:
        compaction = Compaction(self.talk.compaction_services)
        self.model.stop = compaction.stop
        await events_of(compaction)

    async def _pin(self) -> None:
        if path := await self.talk.messages.path():
            chosen = self.chance.choice(path).id
            pinned = set(self.talk.session.pinned) ^ {chosen}
            await self.talk.editor.update(pinned=tuple(pinned))


@pytest.fixture
def provider() -> RandomModel:
    return RandomModel(random.Random(0))


async def talk_at_random(seed: int, make_engine: Callable[..., Engine], model: RandomModel) -> None:
    chance = model.chance = random.Random(seed)
    storage = MemoryStorage()
    talk = make_engine(storage, boxes=[BOX], values={"tools.rounds": 3})
    try:
        await RandomTalk(chance, talk, storage, model).run(STEPS)
    except BaseException as error:
        error.add_note(f"the seed is {seed}")
        raise
    finally:
        await talk.tools.close()


@pytest.mark.parametrize("tenth", range(10))
async def test_a_hundred_conversations(tenth: int, make_engine: Any, provider: RandomModel) -> None:
    for number in range(10):
        await talk_at_random(tenth * 10 + number, make_engine, provider)
    assert provider.asked > 30


async def test_a_few_over_http(
    make_engine: Any, provider: RandomModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-fake-0000")
    with ModelServer(strict=True) as server:
        options = ProviderOptions(api_base=server.base_url, log=str(tmp_path / "log"))
        provider.inner, provider.server = LitellmProvider(options), server
        await provider.inner.start()
        try:
            for seed in range(4):
                await talk_at_random(seed, make_engine, provider)
        finally:
            await provider.inner.close()
        assert server.refused == []
        assert len(server.requests) > 10


@pytest.mark.slow
@pytest.mark.parametrize("part", range(40))
async def test_four_hundred_more(part: int, make_engine: Any, provider: RandomModel) -> None:
    for number in range(10):
        await talk_at_random(1_000 + part * 10 + number, make_engine, provider)
