"""What is found and mended while the shell runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from agno_shell.testing.memory_storage import MemoryStorage
from agno_shell.types import Finding

SitDown = Callable[..., Any]


class CheckedStorage(MemoryStorage):
    def check(self, *, repair: bool = False) -> Iterator[Finding]:
        yield Finding("storage", "It was broken.", healed=repair)


async def test_every_part_is_looked_at(sit_down: SitDown) -> None:
    seat = await sit_down(CheckedStorage(), default=None)
    seat.shell.context.app.examine = lambda repair: [Finding("config", "A slip.", healed=repair)]
    found = await seat.shell.context.app.check()
    assert [(each.where, each.healed) for each in found] == [
        ("config", False),
        ("provider", False),
        ("storage", False),
    ]
    found = await seat.shell.context.app.check(repair=True)
    assert [each.healed for each in found] == [True, False, True]


async def test_a_person_sees_it(sit_down: SitDown) -> None:
    seat = await sit_down(CheckedStorage())
    seat.type("/doctor\r")
    await seat.sees("storage: It was broken.")
    await seat.sees("Wrong:")
    seat.type("/doctor repair\r")
    await seat.sees("Mended:")
    await seat.leaves()
