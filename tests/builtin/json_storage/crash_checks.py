"""Works on a simulated disk, and what is wrong with what a power cut leaves of them.

The checks answer with sentences instead of failing, because they are asked twice: of
the store as it is, which must leave them nothing to say, and of stores that were broken
on purpose, each of which they must find out.
"""

from __future__ import annotations

import copy
import errno
import hashlib
import json
import os
import random
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from agno_shell.builtin.json_storage import disk, index_line, layout, message_reader, tree
from agno_shell.builtin.json_storage.session_writer import MessageWriter
from agno_shell.builtin.json_storage.store import open_storage
from agno_shell.contracts import Storage, StorageOptions
from agno_shell.errors import StorageError
from agno_shell.testing.storage_contract import message
from agno_shell.toolkit import json_records
from agno_shell.types import Attachment, Memory, Message, Session, now

IMPORTED = b"imported" * 100
"""What is attached in the session from another storage."""
ENOUGH = 20
"""Complaints after which the rest is not looked at any more."""
FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
FAILING = OSError(errno.EIO, os.strerror(errno.EIO))


def strict(data: bytes) -> Any:
    return json.loads(data, parse_constant=json_records.refuse_constant)


# One message file ------------------------------------------------------------------------


class Snapshot(NamedTuple):
    """A message file in the middle of its work."""

    durable: bytes
    pending: list[Any]
    known: tuple[int, int, int]
    """Size, time and count, as the index was last told."""
    saved: list[Message]
    """The acknowledged ones."""
    flight: list[Message]


def append_snapshots(
    recorder: Any, path: Path, contents: Sequence[str], failing: Callable[[], None] | None = None
) -> list[Snapshot]:
    """Append each of ``contents`` to a new file; the states of the last append, between
    each two calls. ``failing`` breaks the disk for it."""
    disk.create_whole(str(path), layout.EMPTY)
    writer = MessageWriter(str(path), lambda _line: None)
    saved: list[Message] = []
    for content in contents[:-1]:
        saved.append(message(content, saved[-1] if saved else None))
        writer.append(saved[-1])
    flight = [message(contents[-1], saved[-1] if saved else None)]
    known = (path.stat().st_size, path.stat().st_mtime_ns, len(saved))
    found: list[Snapshot] = []

    def look() -> None:
        found.append(Snapshot(*recorder.unsynced(path), known, saved, flight))  # type: ignore[call-arg]

    recorder.promised = look
    if failing:
        failing()
    try:
        writer.append(flight[0])
    except OSError:
        look()
    else:
        saved, flight = [*saved, *flight], []
        look()
    recorder.promised = None
    return found


def file_complaints(path: Path, state: Any, snapshot: Snapshot) -> list[str]:
    """What is wrong with ``state`` of a message file: read, appended to, read again."""
    saved, flight = snapshot.saved, snapshot.flight
    path.write_bytes(state.data)
    # The worst case: the file looks as it did when the index last saw it.
    os.utime(path, ns=(snapshot.known[1], snapshot.known[1]))
    loaded = message_reader.load(str(path))
    complaints = _compare(loaded.messages, saved, flight, state.filling)
    last = message_reader.conversation(str(path), None, 2)
    if last != tree.path(loaded.messages, None)[-2:]:
        complaints.append("the last messages are not those of the whole")
    if path.read_bytes() != state.data:
        complaints.append("reading has written")

    notices: list[str] = []
    writer = MessageWriter(str(path), notices.append)
    writer.expect(*snapshot.known)
    after = message("after", saved[-1] if saved else None)
    writer.append(after)
    again = message_reader.load(str(path)).messages
    try:
        written = strict(path.read_bytes())
    except ValueError:
        complaints.append("it is no JSON after recovery")
    else:
        if [each["id"] for each in written] != [each.id for each in again]:
            complaints.append("what is read is not what is written")
    if not again or again.pop().id != after.id:
        complaints.append("the message after recovery is not there")
    complaints += _compare(again, saved, flight, state.filling)
    copies = list(path.parent.glob(f"{path.name}.before-*"))
    if len(copies) != len(notices):
        complaints.append("a copy was kept and not told")
    # A file without one byte, or one that is whole, has nothing to keep.
    if loaded.form == "damaged" and [copy.read_bytes() for copy in copies] != [state.data]:
        complaints.append("the damaged file was not kept")
    for each in copies:
        each.unlink()
    return complaints


def _compare(
    found: Sequence[Message], saved: Sequence[Message], flight: Sequence[Message], filling: str
) -> list[str]:
    if list(found[: len(saved)]) != list(saved):
        kept = sum(each in found for each in saved)
        return [f"of {len(saved)} saved messages {kept} are as they were"]
    rest = list(found[len(saved) :])
    if filling == "zeros":
        return [] if rest in ([], list(flight)) else ["there is more than the message in flight"]
    # Old letters and old JSON where nothing was written can be told from a message that
    # was not acknowledged by nobody; that no acknowledged one suffers is what counts.
    return []


def all_file_complaints(
    power_cut: Any, snapshots: Iterable[Snapshot], path: Path, *, seed: int, **sample: Any
) -> tuple[int, list[str]]:
    """How many states were looked at, and what was wrong. ``sample``: see
    :func:`power_cut.states`."""
    chance = random.Random(seed)
    number = 0
    complaints: list[str] = []
    for snapshot in snapshots:
        pending, durable = snapshot.pending, snapshot.durable
        states = [power_cut.State(durable, "zeros")]
        if pending:
            states = power_cut.states(durable, pending, chance=chance, **sample)
        for state in states:
            number += 1
            complaints += [
                f"{complaint}: {state.filling} {state.data[-300:]!r}"
                for complaint in file_complaints(path, state, snapshot)
            ]
            if len(complaints) >= ENOUGH:
                return number, complaints
    return number, complaints


# A whole store ---------------------------------------------------------------------------


@dataclass
class Kept:
    """What a person was told of a session, and what is on its way."""

    names: set[str]
    messages: list[tuple[str, str]] = field(default_factory=list)
    """Ids and texts."""
    flight: list[tuple[str, str]] = field(default_factory=list)
    places: set[str] = field(default_factory=lambda: {"here"})
    reply: tuple[str, str] | None = None
    """The id and the text of a running reply that survives."""
    memories: list[str] = field(default_factory=list)
    """Texts."""
    memories_in_flight: list[str] | None = None
    """What they may be instead."""
    contents: dict[str, bytes] = field(default_factory=dict)


class Ledger:
    """A store, and what it has acknowledged so far."""

    def __init__(self, store: Storage) -> None:
        self.store = store
        self.sessions: dict[str, Kept] = {}
        self.creating = False

    def promised(self) -> tuple[dict[str, Kept], bool]:
        return copy.deepcopy((self.sessions, self.creating))

    def create(self, name: str) -> str:
        self.creating = True
        session_id = self.store.create(name).session_id
        self.creating = False
        self.sessions[session_id] = Kept({name})
        return session_id

    def append(self, session_id: str, content: str, ident: str = "") -> None:
        kept = self.sessions[session_id]
        said = self.store.messages(session_id, last=1)
        new = message(content, said[-1] if said else None)
        new = new._replace(id=ident or new.id)
        kept.flight = [(new.id, content)]
        try:
            self.store.append(session_id, new)
        except StorageError:
            return  # it stays in flight: it may be there or not
        kept.messages += kept.flight
        kept.flight = []
        if ident:
            kept.reply = None

    def rename(self, session_id: str, name: str) -> None:
        kept = self.sessions[session_id]
        kept.names.add(name)
        self.store.update(session_id, name=name)
        kept.names = {name}

    def remember(self, session_id: str, text: str) -> None:
        kept = self.sessions[session_id]
        kept.memories_in_flight = [*kept.memories, text]
        self.store.remember(session_id, text)
        kept.memories, kept.memories_in_flight = kept.memories_in_flight, None

    def forget(self, session_id: str, place: int) -> None:
        kept = self.sessions[session_id]
        kept.memories_in_flight = kept.memories[:place] + kept.memories[place + 1 :]
        self.store.forget(session_id, self.store.memories(session_id)[place].id)
        kept.memories, kept.memories_in_flight = kept.memories_in_flight, None

    def attach(self, session_id: str, data: bytes) -> None:
        try:
            digest = self.store.attach(session_id, data)
        except StorageError:
            return
        self.sessions[session_id].contents[digest] = data

    def delete(self, session_id: str) -> str:
        kept = self.sessions[session_id]
        kept.places.add("trash")
        trash_id = self.store.delete(session_id).trash_id
        kept.places = {"trash"}
        return trash_id

    def restore(self, session_id: str, trash_id: str) -> None:
        kept = self.sessions[session_id]
        kept.places.add("here")
        self.store.restore(trash_id)
        kept.places = {"here"}

    def purge(self, session_id: str, trash_id: str) -> None:
        # Half a purged session may still be in the trash.
        self.sessions.pop(session_id)
        self.store.purge(trash_id)

    def take_over(self, session: Session, messages: list[Message]) -> None:
        said = [(each.id, each.content) for each in messages]
        kept = Kept({session.name}, said, places={"here", "gone"}, memories=["imported"])
        kept.contents = {file.sha256: IMPORTED for each in messages for file in each.attachments}
        self.sessions[session.session_id] = kept
        self.store.import_session(
            session,
            messages,
            memories=[Memory("m", "imported", session.created_at)],
            attachment=lambda _digest: IMPORTED,
        )
        self.sessions[session.session_id].places = {"here"}

    def stream(self, session_id: str, reply: Message, *, synced: bool) -> None:
        self.store.save_partial(session_id, reply)
        if synced:
            self.sessions[session_id].reply = (reply.id, reply.content)


def store_complaints(folder: Path, promised: tuple[dict[str, Kept], bool]) -> list[str]:
    """What is wrong with a store, given what was promised; it is written to."""
    sessions, creating = promised
    notices: list[str] = []
    store = open_storage(StorageOptions(str(folder), notice=notices.append))
    complaints = _look_of(store, sessions, creating)
    listed = {each.session_id: each.message_count for each in store.sessions()}
    index = folder / "sessions.json"
    # An index in an old layout may hold names that stand nowhere else.
    ours = not index.exists() or index_line.is_ours(index.read_bytes())
    index.unlink(missing_ok=True)
    here = {each.session_id: each for each in store.sessions()}
    if listed != {session_id: each.message_count for session_id, each in here.items()}:
        complaints.append("the index and the folders do not tell the same")
    for session_id in here.keys() & sessions.keys() if ours else ():
        complaints += _named(here[session_id], sessions[session_id])
    # Recovery of one of them: of the one that was written to last.
    for session_id in list(here)[:1]:
        complaints += _goes_on(folder, store, session_id)
    store.close()
    if here:
        strict(index.read_bytes())
    return complaints


def _look_of(store: Storage, sessions: dict[str, Kept], creating: bool) -> list[str]:
    complaints = []
    here = {each.session_id: each for each in store.sessions()}
    trash = {each.session.session_id: each for each in store.trash()}
    for session_id, kept in sessions.items():
        if "here" in kept.places and session_id in here:
            complaints += _look_of_one(store, here[session_id], kept)
        elif "trash" in kept.places and session_id in trash:
            trash_id = trash[session_id].trash_id
            found = store.trashed_messages(trash_id)
            complaints += _content(found, kept) + _named(trash[session_id].session, kept)
            complaints += _session_data(
                store.trashed_memories(trash_id), partial(store.trashed_attachment, trash_id), kept
            )
        elif "gone" not in kept.places:
            complaints.append(f"a session is lost that was in {kept.places}")
    strange = here.keys() - sessions.keys()
    if strange and not (creating and not store.messages(next(iter(strange)))):
        complaints.append("there is a session that nobody made")
    return complaints


def _look_of_one(store: Storage, listed: Session, kept: Kept) -> list[str]:
    found = store.tree(listed.session_id)
    complaints = _content(found, kept) + _named(listed, kept)
    complaints += _session_data(
        store.memories(listed.session_id), partial(store.attachment, listed.session_id), kept
    )
    if listed.message_count != len(found):
        complaints.append(f"{listed.message_count} messages are listed, {len(found)} are there")
    opened = store.open(listed.session_id)
    found = store.tree(listed.session_id)
    if opened.message_count != len(found):
        complaints.append("opening tells another number of messages")
    if kept.reply is not None:
        ident, text = kept.reply
        rescued = [each for each in found if each.id == ident]
        if len(rescued) != 1 or not rescued[0].content.startswith(text):
            complaints.append("text that was shown and synced is lost")
    return complaints


def _content(found: Sequence[Message], kept: Kept) -> list[str]:
    said = [(each.id, each.content) for each in found if each.status == "complete"]
    if said in (kept.messages, kept.messages + kept.flight):
        return []
    return [f"{len(kept.messages)} messages were saved, {len(said)} are there, or others"]


def _session_data(
    memories: Sequence[Memory], content: Callable[[str], bytes], kept: Kept
) -> list[str]:
    complaints = []
    texts = [each.text for each in memories]
    if texts not in (kept.memories, kept.memories_in_flight):
        complaints.append(f"{kept.memories} was to be remembered, and {texts} is")
    for digest in kept.contents:
        try:
            content(digest)  # which sees by itself whether it is what it was
        except StorageError as error:
            complaints.append(f"what was attached is lost: {error}")
    return complaints


def _named(session: Session, kept: Kept) -> list[str]:
    return [] if session.name in kept.names else [f"a name was lost: {session.name}"]


def _goes_on(folder: Path, store: Storage, session_id: str) -> list[str]:
    """Append once more: recovery."""
    before = store.tree(session_id)
    after = message("after", before[-1] if before else None)
    try:
        store.append(session_id, after)
    except StorageError as error:
        return [f"a session cannot be written any more: {error}"]
    found = []
    if store.tree(session_id) != [*before, after]:
        found.append("recovery has changed the messages")
    store.remember(session_id, "after")
    for name in ("messages.json", "session.json", "memory.json"):
        try:
            strict((folder / session_id / name).read_bytes())
        except ValueError:
            found.append(f"{name} is no JSON after recovery")
    return found


def all_store_complaints(
    power_cut: Any, recorder: Any, scratch: Path, *, seed: int, samples: int, limit: int
) -> tuple[int, list[str]]:
    """Cut the power at every moment that the recorder has seen."""
    chance = random.Random(seed)
    found = [
        (moment, left) for moment in recorder.moments for left in moment.trees(chance, samples)
    ]
    share = min(1.0, limit / len(found))
    chosen = [each for each in found if chance.random() < share]
    complaints: list[str] = []
    for number, (moment, left) in enumerate(chosen):
        target = scratch / str(number)
        power_cut.lay_out(left, target)
        complaints += [
            f"after {moment.after}: {complaint}: {sorted(left)}"
            for complaint in store_complaints(target / "sessions", moment.promised)
        ]
        shutil.rmtree(target)
        if len(complaints) >= ENOUGH:
            break
    return len(chosen), complaints


def imported() -> tuple[Session, list[Message]]:
    """A session from another storage."""
    file = Attachment("a", "b/c", hashlib.sha256(IMPORTED).hexdigest(), len(IMPORTED))
    first = message("imported", attachments=(file,))
    session = Session("11111111-2222-4333-8444-555555555555", "imported", now(), now())
    return session, [first, message("too", first)]
