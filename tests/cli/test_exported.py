from __future__ import annotations

import io
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agno_shell.cli.exported import write
from agno_shell.errors import AgnoShellError, UsageError


def test_to_standard_output() -> None:
    out = io.StringIO()
    write(["a", "b\n"], None, out)
    assert out.getvalue() == "ab\n"


def test_to_a_file_that_only_its_owner_can_read(tmp_path: Path) -> None:
    out = io.StringIO()
    path = tmp_path / "a b 東.json"
    write(["é\n", "x\n"], str(path), out)
    assert path.read_bytes() == "é\nx\n".encode()
    assert out.getvalue() == f"{path} written (5 B)\n"
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_file_that_is_there_is_left(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("mine")
    with pytest.raises(UsageError, match="exists, and nothing was written"):
        write(["other"], str(path), io.StringIO())
    assert path.read_text() == "mine"


@pytest.mark.parametrize("name", ["missing/x", "nul\0"])
def test_a_place_that_cannot_be(tmp_path: Path, name: str) -> None:
    with pytest.raises(AgnoShellError, match="could not be written"):
        write(["x"], os.path.join(tmp_path, name), io.StringIO())


def test_nothing_half_written_stays(tmp_path: Path) -> None:
    def pieces() -> Iterator[str]:
        yield "begun"
        raise AgnoShellError("The disk went away.")

    with pytest.raises(AgnoShellError, match="went away"):
        write(pieces(), str(tmp_path / "x"), io.StringIO())
    assert list(tmp_path.iterdir()) == []
