from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import agno_shell.contracts
from agno_shell.base import stubs


@pytest.mark.parametrize("package", stubs.packages())
def test_every_name_that_is_promised_can_be_loaded(package: str) -> None:
    module = import_module(package)
    assert module.__all__
    assert set(module.__all__) <= set(dir(module))
    for name in module.__all__:
        assert getattr(module, name) is not None


def test_all_names_can_be_imported_at_once() -> None:
    names: dict[str, Any] = {}
    exec("from agno_shell.contracts import *", names)
    assert set(agno_shell.contracts.__all__) == set(names) - {"__builtins__"}


def test_a_name_that_does_not_exist_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match=r"'agno_shell.contracts' has no attribute 'Moon'"):
        agno_shell.contracts.Moon  # noqa: B018


def test_importing_the_package_loads_none_of_them() -> None:
    code = (
        "import sys; before = set(sys.modules); import agno_shell; "
        "print(*sorted({'typing', 'dataclasses', 'pluggy'} & (set(sys.modules) - before)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (ran.returncode, ran.stdout) == (0, "\n"), ran.stderr


@pytest.mark.parametrize("package", stubs.packages())
def test_the_stub_is_made_from_the_table(package: str) -> None:
    path = stubs.ROOT.joinpath(*package.split("."), "__init__.pyi")
    assert path.read_text() == stubs.stub(package)


def test_a_stub_that_is_out_of_date_is_reported_and_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "agno_shell" / "contracts"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("__getattr__, __dir__ = lazy_names(__name__, _HOMES)\n")
    monkeypatch.setattr(stubs, "ROOT", tmp_path)
    assert stubs.main(["--check"]) == 1
    assert capsys.readouterr().err == (
        "agno_shell/contracts/__init__.pyi is out of date: run python -m agno_shell.base.stubs\n"
    )
    assert stubs.main([]) == 0
    assert (folder / "__init__.pyi").read_text() == stubs.stub("agno_shell.contracts")
    assert stubs.main(["--check"]) == 0
