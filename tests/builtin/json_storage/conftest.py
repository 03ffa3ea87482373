"""Stores in a temporary folder, and a disk that fails when it is told to."""

from __future__ import annotations

import errno
import importlib.util
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from agno_shell.builtin.json_storage import disk
from agno_shell.builtin.json_storage.store import open_storage
from agno_shell.contracts import Storage, StorageOptions
from agno_shell.testing.storage_contract import say

CHANGES = frozenset(
    ("mkdir", "chmod", "fchmod", "write", "pwrite", "ftruncate", "fdatasync", "fsync")
) | {"replace", "link", "unlink", "rmdir"}
LOOKS = frozenset(("open", "lstat", "fstat", "listdir", "scandir", "read", "pread", "lseek"))
SYNCS = frozenset(("fdatasync", "fsync"))


class FaultyOS:
    """Stands in for ``os`` in the disk room. Counts the calls that change something, with
    ``looks`` the others too, and raises ``error`` from the one numbered ``fail_from`` on,
    as long as ``lasting``.

    Syncs are counted and not made: no test in this process can see a power cut, and
    hundreds of them would take seconds.
    """

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.error: OSError | None = None
        self.fail_from = 0
        self.lasting = True
        self.only: frozenset[str] | None = None
        self.looks = False
        self.short_writes = False
        self.forbidden: set[str] = set()
        """Paths that this user may not open; root may open anything."""
        self.before: Callable[[int], None] | None = None
        """Called with the number of each call before it is made."""

    def fail(
        self,
        error: OSError,
        at: int = 1,
        *,
        lasting: bool = True,
        only: str = "",
        looks: bool = False,
    ) -> None:
        self.calls.clear()
        self.error, self.fail_from, self.lasting = error, at, lasting
        self.only = frozenset(only.split()) or None
        self.looks = looks

    def heal(self) -> None:
        self.error, self.only, self.looks, self.before = None, None, False, None
        self.calls.clear()

    def __getattr__(self, name: str) -> Any:
        real = getattr(os, name)
        if name == "open":
            return self._open
        if name not in CHANGES and not (self.looks and name in LOOKS):
            return real

        def guarded(*args: Any, **kwargs: Any) -> Any:
            self._maybe_fail(name)
            if name in SYNCS:
                return None
            if name in ("write", "pwrite") and self.short_writes:
                fd, data, *place = args
                return real(fd, data[: max(1, len(data) // 2)], *place)
            return real(*args, **kwargs)

        return guarded

    def _open(self, path: str, flags: int, mode: int = 0o777) -> int:
        if flags & os.O_CREAT:
            self._maybe_fail("create")
        elif self.looks:
            self._maybe_fail("open")
        if path in self.forbidden:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return os.open(path, flags, mode)

    def _maybe_fail(self, name: str) -> None:
        if self.only is not None and name not in self.only:
            return
        self.calls.append(name)
        number = len(self.calls)
        if self.before is not None:
            self.before(number)
        due = number >= self.fail_from if self.lasting else number == self.fail_from
        if self.error is not None and due:
            raise self.error


@pytest.fixture(autouse=True)
def faults(monkeypatch: pytest.MonkeyPatch) -> FaultyOS:
    faulty = FaultyOS()
    monkeypatch.setattr(disk, "os", faulty)
    return faulty


def _neighbour(name: str) -> ModuleType:
    """A module beside this one; tests are imported without a package around them."""
    spec = importlib.util.spec_from_file_location(
        f"json_storage_{name}", Path(__file__).with_name(f"{name}.py")
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module.__name__] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def power_cut() -> ModuleType:
    return _neighbour("power_cut")


@pytest.fixture(scope="session")
def crash_checks(power_cut: ModuleType) -> ModuleType:
    return _neighbour("crash_checks")


@pytest.fixture
def recorded(
    power_cut: ModuleType, faults: FaultyOS, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Any:
    """A disk below ``tmp_path / "live"`` that remembers what a power cut would leave."""
    if not hasattr(os, "fdatasync"):
        pytest.skip("the simulated disk knows the calls that are made on Linux")
    (tmp_path / "live").mkdir()
    recorder = power_cut.PowerCut(faults, tmp_path / "live")
    monkeypatch.setattr(disk, "os", recorder)
    return recorder


@pytest.fixture
def scratch() -> Iterator[Path]:
    """A folder for thousands of files that live for a moment, in memory where possible."""
    memory = "/dev/shm"
    usable = os.path.isdir(memory) and os.access(memory, os.W_OK)
    with tempfile.TemporaryDirectory("agno-shell-test", dir=memory if usable else None) as made:
        yield Path(made)


class PowerCuts:
    """What is done on the disk below ``live``, and what is wrong with what a power cut would
    leave of it."""

    def __init__(
        self,
        power_cut: ModuleType,
        checks: ModuleType,
        recorded: Any,
        faults: FaultyOS,
        live: Path,
        scratch: Path,
        patch: pytest.MonkeyPatch,
    ) -> None:
        self.checks, self.recorded, self.faults = checks, recorded, faults
        self._power_cut, self._scratch, self._patch = power_cut, scratch, patch
        self.live = live

    def append(
        self, contents: Sequence[str], failing: Callable[[], None] | None = None
    ) -> list[Any]:
        """The snapshots of the last append of ``contents`` to a file of messages."""
        path = self.live / "messages.json"
        snapshots: list[Any] = self.checks.append_snapshots(self.recorded, path, contents, failing)
        return snapshots

    def ledger(self) -> Any:
        """A store whose promises are noted."""
        made = self.checks.Ledger(open_storage(StorageOptions(str(self.live / "sessions"))))
        self.recorded.promised = made.promised
        return made

    def of_files(self, snapshots: list[Any], *, seed: int, **sample: Any) -> tuple[int, list[str]]:
        """How many states of a file were looked at, and what is wrong with them."""
        self._work_again()
        found: tuple[int, list[str]] = self.checks.all_file_complaints(
            self._power_cut, snapshots, self._scratch / "messages.json", seed=seed, **sample
        )
        return found

    def of_stores(self, *, seed: int, samples: int, limit: int) -> tuple[int, list[str]]:
        """How many states of a store were looked at, and what is wrong with them."""
        self._work_again()
        found: tuple[int, list[str]] = self.checks.all_store_complaints(
            self._power_cut, self.recorded, self._scratch, seed=seed, samples=samples, limit=limit
        )
        return found

    def _work_again(self) -> None:
        """The disk has healed, and nothing is recorded any more."""
        self.faults.heal()
        self.faults.short_writes = False
        self._patch.setattr(disk, "os", self.faults)


@pytest.fixture
def power_cuts(
    power_cut: ModuleType,
    crash_checks: ModuleType,
    recorded: Any,
    faults: FaultyOS,
    tmp_path: Path,
    scratch: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> PowerCuts:
    live = tmp_path / "live"
    return PowerCuts(power_cut, crash_checks, recorded, faults, live, scratch, monkeypatch)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "sessions"


@pytest.fixture
def notices() -> list[str]:
    return []


@pytest.fixture
def open_store(root: Path, notices: list[str]) -> Iterator[Callable[[], Storage]]:
    opened = []

    def open_one() -> Storage:
        opened.append(open_storage(StorageOptions(str(root), notice=notices.append)))
        return opened[-1]

    yield open_one
    for store in opened:
        store.close()


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def open_with_cache(
    root: Path, cache: Path, notices: list[str]
) -> Iterator[Callable[..., Storage]]:
    """Like :func:`open_store`, with a place for what can be made again: the search index."""
    opened = []

    def open_one(cache_path: Path | str = cache) -> Storage:
        options = StorageOptions(str(root), notice=notices.append, cache_path=str(cache_path))
        opened.append(open_storage(options))
        return opened[-1]

    yield open_one
    for store in opened:
        store.close()


@pytest.fixture
def store(open_store: Callable[[], Storage]) -> Storage:
    return open_store()


@pytest.fixture
def session_id(open_store: Callable[[], Storage]) -> str:
    """A session "damaged" of three messages, beside another one that is to stay unharmed."""
    store = open_store()
    say(store, store.create("bystander").session_id, "unharmed")
    session_id = store.create("damaged").session_id
    say(store, session_id, "a", "b", "c")
    return session_id
