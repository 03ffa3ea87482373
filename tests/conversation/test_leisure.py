from __future__ import annotations

from collections.abc import Iterator

import pytest

from agno_shell.contracts import Progress
from agno_shell.conversation import leisure
from agno_shell.conversation.store import StoreThread
from agno_shell.errors import StorageError
from agno_shell.testing.memory_storage import MemoryStorage
from agno_shell.types import Stretch


class Preparing(MemoryStorage):
    """Has three steps to do, of which the last fails."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[int] = []
        self.outlined: list[str] = []
        self.mended: list[int] = []

    is_outlined = True

    def outline(self, session_id: str) -> list[Stretch]:
        self.outlined.append(session_id)
        return super().outline(session_id)

    def mend(self) -> Iterator[Progress]:
        for number in range(2):
            assert not self.steps, "messages are mended first"
            self.mended.append(number)
            yield Progress(number, 2)

    def prepare_search(self) -> Iterator[Progress]:
        for number in range(3):
            self.steps.append(number)
            if number == 2:
                raise StorageError("no")
            yield Progress(number, 3)


async def test_the_search_is_prepared_step_by_step_and_quietly(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rests: list[float] = []

    async def sleep(seconds: float) -> None:
        rests.append(seconds)

    storage = Preparing()
    reader = StoreThread(lambda: storage)
    monkeypatch.setattr(leisure.asyncio, "sleep", sleep)
    session = storage.create("open")
    await leisure.prepare(reader, session.session_id)
    assert storage.outlined == [session.session_id]
    assert storage.steps == [0, 1, 2]
    assert storage.mended == [0, 1]
    assert rests == [leisure.CALM, *[leisure.REST] * 4]
    await reader.close()
