"""The folder of the sockets: whose it must be, and where it lies."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from agno_shell.builtin.litellm_provider.warm import socket_path
from agno_shell.builtin.litellm_provider.warm.problems import NotWarmError
from agno_shell.builtin.litellm_provider.warm.socket_path import SocketPath, folder_for, places
from agno_shell.events import Finished
from tests.builtin.litellm_provider.warm.seeing import Make, events_of, is_warm

root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
NOBODY = 65534


@pytest.fixture
def any_length(monkeypatch: pytest.MonkeyPatch) -> None:
    """The folders of tests may have any length; no socket is made in them here."""
    monkeypatch.setattr(socket_path, "_LONGEST", 4096)


@pytest.mark.usefixtures("any_length")
@pytest.mark.parametrize("umask", [0o000, 0o077, 0o777])
def test_it_is_made_for_its_user_alone(umask: int, tmp_path: Path) -> None:
    mask = os.umask(umask)
    try:
        folder = folder_for(str(tmp_path / "above" / "run"))
    finally:
        os.umask(mask)
    assert folder == str(tmp_path / "above" / "run")
    assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700
    assert folder_for(folder) == folder


def is_open_to_the_group(folder: Path) -> None:
    folder.mkdir()
    folder.chmod(0o770)


def is_open_to_be_looked_at(folder: Path) -> None:
    folder.mkdir()
    folder.chmod(0o755)


def is_a_link(folder: Path) -> None:
    (folder.parent / "elsewhere").mkdir(mode=0o700)
    folder.symlink_to(folder.parent / "elsewhere")


def is_a_file(folder: Path) -> None:
    folder.touch()


def is_somebody_elses(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    os.chown(folder, NOBODY, NOBODY)


SPOILT = pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (is_open_to_the_group, "is open to others"),
        (is_open_to_be_looked_at, "is open to others"),
        (is_a_link, "is a symbolic link, which is not followed"),
        (is_a_file, "is no folder"),
        pytest.param(is_somebody_elses, "belongs to user nobody", marks=root),
    ],
)


@SPOILT
async def test_one_that_cannot_be_trusted_is_not_used(
    spoil: Callable[[Path], None], complaint: str, make: Make, runtime: Path, tmp_path: Path
) -> None:
    spoil(runtime)
    with pytest.raises(NotWarmError, match=complaint):
        folder_for(str(runtime))
    provider = make()
    assert isinstance((await events_of(provider))[-1], Finished)
    assert not is_warm(provider)
    assert f"litellm is not kept warm: {runtime} {complaint}" in (tmp_path / "log").read_text()
    if runtime.is_symlink() or runtime.is_file():
        runtime.unlink()
    else:
        runtime.rmdir()  # nothing was put there


@root
def test_root_makes_nothing_in_the_folder_of_a_user(
    runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary, of_a_user = runtime.parent / "temporary", runtime.parent / "of_a_user"
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    for each in (temporary, of_a_user):
        each.mkdir()
    os.chown(of_a_user, NOBODY, NOBODY)
    assert folder_for(str(of_a_user / "run")).startswith(str(temporary / "agno-shell-0-"))
    assert not list(of_a_user.iterdir())


def test_a_long_path_gives_way_to_a_short_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(socket_path, "_LONGEST", len(str(tmp_path)) + 66)
    folder = folder_for(str(tmp_path / ("long" * 10)))
    assert folder.startswith(str(tmp_path / f"agno-shell-{os.geteuid()}-"))
    assert folder != folder_for(str(tmp_path / ("name" * 10))), "each has servers of its own"
    assert len(SocketPath(folder, "0123456789abcdef").socket) <= socket_path._LONGEST
    assert not (tmp_path / ("long" * 10)).exists()


def test_where_all_paths_are_too_long_or_shut_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / ("long" * 30)))
    with pytest.raises(NotWarmError, match="no folder in which a socket could be made"):
        folder_for("")
    (tmp_path / "file").touch()
    with pytest.raises(NotWarmError, match="no folder in which a socket could be made"):
        folder_for(str(tmp_path / "file" / "run"))


@pytest.mark.usefixtures("any_length")
def test_looking_makes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert list(places(str(tmp_path / "run"))) == []
    assert list(tmp_path.iterdir()) == []
    for name in ("a.sock", "b.sock", "lock"):
        (Path(folder_for(str(tmp_path / "run"))) / name).touch()
    assert [each.name for each in places(str(tmp_path / "run"))] == ["a", "b"]
