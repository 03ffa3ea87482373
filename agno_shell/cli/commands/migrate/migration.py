"""Every session from one storage to another, compared afterwards.

The source is only read, one session at a time, and never opened: opening one may turn a
reply that was cut off into a message. First everything that the target lacks is copied;
then both sides are read again and compared, with what was there before as well. Whatever
stops the copy, the next run goes on from what is there.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from typing import NamedTuple, TextIO

from agno_shell.cli.commands.migrate.copies import (
    SessionCopy,
    difference,
    is_outdated,
    named,
    with_replies,
)
from agno_shell.cli.commands.migrate.order import MigrationOptions
from agno_shell.cli.commands.migrate.summary import SessionSize, Tally, labels, summary
from agno_shell.cli.progress import ProgressLine
from agno_shell.contracts.storage import Storage
from agno_shell.errors import StorageError, UsageError
from agno_shell.toolkit.terminal_text import clean_line
from agno_shell.toolkit.wording import count
from agno_shell.types import Session

Key = tuple[str, datetime | None, int]
"""A session's id, when it was deleted, and 0: a session may be in the trash more than once.
1 and up where a storage gives two of them the same time."""


class SessionEntry(NamedTuple):
    """What a storage lists."""

    session: Session
    deleted_at: datetime | None = None
    trash_id: str = ""


def check(order: MigrationOptions, configured_path: str) -> None:
    """Refuse what makes no sense, before anything is opened. Raises ``UsageError``."""
    source = os.path.realpath(order.source_path or configured_path)
    target = os.path.realpath(order.target_path or configured_path)
    if order.source_path is not None and not os.path.exists(source):
        raise UsageError(f"There is no {clean_line(order.source_path, 400)}.")
    if order.source != order.target:
        return
    if source == target:
        place = clean_line(source, 400)
        raise UsageError(
            f"Source and target are the same: the {order.source} storage at {place}.",
            hint="Name another storage with --to, or another place with --to-path.",
        )
    if source.startswith(os.path.join(target, "")) or target.startswith(os.path.join(source, "")):
        raise UsageError(
            f"One of {clean_line(source, 400)} and {clean_line(target, 400)} lies in the other.",
            hint="Name a place of its own with --to-path.",
        )


def migrate(
    source: Storage,
    target: Storage,
    order: MigrationOptions,
    out: TextIO,
    err: TextIO,
    notices: list[str] | None = None,
) -> int:
    """Copy, or with ``dry_run`` only look; returns 0 when all is copied and the same.

    Errors go to ``err``, a line each, the summary to ``out``. ``notices`` is where
    the storages put their notices; they are taken out of it and shown.
    """
    migration = Migration(
        source, target, order, ProgressLine(err), [] if notices is None else notices
    )
    try:
        migration.run()
    except KeyboardInterrupt:
        copied = count(migration.tally.copied, "session")
        migration.say(f"Stopped; {copied} copied so far. The same command goes on from here.")
        raise
    finally:
        migration.pass_on_notices()
        migration.progress.end()
    out.write(summary(migration.tally, order))
    return 1 if migration.tally.troubles else 0


class Migration:
    """One run, and what came of it."""

    def __init__(
        self,
        source: Storage,
        target: Storage,
        order: MigrationOptions,
        progress: ProgressLine,
        notices: list[str],
    ) -> None:
        self._source = source
        self._target = target
        self._order = order
        self.progress = progress
        self._notices = notices
        self._here, self._there = labels(order)
        self._failed: set[Key] = set()
        self._reported: set[Key] = set()
        self._copied: dict[Key, SessionSize] = {}
        self.tally = Tally()

    def say(self, line: str) -> None:
        self.progress.say(f"agno-shell: {line}")

    def run(self) -> None:
        """Everything, in order."""
        self.pass_on_notices()
        items = contents(self._source)
        self.tally.total = len(items)
        self._copy(items, contents(self._target).keys())
        self._compare(items)
        if not self._order.dry_run:
            self._choose_current()
            self._look_for_changes(items)
        self.pass_on_notices()

    # Copying -----------------------------------------------------------------------------

    def _copy(self, items: dict[Key, SessionEntry], present: Iterable[Key]) -> None:
        there = set(present)
        missing = {key: item for key, item in items.items() if key not in there}
        for number, (key, item) in enumerate(missing.items(), start=1):
            self.progress.at(f"Copying: {number:,} of {len(missing):,} sessions")
            wanted = self._read(key, item)
            if wanted is None:
                continue
            if not self._order.dry_run:
                try:
                    self._import(item, wanted)
                except StorageError as error:
                    self._fail(key, item, f"it was not copied: {error.sentence()}")
                    continue
            weight = self._copied[key] = _weight(wanted)
            self.tally.add(weight, deleted=item.deleted_at is not None, replies=wanted.replies)

    def _read(self, key: Key, item: SessionEntry) -> SessionCopy | None:
        """A session as its copy is to be; None if it cannot be read, which is reported."""
        session_id = item.session.session_id
        self.pass_on_notices()
        try:
            if item.deleted_at is not None:
                messages = self._source.trashed_messages(item.trash_id)
                session = item.session._replace(message_count=len(messages))
                wanted = SessionCopy(session, messages, item.deleted_at)
            else:
                # In this order: a reply that is saved in between is among the messages then.
                replies = self._source.partials(session_id)
                wanted = with_replies(item.session, self._source.tree(session_id), replies)
            wanted, lost = with_session_data(wanted, self._source, item.trash_id)
        except StorageError as error:
            self._fail(key, item, f"it cannot be read in {self._here}: {error.sentence()}")
            return None
        if lost and key not in self._reported:
            self._reported.add(key)
            files = count(len(lost), "attached file")
            self._trouble(item, f"{files} cannot be read in {self._here}: {lost[0].sentence()}")
        for notice in self._heard():
            # Before a user deletes the source: this is not all of it.
            self._trouble(item, f"what can be read of it is copied. {notice}")
        return wanted

    # Comparing ---------------------------------------------------------------------------

    def _compare(self, items: dict[Key, SessionEntry]) -> None:
        present = contents(self._target)
        left = {
            key: item
            for key, item in items.items()
            if key not in self._failed and not (self._order.dry_run and key in self._copied)
        }
        for number, (key, item) in enumerate(left.items(), start=1):
            self.progress.at(f"Comparing: {number:,} of {len(left):,} sessions")
            wanted = self._read(key, item)
            if wanted is None:
                continue
            try:
                found = self._found(present.get(key))
            except StorageError as error:
                self._fail(key, item, f"its copy cannot be read: {error.sentence()}")
                continue
            unequal = difference(wanted, found) if found else "it is not there"
            if key in self._copied:
                if unequal:
                    self._judge_copy(key, item, wanted, unequal)
            elif not unequal:
                self.tally.same += 1
            elif found and is_outdated(found, wanted):
                self._bring_up_to_date(key, item, wanted)
            else:
                self._conflict(key, item, unequal)

    def _found(self, item: SessionEntry | None) -> SessionCopy | None:
        if item is None:
            return None
        if item.deleted_at is not None:
            messages = self._target.trashed_messages(item.trash_id)
        else:
            messages = self._target.tree(item.session.session_id)
        found = SessionCopy(item.session, messages, item.deleted_at)
        return with_session_data(found, self._target, item.trash_id)[0]

    def _judge_copy(self, key: Key, item: SessionEntry, wanted: SessionCopy, unequal: str) -> None:
        if self._copied[key] == _weight(wanted):
            self._fail(key, item, f"its copy in {self._there} is not the same: {unequal}.")
        else:
            self._say_grown(key, item)

    def _conflict(self, key: Key, item: SessionEntry, unequal: str) -> None:
        self.tally.conflicts += 1
        self._fail(
            key, item, f"in {self._there} it is another already ({unequal}); it was left as it is."
        )

    def _bring_up_to_date(self, key: Key, item: SessionEntry, wanted: SessionCopy) -> None:
        """Copy a session again that has grown in the source since the last run.

        The older copy goes to the trash of the target and stays there: it is unknown
        whether its name, say, was changed there or here. What is there then has the times
        of the source, which no other way of the contract would give it.
        """
        try:
            unequal = "" if self._order.dry_run else self._replace(item, wanted)
        except StorageError as error:
            self._fail(key, item, f"it was not brought up to date: {error.sentence()}")
            return
        if unequal:
            self._fail(key, item, f"its copy in {self._there} is not the same: {unequal}.")
            return
        self.tally.updated += 1
        self.tally.replies += wanted.replies

    def _replace(self, item: SessionEntry, wanted: SessionCopy) -> str:
        """Put ``wanted`` in the place of the older copy; returns what is not the same then."""
        session_id = wanted.session.session_id
        if self._target.partials(session_id):
            raise StorageError(f"a reply in it has not come to an end in {self._there}.")
        older = self._target.delete(session_id)
        try:
            self._import(item, wanted)
        except BaseException:
            self._target.restore(older.trash_id)
            raise
        found = self._found(SessionEntry(self._target.open(session_id)))
        return difference(wanted, found) if found else "it is not there"

    def _import(self, item: SessionEntry, wanted: SessionCopy) -> None:
        self._target.import_session(
            wanted.session,
            wanted.messages,
            deleted_at=wanted.deleted_at,
            memories=wanted.memories,
            attachment=reader(self._source, item.session.session_id, item.trash_id),
        )

    # The end -----------------------------------------------------------------------------

    def _choose_current(self) -> None:
        """What was used last is used last in the target as well."""
        current = self._source.current()
        if current is None or (current, None, 0) in self._failed:
            return
        if self._target.current() == current:
            return
        try:
            self._target.set_current(current)
            if self._target.current() == current:
                return
            reason = "it is another one afterwards."
        except StorageError as error:
            reason = error.sentence()
        self.tally.troubles += 1
        self.say(f"Which session was used last could not be copied: {reason}")

    def _look_for_changes(self, items: dict[Key, SessionEntry]) -> None:
        """A shell may have gone on in the source meanwhile."""
        after = contents(self._source)
        for key, item in (items | after).items():
            if items.get(key) != after.get(key):
                self._say_grown(key, item)

    def _say_grown(self, key: Key, item: SessionEntry) -> None:
        if key not in self._failed:
            self.tally.grown += 1
            self._fail(key, item, f"it was changed in {self._here} while it was copied.")

    # Telling -----------------------------------------------------------------------------

    def _fail(self, key: Key, item: SessionEntry, what: str) -> None:
        self._failed.add(key)
        self._trouble(item, what)

    def _trouble(self, item: SessionEntry, what: str) -> None:
        self.tally.troubles += 1
        deleted = "Deleted session" if item.deleted_at is not None else "Session"
        name = clean_line(item.session.name, 60)
        self.say(f"{deleted} '{name}' ({item.session.session_id}): {what}")

    def _heard(self) -> list[str]:
        notices = list(self._notices)
        self._notices.clear()
        return notices

    def pass_on_notices(self) -> None:
        for notice in self._heard():
            self.say(notice)


def with_session_data(
    copy: SessionCopy, storage: Storage, trash_id: str
) -> tuple[SessionCopy, list[StorageError]]:
    """A session of ``storage`` with what belongs to it beside its messages, and why files
    that were attached cannot be read; ``trash_id``: of a deleted one. Raises
    ``StorageError`` where what to remember cannot be read."""
    session_id = copy.session.session_id
    memories = storage.trashed_memories(trash_id) if trash_id else storage.memories(session_id)
    read = reader(storage, session_id, trash_id)
    there: set[str] = set()
    lost: list[StorageError] = []
    for digest in sorted(named(copy.messages)):
        try:
            read(digest)
        except StorageError as error:
            lost.append(error)
        else:
            there.add(digest)
    return copy._replace(memories=tuple(memories), contents=frozenset(there)), lost


def reader(storage: Storage, session_id: str, trash_id: str) -> Callable[[str], bytes]:
    """What gives the contents of the files that were attached in a session."""
    if trash_id:
        return partial(storage.trashed_attachment, trash_id)
    return partial(storage.attachment, session_id)


def _weight(copy: SessionCopy) -> SessionSize:
    return SessionSize(len(copy.messages), copy.characters, len(copy.memories), len(copy.contents))


def contents(storage: Storage) -> dict[Key, SessionEntry]:
    """All sessions of a storage and all deleted ones, without their messages."""
    items = [SessionEntry(session) for session in storage.sessions()]
    items += [
        SessionEntry(each.session, each.deleted_at, each.trash_id) for each in storage.trash()
    ]
    found: dict[Key, SessionEntry] = {}
    for item in items:
        number = 0
        while (key := (item.session.session_id, item.deleted_at, number)) in found:
            number += 1
        found[key] = item
    return found
