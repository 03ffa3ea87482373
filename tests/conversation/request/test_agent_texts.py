from __future__ import annotations

import os
from pathlib import Path

import pytest

from agno_shell.conversation.request import agent_texts
from agno_shell.conversation.request.agent_texts import read_pins


def test_texts_and_files_in_their_order(tmp_path: Path) -> None:
    (tmp_path / "rules.md").write_bytes("\ufeffBe kind. Grüße\n\n".encode())
    read = read_pins(["First.", f"@{tmp_path}/rules.md", "  Last.  "])
    assert read == (("First.", "Be kind. Grüße", "Last."), ())


def test_a_file_is_read_anew_each_time(tmp_path: Path) -> None:
    file = tmp_path / "now.txt"
    for text in ("one", "two"):
        file.write_text(text)
        assert read_pins([f"@{file}"]).texts == (text,)


def test_a_path_from_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "mine.txt").write_text("mine")
    assert read_pins(["@~/mine.txt"]).texts == ("mine",)


def test_an_empty_file_is_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_text(" \n")
    assert read_pins([f"@{tmp_path}/empty.txt"]) == ((), ())


def test_what_is_no_text_file_is_said_and_the_others_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent_texts, "LARGEST", 20)
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x01")
    (tmp_path / "latin").write_bytes("Grüße aus Köln".encode("latin-1"))
    (tmp_path / "zero").write_bytes(b"a\0b")
    (tmp_path / "large").write_bytes(b"x" * 21)
    os.mkfifo(tmp_path / "fifo")
    names = ["missing", ".", "binary", "zero", "latin", "large", "fifo"]
    read = read_pins([*(f"@{tmp_path}/{name}" for name in names), "kept"])
    assert read.texts == ("kept",)
    reasons = [
        "No such file or directory",
        "Is a directory",
        "it is not text in UTF-8",
        "it is not text in UTF-8",
        "it is not text in UTF-8; it seems to be in Windows-1252 or Latin-1",
        "it is larger than 1 MiB",
        "it is no plain file",
    ]
    assert read.problems == tuple(
        f"The agent's file {tmp_path}/{name} is not sent: {reason}."
        for name, reason in zip(names, reasons, strict=True)
    )
