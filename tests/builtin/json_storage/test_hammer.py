"""Eight shells on one session, beside one that replaces its file and one that reads."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from agno_shell.builtin.json_storage.store import open_storage
from agno_shell.contracts import StorageOptions

WRITERS = "abcdefgh"
PAUSE = 0.02
"""Seconds between two replacements."""
SCRIPT = Path(__file__).with_name("hammer_shells.py")


def start(*arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), *map(str, arguments)],
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


@pytest.mark.parametrize(
    ("on", "each"), [("memory", 2000), pytest.param("disk", 2000, marks=pytest.mark.slow)]
)
@pytest.mark.usefixtures("faults")
def test_eight_shells_a_replacer_and_a_reader(
    on: str, each: int, tmp_path: Path, scratch: Path
) -> None:
    folder = scratch if on == "memory" else tmp_path
    root = folder / "sessions"
    session_id = open_storage(StorageOptions(str(root))).create("hammered").session_id
    writers = [start("writer", root, session_id, name, each) for name in WRITERS]
    others = [start("replacer", root, session_id, PAUSE), start("reader", root, session_id)]
    go([*writers, *others])
    saved = [json.loads(writer.communicate()[0]) for writer in writers]
    (folder / "stop").touch()
    done = [json.loads(other.communicate()[0])[0] for other in others]
    assert [process.returncode for process in (*writers, *others)] == [0] * 10
    assert min(done) > 3, "both were at work all the time"

    store = open_storage(StorageOptions(str(root)))
    found = [message.id for message in store.tree(session_id)]
    assert len(found) == len(set(found)) == len(WRITERS) * each, "none lost, none doubled"
    for told in saved:
        assert [count for _, count in told] == sorted(count for _, count in told), "in their order"
        assert [found[count - 1] for _, count in told] == [ident for ident, _ in told]
    assert store.open(session_id).message_count == len(found)
    written = json.loads((root / session_id / "messages.json").read_bytes())
    assert [message["id"] for message in written] == found
    (line,) = json.loads((root / "sessions.json").read_bytes())["sessions"]
    assert line["message_count"] == len(found)
