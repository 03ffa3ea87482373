"""Processes that are killed while they write: what was reported as saved is there."""

# ruff: noqa: S101 - a contract is made of assertions

from __future__ import annotations

import os
import random
import time
from contextlib import closing
from functools import partial

import pytest

from agno_shell.contracts import Storage
from agno_shell.testing.storage_contract.processes import Child, Report, forked
from agno_shell.testing.storage_contract.samples import OpenStore, message, old_session, say
from agno_shell.testing.storage_contract.verdicts import same
from agno_shell.types import Growth, Message, new_id

_SIZES = (3, 300, 30_000, 100_000)
_STREAMED = 100
"""Pieces of a reply before its process is killed."""


class KilledProcessContract:
    """A process that dies takes nothing with it and blocks nobody."""

    outlives_process = True
    """Whether what is kept outlives the process that saved it. A subclass whose store is
    in memory says False and is not asked."""

    def test_a_process_killed_while_saving(self, open_store: OpenStore) -> None:
        self._require_processes()
        with closing(open_store()) as store:
            session_id = store.create("killed").session_id
            saved = [each.id for each in say(store, session_id, "0 ")]
        for seed in range(6):
            chance = random.Random(seed)  # noqa: S311 - the same points in every run
            with forked(partial(_save, open_store, session_id, seed)) as child:
                reported = _kill_at_work(child, chance.randrange(2, 16), chance.random())
            with closing(open_store()) as store:
                saved = self._whole(store, session_id, saved + reported)
                saved += [each.id for each in say(store, session_id, "0 ")]
                found = [each.id for each in store.messages(session_id)]
                same(found, saved, "the session goes on after its writer was killed")
                counts = [each.message_count for each in store.sessions()]
                same(counts, [len(saved)], "its messages are counted after its writer was killed")

    def _whole(self, store: Storage, session_id: str, acknowledged: list[str]) -> list[str]:
        """The ids of the messages, when all that were acknowledged are among them."""
        tree = store.tree(session_id)
        found = [each.id for each in tree]
        same(
            found[: len(acknowledged)],
            acknowledged,
            "every message that append() had returned for is there after the process was killed",
        )
        same(len(set(found)), len(found), "no message is doubled after the process was killed")
        assert len(found) <= len(acknowledged) + 1, (
            "at most the message in flight is there besides, but there are"
            f" {len(found) - len(acknowledged)} more."
        )
        for each in tree:
            size, _space, text = each.content.partition(" ")
            same(text, "x" * int(size), "no message is garbled after the process was killed")
        return found

    def test_a_process_killed_while_a_reply_streams(self, open_store: OpenStore) -> None:
        self._require_processes()
        with closing(open_store()) as store:
            session_id = store.create("streaming").session_id
            (question,) = say(store, session_id, "?")
        with forked(partial(_stream, open_store, session_id, question)) as child:
            shown = [child.report() for _ in range(_STREAMED)] + child.kill()
        least = int(shown[-1])
        with closing(open_store()) as store:
            store.open(session_id)
            found = store.messages(session_id)
            assert [each.status for each in found] == ["complete", "interrupted"], (
                "a reply whose process was killed becomes an interrupted message, but the"
                f" conversation is {[(each.role, each.status) for each in found]}."
            )
            content = found[-1].content
            same(content, "word " * (len(content) // 5), "the text is what was shown")
            assert len(content) >= least, (
                "a killed process costs nothing of a reply that save_partial() or"
                f" extend_partial() had returned for, but of {least} characters {len(content)}"
                " are kept."
            )
            same(store.partials(session_id), [], "a rescued reply is not in work any more")

    def test_a_process_killed_while_importing(self, open_store: OpenStore) -> None:
        self._require_processes()
        whole = [str(number) * 1000 for number in range(40)]
        reported: list[str] = []
        for seed in range(4):
            chance = random.Random(seed)  # noqa: S311 - the same points in every run
            with forked(partial(_import, open_store, whole)) as child:
                reported += _kill_at_work(child, chance.randrange(2, 6), chance.random())
            with closing(open_store()) as store:
                found = [each.session_id for each in store.sessions()]
                missing = [ident for ident in reported if ident not in found]
                same(missing, [], "every session that import_session() had returned for is there")
                assert len(found) <= len(reported) + seed + 1, (
                    "at most the session in flight is there besides"
                )
                for ident in found:
                    contents = [each.content for each in store.tree(ident)]
                    same(contents, whole, "a session is imported whole or not at all")

    def test_a_process_killed_while_it_remembers_and_attaches(self, open_store: OpenStore) -> None:
        self._require_processes()
        with closing(open_store()) as store:
            session_id = store.create("killed").session_id
        remembered: list[str] = []
        attached: list[str] = []
        for seed in range(4):
            chance = random.Random(seed)  # noqa: S311 - the same points in every run
            with forked(partial(_remember, open_store, session_id, seed)) as child:
                reported = _kill_at_work(child, chance.randrange(2, 9), chance.random())
            remembered += [each for each in reported if not each.startswith("#")]
            attached += [each[1:] for each in reported if each.startswith("#")]
            with closing(open_store()) as store:
                found = [each.id for each in store.memories(session_id)]
                same(
                    found[: len(remembered)],
                    remembered,
                    "everything that remember() had returned for is there after the kill",
                )
                assert len(found) <= len(remembered) + 1, (
                    "at most the memory in flight is there besides"
                )
                remembered = found
                for digest in attached:
                    size = len(store.attachment(session_id, digest))
                    assert size > 0, "every content that attach() had returned for is there"

    def _require_processes(self) -> None:
        if not self.outlives_process:
            pytest.skip("what is kept here does not outlive its process, as outlives_process says")
        if not hasattr(os, "fork"):
            pytest.skip("processes cannot be forked on this system")


def _kill_at_work(child: Child, after: int, point: float) -> list[str]:
    """Kill the child ``after`` reports, at ``point`` (0 to 1) of what it does next; all
    that it had reported by then."""
    reported = [child.report()]
    began = time.monotonic()
    reported += [child.report() for _ in range(after - 1)]
    # Somewhere in its work, and not only right behind a report.
    time.sleep(point * (time.monotonic() - began) / (after - 1))
    return reported + child.kill()


# In the child ----------------------------------------------------------------------------


def _save(open_store: OpenStore, session_id: str, seed: int, report: Report) -> None:
    chance = random.Random(seed)  # noqa: S311 - the same messages in every run
    store = open_store()
    before = store.messages(session_id, last=1)[-1]
    for _ in range(10_000):
        size = chance.choice(_SIZES)
        before = message(f"{size} " + "x" * size, before)
        store.append(session_id, before)
        report(before.id)


def _stream(open_store: OpenStore, session_id: str, question: Message, report: Report) -> None:
    store = open_store()
    reply = message("", question, role="assistant")
    store.save_partial(session_id, reply)
    for number in range(10_000):
        reply = reply._replace(content=reply.content + "word ")
        if number in (10, 20):  # now and then it is kept whole, as the shell does
            store.save_partial(session_id, reply)
        else:
            store.extend_partial(session_id, Growth(reply.id, "word "))
        report(f"{len(reply.content)}")


def _import(open_store: OpenStore, contents: list[str], report: Report) -> None:
    store = open_store()
    for _ in range(10_000):
        messages: list[Message] = []
        for content in contents:
            messages.append(message(content, messages[-1] if messages else None))
        session, _said = old_session(
            session_id=new_id(), message_count=len(messages), head=None, pinned=()
        )
        store.import_session(session, messages)
        report(session.session_id)


def _remember(open_store: OpenStore, session_id: str, seed: int, report: Report) -> None:
    store = open_store()
    for number in range(10_000):
        report(store.remember(session_id, f"{seed} {number}").id)
        data = f"{seed} {number} ".encode() * 20_000
        report("#" + store.attach(session_id, data))
