"""Any sequence of moves, against a model that could hardly be simpler."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agno_shell.conversation.conversation import Conversation
from agno_shell.conversation.tree.moves import Moves
from agno_shell.conversation.turn import Turn
from agno_shell.errors import UsageError
from agno_shell.testing.memory_storage import MemoryStorage, MemoryStore
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
    async for _event in turn.events():
        pass
    assert turn.reply
    return turn.reply.id


class Person:
    """Does one move after the other, in the shell and in the model."""

    def __init__(self, make: Callable[..., Conversation]) -> None:
        self.store = MemoryStore()
        self.session_id = MemoryStorage(self.store).create("Test").session_id
        self.make = make
        self.model = Model()

    async def restart(self) -> None:
        self.conversation = self.make(MemoryStorage(self.store))
        await self.conversation.open(self.session_id)
        self.moves = Moves(self.conversation)
        self.model.undone = []

    async def do(self, move: str, number: int) -> None:
        model, path = self.model, self.model.path
        if move == "restart":
            await self.restart()
        elif move == "say":
            reply = await answered(self.conversation.turn("x"))
            model.say(path, self.conversation.history[-2].id, reply)
        elif move == "undo":
            before = len(model.asked())
            await self.stepped(self.moves.undo, number, min(number, before))
            model.undo(number)
        elif move == "redo":
            await self.stepped(self.moves.redo, number, model.redo(number))
        elif move == "retry" and model.asked():
            place = model.asked()[-1]
            again = await self.moves.retry(None)
            model.say(path[: place + 1], None, await answered(again.turn))
        elif move == "edit" and model.asked():
            place = model.asked()[number % len(model.asked())]
            reply = await answered(await self.moves.edit(path[place], "y"))
            model.say(path[:place], self.conversation.history[-2].id, reply)
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
    make_conversation: Callable[..., Conversation], moves: list[tuple[str, int]]
) -> None:
    person = Person(make_conversation)
    await person.restart()
    for move, number in moves:
        await person.do(move, number)
        assert tuple(each.id for each in person.conversation.history) == person.model.path
        tree = await person.conversation.tree()
        assert [each.id for each in tree] == list(person.model.paths)
        stored = MemoryStorage(person.store).messages(person.session_id)
        assert tuple(each.id for each in stored) == person.model.path
