"""The reply in work: kept while it runs, rescued when its writer has died.

Closing a handle while a reply is in work is what a crash is to the tests here.
"""

from __future__ import annotations

from contextlib import closing

from agno_shell.contracts import Storage
from agno_shell.errors import StorageError
from agno_shell.testing.storage_contract.samples import PROVIDER_TOOLS, OpenStore, message, say
from agno_shell.testing.storage_contract.verdicts import refuses, same
from agno_shell.types import ROOT, Growth, Message, grown, new_id


class RunningRepliesContract:
    """Text that was shown is not lost, and not doubled."""

    def test_a_reply_cut_off_by_a_crash_is_kept(self, open_store: OpenStore) -> None:
        with closing(open_store()) as store:
            session_id = store.create("crash").session_id
            (question,) = say(store, session_id, "?")
            reply = message("half an", question, role="assistant")
            store.save_partial(session_id, reply)
            reply = reply._replace(content="half an answ\ner é")
            store.save_partial(session_id, reply)
        with closing(open_store()) as store:
            same(store.open(session_id).message_count, 2, "open() makes it a message")
            kept = [question, reply._replace(status="interrupted")]
            same(store.messages(session_id), kept, "the reply is kept as interrupted")
            store.open(session_id)
            same(store.messages(session_id), kept, "a second open() keeps it once")
            same(store.partials(session_id), [], "a rescued reply is not in work any more")

    def test_what_was_thought_before_the_first_word_is_kept(self, open_store: OpenStore) -> None:
        with closing(open_store()) as store:
            session_id = store.create("thinking").session_id
            (question,) = say(store, session_id, "?")
            reply = message("", question, role="assistant")
            for thought in ("hm", "hm, so"):
                reply = reply._replace(provider_data={"some": {"reasoning": thought}})
                store.save_partial(session_id, reply)
        with closing(open_store()) as store:
            store.open(session_id)
            kept = [question, reply._replace(status="interrupted")]
            same(store.messages(session_id), kept, "a reply that had no word yet is kept")

    def test_what_the_provider_ran_is_kept(self, open_store: OpenStore) -> None:
        with closing(open_store()) as store:
            session_id = store.create("running").session_id
            (question,) = say(store, session_id, "?")
            reply = message("", question, role="assistant", speaker="Ada")
            for count in (1, 2):
                reply = reply._replace(provider_tools=PROVIDER_TOOLS[:count])
                store.save_partial(session_id, reply)
            store.extend_partial(session_id, Growth(reply.id, "and a word"))
            store.save_partial(session_id, reply._replace(content="and a word"))
            store.save_partial(session_id, reply)
            same(store.partials(session_id), [reply], "save_partial() keeps what it is given")
        with closing(open_store()) as store:
            store.open(session_id)
            kept = [question, reply._replace(status="interrupted")]
            same(store.messages(session_id), kept, "a reply that only ran tools is kept")

    def test_what_is_added_to_a_reply_is_kept(self, open_store: OpenStore) -> None:
        with closing(open_store()) as store:
            session_id = store.create("growing").session_id
            (question,) = say(store, session_id, "?")
            reply = message("", question, role="assistant")
            store.save_partial(session_id, reply)
            growths = [
                Growth(reply.id, "", "hm", "some"),
                Growth(reply.id, "", ", so é\ud800", "some"),
                Growth(reply.id, "half "),
                Growth(reply.id, "an answ\n\0er", " and yet", "some"),
                Growth(reply.id, " é\ud800"),
            ]
            for number, growth in enumerate(growths, 1):
                store.extend_partial(session_id, growth)
                now = grown(reply, growths[:number])
                what = "reasoning" if growth.reasoning else "content"
                messages = f"extend_partial() adds to the {what} of a reply"
                same(store.partials(session_id), [now], messages)
            store.save_partial(session_id, now)
            same(store.partials(session_id), [now], "save_partial() of the same adds nothing")
            last = Growth(reply.id, ", whole")
            store.extend_partial(session_id, last)
            now = grown(now, [last])
            same(store.partials(session_id), [now], "extend_partial() follows save_partial()")
        with closing(open_store()) as store:
            store.open(session_id)
            kept = [question, now._replace(status="interrupted")]
            same(store.messages(session_id), kept, "all that was added is kept after a crash")

    def test_only_a_reply_in_work_here_can_be_added_to(self, open_store: OpenStore) -> None:
        with closing(open_store()) as store, closing(open_store()) as other:
            session_id = store.create("growing").session_id
            (question,) = say(store, session_id, "?")
            reply = message("half", question, role="assistant")
            with refuses(StorageError, "extend_partial() of an unknown reply"):
                store.extend_partial(session_id, Growth("x", "y"))
            store.save_partial(session_id, reply)
            wrong = Growth(new_id(), " a word")
            with refuses(StorageError, "extend_partial() of another reply"):
                store.extend_partial(session_id, wrong)
            same(store.partials(session_id), [reply], "what is refused changes nothing")
            store.save_partial(session_id, None)
            growth = Growth(reply.id, " a word")
            with refuses(StorageError, "extend_partial() of a removed reply"):
                store.extend_partial(session_id, growth)
            store.save_partial(session_id, reply)
            store.append(session_id, reply)
            with refuses(StorageError, "extend_partial() of a saved reply"):
                store.extend_partial(session_id, growth)
            for handle in (store, other):
                same(handle.partials(session_id), [], "what is refused leaves nothing")

    def test_a_saved_reply_is_not_kept_twice(self, open_store: OpenStore) -> None:
        with closing(open_store()) as store:
            session_id = store.create("saved").session_id
            (question,) = say(store, session_id, "?")
            reply = message("an answer", question, role="assistant")
            store.save_partial(session_id, reply)
            store.append(session_id, reply)
            store.save_partial(session_id, message("unwanted", reply))
            store.save_partial(session_id, None)
        with closing(open_store()) as store:
            store.open(session_id)
            found = store.messages(session_id)
            same(found, [question, reply], "a saved reply, and one not wanted, leave nothing")

    def test_a_running_reply_is_left_alone(self, open_store: OpenStore) -> None:
        with closing(open_store()) as writer, closing(open_store()) as other:
            session_id = writer.create("streaming").session_id
            (question,) = say(writer, session_id, "?")
            reply = message("still", question, role="assistant")
            writer.save_partial(session_id, reply)
            other.open(session_id)
            found = other.messages(session_id)
            same(found, [question], "open() by another handle leaves a running reply alone")
            reply = reply._replace(content="still coming")
            writer.save_partial(session_id, reply)
            writer.append(session_id, reply)
            other.open(session_id)
            found = other.messages(session_id)
            same(found, [question, reply], "a running reply becomes one message")

    def test_a_rescued_reply_does_not_move_the_conversation(self, open_store: OpenStore) -> None:
        with closing(open_store()) as dying, closing(open_store()) as living:
            session_id = dying.create("two shells").session_id
            (question,) = say(dying, session_id, "?")
            dying.save_partial(session_id, message("cut o", question, role="assistant"))
            messages = [question, *say(living, session_id, "an answer", "thanks")]
        with closing(open_store()) as store:
            store.open(session_id)
            same(store.messages(session_id), messages, "the conversation stays where it went on")
            found = [each.content for each in store.tree(session_id)]
            same(found[-1], "cut o", "the rescued reply is in the tree")

    def test_a_rescued_reply_does_not_bring_back_what_was_taken_back(
        self, open_store: OpenStore
    ) -> None:
        with closing(open_store()) as dying, closing(open_store()) as living:
            session_id = dying.create("taken back").session_id
            (question,) = say(dying, session_id, "?")
            dying.save_partial(session_id, message("cut o", question, role="assistant"))
            living.update(session_id, head=ROOT)
        with closing(open_store()) as store:
            store.open(session_id)
            same(
                store.messages(session_id), [], "the conversation stays where it was taken back to"
            )
            found = [each.content for each in store.tree(session_id)]
            same(found, ["?", "cut o"], "the rescued reply is in the tree")

    # What can be seen of it --------------------------------------------------------------

    def test_a_reply_in_work_is_seen_by_every_handle(self, open_store: OpenStore) -> None:
        with closing(open_store()) as writer, closing(open_store()) as other:
            session_id = writer.create("seen").session_id
            (question,) = say(writer, session_id, "?")
            same(writer.partials(session_id), [], "no reply is in work in a new session")
            reply = message("", question, role="assistant")
            for text in ("half", "half an answer", "anew é\ud800\0"):
                reply = reply._replace(content=text)
                writer.save_partial(session_id, reply)
                for store in (writer, other):
                    found = store.partials(session_id)
                    same(found, [reply], "partials() has what save_partial() keeps")
            mine = message("a second one", question, role="assistant")
            other.save_partial(session_id, mine)
            found = sorted(writer.partials(session_id), key=lambda each: each.content)
            same(found, [mine, reply], "partials() has the replies of all handles")

    def test_a_reply_that_is_over_is_not_in_work(self, open_store: OpenStore) -> None:
        with closing(open_store()) as writer, closing(open_store()) as other:
            session_id = writer.create("over").session_id
            (question,) = say(writer, session_id, "?")
            reply = message("an answer", question, role="assistant")
            writer.save_partial(session_id, reply)
            writer.append(session_id, reply)
            for store in (writer, other):
                same(store.partials(session_id), [], "append() of a reply ends it")
            writer.save_partial(session_id, message("unwanted", reply))
            writer.save_partial(session_id, None)
            for store in (writer, other):
                same(store.partials(session_id), [], "save_partial(None) removes the reply")

    def test_reading_leaves_the_leftovers_of_a_crash(self, open_store: OpenStore) -> None:
        with closing(open_store()) as store:
            session_id = store.create("leftover").session_id
            (question,) = say(store, session_id, "?")
            reply = message("half an", question, role="assistant")
            store.save_partial(session_id, reply)
        with closing(open_store()) as store:
            for _ in range(2):
                self._read(store, session_id, question, reply)
        with closing(open_store()) as store:
            store.open(session_id)
            kept = [question, reply._replace(status="interrupted")]
            same(store.messages(session_id), kept, "open() rescues what was only read before")
            same(store.partials(session_id), [], "open() leaves no reply in work")

    def _read(self, store: Storage, session_id: str, question: Message, reply: Message) -> None:
        counts = [each.message_count for each in store.sessions()]
        same(counts, [1], "sessions() rescues no reply")
        same(store.tree(session_id), [question], "tree() rescues no reply")
        same(store.messages(session_id), [question], "messages() rescue no reply")
        same(store.partials(session_id), [reply], "partials() has what a crash has left")
