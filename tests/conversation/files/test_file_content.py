from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agno_shell.conversation.files.file_content import (
    as_text,
    fenced,
    is_sendable,
    media_type,
    other_encoding,
    read_file,
    refuse,
)
from agno_shell.errors import UsageError

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("a.txt", PNG, "image/png"),
        ("a", b"\xff\xd8\xff\xe0\0", "image/jpeg"),
        ("a", b"GIF89a\0", "image/gif"),
        ("a", b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        ("a", b"%PDF-1.7\n\xff\xff", "application/pdf"),
        ("a", b"\xff\0junk\n%PDF-1.4", "application/pdf"),
        ("reader.py", b"MARK = b'%PDF-'", "text/plain"),
        ("notes.md", "Grüße".encode(), "text/plain"),
        ("data.json", b"{}", "text/plain"),
        ("film.ts", b"let x = 1", "text/plain"),
        ("a", "Grüße".encode("utf-16"), "text/plain"),
        ("a", "Grüße".encode("utf-8-sig"), "text/plain"),
        ("a", "Grüße".encode("latin-1"), "application/octet-stream"),
        ("notes.txt", b"a\0b", "application/octet-stream"),
        ("scan.png", b"\xff\0\1", "application/octet-stream"),
        ("old.zip", b"PK\3\4\xff\0", "application/zip"),
    ],
)
def test_the_content_says_what_it_is_and_not_the_name(
    name: str, data: bytes, expected: str
) -> None:
    assert media_type(name, data) == expected
    assert is_sendable(expected) == (not expected.endswith(("octet-stream", "zip")))


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufeff")))
def test_text_in_every_unicode_encoding_with_a_mark_is_read(text: str) -> None:
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-32"):
        assert as_text(text.encode(encoding)) == text


@pytest.mark.parametrize(
    ("data", "seems"),
    [
        ("Grüße aus Köln, schöne Straße".encode("latin-1"), "Windows-1252 or Latin-1"),
        ("naïve – “quoted” 5 €".encode("cp1252"), "Windows-1252 or Latin-1"),
        ("Hello".encode("utf-16-le"), "UTF-16LE without"),
        ("Hello".encode("utf-16-be"), "UTF-16BE without"),
        ("Привет, как дела?".encode("koi8-r"), "an older encoding"),
        ("こんにちは".encode("shift_jis"), "an older encoding"),
    ],
)
def test_text_in_another_encoding_is_called_that(data: bytes, seems: str) -> None:
    with pytest.raises(UsageError, match="text, but not in UTF-8") as error:
        refuse("my notes.txt", media_type("my notes.txt", data), data)
    assert seems in str(error.value)
    assert "-t UTF-8 'my notes.txt' > NEW" in error.value.hint


@pytest.mark.parametrize(
    "data", [bytes(range(256)), b"PK\3\4\xff\0", b"\x7fELF\2\1\1\0\0\0\xff", b"\0" * 9]
)
def test_what_is_no_text_is_not_called_one(data: bytes) -> None:
    assert other_encoding(data) is None
    with pytest.raises(UsageError, match="which no model takes"):
        refuse("a.bin", media_type("a.bin", data), data)
    with pytest.raises(UsageError, match="is empty"):
        refuse("a.bin", "text/plain", b"")


def test_a_file_is_read_up_to_its_limit(tmp_path: Path) -> None:
    path = tmp_path / "a b.txt"
    path.write_bytes(b"12345")
    link = tmp_path / "link"
    link.symlink_to(path)
    assert read_file(str(path), 5) == b"12345"
    assert read_file(str(link), 5) == b"12345"
    with pytest.raises(UsageError, match="has more than 4 B"):
        read_file(str(path), 4)


def test_home_and_the_working_directory_are_understood(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").write_text("x")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert read_file("~/a", 9) == b"x"
    monkeypatch.chdir(tmp_path)
    assert read_file("a", 9) == b"x"


def test_only_regular_files_are_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")  # reading it would wait for ever
    for path, kind in ((tmp_path, "a folder"), (tmp_path / "pipe", "a pipe")):
        with pytest.raises(UsageError, match=f"is {kind}; only files"):
            read_file(str(path), 9)
    with pytest.raises(UsageError, match="a device"):
        read_file(os.devnull, 9)
    with pytest.raises(UsageError, match="There is no file"):
        read_file(str(tmp_path / "none"), 9)
    with pytest.raises(UsageError, match="cannot be attached"):
        read_file("a\0b", 9)
    with pytest.raises(UsageError, match="cannot be attached"):
        read_file(str(tmp_path / ("x" * 5000)), 9)


@given(st.text(st.sampled_from("`~a\n ")))
def test_a_text_never_closes_its_fence(text: str) -> None:
    head, opening, *lines, closing = fenced("a.py", text).split("\n")
    assert head == "a.py:"
    fence = opening.removesuffix("py")
    assert set(fence) == {"`"}
    assert closing == fence
    assert all(fence not in line for line in lines)
    assert "\n".join(lines) + "\n" * bool(lines) == (
        text if text[-1:] in ("", "\n") else text + "\n"
    )


def test_a_name_stays_one_line_and_names_no_strange_language() -> None:
    shown = fenced("a\nb.p y", "x")
    assert shown.startswith("a b.p y:\n```\nx\n")
