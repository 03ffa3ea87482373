"""What an import reads of the environment, noted."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest

from agno_shell.builtin.litellm_provider.warm.reads import Reads


@pytest.fixture
def imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Reads]:
    """Imports a module of some code; what was read meanwhile."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def do(code: str) -> Reads:
        (tmp_path / "reading.py").write_text(code)
        monkeypatch.delitem(sys.modules, "reading", raising=False)
        reads = Reads()
        with reads.noting():
            import_module("reading")
        return reads

    return do


@pytest.mark.parametrize(
    "reading",
    [
        "os.environ.get('SWITCH')",
        "os.getenv('SWITCH', '1')",
        "'SWITCH' in os.environ",
        "os.environ.setdefault('SWITCH', '1')",
        "os.environ.pop('SWITCH', None)",
        "(lambda: os.environ.get('SWITCH'))()",
    ],
)
def test_every_way_of_reading_is_noted(
    reading: str, imported: Callable[[str], Reads], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SWITCH", raising=False)
    reads = imported(f"import os\n{reading}\n")
    monkeypatch.delenv("SWITCH", raising=False)
    assert reads.differing({}) == []
    assert reads.differing({"SWITCH": "on", "OTHER": "on"}) == ["SWITCH"]


def test_a_value_that_was_there_must_be_there(
    imported: Callable[[str], Reads], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWITCH", "on")
    reads = imported("import os\nos.environ['SWITCH']\n")
    assert reads.differing({"SWITCH": "on"}) == []
    assert reads.differing({}) == ["SWITCH"]
    assert reads.differing({"SWITCH": "off"}) == ["SWITCH"]


def test_what_is_read_in_a_call_after_the_import_does_not_count(
    imported: Callable[[str], Reads], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "calling.py").write_text("import os\ndef call(): os.environ.get('SWITCH')\n")
    module = import_module("calling")
    reads = Reads()
    with reads.noting():
        module.call()
    assert reads.differing({"SWITCH": "on"}) == []


def test_who_goes_through_all_names_looks_for_proxies(
    imported: Callable[[str], Reads], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("https_proxy", raising=False)
    reads = imported("import urllib.request\nurllib.request.getproxies_environment()\n")
    elsewhere = {**os.environ, "https_proxy": "http://127.0.0.1:3128", "OTHER": "on"}
    assert reads.differing(elsewhere) == ["https_proxy"]
    assert imported("").differing(elsewhere) == []


def test_what_an_import_writes_is_kept_and_is_nothing_that_it_has_read(
    imported: Callable[[str], Reads], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TABLES", raising=False)
    monkeypatch.setenv("GONE", "1")
    code = "os.environ['TABLES'] = '/tables'\nos.environ['TABLES']\ndel os.environ['GONE']\n"
    reads = imported(f"import os\n{code}")
    monkeypatch.delenv("TABLES")
    assert reads.differing({"TABLES": "/elsewhere", "GONE": "1"}) == []
    environ = {"TABLES": "/elsewhere", "GONE": "1", "KEPT": "1"}
    reads.write(environ)
    assert environ == {"TABLES": "/tables", "KEPT": "1"}


def test_the_environment_is_left_as_it_was() -> None:
    usual = type(os.environ)
    with Reads().noting():
        pass
    assert type(os.environ) is usual
    assert "reads" not in vars(os.environ)
