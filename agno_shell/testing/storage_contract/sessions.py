"""Sessions: making, changing, listing and naming them, from several handles."""

# ruff: noqa: S101 - a contract is made of assertions

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Any

from agno_shell.contracts import Storage
from agno_shell.errors import SessionNotFoundError
from agno_shell.testing.storage_contract.samples import (
    HOSTILE_IDS,
    UNKNOWN_ID,
    OpenStore,
    message,
    say,
)
from agno_shell.testing.storage_contract.verdicts import refuses, same, unchanged


class SessionsContract:
    """What is known of a session without its messages."""

    def test_create(self, store: Storage) -> None:
        session = store.create("a name", "words", model="m", agent="g")
        same((session.name, session.description), ("a name", "words"), "create() keeps the words")
        same((session.model, session.agent), ("m", "g"), "create() keeps model and agent")
        same((session.message_count, session.head), (0, None), "a new session is empty")
        assert session.created_at.tzinfo is not None, "created_at is timezone-aware"
        same(store.open(session.session_id), session, "open() gives what create() returned")
        same(store.messages(session.session_id), [], "a new session has no messages")
        same(store.current(), None, "create() does not make a session the current one")

    def test_counts_and_times_follow_the_messages(self, store: Storage) -> None:
        session = store.create("counts")
        for number, text in enumerate(("a", "b", "c"), start=1):
            after = store.append(session.session_id, message(text))
            same(after.message_count, number, "append() returns the number of messages")
            assert after.updated_at >= session.updated_at, "append() never moves updated_at back"
            opened = store.open(session.session_id)
            same(opened, after, "open() gives what append() returned")
            same(store.sessions(), [after], "sessions() lists what append() returned")
            session = after

    def test_newest_first(self, store: Storage) -> None:
        a, b, c = (store.create(name).session_id for name in ("a", "b", "c"))
        store.append(b, message("x"))
        found = [each.session_id for each in store.sessions()]
        same(found, [b, c, a], "sessions() has the most recently used one first")
        store.update(a, description="touched")
        found = [each.session_id for each in store.sessions()]
        same(found, [a, b, c], "sessions() has the most recently changed one first")

    def test_update(self, open_store: OpenStore) -> None:
        changes: dict[str, Any] = {
            "name": "né \ud800",
            "description": "d",
            "model": "m",
            "api_base": "http://localhost:1/v1",
            "agent": "g",
            "tags": ("x", "y"),
            "reasoning": "low",
        }
        with closing(open_store()) as store:
            session_id = store.create("before").session_id
            updated = store.update(session_id, **changes)
            for key, value in changes.items():
                same(getattr(updated, key), value, f"update() returns the new {key}")
        with closing(open_store()) as store:
            same(store.open(session_id), updated, "a reopened store opens what was updated")
            same(store.sessions(), [updated], "a reopened store lists what was updated")

    def test_pinned_messages(self, store: Storage) -> None:
        session_id = store.create("pins").session_id
        messages = say(store, session_id, "a", "b")
        store.update(session_id, pinned=(messages[0].id,))
        same(store.open(session_id).pinned, (messages[0].id,), "pinned messages are kept")

    def test_update_refuses_what_is_no_field(self, store: Storage) -> None:
        session = store.create("fixed")
        for field in ("session_id", "message_count", "updated_at", "colour"):
            with refuses(TypeError, f"update() of {field}"):
                store.update(session.session_id, **{field: None})
        same(store.open(session.session_id), session, "a refused update() changes nothing")

    def test_unknown_and_hostile_ids(self, store: Storage) -> None:
        store.create("bystander")
        uses: dict[str, Callable[[str], object]] = {
            "open": store.open,
            "messages": store.messages,
            "tree": store.tree,
            "version": store.version,
            "partials": store.partials,
            "lacks": lambda ident: store.lacks(ident, ["x"]),
            "delete": store.delete,
            "set_current": store.set_current,
            "append": lambda ident: store.append(ident, message("x")),
            "update": lambda ident: store.update(ident, name="x"),
            "save_partial": lambda ident: store.save_partial(ident, message("x")),
            "restore": store.restore,
            "purge": store.purge,
            "trashed_messages": store.trashed_messages,
            "memories": store.memories,
            "remember": lambda ident: store.remember(ident, "x"),
            "forget": lambda ident: store.forget(ident, UNKNOWN_ID),
            "attach": lambda ident: store.attach(ident, b"x"),
            "attachment": lambda ident: store.attachment(ident, "0" * 64),
            "trashed_memories": store.trashed_memories,
            "trashed_attachment": lambda ident: store.trashed_attachment(ident, "0" * 64),
        }
        with unchanged(store, "an id that does not exist"):
            for ident in (UNKNOWN_ID, *HOSTILE_IDS):
                for name, use in uses.items():
                    with refuses(SessionNotFoundError, f"{name}() of the id {ident[:60]!r}"):
                        use(ident)

    def test_two_handles_see_each_other(self, open_store: OpenStore) -> None:
        with closing(open_store()) as one, closing(open_store()) as two:
            session_id = one.create("shared").session_id
            messages = say(one, session_id, "a")
            messages += say(two, session_id, "b")
            messages += say(one, session_id, "c")
            for store in (one, two):
                same(store.messages(session_id), messages, "each handle has what the other saved")
                same(store.open(session_id).message_count, 3, "each handle counts all messages")
            same(one.sessions(), two.sessions(), "two handles list the same")
            two.update(session_id, name="renamed")
            found = one.append(session_id, message("d")).name
            same(found, "renamed", "an append() does not undo what another handle changed")
