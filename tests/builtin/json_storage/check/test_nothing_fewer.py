"""A repair leaves no name, description, count or word fewer than it found."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, given, settings, strategies

from agno_shell.builtin.json_storage import disk, message_reader
from agno_shell.builtin.json_storage.store import open_storage
from agno_shell.contracts import Storage, StorageOptions
from agno_shell.toolkit.findings import is_wrong
from tests.builtin.json_storage.check.sick_stores import SickStore

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TOKEN = re.compile(rb"w\d+w")


@pytest.fixture(autouse=True)
def at_no_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked here is what is written, not whether a power cut spares it."""
    monkeypatch.setattr(disk, "sync", lambda _fd: None)
    monkeypatch.setattr(disk, "sync_folder", lambda _path: None)
    monkeypatch.setattr(message_reader, "_SECOND_LOOK", 0)


# A reader of its own ----------------------------------------------------------------------


class Seen(NamedTuple):
    """What somebody finds in a store who takes whatever can be read."""

    names: set[tuple[str, str]]
    descriptions: set[tuple[str, str]]
    texts: Counter[tuple[str, str]]
    contents: set[bytes]


def read(root: Path) -> Seen:
    """By the description of the formats alone."""
    names: dict[str, str] = {}
    descriptions: dict[str, str] = {}
    texts: Counter[tuple[str, str]] = Counter()
    contents: set[bytes] = set()
    folders = [*root.iterdir(), *(root / "trash").glob("*")]
    for raw in listed(root / "sessions.json"):
        take(raw, str(raw["session_id"]), names, descriptions)
    for folder in folders:
        match = UUID.search(folder.name)
        if match is None or not folder.is_dir() or folder.is_symlink():
            continue
        session_id = match[0]
        record = value_in(folder / "session.json")
        if isinstance(record, dict):
            take(record, session_id, names, descriptions)
        found = value_in(folder / "messages.json")
        if isinstance(found, dict):
            found = found.get("messages")
        said = [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
        once = {json.dumps(each, sort_keys=True): each for each in said if "id" in each}
        for each in [*once.values(), *(each for each in said if "id" not in each)]:
            text = each.get("content")
            text = "" if text is None else text  # who says nothing says it with both
            texts[session_id, text if isinstance(text, str) else json.dumps(text)] += 1
        attached = (folder / "attachments").glob("*")
        contents |= {path.read_bytes() for path in attached if path.suffix != ".tmp"}
    return Seen(set(names.items()), set(descriptions.items()), texts, contents)


def listed(path: Path) -> Iterator[dict[str, Any]]:
    value = value_in(path)
    rows = value.get("sessions") if isinstance(value, dict) else None
    for each in rows if isinstance(rows, list) else ():
        if isinstance(each, dict) and UUID.fullmatch(str(each.get("session_id"))):
            yield each


def take(
    raw: dict[str, Any], session_id: str, names: dict[str, str], descriptions: dict[str, str]
) -> None:
    if isinstance(raw.get("name"), str) and raw["name"].strip():
        names[session_id] = raw["name"]
    if isinstance(raw.get("description"), str):
        descriptions[session_id] = raw["description"]


def value_in(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes().removeprefix(b"\xef\xbb\xbf"))
    except (OSError, ValueError):
        return None


def words(root: Path) -> set[bytes]:
    """Every word in any file, whatever it is called."""
    return {token for data in files(root).values() for token in TOKEN.findall(data)}


def files(root: Path) -> dict[Path, bytes]:
    return {
        path: path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and not path.is_symlink()
    }


def look(root: Path) -> dict[Path, tuple[int, int, int]]:
    """Inodes change with whatever is replaced."""
    found = {}
    for path in [root, *root.rglob("*")]:
        status = path.lstat()
        if ".locks" not in path.parts:
            found[path] = (status.st_ino, status.st_mode, status.st_mtime_ns)
    return found


# What the program itself shows ------------------------------------------------------------


def shown(root: Path) -> Counter[tuple[str, str]]:
    """Everything that a person can get to see, with what it is called; seen in a copy,
    because opening a session saves a reply that was cut off."""
    copied = root.with_name("copied")
    shutil.copytree(root, copied, symlinks=True)
    try:
        return shown_in(opened(copied), copied)
    finally:
        shutil.rmtree(copied)


def shown_in(kept: Storage, root: Path) -> Counter[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()
    for session in map(kept.open, [each.session_id for each in kept.sessions()]):
        found["session", session.session_id] += 1
        found["name", session.name] += not session.name.startswith("Session ")
        found["description", session.description] += 1
        found.update(("tag", tag) for tag in session.tags)
        said = kept.tree(session.session_id)
        found.update(("said", each.content) for each in said)
        # What a list says of a file that is there may be wrong.
        counted = (root / session.session_id / "messages.json").exists()
        found["count", session.session_id] = len(said) if counted else session.message_count
        found.update(("fact", each.text) for each in kept.memories(session.session_id))
    for trashed in kept.trash():
        found["name", trashed.session.name] += 1
        found["description", trashed.session.description] += 1
        found.update(("said", each.content) for each in kept.trashed_messages(trashed.trash_id))
        found.update(("fact", each.text) for each in kept.trashed_memories(trashed.trash_id))
    del found["description", ""]
    return found


def opened(root: Path) -> Storage:
    return open_storage(StorageOptions(str(root), {}, lambda _line: None, str(root) + ".cache"))


def repaired_leaves_nothing_fewer(random: Random, place: Path) -> None:
    root = place / "sessions"
    SickStore(root, random)
    before, all_words, at_first = read(root), words(root), look(root)
    seen = shown(root)
    list(opened(root).check())
    assert look(root) == at_first, "a look changes nothing"
    list(opened(root).check(repair=True))
    assert words(root) >= all_words
    after = read(root)
    assert after.names >= before.names
    assert after.descriptions >= before.descriptions
    assert after.contents >= before.contents
    assert before.texts - after.texts == Counter()
    assert seen - shown(root) == Counter()
    repaired = look(root)
    again = list(opened(root).check(repair=True))
    assert [each for each in again if each.healed] == []
    assert look(root) == repaired
    assert [each for each in opened(root).check() if is_wrong(each)] == [
        each for each in again if is_wrong(each)
    ]


def in_a_folder(check: Callable[[Random, Path], None], random: Random) -> None:
    place = Path(tempfile.mkdtemp())
    try:
        check(random, place)
    finally:
        shutil.rmtree(place)


@given(strategies.randoms(use_true_random=False))
@settings(
    database=None,
    # What a store made of other random numbers looks like is no smaller, and takes minutes.
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_a_repair_leaves_nothing_fewer(random: Random) -> None:
    in_a_folder(repaired_leaves_nothing_fewer, random)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
def test_a_repair_leaves_nothing_fewer_in_any_of_a_thousand_stores(part: int) -> None:
    for seed in range(part * 250, part * 250 + 250):
        try:
            in_a_folder(repaired_leaves_nothing_fewer, Random(seed))
        except AssertionError as error:
            raise AssertionError(f"store {seed}") from error


class Unlikely(Random):
    """What is rare comes often."""

    def random(self) -> float:
        value = super().random()
        if super().random() < 0.7:
            return value
        return 0.0 if value < 0.5 else 0.999


@pytest.mark.parametrize(
    "seed",
    [
        pytest.param(1000, id="a line without a folder, and a reply in another session"),
        pytest.param(1122, id="the only id in the list is damaged"),
        pytest.param(2804, id="a message whose content has lost its key"),
        pytest.param(279, id="a damaged list names a session twice that has no folder"),
    ],
)
def test_stores_in_which_a_repair_has_failed(seed: int) -> None:
    in_a_folder(repaired_leaves_nothing_fewer, Unlikely(seed))
