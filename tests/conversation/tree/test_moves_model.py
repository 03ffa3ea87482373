"""Any sequence of moves, against a model that could hardly be simpler."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agno_shell.conversation.engine import Engine
from agno_shell.conversation.turn import Turn
from agno_shell.errors import UsageError
from agno_shell.testing.memory_storage import MemoryStorage, MemoryStore
from agno_shell.testing.turn_events import events_of
from agno_shell.types import ROOT

Path = tuple[str, ...]
"""Message ids from the root to the head."""


class Model:
    """Every path is kept whole; nothing is computed twice or shared."""

    def __init__(self) -> None:
        self.paths: dict[str, Path] = {}
        """The path to each message, in the order of saving."""
        self.questions: set[str] = set()
        self.path: Path = ()
        self.undone: list[Path] = []

    def say(self, before: Path, question: str | None, reply: str) -> None:
        if question is not None:
            self.questions.add(question)
            before = self.paths[question] = (*before, question)
        self.path = self.paths[reply] = (*before, reply)
        self.undone = []

    def asked(self) -> list[int]:
        return [place for place, each in enumerate(self.path) if each in self.questions]

    def undo(self, turns: int) -> None:
        for _step in range(min(turns, len(self.asked()))):
            self.undone.append(self.path)
            self.path = self.path[: self.asked()[-1]]

    def redo(self, turns: int) -> int:
        """How many turns came back."""
        for step in range(turns):
            path = self.undone.pop() if self.undone else self.next_turn()
            if path is None:
                return step
            self.path = path
        return turns

    def next_turn(self) -> Path | None:
        """To the end of the first turn on the way to the newest message below."""
        here = len(self.path)
        below = [p for p in self.paths.values() if p[:here] == self.path and len(p) > here]
        if not below:
            return None
        # What was saved last has nothing behind it.
        newest = below[-1]
        end = here + 1
        while end < len(newest) and newest[end] not in self.questions:
            end += 1
        return newest[:end]


MOVES = st.lists(
    st.one_of(
        st.just(("say", 0)),
        st.just(("retry", 0)),
        st.just(("restart", 0)),
        *(st.tuples(st.just(move), st.integers(1, 4)) for move in ("undo", "redo")),
        *(st.tuples(st.just(move), st.integers(0, 30)) for move in ("edit", "go to")),
    ),
    max_size=25,
)


async def answered(turn: Turn) -> str:
    await events_of(turn)
    assert turn.reply
    return turn.reply.id


class User:
    """Does one move after the other, in the shell and in the model."""

    def __init__(self, make: Callable[..., Engine]) -> None:
        self.store = MemoryStore()
        self.session_id = MemoryStorage(self.store).create("Test").session_id
        self.make = make
        self.model = Model()

    async def restart(self) -> None:
        self.engine = self.make(MemoryStorage(self.store))
        await self.engine.open(self.session_id)
        self.moves = self.engine.moves
        self.model.undone = []

    async def do(self, move: str, number: int) -> None:
        model, path = self.model, self.model.path
        if move == "restart":
            await self.restart()
        elif move == "say":
            reply = await answered(self.engine.turn("x"))
            model.say(path, self.engine.history[-2].id, reply)
        elif move == "undo":
            before = len(model.asked())
            await self.stepped(self.moves.undo, number, min(number, before))
            model.undo(number)
        elif move == "redo":
            await self.stepped(self.moves.redo, number, model.redo(number))
        elif move == "retry" and model.asked():
            place = model.asked()[-1]
            again = await self.moves.retry(None)
            model.say(path[: place + 1], None, await answered(self.engine.turn_from(again.start)))
        elif move == "edit" and model.asked():
            place = model.asked()[number % len(model.asked())]
            reply = await answered(self.engine.turn_from(await self.moves.edit(path[place], "y")))
            model.say(path[:place], self.engine.history[-2].id, reply)
        elif move == "go to" and model.paths:
            message_id = [ROOT, *model.paths][number % (len(model.paths) + 1)]
            await self.moves.go_to(message_id)
            model.path, model.undone = model.paths.get(message_id, ()), []

    async def stepped(self, step: Callable[[int], object], asked: int, possible: int) -> None:
        try:
            done = len(await step(asked))  # type: ignore[misc]
        except UsageError:
            done = 0
        assert done == possible


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=MOVES)
async def test_no_move_loses_a_message_and_the_path_is_what_it_should_be(
    make_engine: Callable[..., Engine], moves: list[tuple[str, int]]
) -> None:
    user = User(make_engine)
    await user.restart()
    for move, number in moves:
        await user.do(move, number)
        assert tuple(each.id for each in user.engine.history) == user.model.path
        tree = await user.engine.messages.tree()
        assert [each.id for each in tree] == list(user.model.paths)
        stored = MemoryStorage(user.store).messages(user.session_id)
        assert tuple(each.id for each in stored) == user.model.path
