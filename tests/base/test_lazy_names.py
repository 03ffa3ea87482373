from __future__ import annotations

import subprocess
import sys

import pytest

import agno_shell
import agno_shell.contracts
import agno_shell.testing


@pytest.mark.parametrize("package", [agno_shell, agno_shell.contracts, agno_shell.testing])
def test_every_name_that_is_promised_can_be_loaded(package: object) -> None:
    for name in package.__all__:
        assert getattr(package, name) is not None


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
