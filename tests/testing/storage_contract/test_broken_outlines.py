"""Stores whose outline is not that of the session, each rejected for its reason."""

from __future__ import annotations

from collections.abc import Callable, Collection

import pytest

from agno_shell.testing.memory_storage import MemoryStorage
from agno_shell.testing.storage_contract.outlines import OutlinesContract
from agno_shell.types import Message, Stretch


class SeesNoBranches(MemoryStorage):
    def outline(self, session_id: str) -> list[Stretch]:
        count = len(self.tree(session_id))
        return [Stretch(0, count, None)] if count else []


class KeepsTheFirstOutline(MemoryStorage):
    """Never looks again."""

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)  # type: ignore[arg-type]
        self.outlined: dict[str, list[Stretch]] = {}

    def outline(self, session_id: str) -> list[Stretch]:
        return self.outlined.setdefault(session_id, super().outline(session_id))


class CountsFromOne(MemoryStorage):
    def locate(self, session_id: str, message_ids: Collection[str]) -> dict[str, int]:
        return {key: at + 1 for key, at in super().locate(session_id, message_ids).items()}


class GivesOneTooMany(MemoryStorage):
    def part(self, session_id: str, start: int, stop: int) -> list[Message]:
        return super().part(session_id, start, stop + 1)


class HasAnOutlineOfNothing(MemoryStorage):
    def outline(self, session_id: str) -> list[Stretch]:
        return super().outline(session_id) if session_id in self.store.sessions else []


class WritesItsOutline(MemoryStorage):
    def outline(self, session_id: str) -> list[Stretch]:
        self.update(session_id, description="outlined")
        return super().outline(session_id)


SHAPE = "test_the_outline_is_the_shape_of_the_tree"
OTHER = "test_what_another_handle_says_is_in_the_outline"
QUIET = "test_an_outline_changes_nothing"

BROKEN: dict[type[MemoryStorage], tuple[str, ...]] = {
    SeesNoBranches: (SHAPE, "outline() says what each message follows", OTHER, QUIET),
    KeepsTheFirstOutline: (OTHER, "outline() has every place once", SHAPE),
    CountsFromOne: (SHAPE, "locate() has the places", OTHER, QUIET),
    GivesOneTooMany: (SHAPE, "is that part of tree()", OTHER, QUIET),
    HasAnOutlineOfNothing: ("test_an_outline_is_of_a_session_that_is_there", "outline()"),
    WritesItsOutline: (QUIET, "outline() changes nothing"),
}


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.__name__)
def test_it_is_rejected_for_its_own_reason(
    broken: type[MemoryStorage], reject: Callable[..., None]
) -> None:
    reject(broken, *BROKEN[broken], rooms=(OutlinesContract,))
