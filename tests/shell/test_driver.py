"""The shell as the engine's driver."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from agno_shell.shell.driver import ShellDriver


async def test_a_script_on_standard_input_agrees_to_no_cost() -> None:
    async def confirm(_question: str) -> bool:
        raise AssertionError("the next line of the script would be the answer")

    nobody: Any = None
    frontend: Any = SimpleNamespace(has_user=False, confirm=confirm)
    rest = [nobody] * 8
    driver = ShellDriver(frontend, *rest)
    assert await driver.may_spend("Let it cost more?") is False
