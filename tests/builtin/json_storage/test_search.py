"""What a search of the JSON store finds, whatever happened to its files."""

from __future__ import annotations

import errno
import json
import os
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agno_shell.builtin.json_storage import (
    disk,
    search,
    search_hits,
    search_reader,
    search_update,
)
from agno_shell.builtin.json_storage.store import open_storage
from agno_shell.contracts import StorageOptions
from agno_shell.errors import SessionNotFoundError, StorageError
from agno_shell.testing.memory_storage import MemoryStorage
from agno_shell.types import Message, new_id, now


@pytest.fixture
def open_store(open_with_cache: Any) -> Any:
    return open_with_cache


def say(store: Any, session_id: str, *texts: Any, role: Any = "user", at: Any = None) -> Any:
    """Appends one message after the other; returns the last."""
    said = store.messages(session_id, 1)
    message = said[0] if said else None
    for text in texts:
        message = Message(new_id(), role, text, at or now(), message.id if message else None)
        store.append(session_id, message)
    return message


def found(store: Any, query: Any, **limits: Any) -> Any:
    return sorted(hit.message.content for hit in store.search(query, **limits))


def messages_file(root: Any, session_id: str) -> Path:
    return root / session_id / "messages.json"


def test_a_hit_is_the_message_as_the_store_gives_it(store: Any) -> None:
    session_id = store.create("Cups", "what we drink from").session_id
    say(store, session_id, "hello")
    said = say(store, session_id, "The blue cups\nare gone", role="assistant")
    (hit,) = store.search("cups")
    assert hit.session == store.open(session_id)
    assert hit.message == said == store.tree(session_id)[1]
    assert hit.snippet == (("The blue ", False), ("cups", True), (" are gone", False))


def test_a_role_a_session_and_a_time(store: Any) -> None:
    one, two = store.create("one").session_id, store.create("two").session_id
    old = now() - timedelta(days=3)
    say(store, one, "old cup", at=old)
    for number in range(30):
        say(store, one, f"cup {number} in the old days", at=old)
    say(store, one, "new cup", role="assistant")
    say(store, two, "tool cup", role="tool")
    assert found(store, "cup", session_id=two) == ["tool cup"]
    assert found(store, "cup", role="assistant") == ["new cup"]
    yesterday = now() - timedelta(days=1)
    assert found(store, "cup", since=yesterday) == ["new cup", "tool cup"]
    assert found(store, "cup", since=yesterday, limit=1)
    assert len(found(store, "cup", limit=7)) == 7
    assert len(found(store, "cup", limit=100)) == 33
    assert found(store, "cup", limit=0) == []
    with pytest.raises(SessionNotFoundError):
        store.search("cup", session_id=new_id())
    with pytest.raises(SessionNotFoundError):
        store.search("", session_id="../etc")


def test_every_branch_is_searched(store: Any) -> None:
    session_id = store.create("tree").session_id
    first = say(store, session_id, "which cup?")
    say(store, session_id, "the blue cup")
    store.update(session_id, head=first.id)
    say(store, session_id, "the red cup")
    assert found(store, "cup") == ["the blue cup", "the red cup", "which cup?"]


def test_a_deleted_session_is_not_found_until_it_is_restored(
    open_store: Callable[..., Any],
) -> None:
    store = open_store()
    session_id = store.create("gone").session_id
    say(store, session_id, "needle")
    assert found(store, "needle") == ["needle"]
    trashed = store.delete(session_id)
    assert found(store, "needle") == []
    assert found(open_store(), "needle") == []
    store.restore(trashed.trash_id)
    assert found(store, "needle") == ["needle"]
    store.purge(store.delete(session_id).trash_id)
    assert found(store, "needle") == []


def test_what_another_shell_says_is_found_at_once(open_store: Callable[..., Any]) -> None:
    one, two = open_store(), open_store()
    session_id = one.create("shared").session_id
    for number in range(5):
        say(one, session_id, f"needle {number}")
        assert len(found(two, "needle")) == number + 1
    assert len(found(one, "needle")) == 5


# Reading only what is new ----------------------------------------------------------------


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The bytes that the reader of messages was given, as long as it is asked for."""
    lengths = []
    real = search_reader._batch

    def batch(block: Any, *args: Any, **kwargs: Any) -> Any:
        lengths.append(len(block))
        return real(block, *args, **kwargs)

    monkeypatch.setattr(search_reader, "_batch", batch)
    return lengths


def test_of_a_session_that_grew_only_the_rest_is_read(
    open_store: Callable[..., Any], reads: Any
) -> None:
    store = open_store()
    session_id = store.create("long").session_id
    say(store, session_id, *(f"word{number} hay" for number in range(50)))
    found(store, "hay")
    reads.clear()
    say(store, session_id, "needle")
    assert found(store, "needle") == ["needle"]
    assert len(reads) == 1
    assert reads[0] < 400
    say(store, session_id, "another needle")
    assert len(found(open_store(), "needle")) == 2
    assert len(reads) == 2
    assert len(found(store, "hay", limit=99)) == 50


def test_nothing_is_read_again_by_the_next_shell(
    open_store: Callable[..., Any], reads: Any
) -> None:
    store = open_store()
    session_id = store.create("kept").session_id
    say(store, session_id, "needle")
    found(store, "needle")
    store.close()
    reads.clear()
    assert found(open_store(), "needle") == ["needle"]
    assert reads == []


def test_a_restored_session_is_not_read_again(open_store: Callable[..., Any], reads: Any) -> None:
    store = open_store()
    session_id = store.create("back").session_id
    say(store, session_id, "needle")
    found(store, "needle")
    trashed = store.delete(session_id)
    found(store, "needle")
    reads.clear()
    store.restore(trashed.trash_id)
    assert found(store, "needle") == ["needle"]
    assert reads == []


def test_files_are_not_looked_at_twice_in_a_moment(
    open_store: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store()
    session_id = store.create("calm").session_id
    say(store, session_id, "needle")
    monkeypatch.setattr(search_update, "_TICK_NS", 0)
    found(store, "needle")
    found(store, "needle")
    looks = []
    real = search_update.looks
    monkeypatch.setattr(search_update, "looks", lambda *args: looks.append(1) or real(*args))
    assert found(store, "needle") == ["needle"]
    assert looks == []
    later = time.monotonic() + 60
    monkeypatch.setattr(search_update.time, "monotonic", lambda: later)
    assert found(store, "needle") == ["needle"]
    assert looks == [1]


def test_a_change_that_the_clock_is_too_coarse_for(
    open_store: Callable[..., Any], root: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_update, "_TICK_NS", 10**18)
    store, other = open_store(), open_store()
    session_id = store.create("quick").session_id
    say(store, session_id, "needle one")
    before = [(path, path.stat().st_mtime_ns) for path in (root / "sessions.json", root)]
    assert found(store, "needle") == ["needle one"]
    say(other, session_id, "needle two")
    for path, changed_at in before:
        os.utime(path, ns=(changed_at, changed_at))
    assert found(store, "needle") == ["needle one", "needle two"]


def test_an_index_that_another_shell_has_emptied_in_this_moment(
    open_store: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_update, "_TICK_NS", 0)
    store, other = open_store(), open_store()
    say(store, store.create("both").session_id, "needle")
    for each in (store, store, other):
        found(each, "needle")
    index = other._opened_search._index
    index.write(index.empty, lambda: None)
    assert found(store, "needle") == ["needle"]


# Preparing -------------------------------------------------------------------------------


def test_preparing_leaves_nothing_to_the_search(open_store: Callable[..., Any], reads: Any) -> None:
    for number in range(3):
        say(open_store(), open_store().create("s").session_id, f"needle {number}")
    store = open_store()
    steps = list(store.prepare_search())
    assert steps[0] == (0, 3)
    assert steps[-1] == (3, 3)
    assert len(reads) == 3
    reads.clear()
    assert found(store, "needle") == ["needle 0", "needle 1", "needle 2"]
    assert reads == []
    assert list(open_store().prepare_search()) == []


@pytest.fixture
def one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step of preparing reads one session."""
    times = iter(range(10_000_000))
    monkeypatch.setattr(search_update.time, "monotonic", lambda: float(next(times)))
    monkeypatch.setattr(search, "_STEP", 0.5)


@pytest.mark.usefixtures("one_by_one")
def test_preparing_that_is_stopped_loses_nothing(
    open_store: Callable[..., Any], reads: Any
) -> None:
    talk = open_store()
    for number in range(4):
        say(talk, talk.create("s").session_id, f"needle {number}")
    store = open_store()
    steps = store.prepare_search()
    assert [next(steps) for _ in range(3)] == [(0, 4), (1, 4), (2, 4)]
    steps.close()
    # The same handle sees what is missing, at once; another one reads no more than that.
    assert next(store.prepare_search()) == (0, 2)
    assert len(reads) == 2
    assert len(found(store, "needle")) == 4
    assert len(reads) == 4


@pytest.mark.usefixtures("one_by_one")
def test_two_shells_that_prepare_do_nothing_twice(
    open_store: Callable[..., Any], reads: Any
) -> None:
    talk = open_store()
    for number in range(9):
        say(talk, talk.create("s").session_id, f"needle {number}")
    one, two = (open_store().prepare_search() for _ in range(2))
    seen = [next(each, None) for _ in range(20) for each in (one, two)]
    assert (9, 9) in seen
    assert len(reads) == 9
    assert len(found(open_store(), "needle")) == 9


@pytest.mark.usefixtures("one_by_one")
def test_a_search_does_not_wait_for_what_prepares(
    open_store: Callable[..., Any], reads: Any
) -> None:
    store = open_store()
    for number in range(4):
        say(store, store.create("s").session_id, f"needle {number}")
    steps = store.prepare_search()
    next(steps), next(steps)
    assert len(found(store, "needle")) == 4
    assert list(steps)[-1] == (4, 4)
    assert len(reads) == 4


def test_preparing_ends_when_the_store_is_closed(open_store: Callable[..., Any]) -> None:
    store = open_store()
    say(store, store.create("s").session_id, "needle")
    steps = store.prepare_search()
    next(steps)
    store.close()
    with pytest.raises(StorageError, match="closed"):
        next(steps)


def test_a_file_of_the_old_layout_is_read_without_waiting(
    open_store: Callable[..., Any], root: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store()
    for number in range(20):
        said = [{**each, "timestamp": "2026-01-01T12:00:00"} for each in HAND_WRITTEN]
        path = messages_file(root, store.create(f"old {number}").session_id)
        path.write_text(json.dumps(said, indent=2))
    waited: list[Any] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    assert len(found(store, "needle", limit=99)) == 40
    assert waited == []
    # What was tried in vain leaves nothing dead, through which each later file would look.
    assert not store._search._updater.some_dead


# Files of any kind -----------------------------------------------------------------------

HAND_WRITTEN = [{"role": "user", "content": "first needle"}, {"content": "second needle"}]


@pytest.mark.parametrize(
    "data",
    [
        json.dumps(HAND_WRITTEN, indent=2),
        json.dumps(HAND_WRITTEN),
        "\ufeff" + json.dumps(HAND_WRITTEN, indent=1).replace("\n", "\r\n"),
        "\n".join(json.dumps(each) for each in HAND_WRITTEN),
        "[\n" + "\n,".join(json.dumps(each) for each in HAND_WRITTEN) + "\n]\n",
        "[\n" + "\n,".join(json.dumps(each) for each in [*HAND_WRITTEN, {"content": "cut"}])[:-9],
        json.dumps([*HAND_WRITTEN, {"role": ["odd"], "content": None}, 5]),
        "[\n" + "\n,".join(json.dumps({"id": "same", **each}) for each in HAND_WRITTEN) + "\n]\n",
    ],
)
def test_a_file_in_another_layout_is_searched_as_the_store_reads_it(
    store: Any, root: Any, data: Any
) -> None:
    session_id = store.create("by hand").session_id
    messages_file(root, session_id).write_bytes(data.encode())
    hits = store.search("needle", limit=9)
    said = [each for each in store.tree(session_id) if "needle" in each.content]
    assert len(said) == 2
    assert sorted([hit.message for hit in hits], key=said.index) == said
    say(store, session_id, "third needle")
    assert len(found(store, "needle")) == 3
    assert len(found(store, "first")) == 1


def test_content_of_another_kind_is_searched(store: Any, root: Any) -> None:
    session_id = store.create("parts").session_id
    say(store, session_id, "plain needle")
    raw = json.loads(messages_file(root, session_id).read_bytes())
    raw.append({**raw[0], "id": new_id(), "content": [{"type": "text", "text": "typed needle"}]})
    raw.append({**raw[0], "id": new_id(), "role": "oracle", "content": "odd needle"})
    lines = "\n,".join(json.dumps(each) for each in raw)
    messages_file(root, session_id).write_text(f"[\n{lines}\n]\n")
    assert found(store, "needle") == ["odd needle", "plain needle", "typed needle"]
    assert found(store, "needle", role="user") == ["odd needle", "plain needle", "typed needle"]


def rewrite(path: Any, before: Any, after: Any, how: Any) -> None:
    data = path.read_bytes().replace(before.encode(), after.encode())
    if how == "replaced":
        path.with_suffix(".new").write_bytes(data)
        os.replace(path.with_suffix(".new"), path)
    else:
        path.write_bytes(data)
    os.utime(path, ns=(1, 1))


@pytest.mark.parametrize("how", ["replaced", "in place"])
@pytest.mark.parametrize("after", ["thread", "a longer thread", "x"])
def test_a_message_that_was_edited_by_hand(
    open_store: Callable[..., Any], root: Any, monkeypatch: pytest.MonkeyPatch, how: Any, after: Any
) -> None:
    monkeypatch.setattr(search_update, "_MOMENT", 0.0)
    store = open_store()
    session_id = store.create("edited").session_id
    say(store, session_id, "first", "the needle", "last")
    assert found(store, "needle") == ["the needle"]
    rewrite(messages_file(root, session_id), "needle", after, how)
    for each in (store, open_store()):
        # What is new first: a hit that is not there any more would show the change, too.
        assert found(each, after) == [f"the {after}"]
        assert found(each, "needle") == []
        assert found(each, "last") == ["last"]


def test_a_file_that_was_written_over_and_grew(open_store: Callable[..., Any], root: Any) -> None:
    store = open_store()
    session_id = store.create("over").session_id
    first = say(store, session_id, "the needle")
    last = say(store, session_id, "last")
    assert found(store, "last") == ["last"]
    path = messages_file(root, session_id)
    data = path.read_bytes().replace(b"needle", b"thread")
    data = data.replace(f'"parent":"{first.id}"'.encode(), b'"parent":null' + b" " * 34)
    path.write_bytes(data)
    say(store, session_id, "more")
    assert found(store, "thread") == ["the thread"]
    assert found(store, "more") == ["more"]
    assert store.search("last")[0].message == last._replace(parent=None)


def test_an_edit_that_nothing_shows_is_noticed_when_it_is_met(
    open_store: Callable[..., Any], root: Any
) -> None:
    store = open_store()
    session_id = store.create("sly").session_id
    say(store, session_id, "the needle")
    assert found(store, "needle") == ["the needle"]
    path = messages_file(root, session_id)
    status = path.stat()
    path.write_bytes(path.read_bytes().replace(b"needle", b"thread"))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert found(store, "needle") == []
    assert found(store, "thread") == ["the thread"]


def test_a_file_that_cannot_be_read_costs_only_itself(
    open_store: Callable[..., Any], root: Any, notices: list[str]
) -> None:
    store = open_store()
    good, bad, odd = (store.create(name).session_id for name in ("good", "bad", "odd"))
    say(store, good, "needle")
    messages_file(root, bad).unlink()
    messages_file(root, bad).mkdir()
    messages_file(root, odd).unlink()
    os.mkfifo(messages_file(root, odd))
    assert found(store, "needle") == ["needle"]
    assert len(notices) == 2
    for session_id in (bad, odd):
        assert sum(f"{session_id} was not searched" in line for line in notices) == 1
    assert found(store, "needle") == ["needle"]
    messages_file(root, odd).unlink()
    messages_file(root, odd).write_text('[{"content": "odd needle"}]')
    os.utime(root)
    assert found(store, "needle") == ["needle", "odd needle"]


def test_a_link_leads_nowhere(open_store: Callable[..., Any], root: Any, tmp_path: Path) -> None:
    store = open_store()
    session_id = store.create("planted").session_id
    say(store, session_id, "secret")
    os.rename(root / session_id, tmp_path / "elsewhere")
    os.symlink(tmp_path / "elsewhere", root / session_id)
    assert found(store, "secret") == []


def test_a_word_in_more_sessions_than_files_may_be_open(
    open_store: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_hits, "_MOST_OPEN", 3)
    opened, peak = set(), 0
    real_open, real_close = disk.open_to_read, disk.close

    def open_to_read(path: Any) -> Any:
        nonlocal peak
        fd = real_open(path)
        if path.endswith("messages.json"):
            opened.add(fd)
            peak = max(peak, len(opened))
        return fd

    def close(fd: Any) -> None:
        opened.discard(fd)
        real_close(fd)

    monkeypatch.setattr(disk, "open_to_read", open_to_read)
    monkeypatch.setattr(disk, "close", close)
    store = open_store()
    for number in range(8):
        say(store, store.create(str(number)).session_id, "needle")
    assert len(store.search("needle")) == 8
    assert peak == 3
    assert not opened


def test_no_descriptor_left_is_told_and_hides_nothing(
    open_store: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store()
    say(store, store.create("few").session_id, "needle")
    assert found(store, "needle") == ["needle"]
    real = disk.open_to_read

    def open_to_read(path: Any) -> Any:
        if path.endswith("messages.json"):
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE), path)
        return real(path)

    with monkeypatch.context() as patched:
        patched.setattr(disk, "open_to_read", open_to_read)
        with pytest.raises(StorageError, match="Too many open files"):
            store.search("needle")
    assert found(store, "needle") == ["needle"]


def test_a_limit_without_end(open_store: Callable[..., Any]) -> None:
    store = open_store()
    say(store, store.create("all").session_id, "needle")
    assert len(store.search("needle", limit=10**30)) == 1


def test_a_line_of_megabytes(open_store: Callable[..., Any]) -> None:
    store = open_store()
    session_id = store.create("long").session_id
    text = "hay " * 500_000 + "needle"
    say(store, session_id, "short needle", text, "other needle")
    assert found(store, "needle") == sorted([text, "other needle", "short needle"])
    (hit,) = store.search('"hay needle"')
    assert sum(len(piece) for piece, _marked in hit.snippet) < 200


def test_an_empty_session_and_an_empty_store(open_store: Callable[..., Any]) -> None:
    store = open_store()
    assert found(store, "needle") == []
    session_id = store.create("empty").session_id
    assert found(store, "needle") == []
    say(store, session_id, "", "needle", "")
    assert found(store, "needle") == ["needle"]


# Against a storage without an index -----------------------------------------------------

WORDS = st.sampled_from(["cup", "cups", "blue", "Blau", "ß", "你好", "好", "x-y", ""])
TEXTS = st.lists(WORDS, max_size=5).map(" ".join)
STEPS = st.lists(
    st.tuples(st.just("say"), st.integers(0, 3), TEXTS)
    | st.tuples(st.sampled_from(["delete", "restore", "edit", "reopen"]), st.integers(0, 3))
    | st.tuples(st.just("search"), TEXTS | st.sampled_from(['"blue cup', "cu*", "AND", "y*"])),
    max_size=25,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_it_finds_what_a_storage_without_an_index_finds(
    tmp_path_factory: pytest.TempPathFactory, steps: Any
) -> None:
    folder = tmp_path_factory.mktemp("store")
    options = StorageOptions(str(folder / "s"), cache_path=str(folder / "cache"))
    model, store = MemoryStorage(), open_storage(options)
    for name in "abcd":
        model.create(name)
    for session in model.sessions():
        store.import_session(session, [])
    ids = sorted(session.session_id for session in model.sessions())
    for step, *rest in [*steps, ("search", "cup"), ("search", "好")]:
        if step == "search":
            hits, expected = (each.search(rest[0], limit=99) for each in (store, model))
            assert {hit.message.id: hit.snippet for hit in hits} == {
                hit.message.id: hit.snippet for hit in expected
            }
            continue
        session_id = ids[rest[0]]
        trash = [each for each in model.trash() if each.session.session_id == session_id]
        if step == "reopen":
            store.close()
            store = open_storage(options)
        elif step == "restore" and trash:
            (mine,) = [each for each in store.trash() if each.session.session_id == session_id]
            store.restore(mine.trash_id)
            model.restore(trash[0].trash_id)
        elif trash:
            continue
        elif step == "say":
            message = Message(new_id(), "user", rest[1], now())
            store.append(session_id, message)
            model.append(session_id, message)
        elif step == "delete":
            store.delete(session_id)
            model.delete(session_id)
        elif step == "edit":
            # Another program lays the file out anew.
            path = folder / "s" / session_id / "messages.json"
            disk.replace(str(path), json.dumps(json.loads(path.read_bytes()), indent=1).encode())
            store._opened_search and store._opened_search._watch.forget()
    store.close()


# Closing ---------------------------------------------------------------------------------


def test_a_search_ends_soon_when_the_store_is_closed(
    open_store: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store()
    for name in ("one", "two", "three"):
        say(store, store.create(name).session_id, "needle")
    reading, go_on = threading.Event(), threading.Event()
    real = search_reader._batch

    def batch(block: Any, *args: Any, **kwargs: Any) -> Any:
        reading.set()
        assert go_on.wait(10)
        return real(block, *args, **kwargs)

    monkeypatch.setattr(search_reader, "_batch", batch)
    errors = []

    def search() -> None:
        try:
            store.search("needle")
        except StorageError as error:
            errors.append(str(error))

    searching = threading.Thread(target=search)
    searching.start()
    assert reading.wait(10)
    closing = threading.Thread(target=store.close)
    closing.start()
    go_on.set()
    for each in (searching, closing):
        each.join(10)
        assert not each.is_alive()
    assert errors == ["The search was stopped: the storage is being closed."]
    with pytest.raises(StorageError, match="stopped"):
        store.search("needle")
    monkeypatch.undo()
    assert len(found(open_store(), "needle")) == 3
