"""Finding one's way in a session without reading all of it."""

# ruff: noqa: S101 - a contract is made of assertions

from __future__ import annotations

from contextlib import closing

from agno_shell.contracts import Storage
from agno_shell.errors import SessionNotFoundError
from agno_shell.testing.storage_contract.samples import UNKNOWN_ID, OpenStore, message
from agno_shell.testing.storage_contract.verdicts import refuses, same, unchanged
from agno_shell.types import Message

_PLANS = ((), (0,), (0, 1, 1, 1), (0, 1, 2, 0, 1, 1, 3, 1, 6, 1, 1), (0, 0, 0, 2, 2, 1, 1))
"""For each message how many before it that one was saved which it follows; 0: none."""


class OutlinesContract:
    """``outline``, ``part`` and ``locate`` say what ``tree`` says."""

    def test_the_outline_is_the_shape_of_the_tree(self, open_store: OpenStore) -> None:
        for plan in _PLANS:
            with closing(open_store()) as store:
                session_id, messages = _planted(store, plan)
                _check(store, session_id, messages)
                messages = [*messages, message("later", messages[-1] if messages else None)]
                store.append(session_id, messages[-1])
                _check(store, session_id, messages)
            with closing(open_store()) as store:
                _check(store, session_id, messages)

    def test_what_another_handle_says_is_in_the_outline(self, open_store: OpenStore) -> None:
        with closing(open_store()) as one, closing(open_store()) as two:
            session_id, messages = _planted(one, (0, 1, 1))
            _check(two, session_id, messages)
            for back in (1, 3):
                messages.append(message(f"back {back}", messages[-back]))
                one.append(session_id, messages[-1])
                _check(two, session_id, messages)

    def test_an_outline_is_of_a_session_that_is_there(self, store: Storage) -> None:
        for what, use in (
            ("outline", lambda: store.outline(UNKNOWN_ID)),
            ("part", lambda: store.part(UNKNOWN_ID, 0, 1)),
            ("locate", lambda: store.locate(UNKNOWN_ID, ["x"])),
        ):
            with refuses(SessionNotFoundError, f"{what}() of an unknown id"):
                use()

    def test_an_outline_changes_nothing(self, store: Storage) -> None:
        session_id, messages = _planted(store, (0, 1, 2))
        version = store.version(session_id)
        with unchanged(store, "outline()"):
            _check(store, session_id, messages)
        same(store.version(session_id), version, "outline() leaves the version")


def _planted(store: Storage, plan: tuple[int, ...]) -> tuple[str, list[Message]]:
    session_id = store.create("outline").session_id
    messages: list[Message] = []
    for number, back in enumerate(plan):
        messages.append(message(f"text {number}", messages[-back] if back else None))
        store.append(session_id, messages[-1])
    return session_id, messages


def _check(store: Storage, session_id: str, messages: list[Message]) -> None:
    outline = store.outline(session_id)
    places = {each.id: place for place, each in enumerate(messages)}
    covered = [place for each in outline for place in range(each.start, each.stop)]
    same(covered, list(range(len(messages))), "outline() has every place once, in their order")
    parents: dict[int, int | None] = {}
    for each in outline:
        parents |= {place: place - 1 for place in range(each.start + 1, each.stop)}
        parents[each.start] = each.parent
    expected = {places[each.id]: places.get(each.parent or "") for each in messages}
    same(parents, expected, "outline() says what each message follows")
    count = len(messages)
    for start, stop in ((0, count), (0, 1), (1, 3), (count - 1, count + 5), (2, 2)):
        if start >= 0:
            found = store.part(session_id, start, stop)
            same(found, messages[start:stop], f"part({start}, {stop}) is that part of tree()")
    found_places = store.locate(session_id, [*places, UNKNOWN_ID])
    same(found_places, places, "locate() has the places of the messages that are there")
    assert store.locate(session_id, []) == {}, "locate() of nothing finds nothing"
