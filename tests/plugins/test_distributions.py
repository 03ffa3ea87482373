from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from agno_shell.plugins.distributions import entry_points_of

GROUP = "agno_shell_test_group"

Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Makes the metadata of a distribution, found as that of an installed one."""
    monkeypatch.syspath_prepend(tmp_path)

    def make(
        name: str, entries: bytes | None, metadata: bytes | None = b"", folder: str = ""
    ) -> Path:
        info = (tmp_path / folder if folder else tmp_path) / f"{name}-1.0.dist-info"
        info.mkdir(parents=True)
        if metadata == b"":
            metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n".encode()
        if metadata is not None:
            (info / "METADATA").write_bytes(metadata)
        if entries is not None:
            (info / "entry_points.txt").write_bytes(entries)
        return info

    return make


def found() -> tuple[list[tuple[str, str, str, str]], list[str]]:
    problems: list[str] = []
    return [each[:4] for each in entry_points_of(GROUP, problems.append)], problems


SOUND = f"[{GROUP}]\ngood = good_module\n".encode()


def test_a_sound_one(make: Make) -> None:
    make("good", SOUND)
    make("other", b"[console_scripts]\nx = y:z\n")
    make("none", None)
    assert found() == ([("good", "good", "1.0", "good_module")], [])


@pytest.mark.parametrize(
    "entries",
    [
        f"[{GROUP}]\nbad = not-a-module\n",
        f"[{GROUP}]\nbad = \n",
        f"[{GROUP}]\nbad\n",
        f"[{GROUP}]\nthis is = a story = of no use\n",
        f"bad = module\n[{GROUP}]\nx = -\n",
        f"[{GROUP}]\nbad = módule\xff\n",
    ],
)
def test_a_malformed_one_is_named_and_costs_no_other(make: Make, entries: str) -> None:
    info = make("bad", entries.encode("latin-1"))
    make("good", SOUND)
    entry_points, problems = found()
    assert ("good", "good", "1.0", "good_module") in entry_points
    assert len(problems) == 1
    assert str(info) in problems[0]


def test_one_bad_line_does_not_cost_the_others_of_a_distribution(make: Make) -> None:
    make("mixed", f"[{GROUP}]\nbad = not-a-module\ngood = good_module\n".encode())
    entry_points, problems = found()
    assert entry_points == [("good", "mixed", "1.0", "good_module")]
    assert "'bad' = 'not-a-module' names no module" in problems[0]


@pytest.mark.parametrize("metadata", [None, b"", b"Version: 1.0\n", b"\xff\xfe\0", b"Name:\n"])
def test_one_without_a_name_or_a_version_is_found_all_the_same(
    make: Make, metadata: bytes | None
) -> None:
    make("nameless", SOUND, metadata if metadata != b"" else b"\n")
    [entry_point], problems = found()
    assert entry_point[0] == "good"
    assert entry_point[3] == "good_module"
    assert problems == []


def test_a_folder_that_is_twice_on_the_path_counts_once(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make("good", SOUND)
    monkeypatch.syspath_prepend(f"{tmp_path}/.")
    assert found() == ([("good", "good", "1.0", "good_module")], [])


def test_the_first_of_two_versions_counts(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make("good", SOUND)
    make("good", f"[{GROUP}]\nolder = other_module\n".encode(), folder="older")
    monkeypatch.syspath_prepend(tmp_path / "older")
    monkeypatch.syspath_prepend(tmp_path)
    assert [each[0] for each in found()[0]] == ["good"]


def test_a_finder_that_raises_is_reported(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    class Finder:
        @staticmethod
        def find_distributions(_context: object) -> object:
            raise KeyError("a foreign finder")

    make("good", SOUND)
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Finder])
    entry_points, problems = found()
    assert [each[0] for each in entry_points] == ["good"]
    assert "Not all installed distributions can be listed: KeyError" in problems[0]


def test_a_file_that_may_not_be_read_costs_itself(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    make("good", SOUND)
    info = make("locked", SOUND)
    (info / "entry_points.txt").unlink()
    (info / "entry_points.txt").mkdir()
    assert [each[1] for each in found()[0]] == ["good"]


def test_without_any_plugin_nothing_is_imported_to_find_one(tmp_path: Path) -> None:
    """Two megabytes in every shell, and five milliseconds of a one-shot question."""
    code = (
        "import sys\n"
        "before = set(sys.modules)\n"
        f"sys.path[:] = [*sys.path, {str(tmp_path)!r}]\n"
        "from agno_shell.plugins.distributions import entry_points_of\n"
        "print(list(entry_points_of('agno_shell_no_one', print)))\n"
        "print(sorted({'importlib.metadata', 'email', 'zipfile'} & (set(sys.modules) - before)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "[]\n[]\n"
