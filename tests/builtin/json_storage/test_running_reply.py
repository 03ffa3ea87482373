from __future__ import annotations

import errno
import os
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from agno_shell.builtin.json_storage import running_reply
from agno_shell.builtin.json_storage.locks import Locks
from agno_shell.builtin.json_storage.running_reply import RunningReply
from agno_shell.contracts import Storage
from agno_shell.errors import SessionNotFoundError, StorageError
from agno_shell.testing.storage_contract import message, say
from agno_shell.types import Growth, Message, Usage, grown, new_id


@pytest.fixture
def reply(tmp_path: Path) -> RunningReply:
    return RunningReply(Locks(str(tmp_path)), str(tmp_path), new_id())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "reply-0.jsonl"


def grow(start: Message, *texts: str) -> list[Message]:
    return [start._replace(content=text) for text in texts]


def test_only_what_is_added_is_written(reply: RunningReply, path: Path) -> None:
    start = message("", role="assistant")
    reply.save(start)
    sizes = []
    text = ""
    for _ in range(50):
        text += "ten letter"
        reply.save(start._replace(content=text))
        sizes.append(path.stat().st_size)
    assert {after - before for before, after in pairwise(sizes)} == {13}
    assert running_reply.read(str(path)) == start._replace(content=text)


def test_any_change_is_kept(reply: RunningReply, path: Path) -> None:
    start = message("a", role="assistant")
    steps = grow(start, "a\ud83d", "a🙂", "other", "other\n\0é")
    steps.append(steps[-1]._replace(usage=Usage(1, 2)))
    for step in [start, *steps]:
        reply.save(step)
        assert running_reply.read(str(path)) == step


def test_a_file_torn_at_any_byte_is_a_prefix(reply: RunningReply, path: Path) -> None:
    start = message("", role="assistant")
    texts = ["", "one", "one two", "one two é\n"]
    for step in grow(start, *texts):
        reply.save(step)
    data = path.read_bytes()
    for cut in range(len(data)):
        path.write_bytes(data[:cut] + b"\0" * (len(data) - cut))
        found = running_reply.read(str(path))
        assert found is None or found.content in texts


def test_what_is_added_is_a_line_of_its_own(reply: RunningReply, path: Path) -> None:
    start = message("", role="assistant")
    reply.save(start)
    growths = [
        Growth(start.id, "", "hm é", "some"),
        Growth(start.id, "one\n", ", so", "other"),
        Growth(start.id, " two\ud800"),
    ]
    for number, growth in enumerate(growths, 1):
        size = path.stat().st_size
        reply.extend(growth)
        assert path.stat().st_size - size < 40
        assert running_reply.read(str(path)) == grown(start, growths[:number])
    size = path.stat().st_size
    reply.save(grown(start, growths))
    assert path.stat().st_size == size


def test_adding_syncs_nothing_and_the_next_save_does(
    reply: RunningReply, faults: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = 100.0
    monkeypatch.setattr(running_reply.time, "monotonic", lambda: clock)
    start = message("", role="assistant")
    reply.save(start)
    for moment in (100.5, 101.5, 102.5):
        clock = moment
        reply.extend(Growth(start.id, "word "))
    assert "fdatasync" not in faults.calls
    reply.save(start._replace(content="word word word "))
    assert faults.calls.count("fdatasync") == 1


def test_a_reply_whose_file_was_removed_is_kept_anew(reply: RunningReply, path: Path) -> None:
    start = message("half", role="assistant")
    reply.save(start)
    path.unlink()
    with pytest.raises(StorageError):
        reply.extend(Growth(start.id, " a word"))
    reply.save(whole := start._replace(content="half a word"))
    assert running_reply.read(str(path)) == whole


def test_it_is_synced_once_a_second(
    reply: RunningReply, faults: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = 100.0
    monkeypatch.setattr(running_reply.time, "monotonic", lambda: clock)
    start = message("", role="assistant")
    for number in range(40):
        clock = 100 + number / 10
        reply.save(start._replace(content="x" * number))
    assert faults.calls.count("fdatasync") == 3


def test_after_a_failed_write_all_of_it_is_written_again(
    reply: RunningReply, path: Path, faults: Any
) -> None:
    first, second = grow(message("", role="assistant"), "one", "one two")
    reply.save(first)
    faults.fail(OSError(28, "full"), only="write")
    with pytest.raises(OSError):
        reply.save(second)
    assert running_reply.read(str(path)) == first
    faults.heal()
    reply.save(second)
    assert running_reply.read(str(path)) == second


def test_a_write_that_failed_half_way_leaves_what_was_kept(
    reply: RunningReply, path: Path, faults: Any
) -> None:
    first, second, third = grow(message("", role="assistant"), "one", "one two three", "one 2")
    reply.save(first)
    kept = path.read_bytes()
    faults.short_writes = True
    faults.fail(OSError(28, "full"), at=2, only="write")
    with pytest.raises(OSError):
        reply.save(second)
    assert path.read_bytes() == kept
    faults.heal()
    reply.save(third)
    assert running_reply.read(str(path)) == third


def test_a_disk_that_took_nothing_has_no_empty_reply(
    reply: RunningReply, path: Path, faults: Any
) -> None:
    faults.fail(OSError(errno.ENOSPC, "No space left on device"), only="write")
    with pytest.raises(OSError, match="No space"):
        reply.save(message("a", role="assistant"))
    reply.release()
    assert not path.exists()


def test_a_file_whose_sync_failed_is_replaced_and_never_lost(
    reply: RunningReply, path: Path, faults: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = 100.0
    monkeypatch.setattr(running_reply.time, "monotonic", lambda: clock)
    steps = grow(message("", role="assistant"), "one", "one two", "one two three", "one two 3")
    reply.save(steps[0])
    inode = path.stat().st_ino
    clock += 2
    faults.fail(OSError(5, "failing"), only="fdatasync")
    for step in steps[1:3]:
        with pytest.raises(OSError):
            reply.save(step)
        found = running_reply.read(str(path))
        assert found is not None
        assert found.content.startswith("one")
    faults.heal()
    for step in steps[2:]:
        reply.save(step)
        assert running_reply.read(str(path)) == step
    assert path.stat().st_ino != inode
    reply.remove()
    assert list(path.parent.glob("reply-*")) == []


def test_places_are_limited(tmp_path: Path) -> None:
    session_id = new_id()
    replies = [
        RunningReply(Locks(str(tmp_path)), str(tmp_path), session_id)
        for _ in range(running_reply.PLACES + 1)
    ]
    for each in replies[:-1]:
        each.save(message("x"))
    with pytest.raises(OSError, match="running"):
        replies[-1].save(message("x"))
    replies[3].remove()
    replies[-1].save(message("x"))
    for each in replies:
        each.remove()
    assert running_reply.leftovers(str(tmp_path)) == []


# In the store ----------------------------------------------------------------------------


def test_nothing_is_left_of_a_saved_reply(root: Path, store: Storage) -> None:
    session_id = store.create("clean").session_id
    (question,) = say(store, session_id, "?")
    answer = message("…", question, role="assistant")
    store.save_partial(session_id, answer)
    assert list((root / session_id).glob("reply-*"))
    store.append(session_id, answer)
    assert not list((root / session_id).glob("reply-*"))


def test_a_reply_saved_just_before_the_crash_is_not_doubled(
    root: Path, open_store: Callable[[], Storage]
) -> None:
    store = open_store()
    session_id = store.create("crash").session_id
    (question,) = say(store, session_id, "?")
    answer = message("done", question, role="assistant")
    store.save_partial(session_id, answer)
    open_store().append(session_id, answer)  # another handle: the sidecar stays
    store.close()
    again = open_store()
    again.open(session_id)
    assert again.messages(session_id) == [question, answer]
    assert not list((root / session_id).glob("reply-*"))


def test_a_leftover_goes_to_the_trash_as_a_message(open_store: Callable[[], Storage]) -> None:
    dying, store = open_store(), open_store()
    session_id = store.create("cut off").session_id
    (asked,) = say(store, session_id, "?")
    cut_off = message("half a re", asked, role="assistant")
    dying.save_partial(session_id, cut_off)
    dying.close()
    trashed = store.delete(session_id)
    said = [asked, cut_off._replace(status="interrupted")]
    assert trashed.session.message_count == 2
    assert store.trashed_messages(trashed.trash_id) == said
    store.restore(trashed.trash_id)
    assert store.tree(session_id) == said


def test_a_session_with_a_leftover_can_be_deleted_from_a_full_disk(
    open_store: Callable[[], Storage], faults: Any, notices: list[str]
) -> None:
    dying, store = open_store(), open_store()
    session_id = store.create("cut off").session_id
    (asked,) = say(store, session_id, "?")
    cut_off = message("half a re", asked, role="assistant")
    dying.save_partial(session_id, cut_off)
    dying.close()
    faults.fail(OSError(errno.ENOSPC, "No space left on device"), only="create write pwrite")
    trash_id = store.delete(session_id).trash_id
    faults.heal()
    assert "No space left" in notices[0]
    said = [asked, cut_off._replace(status="interrupted")]
    assert store.trashed_messages(trash_id) == said, "from where it was kept"
    store.restore(trash_id)
    store.open(session_id)
    assert store.tree(session_id) == said


def test_a_reply_in_work_of_a_deleted_session_is_seen_and_goes_on_when_it_is_restored(
    open_store: Callable[[], Storage],
) -> None:
    streaming, store = open_store(), open_store()
    session_id = store.create("deleted meanwhile").session_id
    (asked,) = say(store, session_id, "?")
    reply = message("the beginning", asked, role="assistant")
    streaming.save_partial(session_id, reply)
    trash_id = store.delete(session_id).trash_id
    seen = [asked, reply._replace(status="interrupted")]
    assert store.trashed_messages(trash_id) == seen
    with pytest.raises(SessionNotFoundError):
        streaming.save_partial(session_id, reply._replace(content="the beginning and"))
    store.restore(trash_id)
    store.open(session_id)
    finished = reply._replace(content="the beginning and the end")
    streaming.save_partial(session_id, finished)
    streaming.append(session_id, finished)
    assert store.tree(session_id) == [asked, finished]
    assert store.partials(session_id) == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs here")
@pytest.mark.parametrize("plant", [os.mkfifo, lambda path: os.symlink("/etc/hosts", path)])
def test_what_is_planted_before_a_leftover_hides_nothing(
    plant: Callable[[Path], None], root: Path, open_store: Callable[[], Storage]
) -> None:
    dying, store = open_store(), open_store()
    session_id = store.create("cut off").session_id
    (asked,) = say(store, session_id, "?")
    cut_off = message("half a re", asked, role="assistant")
    dying.save_partial(session_id, cut_off)
    dying.close()
    folder = root / session_id
    (folder / "reply-0.jsonl").rename(folder / "reply-1.jsonl")
    plant(folder / "reply-0.jsonl")
    assert store.partials(session_id) == [cut_off]
    store.open(session_id)
    said = [asked, cut_off._replace(status="interrupted")]
    assert store.tree(session_id) == said
    assert store.trashed_messages(store.delete(session_id).trash_id) == said


def test_a_reply_without_text_leaves_no_message(open_store: Callable[[], Storage]) -> None:
    store = open_store()
    session_id = store.create("nothing yet").session_id
    said = say(store, session_id, "?")
    store.save_partial(session_id, message("", said[0], role="assistant"))
    store.close()
    again = open_store()
    assert again.open(session_id).message_count == 1


def test_a_disk_that_cannot_be_written_still_opens(
    open_store: Callable[[], Storage], faults: Any, notices: list[str]
) -> None:
    store = open_store()
    session_id = store.create("read only").session_id
    said = say(store, session_id, "?")
    store.save_partial(session_id, message("half", said[0], role="assistant"))
    store.close()
    faults.fail(OSError(30, "Read-only file system"))
    again = open_store()
    assert again.open(session_id).message_count == 1
    assert again.messages(session_id) == said
    assert len(notices) == 1
    faults.heal()
    assert again.open(session_id).message_count == 2


def test_a_reply_that_cannot_be_kept_is_told(store: Storage, faults: Any) -> None:
    session_id = store.create("full").session_id
    faults.fail(OSError(28, "No space left on device"))
    with pytest.raises(StorageError, match="No space left"):
        store.save_partial(session_id, message("x"))
