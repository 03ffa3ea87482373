from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agno_shell.builtin.commands import docs
from agno_shell.contracts import Command


def test_the_page_says_what_the_commands_say() -> None:
    assert docs.main(["--check"]) == 0


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    path = tmp_path / "commands.md"
    monkeypatch.setattr(docs, "PAGE", path)
    return path


def test_a_page_that_drifted_is_found_and_mended(
    page: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert docs.main(["--check"]) == 1  # there is none yet
    assert docs.main([]) == 0
    assert docs.main(["--check"]) == 0
    page.write_text(page.read_text(encoding="utf-8").replace("session", "chat"), encoding="utf-8")
    assert docs.main(["--check"]) == 1
    assert "Run: python -m agno_shell.builtin.commands.docs" in capsys.readouterr().err


def test_a_wrong_call_says_the_right_one(page: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert docs.main(["--chekc"]) == 2
    assert capsys.readouterr().err.startswith("usage: ")
    assert not page.exists()


def test_a_record_becomes_a_row_and_a_section() -> None:
    command = Command(
        "x", "Do a|b.", print, usage="[on|off]", details="More.\nExample: /x on", aliases=("y",)
    )
    text = docs.page([command])
    assert r"| [`/x [on\|off]`](#x) | Do a\|b. |" in text
    assert text.endswith(
        "## x\n\n`/x [on|off]`\n\nDo a|b.\n\nMore.\n\nExample: `/x on`\n\nAlso: `/y`\n"
    )
