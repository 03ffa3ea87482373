"""Branches: messages are a tree, and the head says which path is the conversation."""

# ruff: noqa: S101 - a contract is made of assertions

from __future__ import annotations

from contextlib import closing

from agno_shell.contracts import Storage
from agno_shell.errors import StorageError
from agno_shell.testing.storage_contract.samples import UNKNOWN_ID, OpenStore, message, say
from agno_shell.testing.storage_contract.verdicts import refuses, same, unchanged
from agno_shell.types import ROOT


class BranchesContract:
    """No message is rewritten or lost."""

    def test_moving_the_head_shortens_the_conversation(self, open_store: OpenStore) -> None:
        with closing(open_store()) as store:
            session_id = store.create("undo").session_id
            messages = say(store, session_id, "a", "b", "c", "d")
            moved = store.update(session_id, head=messages[1].id)
            same(moved.head, messages[1].id, "update() returns the new head")
        with closing(open_store()) as store:
            same(store.messages(session_id), messages[:2], "messages() end at the head")
            same(store.messages(session_id, last=1), messages[1:2], "messages(last=1) are the head")
            same(store.tree(session_id), messages, "tree() has what is behind the head")
            store.update(session_id, head=None)
            same(store.messages(session_id), messages, "without a head the newest message is it")

    def test_appending_to_an_older_head_makes_a_branch(self, store: Storage) -> None:
        session_id = store.create("branch").session_id
        messages = say(store, session_id, "a", "b", "c")
        store.update(session_id, head=messages[0].id)
        other = message("b2", messages[0])
        after = store.append(session_id, other)
        assert after.head in (None, other.id), "append() makes the message the head"
        found = store.messages(session_id)
        same(found, [messages[0], other], "messages() follow the parents of the new head")
        same(store.messages(session_id, last=2), found, "messages(last=2) follow them as well")
        same(store.tree(session_id), [*messages, other], "tree() keeps the other branch")
        same(store.open(session_id).message_count, 4, "all branches are counted")
        store.update(session_id, head=messages[2].id)
        same(store.messages(session_id), messages, "the head can go back to the other branch")
        same(store.messages(session_id, last=2), messages[-2:], "messages(last=2) go back with it")

    def test_two_answers_to_one_message_are_two_branches(self, open_store: OpenStore) -> None:
        with closing(open_store()) as one, closing(open_store()) as two:
            session_id = one.create("race").session_id
            (question,) = say(one, session_id, "?")
            first, second = message("1", question), message("2", question)
            one.append(session_id, first)
            two.append(session_id, second)
            found = one.messages(session_id)
            same(found, [question, second], "the later of two answers is the conversation")
            found = one.tree(session_id)
            same(found, [question, first, second], "tree() has both answers")

    def test_every_turn_can_be_taken_back(self, open_store: OpenStore) -> None:
        with closing(open_store()) as store:
            session_id = store.create("all of it").session_id
            messages = say(store, session_id, "a", "b")
            moved = store.update(session_id, head=ROOT)
            same(moved.head, ROOT, "update(head=ROOT) returns the new head")
        with closing(open_store()) as store:
            same(store.open(session_id), moved, "the head stays before the first message")
            same(store.sessions(), [moved], "sessions() lists it as it is")
            same(store.messages(session_id), [], "messages() are none before the first one")
            same(store.messages(session_id, last=5), [], "messages(last=5) are none as well")
            same(store.tree(session_id), messages, "tree() has what was taken back")
            other = message("another beginning")
            after = store.append(session_id, other)
            assert after.head in (None, other.id), "append() makes the message the head"
            same(store.messages(session_id), [other], "the conversation begins again there")
            same(store.messages(session_id, last=5), [other], "messages(last=5) begin there too")
            store.update(session_id, head=messages[1].id)
            same(
                store.messages(session_id), messages, "the head can go back to what was taken back"
            )

    def test_a_session_without_messages_begins_at_its_first(self, store: Storage) -> None:
        session_id = store.create("empty").session_id
        moved = store.update(session_id, head=ROOT)
        same(store.open(session_id), moved, "open() gives what update(head=ROOT) returned")
        same(store.messages(session_id), [], "a session without messages has none at its head")
        messages = say(store, session_id, "a")
        same(store.messages(session_id), messages, "the first message is the conversation")

    def test_a_head_that_is_no_message_is_refused(self, store: Storage) -> None:
        session_id = store.create("nowhere").session_id
        say(store, session_id, "a")
        for head in (UNKNOWN_ID, " ", "%", '"'):
            what = f"update(head={head!r})"
            with unchanged(store, what), refuses(StorageError, what):
                store.update(session_id, head=head)
