from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agno_shell import cli
from agno_shell.builtin.json_storage.store import JsonStorage
from agno_shell.cli.commands.migrate import migration
from agno_shell.cli.commands.migrate.order import MigrationOptions
from agno_shell.contracts import Storage
from agno_shell.errors import UsageError
from agno_shell.testing.memory_storage import MemoryStorage
from agno_shell.types import Message, Session, TrashedSession, new_id, now

MOMENT = datetime(2026, 7, 20, 10, 30, tzinfo=UTC)

Move = Callable[..., Any]
OpenJson = Callable[..., JsonStorage]
Say = Callable[..., list[Message]]
Held = Callable[[Storage], dict[str, Any]]
Files = Callable[[Path], dict[str, Any]]
Fill = Callable[[Storage], None]


# What is another -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (
            lambda target, ident: target.append(ident, Message(new_id(), "user", "there", now())),
            "1 message more",
        ),
        (lambda target, ident: target.update(ident, name="N", tags=("t",)), "another name, "),
    ],
)
def test_a_session_that_was_changed_in_the_target_is_not_overwritten(
    move: Move, change: Callable[..., Any], what: str, say: Say, held: Held
) -> None:
    source, target = MemoryStorage(), MemoryStorage()
    session_id = source.create("Tax\x1b[2J").session_id
    say(source, session_id, "a")
    source.create("Other")
    move(source, target)
    change(target, session_id)
    kept = held(target)
    for dry_run in (True, False):
        ran = move(source, target, dry_run=dry_run)
        assert ran.status == 1
        assert ran.err.startswith(
            f"agno-shell: Session 'Tax␛[2J' ({session_id}): in there it is another already ("
        )
        assert what in ran.err
        assert "What is another in there is never overwritten: delete it there (" in ran.out
        assert "(AGNO_SHELL_STORAGE_PLUGIN=there agno-shell session --delete ID)" in ran.out
        assert "1 session there already, and the same." in ran.out
        assert held(target) == kept


def test_both_sides_went_on(move: Move, say: Say) -> None:
    source, target = MemoryStorage(), MemoryStorage()
    session_id = source.create("Tax").session_id
    say(source, session_id, "a")
    move(source, target)
    say(target, session_id, "there")
    say(source, session_id, "here")
    ran = move(source, target)
    assert ran.status == 1
    assert "1 message missing; 1 message more" in ran.err
    assert target.tree(session_id)[-1].content == "there"


def test_a_session_in_which_a_reply_is_coming_is_not_replaced(move: Move, say: Say) -> None:
    source, target = MemoryStorage(), MemoryStorage()
    session_id = source.create("Tax").session_id
    (question,) = say(source, session_id, "a")
    move(source, target)
    target.save_partial(session_id, Message(new_id(), "assistant", "half", now(), question.id))
    say(source, session_id, "b")
    ran = move(source, target)
    assert ran.status == 1
    assert "not brought up to date: a reply in it has not come to an end in there." in ran.err
    assert target.tree(session_id) == [question]
    assert target.trash() == []


def test_two_deletions_at_the_same_time_are_two(move: Move) -> None:
    class Coarse(MemoryStorage):
        """Knows no fractions of a second."""

        def trash(self) -> list[TrashedSession]:
            return [each._replace(deleted_at=MOMENT) for each in super().trash()]

    source, target = Coarse(), MemoryStorage()
    session = Session(new_id(), "Tax", MOMENT, MOMENT)
    for second in range(2):
        source.import_session(session, [], deleted_at=MOMENT + timedelta(microseconds=second))
    ran = move(source, target)
    assert ran.status == 1
    assert ": it was not copied: The trash holds session" in ran.err
    assert len(target.trash()) == 1


class Liar(MemoryStorage):
    """Alters what it is given, or what it gives."""

    def __init__(self, alter: Callable[[list[Message]], list[Message]]) -> None:
        super().__init__()
        self.alter = alter

    def tree(self, session_id: str) -> list[Message]:
        return self.alter(super().tree(session_id))

    def trashed_messages(self, trash_id: str) -> list[Message]:
        return self.alter(super().trashed_messages(trash_id))


@pytest.mark.parametrize("deleted", [False, True])
@pytest.mark.parametrize(
    ("alter", "what"),
    [
        (lambda found: found[:-1], "1 message missing"),
        (lambda found: [*found, found[0]], "twice"),
        (lambda found: [found[1], found[0]], "in another order"),
        (
            lambda found: [found[0]._replace(content="A"), found[1]],
            "message 1 with another content",
        ),
        (lambda found: [found[0], found[1]._replace(parent=None)], "2 with another parent"),
        (
            lambda found: [found[0]._replace(provider_data={"p": {"n": 1}}), found[1]],
            "message 1 with another provider data",
        ),
        (
            lambda found: [
                found[0]._replace(created_at=found[0].created_at + timedelta(microseconds=1)),
                found[1],
            ],
            "message 1 with another created at",
        ),
    ],
)
def test_a_target_that_alters_a_message_is_caught(
    move: Move, alter: Callable[..., Any], what: str, deleted: bool, say: Say
) -> None:
    source, target = MemoryStorage(), Liar(alter)
    session_id = source.create("Tax").session_id
    say(source, session_id, "a", "b", provider_data={"p": {"n": True}})
    if deleted:
        source.delete(session_id)
    ran = move(source, target)
    assert ran.status == 1
    assert f"({session_id}): its copy in there is not the same: " in ran.err
    assert what in ran.err
    assert "everything is the same" not in ran.out


@pytest.mark.parametrize("field", ["name", "head", "tags", "message_count", "updated_at", "extra"])
def test_a_target_that_alters_a_session_is_caught(move: Move, field: str) -> None:
    class Altering(MemoryStorage):
        def sessions(self) -> list[Session]:
            values = {"tags": ("t",), "message_count": 7, "updated_at": now(), "extra": {"x": 1}}
            change: Any = {field: values.get(field, "changed")}
            return [each._replace(**change) for each in super().sessions()]

    source, target = MemoryStorage(), Altering()
    source.create("Tax")
    ran = move(source, target)
    assert ran.status == 1
    assert f"is not the same: another {field.replace('_', ' ')}." in ran.err


def test_a_target_that_loses_a_session_is_caught(move: Move) -> None:
    class Losing(MemoryStorage):
        def sessions(self) -> list[Session]:
            return super().sessions()[1:]

    source = MemoryStorage()
    source.create("Tax")
    ran = move(source, Losing())
    assert ran.status == 1
    assert "is not the same: it is not there." in ran.err


def test_a_target_that_forgets_which_was_used_last_is_caught(move: Move) -> None:
    class Forgetful(MemoryStorage):
        def set_current(self, session_id: str) -> None:
            pass

    source = MemoryStorage()
    source.set_current(source.create("Tax").session_id)
    ran = move(source, Forgetful())
    assert ran.status == 1
    assert "Which session was used last could not be copied" in ran.err


# The source ------------------------------------------------------------------------------


def test_a_session_that_cannot_be_read_costs_that_session(
    move: Move, open_json: OpenJson, tmp_path: Path, say: Say
) -> None:
    source, target = open_json("source"), MemoryStorage()
    bad, good = source.create("Bad").session_id, source.create("Good").session_id
    say(source, good, "a")
    path = tmp_path / "source" / bad / "messages.json"
    path.unlink()
    os.mkfifo(path)
    ran = move(open_json("source"), target)
    assert ran.status == 1
    assert f"Session 'Bad' ({bad}): it cannot be read in here: " in ran.err
    assert "not a regular file" in ran.err
    assert ran.err.count("\n") == 1
    assert [each.session_id for each in target.sessions()] == [good]


def test_of_a_damaged_session_what_can_be_read_is_copied_and_it_is_named(
    move: Move, open_json: OpenJson, tmp_path: Path, say: Say
) -> None:
    notices: list[str] = []
    source = open_json("source")
    bad, good = source.create("Bad").session_id, source.create("Good").session_id
    kept, *_ = say(source, bad, "a", "b")
    path = tmp_path / "source" / bad / "messages.json"
    path.write_bytes(path.read_bytes()[:-20])
    target = MemoryStorage()
    ran = move(open_json("source", notices), target, notices)
    assert ran.status == 1
    assert f"Session 'Bad' ({bad}): what can be read of it is copied. {path} is damaged" in ran.err
    assert target.tree(bad) == [kept]
    assert {each.session_id for each in target.sessions()} == {bad, good}
    assert notices == []


class GrowingStorage(MemoryStorage):
    """A source in which a shell goes on while it is copied."""

    reads = 0
    at = 0
    busy = ""

    def tree(self, session_id: str) -> list[Message]:
        if session_id == self.busy:
            self.reads += 1
            if self.reads == self.at:
                self.append(session_id, Message(new_id(), "user", "meanwhile", now()))
        return super().tree(session_id)


@pytest.mark.parametrize("at", [1, 2])
def test_a_session_that_grows_during_the_copy_is_named(move: Move, at: int, say: Say) -> None:
    source, target = GrowingStorage(), MemoryStorage()
    source.busy = source.create("Busy").session_id
    say(source, source.busy, "a")
    source.create("Quiet")
    source.at = at
    ran = move(source, target)
    assert ran.status == 1
    assert f"Session 'Busy' ({source.busy}): it was changed in here while it was" in ran.err
    assert ran.err.count("\n") == 1
    assert "then run it again: only what is new is copied" in ran.out
    assert move(source, target).status == 0
    assert target.tree(source.busy) == MemoryStorage.tree(source, source.busy)


def test_a_session_that_begins_or_ends_during_the_copy_is_named(move: Move) -> None:
    class Busy(MemoryStorage):
        def current(self) -> str | None:  # asked for at the end
            if not self.store.current:
                self.store.current = self.create("New").session_id
            return None

    source = Busy()
    source.create("Old")
    ran = move(source, MemoryStorage())
    assert ran.status == 1
    assert "Session 'New' (" in ran.err
    assert "'Old'" not in ran.err


# Wrong usage -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("order", "complaint"),
    [
        (MigrationOptions("json", "json"), "Source and target are the same"),
        (MigrationOptions("json", "json", target_path="{place}"), "Source and target are the same"),
        (MigrationOptions("json", "json", target_path="{place}/x"), "lies in the other"),
        (
            MigrationOptions("json", "json", source_path="{place}/x", target_path="{place}"),
            "lies in the other",
        ),
        (MigrationOptions("json", "sqlite", source_path="{place}/nowhere"), "There is no "),
    ],
)
def test_what_makes_no_sense_is_refused(
    order: MigrationOptions, complaint: str, tmp_path: Path
) -> None:
    place = tmp_path / "link"
    (tmp_path / "real" / "x").mkdir(parents=True)
    place.symlink_to(tmp_path / "real")
    paths: dict[str, Any] = {
        name: path and path.format(place=place)
        for name, path in (
            ("source_path", order.source_path),
            ("target_path", order.target_path),
        )
    }
    with pytest.raises(UsageError, match=complaint):
        migration.check(order._replace(**paths), str(tmp_path / "real"))


@pytest.mark.parametrize(
    "order",
    [
        MigrationOptions("json", "sqlite"),
        MigrationOptions("json", "json", target_path="/other"),
        MigrationOptions("json", "json", target_path="{real}-2"),
    ],
)
def test_two_storages_may_share_a_folder(order: MigrationOptions, tmp_path: Path) -> None:
    real = str(tmp_path / "real")
    path = order.target_path
    migration.check(order._replace(target_path=path and path.format(real=real)), real)


def test_two_storages_of_one_name_are_distinguished_by_their_places(move: Move) -> None:
    source = MemoryStorage()
    source.create("x")
    ran = move(source, MemoryStorage(), source="json", target="json", target_path="/backup")
    assert ran.out.startswith("1 session copied from the configured place to /backup")


# The whole way ---------------------------------------------------------------------------


@pytest.fixture
def command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Run ``agno-shell migrate``; the sessions are in the folder ``sessions``."""
    monkeypatch.setenv("AGNO_SHELL_HOME", str(tmp_path))

    def run(*arguments: str) -> tuple[int, str, str]:
        status = cli.main(["migrate", "--from", "json", "--to", "json", *arguments])
        shown = capsys.readouterr()
        return status, shown.out, shown.err

    return run


def test_a_damaged_session_is_named_on_the_command_line(
    command: Any, open_json: OpenJson, say: Say, tmp_path: Path
) -> None:
    session_id = open_json("sessions").create("Bad").session_id
    kept, *_ = say(open_json("sessions"), session_id, "a", "b")
    path = tmp_path / "sessions" / session_id / "messages.json"
    path.write_bytes(path.read_bytes()[:-20])
    status, out, err = command("--to-path", str(tmp_path / "copy"))
    assert status == 1
    assert err.startswith(f"agno-shell: Session 'Bad' ({session_id}): what can be read of it is")
    assert err.count("\n") == 1
    assert out.startswith("1 session copied from the configured place to ")
    assert open_json("copy").tree(session_id) == [kept]


def test_a_store_is_not_copied_to_itself(command: Any, open_json: OpenJson, tmp_path: Path) -> None:
    open_json("sessions").create("x")
    for arguments in ([], ["--to-path", str(tmp_path / "sessions")], ["--dry-run"]):
        status, out, err = command(*arguments)
        assert (status, out) == (2, "")
        assert err.startswith("agno-shell: Source and target are the same: the json storage at ")
