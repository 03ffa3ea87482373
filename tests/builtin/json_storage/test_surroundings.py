"""Locales, home folders, masks, users and clocks that a program meets in the wild: the
store works, or one line says why not."""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from agno_shell import types
from agno_shell.builtin import json_storage
from agno_shell.builtin.json_storage.store import open_storage
from agno_shell.contracts import Storage, StorageOptions
from agno_shell.errors import StorageError
from agno_shell.testing.storage_contract import message, say
from agno_shell.types import Session, new_id

TEXTS = ["plain", "Grüße, 你好 🙂", "\0 \x1b[31m \u2028", "a lone \ud83d surrogate"]

LIFE = """
import _strptime, json, os, sys  # all there is: another user may not read what is imported
import agno_shell.toolkit.json_records.memories, agno_shell.toolkit.json_records.messages
from agno_shell.builtin.json_storage import (
    attachments, session_data, importing, locks, memory_file, message_reader,
    rescue, running_reply, session_writer, trash
)
from agno_shell.builtin.json_storage.store import open_storage
from agno_shell.contracts import StorageOptions
from agno_shell.errors import AgnoShellError
from agno_shell.base.paths import find_paths
from agno_shell.types import Message, new_id, now

order = json.loads(sys.argv[1])
os.umask(order["umask"])
if order["user"]:
    os.setgroups([])
    os.setgid(order["user"])
    os.setuid(order["user"])
try:
    path = find_paths(os.environ).sessions_dir
    store = open_storage(StorageOptions(path, notice=print))
    session_id = store.create(order["texts"][1]).session_id
    parent = None
    for text in order["texts"]:
        message = Message(new_id(), "user", text, now(), parent)
        store.append(session_id, message)
        parent = message.id
    store.set_current(session_id)
    store.update(session_id, description=order["texts"][3])
    store.save_partial(session_id, Message(new_id(), "assistant", "half", now(), parent))
    store.close()
    store = open_storage(StorageOptions(path, notice=print))
    store.open(session_id)
    store.restore(store.delete(session_id).trash_id)
    said = [each.content for each in store.messages(session_id)]
    print(json.dumps([path, [each.name for each in store.sessions()], said]))
except AgnoShellError as error:
    print(ascii(error.sentence()), file=sys.stderr)
    sys.exit(error.exit_code)
"""

UNKNOWN_USER = 54321


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that any user may enter; those below a test's own may be closed to others."""
    with tempfile.TemporaryDirectory(prefix="agno-shell-test-") as made:
        path = Path(made)
        path.chmod(0o755)
        yield path


def live(
    environ: dict[str, str], *, umask: int = 0o022, user: int = 0
) -> subprocess.CompletedProcess[str]:
    """Run a program that does everything once, with nothing but ``environ`` around it."""
    order = {"umask": umask, "user": user, "texts": TEXTS}
    paths = os.pathsep.join(filter(None, sys.path))
    return subprocess.run(
        [sys.executable, "-c", LIFE, json.dumps(order)],
        env={"PYTHONPATH": paths, "PATH": os.environ.get("PATH", ""), **environ},
        capture_output=True,
        text=True,
    )


def can_start(environ: dict[str, str]) -> bool:
    """Whether Python starts at all: site reads ``.pth`` files in the encoding of the locale,
    and an editable install in a folder with other letters has one."""
    return not subprocess.run(
        [sys.executable, "-c", ""], env=environ, capture_output=True
    ).returncode


def has_lived(done: subprocess.CompletedProcess[str]) -> Path:
    """The store's folder, which holds everything as it was said, for its owner alone."""
    assert (done.returncode, done.stderr) == (0, "")
    path, names, said = json.loads(done.stdout)
    assert names == [TEXTS[1]]
    assert said == [*TEXTS, "half"]
    root = Path(path)
    for each in (root, *root.rglob("*")):
        mode = each.lstat().st_mode
        assert stat.S_IMODE(mode) == (0o700 if stat.S_ISDIR(mode) else 0o600), each
    for each in root.rglob("*.json"):
        json.loads(each.read_bytes().decode("utf-8"))
    return root


def says_why(done: subprocess.CompletedProcess[str], *words: str) -> None:
    assert done.returncode in (1, 2)
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert "Traceback" not in line
    assert [word for word in words if word not in line] == [], line


LOCALES = {
    "C": {"LC_ALL": "C"},
    "POSIX": {"LC_ALL": "POSIX"},
    "C without coercion": {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
    "Latin-1": {"LC_ALL": "en_US.ISO-8859-1", "PYTHONUTF8": "0", "PYTHONIOENCODING": "latin-1"},
    "unknown": {"LC_ALL": "xx_XX.nonsense"},
    "none": {},
}


@pytest.mark.parametrize("name", LOCALES)
def test_any_locale(name: str, place: Path) -> None:
    if not can_start(LOCALES[name]):
        pytest.skip("Python itself cannot read the path of an editable install in this locale")
    root = has_lived(live({"AGNO_SHELL_HOME": str(place / "data"), **LOCALES[name]}))
    # What one locale has written every other one reads.
    (session,) = open_storage(StorageOptions(str(root))).sessions()
    assert (session.name, session.description) == (TEXTS[1], TEXTS[3])


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o777], ids=oct)
def test_any_mask(umask: int, place: Path) -> None:
    has_lived(live({"AGNO_SHELL_HOME": str(place / "a" / "b")}, umask=umask))


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="the folders of XDG")
@pytest.mark.parametrize("home", [None, "", "not there"])
def test_any_home(home: str | None, place: Path) -> None:
    environ = {"XDG_DATA_HOME": str(place / "data"), "XDG_STATE_HOME": str(place / "state")}
    environ |= {"XDG_CONFIG_HOME": str(place / "config"), "XDG_CACHE_HOME": str(place / "cache")}
    if home is not None:
        environ["HOME"] = str(place / home) if home else ""
    assert has_lived(live(environ)).is_relative_to(place / "data")
    if home:
        assert has_lived(live({"HOME": str(place / home)})).is_relative_to(place / home)


@pytest.fixture
def stranger() -> int:
    """A user that no file of users knows."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("only root can become another user")
    return UNKNOWN_USER


def test_an_unknown_user_with_a_folder_of_their_own(stranger: int, place: Path) -> None:
    own = place / "own"
    own.mkdir()
    os.chown(own, stranger, stranger)
    has_lived(live({"HOME": str(own)}, user=stranger))


@pytest.mark.parametrize("home", [None, ""])
def test_an_unknown_user_without_a_home(stranger: int, home: str | None) -> None:
    done = live({} if home is None else {"HOME": home}, user=stranger)
    says_why(done, "AGNO_SHELL_HOME")


@pytest.mark.parametrize("home", ["read-only", "not/there", "closed/home"])
def test_a_home_that_cannot_be_written(stranger: int, home: str, place: Path) -> None:
    (place / "read-only").mkdir()
    (place / "closed").mkdir(mode=0o700)
    (place / "closed" / "home").mkdir()
    done = live({"HOME": str(place / home)}, user=stranger)
    says_why(done, "was not saved", str(place), "Permission denied", "Check who may")


def test_a_store_of_somebody_else(stranger: int, place: Path) -> None:
    """It is neither read nor written, and not broken."""
    root = has_lived(live({"AGNO_SHELL_HOME": str(place / "data")}))
    (place / "data").chmod(0o755)
    says_why(live({"AGNO_SHELL_HOME": str(place / "data")}, user=stranger), "Permission denied")
    assert len(open_storage(StorageOptions(str(root))).sessions()) == 1


# The clock -------------------------------------------------------------------------------

MODULES = [types] + [
    importlib.import_module(each.name)
    for each in pkgutil.walk_packages(json_storage.__path__, f"{json_storage.__name__}.")
]
WITH_A_CLOCK = [module for module in MODULES if hasattr(module, "now")]
YEARS = [2026, 1971, 9999, 1980, 2026, 2100, 1971, 2027]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Sets the store's clock to a year; every call makes it a microsecond later."""
    moment = datetime(2026, 1, 1, tzinfo=UTC)

    def now() -> datetime:
        nonlocal moment
        moment = moment.replace(microsecond=moment.microsecond + 1)
        return moment

    def turn(year: int) -> None:
        nonlocal moment
        moment = datetime(year, 12, 31, 23, 59, 59, tzinfo=UTC)

    for module in WITH_A_CLOCK:
        monkeypatch.setattr(module, "now", now)
    return turn


def test_a_clock_that_jumps(
    clock: Callable[[int], None], root: Path, open_store: Callable[[], Storage]
) -> None:
    store = open_store()
    clock(YEARS[0])
    session_id = store.create("clock").session_id
    other = store.create("other").session_id
    said: list[Any] = []
    latest = store.open(session_id).updated_at
    for year in YEARS:
        clock(year)
        new = message(f"in {year}", said[-1] if said else None)
        new = new._replace(created_at=datetime(year, 6, 1, tzinfo=UTC))
        for session in (
            store.append(session_id, new),
            store.update(session_id, description=str(year)),
            open_store().open(session_id),
            next(each for each in open_store().sessions() if each.session_id == session_id),
        ):
            assert session.updated_at >= latest, year
            latest = session.updated_at
        said.append(new)
        assert open_store().messages(session_id) == said
        assert open_store().messages(session_id, last=2) == said[-2:]
    assert latest.year == 9999
    (root / "sessions.json").unlink()
    assert open_store().open(session_id).updated_at == latest
    assert [each.session_id for each in open_store().sessions()] == [session_id, other]


def test_a_clock_that_stands_still(
    open_store: Callable[[], Storage], monkeypatch: pytest.MonkeyPatch
) -> None:
    still = datetime(2026, 1, 1, tzinfo=UTC)
    for module in WITH_A_CLOCK:
        monkeypatch.setattr(module, "now", lambda: still)
    store = open_store()
    ids = [store.create(name).session_id for name in "abc"]
    said = {each: say(store, each, "1", "2") for each in ids}
    for each in ids:
        assert store.messages(each) == said[each]
    trashed = store.delete(ids[0])
    store.restore(trashed.trash_id)
    assert store.delete(ids[0]).trash_id == trashed.trash_id
    assert [each.session_id for each in open_store().sessions()] == sorted(ids[1:], reverse=True)


@pytest.mark.parametrize("year", [1, 999, 1970, 9999])
def test_a_session_deleted_in_any_year_is_in_the_trash(year: int, store: Storage) -> None:
    when = datetime(year, 1, 2, 3, 4, 5, 6, tzinfo=UTC)
    said = message("old")._replace(created_at=when)
    store.import_session(Session(new_id(), "old", when, when), [said], deleted_at=when)
    (trashed,) = store.trash()
    assert (trashed.session.name, trashed.deleted_at) == ("old", when)
    assert store.trashed_messages(trashed.trash_id) == [said]
    session = store.restore(trashed.trash_id)
    assert store.messages(session.session_id) == [said]
    with pytest.raises(StorageError):
        store.restore(trashed.trash_id)
