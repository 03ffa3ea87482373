"""What every storage must do, as tests.

A plugin proves itself with one subclass and one fixture, a function that opens the
same store again each time it is called::

    class TestMyStorage(StorageContract):
        @pytest.fixture
        def open_store(self, tmp_path):
            return lambda: MyStorage(tmp_path / "store")

The tests hold the behaviour of :class:`agno_shell.contracts.Storage` and nothing of
how it is done: no file, no format.
"""

# ruff: noqa: S101
# A contract is made of assertions.

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from agno_shell.contracts import Storage
from agno_shell.errors import SessionNotFoundError, StorageError
from agno_shell.types import Attachment, Message, Timing, Usage, new_id, now

VERSION = 1
"""Grows when a storage that passed may no longer pass."""

OpenStore = Callable[[], Storage]

UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"

HOSTILE_IDS = (
    "",
    ".",
    "..",
    "../../etc/passwd",
    "/etc/passwd",
    "C:\\Windows",
    "trash",
    "sessions.json",
    "a\0b",
    "urn:uuid:" + UNKNOWN_ID,
    "{" + UNKNOWN_ID + "}",
    UNKNOWN_ID + "\n",
    UNKNOWN_ID.replace("0", "\u0660"),
    UNKNOWN_ID + "/../" + UNKNOWN_ID,
    "x" * 5000,
    "\ud800",
)
"""Texts that must never reach a path, a query or a pattern."""

TEXTS = (
    "",
    "plain",
    "two\nlines\r\nand\ta tab",
    "\0 a NUL, \x1b[31m an escape, \x7f\x85",
    "Grüße, 你好, שלום, 🇺🇳👩\u200d🚀",
    "\u2028\u2029\ufeff\u202e",
    "a lone \ud83d surrogate \udc00",
    '"quotes" \\ back\\slashes {"json": [1]}\n]\n,{',
)


def message(content: str, parent: Message | None = None, **fields: Any) -> Message:
    """A message that answers ``parent``."""
    return Message(
        new_id(),
        fields.pop("role", "user"),
        content,
        now(),
        parent.id if parent else None,
        **fields,
    )


def say(store: Storage, session_id: str, *contents: str) -> list[Message]:
    """Append a message for each text, each one answering the one before."""
    said = store.messages(session_id, last=1)
    for content in contents:
        said.append(message(content, said[-1] if said else None))
        store.append(session_id, said[-1])
    return said[-len(contents) :]


class StorageContract:
    """Subclass it and give it the fixture ``open_store``."""

    @pytest.fixture
    def open_store(self) -> OpenStore:
        raise NotImplementedError("give the subclass a fixture open_store")

    @pytest.fixture
    def store(self, open_store: OpenStore) -> Iterator[Storage]:
        """One open handle."""
        handle = open_store()
        yield handle
        handle.close()

    # Messages ----------------------------------------------------------------------------

    def test_an_empty_store(self, store: Storage) -> None:
        assert store.sessions() == []
        assert store.trash() == []
        assert store.current() is None

    def test_messages_come_back_in_order(self, store: Storage) -> None:
        session = store.create("order")
        said = say(store, session.session_id, *map(str, range(40)))
        assert store.messages(session.session_id) == said
        assert store.tree(session.session_id) == said

    def test_a_reopened_store_has_everything(self, open_store: OpenStore) -> None:
        first = open_store()
        session = first.create("kept", "a description", model="a/model", agent="an agent")
        said = say(first, session.session_id, "one", "two")
        first.set_current(session.session_id)
        before = first.open(session.session_id)
        first.close()
        again = open_store()
        assert again.open(session.session_id) == before
        assert again.sessions() == [before]
        assert again.messages(session.session_id) == said
        assert again.current() == session.session_id
        again.close()

    def test_any_text_comes_back_as_it_was(self, open_store: OpenStore) -> None:
        first = open_store()
        session_id = first.create("texts").session_id
        say(first, session_id, *TEXTS)
        first.close()
        again = open_store()
        assert [each.content for each in again.messages(session_id)] == list(TEXTS)
        again.close()

    def test_a_message_of_4_mb(self, open_store: OpenStore) -> None:
        first = open_store()
        session_id = first.create("large").session_id
        large = "0123456789abcdé\n" * (4 * 1024 * 1024 // 16)
        said = say(first, session_id, "before", large, "after")
        first.close()
        again = open_store()
        assert again.messages(session_id) == said
        assert again.messages(session_id, last=2) == said[-2:]
        again.close()

    def test_every_field_comes_back(self, open_store: OpenStore) -> None:
        first = open_store()
        session_id = first.create("fields").session_id
        question = message("?", role="user", attachments=(Attachment("a", "b/c", "0" * 64, 3),))
        reply = message(
            "half an ans",
            question,
            role="assistant",
            status="incomplete",
            model="a/model",
            usage=Usage(1, 2, 3, 4, 0.5),
            timing=Timing(0.25, 1.5),
            provider_data={"a": {"signature": "x", "list": [1, None, True]}},
            extra={"from_a_later_version": [1, {"deep": "é"}]},
        )
        first.append(session_id, question)
        first.append(session_id, reply)
        first.close()
        again = open_store()
        assert again.messages(session_id) == [question, reply]
        again.close()

    def test_the_last_messages_only(self, store: Storage) -> None:
        session_id = store.create("last").session_id
        assert store.messages(session_id, last=3) == []
        said = say(store, session_id, *map(str, range(20)))
        for last in (1, 7, 19, 20, 21):
            assert store.messages(session_id, last=last) == said[-last:]
        assert store.messages(session_id, last=0) == []

    # Sessions ----------------------------------------------------------------------------

    def test_create(self, store: Storage) -> None:
        session = store.create("a name", "words", model="m", agent="g")
        assert (session.name, session.description) == ("a name", "words")
        assert (session.model, session.agent) == ("m", "g")
        assert (session.message_count, session.head) == (0, None)
        assert session.created_at.tzinfo is not None
        assert store.open(session.session_id) == session
        assert store.messages(session.session_id) == []
        assert store.current() is None

    def test_counts_and_times_follow_the_messages(self, store: Storage) -> None:
        session = store.create("counts")
        for number, text in enumerate(("a", "b", "c"), start=1):
            after = store.append(session.session_id, message(text))
            assert after.message_count == number
            assert after.updated_at >= session.updated_at
            assert after == store.open(session.session_id) == store.sessions()[0]
            session = after

    def test_newest_first(self, store: Storage) -> None:
        ids = [store.create(name).session_id for name in ("a", "b", "c")]
        store.append(ids[1], message("x"))
        assert [each.session_id for each in store.sessions()] == [ids[1], ids[2], ids[0]]
        store.update(ids[0], description="touched")
        assert [each.session_id for each in store.sessions()] == [ids[0], ids[1], ids[2]]

    def test_update(self, open_store: OpenStore) -> None:
        first = open_store()
        session_id = first.create("before").session_id
        changes: dict[str, Any] = {
            "name": "né \ud800",
            "description": "d",
            "model": "m",
            "api_base": "http://localhost:1/v1",
            "agent": "g",
            "tags": ("x", "y"),
        }
        updated = first.update(session_id, **changes)
        for key, value in changes.items():
            assert getattr(updated, key) == value
        first.close()
        again = open_store()
        assert again.open(session_id) == updated == again.sessions()[0]
        again.close()

    def test_pinned_messages(self, store: Storage) -> None:
        session_id = store.create("pins").session_id
        said = say(store, session_id, "a", "b")
        store.update(session_id, pinned=(said[0].id,))
        assert store.open(session_id).pinned == (said[0].id,)

    def test_update_refuses_what_is_no_field(self, store: Storage) -> None:
        session = store.create("fixed")
        for field in ("session_id", "message_count", "updated_at", "colour"):
            with pytest.raises(TypeError):
                store.update(session.session_id, **{field: None})
        assert store.open(session.session_id) == session

    def test_unknown_and_hostile_ids(self, store: Storage) -> None:
        store.create("bystander")
        for ident in (UNKNOWN_ID, *HOSTILE_IDS):
            for use in (store.open, store.messages, store.tree, store.delete, store.set_current):
                with pytest.raises(SessionNotFoundError):
                    use(ident)
            with pytest.raises(SessionNotFoundError):
                store.append(ident, message("x"))
            with pytest.raises(SessionNotFoundError):
                store.update(ident, name="x")
            with pytest.raises(SessionNotFoundError):
                store.save_partial(ident, message("x"))
            for unused in (store.restore, store.purge):
                with pytest.raises(SessionNotFoundError):
                    unused(ident)
        assert [each.name for each in store.sessions()] == ["bystander"]

    def test_two_handles_see_each_other(self, open_store: OpenStore) -> None:
        one, two = open_store(), open_store()
        session_id = one.create("shared").session_id
        said = say(one, session_id, "a")
        said += say(two, session_id, "b")
        said += say(one, session_id, "c")
        assert one.messages(session_id) == two.messages(session_id) == said
        assert one.sessions() == two.sessions()
        assert one.open(session_id).message_count == 3
        two.update(session_id, name="renamed")
        assert one.append(session_id, message("d")).name == "renamed"
        one.close()
        two.close()

    # Branches ----------------------------------------------------------------------------

    def test_moving_the_head_shortens_the_conversation(self, open_store: OpenStore) -> None:
        first = open_store()
        session_id = first.create("undo").session_id
        said = say(first, session_id, "a", "b", "c", "d")
        assert first.update(session_id, head=said[1].id).head == said[1].id
        first.close()
        again = open_store()
        assert again.messages(session_id) == said[:2]
        assert again.messages(session_id, last=1) == said[1:2]
        assert again.tree(session_id) == said
        again.update(session_id, head=None)
        assert again.messages(session_id) == said
        again.close()

    def test_appending_to_an_older_head_makes_a_branch(self, store: Storage) -> None:
        session_id = store.create("branch").session_id
        said = say(store, session_id, "a", "b", "c")
        store.update(session_id, head=said[0].id)
        other = message("b2", said[0])
        after = store.append(session_id, other)
        assert after.head is None or after.head == other.id
        assert store.messages(session_id) == [said[0], other]
        assert store.messages(session_id, last=2) == [said[0], other]
        assert store.tree(session_id) == [*said, other]
        assert store.open(session_id).message_count == 4
        store.update(session_id, head=said[2].id)
        assert store.messages(session_id) == said
        assert store.messages(session_id, last=2) == said[-2:]

    def test_two_answers_to_one_message_are_two_branches(self, open_store: OpenStore) -> None:
        one, two = open_store(), open_store()
        session_id = one.create("race").session_id
        (question,) = say(one, session_id, "?")
        first, second = message("1", question), message("2", question)
        one.append(session_id, first)
        two.append(session_id, second)
        assert one.messages(session_id) == [question, second]
        assert one.tree(session_id) == [question, first, second]
        one.close()
        two.close()

    # The trash and the current session ---------------------------------------------------

    def test_delete_and_restore(self, open_store: OpenStore) -> None:
        first = open_store()
        session_id = first.create("thrown away").session_id
        said = say(first, session_id, "a", "b")
        before = first.open(session_id)
        trashed = first.delete(session_id)
        assert trashed.session == before
        assert first.sessions() == []
        with pytest.raises(SessionNotFoundError):
            first.messages(session_id)
        first.close()
        again = open_store()
        assert [each.trash_id for each in again.trash()] == [trashed.trash_id]
        assert again.restore(trashed.trash_id) == before
        assert again.trash() == []
        assert again.sessions() == [before]
        assert again.messages(session_id) == said
        with pytest.raises(SessionNotFoundError):
            again.restore(trashed.trash_id)
        again.close()

    def test_the_trash_lists_the_latest_first(self, store: Storage) -> None:
        deleted = [store.delete(store.create(name).session_id) for name in ("a", "b", "c")]
        assert [each.session.name for each in store.trash()] == ["c", "b", "a"]
        assert [each.trash_id for each in store.trash()] == [
            each.trash_id for each in reversed(deleted)
        ]

    def test_purge_is_for_good(self, store: Storage) -> None:
        kept, gone = (store.delete(store.create(name).session_id) for name in ("kept", "gone"))
        store.purge(gone.trash_id)
        assert [each.trash_id for each in store.trash()] == [kept.trash_id]
        for use in (store.restore, store.purge):
            with pytest.raises(SessionNotFoundError):
                use(gone.trash_id)

    def test_the_current_session(self, open_store: OpenStore) -> None:
        first = open_store()
        ids = [first.create(name).session_id for name in ("a", "b")]
        for session_id in ids:
            first.set_current(session_id)
            assert first.current() == session_id
        first.close()
        again = open_store()
        assert again.current() == ids[1]
        again.close()

    def test_deleting_the_current_session_picks_the_newest(self, store: Storage) -> None:
        a, b, c = (store.create(name).session_id for name in ("a", "b", "c"))
        store.append(a, message("newest"))
        store.set_current(c)
        store.delete(c)
        assert store.current() == a
        store.delete(b)
        assert store.current() == a
        store.delete(a)
        assert store.current() is None

    # The reply in work -------------------------------------------------------------------

    def test_a_reply_cut_off_by_a_crash_is_kept(self, open_store: OpenStore) -> None:
        first = open_store()
        session_id = first.create("crash").session_id
        (question,) = say(first, session_id, "?")
        reply = message("half an", question, role="assistant")
        first.save_partial(session_id, reply)
        reply = reply._replace(content="half an answ\ner é")
        first.save_partial(session_id, reply)
        first.close()
        again = open_store()
        assert again.open(session_id).message_count == 2
        kept = reply._replace(status="interrupted")
        assert again.messages(session_id) == [question, kept]
        again.open(session_id)
        assert again.messages(session_id) == [question, kept]
        again.close()

    def test_a_saved_reply_is_not_kept_twice(self, open_store: OpenStore) -> None:
        first = open_store()
        session_id = first.create("saved").session_id
        (question,) = say(first, session_id, "?")
        reply = message("an answer", question, role="assistant")
        first.save_partial(session_id, reply)
        first.append(session_id, reply)
        first.save_partial(session_id, message("unwanted", reply))
        first.save_partial(session_id, None)
        first.close()
        again = open_store()
        again.open(session_id)
        assert again.messages(session_id) == [question, reply]
        again.close()

    def test_a_running_reply_is_left_alone(self, open_store: OpenStore) -> None:
        writer, other = open_store(), open_store()
        session_id = writer.create("streaming").session_id
        (question,) = say(writer, session_id, "?")
        reply = message("still", question, role="assistant")
        writer.save_partial(session_id, reply)
        other.open(session_id)
        assert other.messages(session_id) == [question]
        reply = reply._replace(content="still coming")
        writer.save_partial(session_id, reply)
        writer.append(session_id, reply)
        other.open(session_id)
        assert other.messages(session_id) == [question, reply]
        writer.close()
        other.close()

    def test_a_rescued_reply_does_not_move_the_conversation(self, open_store: OpenStore) -> None:
        dying, living = open_store(), open_store()
        session_id = dying.create("two shells").session_id
        (question,) = say(dying, session_id, "?")
        dying.save_partial(session_id, message("cut o", question, role="assistant"))
        said = [question, *say(living, session_id, "an answer", "thanks")]
        dying.close()
        living.close()
        again = open_store()
        again.open(session_id)
        assert again.messages(session_id) == said
        assert [each.content for each in again.tree(session_id)][-1] == "cut o"
        again.close()

    # Capabilities ------------------------------------------------------------------------

    def test_search_is_there_or_is_refused(self, store: Storage) -> None:
        session_id = store.create("search").session_id
        said = say(store, session_id, "a needle in a haystack", "hay")
        if store.can_search:
            assert store.search("needle") == said[:1]
        else:
            with pytest.raises(StorageError):
                store.search("needle")
