"""Several processes on one store, and processes that are killed."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agno_shell.builtin.json_storage import folder, locks
from agno_shell.builtin.json_storage.index import Index
from agno_shell.contracts import Storage
from agno_shell.errors import StorageError
from agno_shell.testing.storage_contract import message, say

WRITER = """
import sys
from agno_shell.builtin.json_storage.store import open_storage
from agno_shell.contracts import StorageOptions
from agno_shell.types import Message, new_id, now

root, session_id, name, number = sys.argv[1:5]
store = open_storage(StorageOptions(root, notice=lambda line: print("notice", line, flush=True)))
print("ready", flush=True)
sys.stdin.readline()
said = store.messages(session_id, last=1)
parent = said[-1].id if said else None
for each in range(int(number)):
    message = Message(new_id(), "user", f"{name} {each} " + "x" * (each * 37 % 4000), now(), parent)
    store.append(session_id, message)
    parent = message.id
    print("saved", message.id, flush=True)
"""

STREAMER = """
import sys
from agno_shell.builtin.json_storage.store import open_storage
from agno_shell.contracts import StorageOptions
from agno_shell.types import Message, new_id, now

root, session_id, parent = sys.argv[1:4]
store = open_storage(StorageOptions(root))
reply = Message(new_id(), "assistant", "", now(), parent)
while True:
    reply = reply._replace(content=reply.content + "word ")
    store.save_partial(session_id, reply)
    print(len(reply.content), flush=True)
"""


def start(code: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def go(processes: list[subprocess.Popen[str]]) -> None:
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()


def kill(process: subprocess.Popen[str]) -> str:
    """End a process at once; what it had printed and nobody had read yet."""
    process.send_signal(signal.SIGKILL)
    assert process.stdout is not None
    assert process.stdin is not None
    # communicate() would lose what readline() has read ahead.
    rest = process.stdout.read()
    process.stdout.close()
    process.stdin.close()
    process.wait()
    return rest


def saved(output: str) -> list[str]:
    """The ids that a writer was told are saved; a last line may be cut."""
    lines = [line.split() for line in output.split("\n")[:-1]]
    return [words[1] for words in lines if words[0] == "saved"]


def test_four_shells_append_to_one_session(root: Path, open_store: Callable[[], Storage]) -> None:
    store = open_store()
    session_id = store.create("shared").session_id
    writers = [start(WRITER, root, session_id, name, 50) for name in "abcd"]
    go(writers)
    seen: list[str] = []
    while any(writer.poll() is None for writer in writers):
        now_seen = [each.id for each in store.tree(session_id)]
        assert now_seen[: len(seen)] == seen, "a reader without a lock sees nothing reordered"
        seen = now_seen
        store.sessions()
    told = {name: writer.communicate()[0] for name, writer in zip("abcd", writers, strict=True)}
    assert [writer.returncode for writer in writers] == [0] * 4
    assert "notice" not in "".join(told.values())

    messages = store.tree(session_id)
    assert len({each.id for each in messages}) == len(messages) == 200
    for name, output in told.items():
        own = [each.id for each in messages if each.content.startswith(name)]
        assert own == saved(output), "everything told saved is there, in its order"
    assert open_store().open(session_id).message_count == 200
    (line,) = json.loads((root / "sessions.json").read_bytes())["sessions"]
    assert line["message_count"] == 200
    assert len(json.loads((root / session_id / "messages.json").read_bytes())) == 200


def test_two_shells_make_sessions(root: Path, open_store: Callable[[], Storage]) -> None:
    code = WRITER.partition("said =")[0] + (
        "for each in range(int(number)):\n"
        "    print('saved', store.create(f'{name} {each}').session_id, flush=True)\n"
    )
    makers = [start(code, root, "-", name, 25) for name in "ab"]
    go(makers)
    made = [ident for maker in makers for ident in saved(maker.communicate()[0])]
    assert len(made) == 50
    listed = json.loads((root / "sessions.json").read_bytes())["sessions"]
    assert {each["session_id"] for each in listed} == set(made)
    assert {each.session_id for each in open_store().sessions()} == set(made)


@pytest.mark.parametrize("seed", range(6))
def test_a_killed_shell_loses_nothing_it_had_saved(
    seed: int, root: Path, open_store: Callable[[], Storage]
) -> None:
    store = open_store()
    session_id = store.create("killed").session_id
    writer = start(WRITER, root, session_id, "x", 100_000)
    go([writer])
    assert writer.stdout is not None
    output = "".join(writer.stdout.readline() for _ in range(random.Random(seed).randrange(1, 60)))
    told = saved(output + kill(writer))

    found = [each.id for each in store.tree(session_id)]
    assert found[: len(told)] == told
    assert len(found) <= len(told) + 1, "at most the one in flight"
    assert [each.id for each in store.messages(session_id)] == found
    (after,) = say(store, session_id, "nobody is blocked")
    assert [each.id for each in open_store().tree(session_id)] == [*found, after.id]
    assert open_store().sessions()[0].message_count == len(found) + 1
    assert len(json.loads((root / session_id / "messages.json").read_bytes())) == len(found) + 1


def test_a_reply_cut_off_by_a_kill_is_kept(root: Path, open_store: Callable[[], Storage]) -> None:
    store = open_store()
    session_id = store.create("streaming").session_id
    (question,) = say(store, session_id, "?")
    streamer = start(STREAMER, root, session_id, question.id)
    assert streamer.stdout is not None
    shown = [streamer.stdout.readline() for _ in range(30)]
    store.open(session_id)
    assert store.messages(session_id) == [question], "a living shell's reply is its own"
    shown += kill(streamer).split("\n")[:-1]
    assert store.open(session_id).message_count == 2
    (_, kept) = store.messages(session_id)
    assert (kept.status, kept.parent) == ("interrupted", question.id)
    assert len(kept.content) >= int(shown[-1])
    assert kept.content == "word " * (len(kept.content) // 5)


def test_a_stopped_shell_is_named_and_blocks_nobody_for_long(
    root: Path, open_store: Callable[[], Storage], monkeypatch: pytest.MonkeyPatch
) -> None:
    holder = (
        "import sys\n"
        "from agno_shell.builtin.json_storage.locks import Locks\n"
        "with Locks(sys.argv[1]).session(sys.argv[2]):\n"
        "    print('ready', flush=True)\n"
        "    sys.stdin.readline()\n"
    )
    store = open_store()
    session_id = store.create("stopped").session_id
    stopped = start(holder, root, session_id)
    assert stopped.stdout is not None
    stopped.stdout.readline()
    monkeypatch.setattr(locks, "PATIENCE", 0.05)
    with pytest.raises(StorageError, match=session_id):
        store.append(session_id, message("x"))
    assert store.messages(session_id) == []
    kill(stopped)
    assert store.append(session_id, message("x")).message_count == 1


def test_the_trash_is_listed_while_another_shell_restores(
    root: Path, session_id: str, open_store: Callable[[], Storage], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = open_store(), open_store()
    stays = one.delete(one.create("stays").session_id)
    goes = one.delete(session_id)
    survey = folder.survey

    def restore_then_survey(path: str, ident: str, known: Any) -> object:
        if ident == session_id and path.endswith(goes.trash_id):
            monkeypatch.setattr(folder, "survey", survey)
            two.restore(goes.trash_id)
        return survey(path, ident, known)

    monkeypatch.setattr(folder, "survey", restore_then_survey)
    assert [each.trash_id for each in one.trash()] == [stays.trash_id]


def test_a_list_that_is_written_to_while_it_is_read_is_read_again(
    open_store: Callable[[], Storage], notices: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store()
    session_id = store.create("listed").session_id
    real, torn = Index._bytes, [b"torn"]
    monkeypatch.setattr(Index, "_bytes", lambda self: torn.pop() if torn else real(self))
    assert [each.session_id for each in store.sessions()] == [session_id]
    assert torn == []
    store.set_current(session_id)
    assert store.current() == session_id
    assert notices == [], "nothing was laid out anew"
