"""What a power cut can leave of a disk.

:class:`PowerCut` stands in for ``os`` in the disk room: every call is made, and written
down with what it means for the disk below the kernel's cache. What was synced stays;
of the rest any part may be there:

* of a write any byte prefix, and any choice of its sectors, each in the state after
  any of the writes since the last sync; the file may have grown or not, and what was
  not written holds zeros, letters or stale JSON;
* of the names in a folder, any first part of what was done there since its last sync;
* a sync that fails drops what it should have written, and a later one succeeds
  (fsync(2); "fsyncgate").

The pure part, :func:`states`, needs no disk at all.
"""

from __future__ import annotations

import copy
import itertools
import os
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

SECTORS = (512, 4096)
STALE = b',{"id":"stale","role":"user","content":"stale","created_at":"2020-01-01","parent":null}\n'

FILLINGS: dict[str, bytes] = {"zeros": b"\0", "letters": b"x", "stale JSON": STALE}
"""What is found where nothing was written."""


class Write(NamedTuple):
    offset: int
    data: bytes


class Truncation(NamedTuple):
    size: int


Change = Write | Truncation


class State(NamedTuple):
    """One thing that a file can be after a power cut."""

    data: bytes
    filling: str
    """Which of :data:`FILLINGS` may be in it."""


# Pure ------------------------------------------------------------------------------------


def applied(base: bytes, change: Change) -> bytes:
    if isinstance(change, Truncation):
        return base[: change.size].ljust(change.size, b"\0")
    end = change.offset + len(change.data)
    return base[: change.offset].ljust(change.offset, b"\0") + change.data + base[end:]


def versions(base: bytes, changes: Sequence[Change]) -> list[bytes]:
    """The file after none, one, ... and all of the changes."""
    return list(itertools.accumulate(changes, applied, initial=base))


def filled(length: int, filling: str, phase: int = 0) -> bytes:
    unit = FILLINGS[filling]
    start = phase % len(unit)
    return (unit * (length // len(unit) + 2))[start : start + length]


def states(
    base: bytes,
    changes: Sequence[Change],
    *,
    chance: random.Random,
    share: float = 1.0,
    most: int = 0,
) -> Iterator[State]:
    """Everything a file can be after a power cut, each once. With ``share``, that part of
    all byte prefixes; with ``most``, at most that many choices of sectors for each filling
    and sector size; both drawn by ``chance``."""
    seen: set[int] = set()
    for filling in FILLINGS:  # zeros first: a state with no filling in it counts as these
        for data in itertools.chain(
            _prefixes(base, changes, filling, chance, share),
            _sectors(base, changes, filling, chance, most),
        ):
            if hash(data) not in seen:
                seen.add(hash(data))
                yield State(data, filling)


def _prefixes(
    base: bytes, changes: Sequence[Change], filling: str, chance: random.Random, share: float
) -> Iterator[bytes]:
    """Every byte prefix of every change, with the file grown to its new size or not."""
    for before, change in zip(versions(base, changes), changes, strict=False):
        yield before
        if isinstance(change, Write):
            for length in range(1, len(change.data) + 1):
                if share < 1 and chance.random() >= share:
                    continue
                cut = applied(before, Write(change.offset, change.data[:length]))
                yield cut
                grown = change.offset + len(change.data) - len(cut)
                if grown > 0:
                    yield cut + filled(grown, filling, len(cut))
    yield versions(base, changes)[-1]


def _sectors(
    base: bytes, changes: Sequence[Change], filling: str, chance: random.Random, most: int
) -> Iterator[bytes]:
    """Every choice of a version for each sector, and of a size for the file."""
    images = versions(base, changes)
    sizes = sorted({len(image) for image in images})
    for sector in SECTORS:
        begin, end = _dirty(images, changes, sector)
        places = range(begin, end, sector)
        choices = len(images) ** len(places)
        picked: Iterator[Sequence[bytes]]
        if most and choices > most:
            picked = ([chance.choice(images) for _ in places] for _ in range(most))
        else:
            picked = itertools.product(images, repeat=len(places))
        for choice in picked:
            longest = _mixed(base, begin, choice, sector, filling)
            for size in sizes:
                yield longest[:size]


def _dirty(images: Sequence[bytes], changes: Sequence[Change], sector: int) -> tuple[int, int]:
    """From the first sector that was changed to the end of the longest version."""
    first = min(each.offset if isinstance(each, Write) else each.size for each in changes)
    return first // sector * sector, max(map(len, images))


def _mixed(base: bytes, begin: int, choice: Sequence[bytes], sector: int, filling: str) -> bytes:
    """From ``begin`` on one sector of each of the versions in ``choice``."""
    found = [base[:begin]]
    for number, image in enumerate(choice):
        place = begin + number * sector
        there = image[place : place + sector]
        found.append(there + filled(sector - len(there), filling, place))
    return b"".join(found)


def _sector(image: bytes, place: int, sector: int, filling: str) -> bytes:
    there = image[place : place + sector]
    return there + filled(sector - len(there), filling, place)


# The disk --------------------------------------------------------------------------------


class File:
    def __init__(self) -> None:
        self.durable = b""
        self.durable_mtime = 0
        self.pending: list[Change] = []
        self.live = b""
        self.mtime = 0


class Folder:
    def __init__(self) -> None:
        self.durable: dict[str, Node] = {}
        self.live: dict[str, Node] = {}


Node = File | Folder
Naming = list[tuple[Folder, str, Node | None]]
"""Names that get or lose what they stand for, all at once."""


class Moment:
    """The disk between two calls, and what had been promised by then."""

    def __init__(self, after: str, root: Folder, names: list[Naming], promised: Any) -> None:
        self.after = after
        self.promised = promised
        self._root, self._names = copy.deepcopy((root, names))

    def trees(self, chance: random.Random, samples: int) -> Iterator[dict[str, Any]]:
        """Folders (None) and files (bytes and time) by path, as a power cut can leave them:
        for each choice of names nothing unsynced, everything, and ``samples`` mixtures."""
        for names in self._choices_of_names(chance):
            nodes = dict(self._walk(names, self._root, ""))
            yield self._tree(nodes, lambda file: (file.durable, file.durable_mtime))
            dirty = [file for file in nodes.values() if isinstance(file, File) and file.pending]
            if not dirty:
                continue
            yield self._tree(nodes, lambda file: (_last(file), file.mtime))
            for _ in range(samples):
                yield self._tree(nodes, lambda file: _any_state(file, chance))

    def _choices_of_names(
        self, chance: random.Random, most: int = 24
    ) -> Iterator[dict[tuple[int, str], Node | None]]:
        folders = {id(folder): folder for naming in self._names for folder, _, _ in naming}
        own = {
            key: [
                n for n, naming in enumerate(self._names) if any(id(f) == key for f, _, _ in naming)
            ]
            for key in folders
        }
        choices = list(itertools.product(*(range(len(each) + 1) for each in own.values())))
        if len(choices) > most:
            choices = [choices[0], choices[-1], *chance.sample(choices[1:-1], most - 2)]
        for choice in choices:
            kept = set(range(len(self._names)))
            for count, numbers in zip(choice, own.values(), strict=True):
                kept -= set(numbers[count:])
            yield {
                (id(folder), name): node
                for number in sorted(kept)
                for folder, name, node in self._names[number]
            }

    def _walk(
        self, names: dict[tuple[int, str], Node | None], folder: Folder, path: str
    ) -> Iterator[tuple[str, Node]]:
        entries: dict[str, Node | None] = dict(folder.durable)
        entries |= {name: node for (key, name), node in names.items() if key == id(folder)}
        for name, node in entries.items():
            if node is not None:
                yield f"{path}/{name}", node
            if isinstance(node, Folder):
                yield from self._walk(names, node, f"{path}/{name}")

    def _tree(
        self, nodes: dict[str, Node], content: Callable[[File], tuple[bytes, int]]
    ) -> dict[str, Any]:
        return {
            path: content(node) if isinstance(node, File) else None for path, node in nodes.items()
        }


def _last(file: File) -> bytes:
    return versions(file.durable, file.pending)[-1]


def _any_state(file: File, chance: random.Random) -> tuple[bytes, int]:
    """Filled with zeros alone: what is found in a whole store is compared to the letter."""
    mtime = chance.choice((file.durable_mtime, file.mtime))
    if not file.pending:
        return file.durable, file.durable_mtime
    images = versions(file.durable, file.pending)
    kind = chance.choice(("whole", "prefix", "sectors"))
    if kind == "whole":
        return chance.choice(images), mtime
    if kind == "prefix":
        number = chance.randrange(len(file.pending))
        before, change = images[number], file.pending[number]
        if isinstance(change, Write):
            part = change._replace(data=change.data[: chance.randrange(len(change.data) + 1)])
            cut = applied(before, part)
            grown = max(0, len(images[number + 1]) - len(cut))
            return cut + bytes(chance.choice((0, grown))), mtime
        return before, mtime
    sector = chance.choice(SECTORS)
    begin, end = _dirty(images, file.pending, sector)
    choice = [chance.choice(images) for _ in range(begin, end, sector)]
    mixed = _mixed(images[0], begin, choice, sector, "zeros")
    return mixed[: len(chance.choice(images))], mtime


def lay_out(tree: dict[str, Any], target: Path) -> None:
    """Make real files of what a power cut has left."""
    target.mkdir()
    for path, content in tree.items():
        real = f"{target}{path}"
        if content is None:
            os.mkdir(real)
        else:
            with open(real, "wb", buffering=0) as file:
                file.write(content[0])
            os.utime(real, ns=(content[1], content[1]))


class PowerCut:
    """``os`` for the disk room, on the real folder ``root``. ``below`` makes the calls;
    it may fail. ``promised`` is asked after each call for what then holds."""

    READING = frozenset(
        ("fstat", "lstat", "stat", "listdir", "scandir", "read", "pread", "lseek", "path")
    ) | {"urandom", "strerror", "chmod", "fchmod", "SEEK_SET", "SEEK_CUR", "SEEK_END"}
    ADVICE = frozenset(("posix_fadvise", "POSIX_FADV_DONTNEED"))
    """Promises nothing: what it makes the disk begin with may be lost like all the rest."""

    def __init__(self, below: Any, root: Path) -> None:
        self._below = below
        self._at = str(root)
        self._root = Folder()
        self._names: list[Naming] = []
        self._open: dict[int, Node] = {}
        self.moments: list[Moment] = []
        self.promised: Callable[[], Any] | None = None

    def __getattr__(self, name: str) -> Any:
        known = name in self.READING | self.ADVICE or name.startswith(("O_", "st_"))
        if not known and hasattr(os, name):
            raise AssertionError(f"the simulated disk does not know os.{name}")
        return getattr(self._below, name)

    # Looking ------------------------------------------------------------------------------

    def unsynced(self, path: Path) -> tuple[bytes, list[Change]]:
        """What of a file is durable, and what was done to it since."""
        file = self._find(str(path))
        assert isinstance(file, File)
        return file.durable, list(file.pending)

    def differences(self) -> list[str]:
        """Where this account of the disk and the real folder are not the same."""
        found = []
        for path, node in _below(self._root):
            real = Path(f"{self._at}{path}")
            if isinstance(node, File) and (not real.is_file() or real.read_bytes() != node.live):
                found.append(path)
        known = {path for path, _ in _below(self._root)}
        there = (str(each).removeprefix(self._at) for each in Path(self._at).rglob("*"))
        return found + [path for path in there if path not in known]

    def _find(self, path: str) -> Node | None:
        if path == self._at:
            return self._root
        if not path.startswith(f"{self._at}/"):
            return None
        node: Node | None = self._root
        for name in path.removeprefix(f"{self._at}/").split("/"):
            node = node.live.get(name) if isinstance(node, Folder) else None
        return node

    def _place(self, path: str) -> tuple[Folder, str]:
        parent, _, name = path.rpartition("/")
        folder = self._find(parent)
        assert isinstance(folder, Folder), path
        return folder, name

    def _note(self, what: str) -> None:
        if self.promised is not None:
            self.moments.append(Moment(what, self._root, self._names, self.promised()))

    def _name(self, what: str, *naming: tuple[str, Node | None]) -> None:
        placed: Naming = [(*self._place(path), node) for path, node in naming]
        for folder, name, node in placed:
            if node is None:
                del folder.live[name]
            else:
                folder.live[name] = node
        self._names.append(placed)
        self._note(what)

    # Files --------------------------------------------------------------------------------

    def open(self, path: str, flags: int, mode: int = 0o777) -> int:
        fd: int = self._below.open(path, flags, mode)
        node = self._find(path)
        if node is None and flags & os.O_CREAT:
            node = File()
            node.mtime = os.fstat(fd).st_mtime_ns
            self._name("create", (path, node))
        if node is not None:
            self._open[fd] = node
        return fd

    def close(self, fd: int) -> None:
        self._open.pop(fd, None)
        self._below.close(fd)

    def write(self, fd: int, data: Any) -> int:
        place = os.lseek(fd, 0, os.SEEK_CUR)
        number: int = self._below.write(fd, data)
        self._change(fd, Write(place, bytes(data[:number])))
        return number

    def pwrite(self, fd: int, data: Any, place: int) -> int:
        number: int = self._below.pwrite(fd, data, place)
        self._change(fd, Write(place, bytes(data[:number])))
        return number

    def ftruncate(self, fd: int, size: int) -> None:
        self._below.ftruncate(fd, size)
        self._change(fd, Truncation(size))

    def _change(self, fd: int, change: Change) -> None:
        file = self._open[fd]
        assert isinstance(file, File)
        file.pending.append(change)
        file.live = applied(file.live, change)
        file.mtime = os.fstat(fd).st_mtime_ns
        self._note(type(change).__name__)

    def fdatasync(self, fd: int) -> None:
        self._sync(self._below.fdatasync, fd)

    def fsync(self, fd: int) -> None:
        self._sync(self._below.fsync, fd)

    def _sync(self, sync: Callable[[int], None], fd: int) -> None:
        node = self._open[fd]
        try:
            sync(fd)
        except OSError:
            if isinstance(node, File):
                node.pending.clear()  # and what is in memory looks as if it were written
            raise
        if isinstance(node, File):
            node.durable = _last(node)
            node.durable_mtime = node.mtime
            node.pending.clear()
        else:
            self._sync_names(node)
        self._note("sync")

    def _sync_names(self, folder: Folder) -> None:
        waiting = []
        for naming in self._names:
            if any(each is folder for each, _, _ in naming):
                for each, name, node in naming:
                    if node is None:
                        each.durable.pop(name, None)
                    else:
                        each.durable[name] = node
            else:
                waiting.append(naming)
        self._names = waiting

    # Names --------------------------------------------------------------------------------

    def mkdir(self, path: str, mode: int = 0o777) -> None:
        self._below.mkdir(path, mode)
        self._name("mkdir", (path, Folder()))

    def replace(self, source: str, target: str) -> None:
        self._below.replace(source, target)
        self._name("rename", (target, self._find(source)), (source, None))

    def link(self, source: str, target: str, **options: Any) -> None:
        self._below.link(source, target, **options)
        self._name("link", (target, self._find(source)))

    def unlink(self, path: str) -> None:
        self._below.unlink(path)
        self._name("unlink", (path, None))

    def rmdir(self, path: str) -> None:
        self._below.rmdir(path)
        self._name("rmdir", (path, None))


def _below(folder: Folder, path: str = "") -> Iterator[tuple[str, Node]]:
    for name, node in folder.live.items():
        yield f"{path}/{name}", node
        if isinstance(node, Folder):
            yield from _below(node, f"{path}/{name}")
