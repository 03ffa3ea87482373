"""Messages: any text, every field, in the order in which they were saved."""

# ruff: noqa: S101 - a contract is made of assertions

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta

from agno_shell.contracts import Storage
from agno_shell.errors import StorageError
from agno_shell.testing.storage_contract.samples import (
    CALLS,
    PROVIDER_TOOLS,
    TEXTS,
    UNWRITABLE,
    OpenStore,
    message,
    say,
)
from agno_shell.testing.storage_contract.verdicts import refuses, same, unchanged
from agno_shell.types import Attachment, Message, Timing, Usage, new_id, now


class MessagesContract:
    """What goes in comes out."""

    def test_an_empty_store(self, store: Storage) -> None:
        same(store.sessions(), [], "a new store has no sessions")
        same(store.trash(), [], "a new store has nothing in the trash")
        same(store.current(), None, "a new store has no current session")

    def test_messages_come_back_in_order(self, store: Storage) -> None:
        session_id = store.create("order").session_id
        messages = say(store, session_id, *map(str, range(40)))
        same(store.messages(session_id), messages, "messages() has them in the order of saving")
        same(store.tree(session_id), messages, "tree() has them in the order of saving")

    def test_a_reopened_store_has_everything(self, open_store: OpenStore) -> None:
        with closing(open_store()) as store:
            session = store.create("kept", "a description", model="a/model", agent="an agent")
            messages = say(store, session.session_id, "one", "two")
            store.set_current(session.session_id)
            before = store.open(session.session_id)
        with closing(open_store()) as store:
            same(store.sessions(), [before], "a reopened store lists its sessions")
            same(store.open(session.session_id), before, "a reopened store opens its sessions")
            same(store.messages(session.session_id), messages, "a reopened store has its messages")
            same(store.current(), session.session_id, "a reopened store knows the current session")

    def test_what_a_session_lacks_is_told(self, store: Storage) -> None:
        session_id, other_id = store.create("one").session_id, store.create("other").session_id
        messages = say(store, session_id, *map(str, range(9)))
        branch = message("a branch", messages[0])
        store.append(session_id, branch)
        theirs = say(store, other_id, "elsewhere")
        ids = [each.id for each in (*messages, branch)]
        same(store.lacks(session_id, ids), set(), "a session lacks none of its messages")
        same(store.lacks(session_id, []), set(), "a session lacks nothing of nothing")
        asked = [ids[3], theirs[0].id, new_id(), "", "\ud800\0"]
        same(
            store.lacks(session_id, asked),
            set(asked[1:]),
            "a session lacks what is no message of its own",
        )
        same(store.lacks(other_id, ids[:2]), set(ids[:2]), "another session lacks them")

    def test_any_text_comes_back_as_it_was(self, open_store: OpenStore) -> None:
        with closing(open_store()) as store:
            session_id = store.create("texts").session_id
            say(store, session_id, *TEXTS)
        with closing(open_store()) as store:
            found = [each.content for each in store.messages(session_id)]
            same(found, list(TEXTS), "any text comes back letter by letter")

    def test_a_message_of_4_mb(self, open_store: OpenStore) -> None:
        large = "0123456789abcdé\n" * (4 * 1024 * 1024 // 16)
        with closing(open_store()) as store:
            session_id = store.create("large").session_id
            messages = say(store, session_id, "before", large, "after")
        with closing(open_store()) as store:
            same(store.messages(session_id), messages, "a message of 4 MB comes back")
            same(store.messages(session_id, last=2), messages[-2:], "messages(last=2) has it too")

    def test_every_field_comes_back(self, open_store: OpenStore) -> None:
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
        with closing(open_store()) as store:
            session_id = store.create("fields").session_id
            store.append(session_id, question)
            store.append(session_id, reply)
        with closing(open_store()) as store:
            same(store.messages(session_id), [question, reply], "every field comes back")

    def test_calls_results_and_summaries_come_back(self, open_store: OpenStore) -> None:
        messages = [message("?")]
        messages.append(message("", messages[-1], role="assistant", tool_calls=CALLS))
        for call in CALLS:
            messages.append(message("é", messages[-1], role="tool", tool_call_id=call.id))
        messages.append(message("in short", messages[-1], role="summary", covers=messages[1].id))
        messages.append(message("", messages[-1], role="summary"))
        with closing(open_store()) as store:
            session_id = store.create("tools").session_id
            for each in messages:
                store.append(session_id, each)
        with closing(open_store()) as store:
            same(
                store.messages(session_id), messages, "calls, their results and summaries come back"
            )

    def test_speakers_and_tools_of_the_provider_come_back(self, open_store: OpenStore) -> None:
        said = [message("?")]
        for speaker in ("Ada", "Grüße \ud800", None):
            said.append(message("é", said[-1], role="assistant", speaker=speaker))
        said[-1] = said[-1]._replace(provider_tools=PROVIDER_TOOLS)
        with closing(open_store()) as store:
            session_id = store.create("team").session_id
            for each in said:
                store.append(session_id, each)
        with closing(open_store()) as store:
            same(store.messages(session_id), said, "speakers and provider_tools come back")

    def test_the_last_messages_only(self, store: Storage) -> None:
        session_id = store.create("last").session_id
        same(store.messages(session_id, last=3), [], "an empty session has no last messages")
        messages = say(store, session_id, *map(str, range(20)))
        for last in (1, 7, 19, 20, 21):
            found = store.messages(session_id, last=last)
            same(found, messages[-last:], f"messages(last={last}) are the end of messages()")
        same(store.messages(session_id, last=0), [], "messages(last=0) are none")

    def test_the_order_of_saving_counts_and_not_the_clock(self, open_store: OpenStore) -> None:
        today = now()
        moments = [
            today,
            today,
            today - timedelta(days=1),
            datetime(1970, 1, 1, tzinfo=UTC),
            today + timedelta(days=400),
            today + timedelta(days=400),
            today,
        ]
        with closing(open_store()) as store:
            session = store.create("clock")
            session_id = session.session_id
            messages: list[Message] = []
            for number, moment in enumerate(moments):
                messages.append(
                    message(
                        f"number {number}", messages[-1] if messages else None, created_at=moment
                    )
                )
                after = store.append(session_id, messages[-1])
                assert after.updated_at >= session.updated_at, (
                    "updated_at never goes back, whatever a message says of its time"
                )
                session = after
        with closing(open_store()) as store:
            same(store.tree(session_id), messages, "tree() keeps the order of saving")
            same(store.messages(session_id), messages, "messages() keep the order of saving")
            same(store.messages(session_id, last=4), messages[-4:], "messages(last=4) keep it too")

    def test_what_cannot_be_written_is_refused(self, store: Storage) -> None:
        session_id = store.create("strange").session_id
        (question,) = say(store, session_id, "?")
        for value in UNWRITABLE:
            what = f"append() of provider_data with {value!r}"
            strange = message("!", question, provider_data={"a": {"b": [value]}})
            with unchanged(store, what), refuses(StorageError, what):
                store.append(session_id, strange)
        (answer,) = say(store, session_id, "!")
        same(store.messages(session_id), [question, answer], "the session goes on after a refusal")
