"""``check``: what the doctor of the shell asks a store."""

from __future__ import annotations

from contextlib import closing

from agno_shell.contracts import Storage
from agno_shell.testing.storage_contract.samples import (
    TEXTS,
    OpenStore,
    message,
    old_memories,
    old_session,
    say,
)
from agno_shell.testing.storage_contract.verdicts import same, unchanged
from agno_shell.types import ROOT, Attachment, Finding


class CheckContract:
    """A store that was only used as it should be is healthy, and stays as it is."""

    def test_an_empty_store_is_healthy(self, store: Storage) -> None:
        for repair in (False, True):
            found = _wrong(store, repair=repair)
            same(found, [], f"check(repair={repair}) finds nothing wrong in an empty store")

    def test_a_used_store_is_healthy_and_stays_as_it_is(self, open_store: OpenStore) -> None:
        with closing(open_store()) as store, closing(open_store()) as other:
            _use(store)
            streaming = other.create("streaming").session_id
            (question,) = say(other, streaming, "?")
            reply = message("half", question, role="assistant")
            other.save_partial(streaming, reply)
            for repair in (False, True):
                what = f"check(repair={repair})"
                with unchanged(store, what):
                    found = _wrong(store, repair=repair)
                same(found, [], f"{what} finds nothing wrong in a healthy store")
            other.append(streaming, reply)
            messages = store.messages(streaming)
            same(messages, [question, reply], "a reply that runs during check() goes on")


def _wrong(store: Storage, *, repair: bool) -> list[Finding]:
    """What a check finds to be wrong, or mends."""
    return [finding for finding in store.check(repair=repair) if not finding.note]


def _use(store: Storage) -> None:
    """Everything that a user does to a store."""
    session_id = store.create("branches é\ud800").session_id
    messages = say(store, session_id, *TEXTS)
    store.update(session_id, head=messages[1].id, pinned=(messages[0].id,), tags=("t",))
    say(store, session_id, "another branch")
    store.update(session_id, head=messages[2].id)
    store.set_current(session_id)
    (memory,) = [store.remember(session_id, text) for text in TEXTS][-1:]
    store.forget(session_id, memory.id)
    digest = store.attach(session_id, b"\0content")
    file = Attachment("a.bin", "application/octet-stream", digest, 8)
    store.append(session_id, message("see", messages[2], attachments=(file,)))
    store.update(store.create("empty").session_id, head=ROOT)
    store.import_session(*old_session(), memories=old_memories())
    thrown, back = (store.create(name).session_id for name in ("thrown away", "back"))
    for each in (thrown, back):
        say(store, each, "a", "b")
    store.delete(thrown)
    store.restore(store.delete(back).trash_id)
