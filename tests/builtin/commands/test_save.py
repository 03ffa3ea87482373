from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agno_shell.builtin.commands import save
from agno_shell.builtin.json_storage.store import JsonStorage
from agno_shell.contracts import StorageOptions
from agno_shell.errors import AgnoShellError, StorageError, UsageError
from agno_shell.toolkit.json_records import message_fields
from agno_shell.types import Message, local_time, new_id, now


@pytest.fixture
def unsaved(context: Any) -> Any:
    """Says something that cannot be written."""

    def say(content: Any, parent: Any = None) -> Any:
        message = Message(new_id(), "user", content, now(), parent)
        context.keep_unsaved(message)
        return message

    return say


def written(path: Any) -> Any:
    return [each["content"] for each in json.loads(path.read_bytes())]


async def test_json_is_what_the_store_keeps(
    make_context: Callable[..., Any], type_line: Callable[..., Any], say: Any, tmp_path: Path
) -> None:
    storage = JsonStorage(StorageOptions(str(tmp_path / "store")))
    context = make_context(storage=storage, storage_path=str(tmp_path / "store"))
    say(context, "user: Grüße \ud800 \0", "assistant: two\nlines\r\n", "user: 你好")
    path = tmp_path / "out.json"
    printed = await type_line(context, f"/save {path}")
    kept = tmp_path / "store" / context.engine.session.session_id / "messages.json"
    assert path.read_bytes() == kept.read_bytes()
    size = f"{path.stat().st_size} B" if path.stat().st_size < 1000 else "kB"
    assert printed == f"3 messages written to {path} ({size})."


async def test_markdown_is_for_reading(
    context: Any, type_line: Callable[..., Any], tmp_path: Path
) -> None:
    context.know(context.memory.update(context.engine.session.session_id, name="Tax\n2026"))
    texts = ["What?\n", "```py\n\tx = 1\n```\n\n", "\x1b[2J \ud83d\r\n"]
    moment = context.engine.session.created_at.replace(2026, 7, 20, 10, 30)
    for number, text in enumerate(texts):
        message = Message(
            f"id-{number}",
            "assistant" if number == 1 else "user",
            text,
            moment,
            status="interrupted" if number == 1 else "complete",
            model="a/model" if number == 1 else None,
        )
        parent = f"id-{number - 1}" if number else None
        context.memory.append(context.engine.session.session_id, message._replace(parent=parent))
    await type_line(context, f"/save {tmp_path}/out.md")
    heading, _blank, about, *rest = (tmp_path / "out.md").read_bytes().split(b"\n")
    assert heading == b"# Tax 2026"
    assert about.startswith(f"Session {context.engine.session.session_id}, begun ".encode())
    assert about.endswith(b", 3 messages")
    when = local_time(moment).encode()
    assert b"\n".join(rest) == (
        b"\n## You, %b\n\nWhat?\n\n"
        b"## a/model, %b (interrupted)\n\n```py\n\tx = 1\n```\n\n\n"
        b"## You, %b\n\n\x1b[2J \\ud83d\r\n"
    ) % (when, when, when)


async def test_a_session_without_a_word(
    context: Any, type_line: Callable[..., Any], tmp_path: Path
) -> None:
    for name in ("out.json", "out.txt"):
        printed = await type_line(context, f"/save {tmp_path / name}")
        assert printed.startswith("0 messages written to ")
    assert json.loads((tmp_path / "out.json").read_bytes()) == []
    assert (tmp_path / "out.txt").read_text().startswith("# First\n\n")


# Which messages --------------------------------------------------------------------------


async def test_what_could_not_be_saved_is_in_the_file(
    context: Any, type_line: Callable[..., Any], say: Any, unsaved: Any, tmp_path: Path
) -> None:
    say(context, "user: a", "assistant: b")
    head = context.memory.messages(context.engine.session.session_id)[-1].id
    lost = unsaved("c", head)
    unsaved("d", lost.id)
    printed = await type_line(context, f"/save {tmp_path}/out.json")
    assert printed.startswith("4 messages, 2 of them not in the store, written to ")
    assert written(tmp_path / "out.json") == ["a", "b", "c", "d"]
    assert json.loads((tmp_path / "out.json").read_bytes())[2] == message_fields(lost)


async def test_a_storage_that_cannot_be_read_leaves_what_the_shell_holds(
    context: Any,
    type_line: Callable[..., Any],
    say: Any,
    unsaved: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    say(context, "user: a")
    held = [*context.engine.history, unsaved("b")]
    context.hold(held)

    def fail(*_: Any) -> None:
        raise StorageError("The disk is gone.")

    monkeypatch.setattr(context.memory, "messages", fail)
    printed = await type_line(context, f"/save {tmp_path}/out.json")
    assert written(tmp_path / "out.json") == ["a", "b"]
    assert printed.splitlines()[0] == (
        "The store could not be read, so only what this shell holds was written: The disk is gone."
    )
    assert "2 messages, 1 of them not in the store, written to" in printed


async def test_the_shells_own_branch_is_written_and_not_anothers(
    context: Any,
    type_line: Callable[..., Any],
    say: Any,
    unsaved: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    say(context, "user: a", "assistant: b")
    held = list(context.engine.history)
    context.hold(held)
    other = Message(new_id(), "assistant", "b2", now(), held[0].id)
    context.memory.append(context.engine.session.session_id, other)  # by another shell
    await type_line(context, f"/save {tmp_path}/1.json")
    assert written(tmp_path / "1.json") == ["a", "b"]
    context.memory.update(context.engine.session.session_id, head=held[1].id)
    context.memory.append(
        context.engine.session.session_id, Message(new_id(), "user", "c", now(), held[1].id)
    )
    await type_line(context, f"/save {tmp_path}/2.json")
    assert written(tmp_path / "2.json") == ["a", "b", "c"]
    held.append(unsaved("d", held[1].id))
    await type_line(context, f"/save {tmp_path}/3.json")
    assert written(tmp_path / "3.json") == ["a", "b", "d"]


async def test_the_beginning_that_the_shell_does_not_hold_is_there(
    context: Any,
    type_line: Callable[..., Any],
    say: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    say(context, *(f"user: {number}" for number in range(20)))
    held = list(context.engine.history)[-3:]
    context.hold(held)
    await type_line(context, f"/save {tmp_path}/out.json")
    assert written(tmp_path / "out.json") == [str(number) for number in range(20)]


async def test_what_json_cannot_say_costs_no_words(
    context: Any, type_line: Callable[..., Any], tmp_path: Path
) -> None:
    context.keep_unsaved(
        Message(new_id(), "assistant", "words", now(), provider_data={"p": float("nan")})
    )
    printed = await type_line(context, f"/save {tmp_path}/out.json")
    assert written(tmp_path / "out.json") == ["words"]
    assert printed.startswith("1 message without what the provider had added: ")


# Where -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed", ["~/my file.json", '"~/my file.json"', "'{home}/my file.json'", "my file.json"]
)
async def test_a_path_may_hold_blanks_and_a_tilde(
    context: Any,
    type_line: Callable[..., Any],
    say: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    typed: str,
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    say(context, "user: a")
    printed = await type_line(context, f"/save {typed.format(home=tmp_path)}")
    assert f"written to {tmp_path}/my file.json (" in printed
    assert written(tmp_path / "my file.json") == ["a"]


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX rights")
@pytest.mark.parametrize("umask", [0, 0o777])
async def test_the_file_is_for_its_owner_alone(
    context: Any, type_line: Callable[..., Any], tmp_path: Path, umask: Any
) -> None:
    before = os.umask(umask)
    try:
        await type_line(context, f"/save {tmp_path}/out.md")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "out.md").stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["out.md"]


async def test_an_existing_file_is_replaced_only_when_asked(
    make_context: Callable[..., Any], type_line: Callable[..., Any], say: Any, tmp_path: Path
) -> None:
    context = make_context(answers=[False, True])
    path = tmp_path / "out.json"
    path.write_text("precious")
    say(context, "user: a")
    assert await type_line(context, f"/save {path}") == "Nothing was written."
    assert path.read_text() == "precious"
    assert context.ui.questions[0].startswith(f"{path} exists (8 B, changed 20")
    assert context.ui.questions[0].endswith("). Replace it?")
    await type_line(context, f"/save {path}")
    assert written(path) == ["a"]
    assert os.listdir(tmp_path) == ["out.json"]


async def test_where_nobody_can_answer_a_file_is_replaced_with_an_option(
    make_context: Callable[..., Any], type_line: Callable[..., Any], say: Any, tmp_path: Path
) -> None:
    context = make_context(has_user=False)
    path = tmp_path / "my notes.json"
    path.write_text("precious")
    say(context, "user: a")
    with pytest.raises(UsageError, match="Nobody is here to answer"):
        await type_line(context, f"/save {path}")
    assert path.read_text() == "precious"
    await type_line(context, f"/save {path} --yes")
    assert written(path) == ["a"]


async def test_a_link_stays_a_link(
    make_context: Callable[..., Any], type_line: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "link.json").symlink_to(tmp_path / "real.json")
    await type_line(make_context(), f"/save {tmp_path}/link.json")
    assert (tmp_path / "link.json").is_symlink()
    assert written(tmp_path / "real.json") == []
    (tmp_path / "real.json").write_text("old")
    await type_line(make_context(answers=[True]), f"/save {tmp_path}/link.json")
    assert (tmp_path / "link.json").is_symlink()
    assert written(tmp_path / "real.json") == []


@pytest.mark.parametrize(
    ("typed", "complaint"),
    [
        ("", "/save needs a file"),
        ('""', "/save needs a file"),
        ("{here}/nowhere/out.md", "There is no folder {here}/nowhere"),
        ("{here}/file/out.md", "There is no folder {here}/file"),
        ("{here}/sub", "{here}/sub is a folder"),
        ("{here}/new/", "{here}/new is to be a folder"),
        ("{here}/fifo", "{here}/fifo is no ordinary file"),
        ("{here}/a\0b", "holds a character that no file name can hold"),
        ("{here}/a\ud800b", "holds a character that no file name can hold"),
        ("{here}/store/id/messages.json", "is in the folder of the sessions"),
        ("{here}/link/sessions.json", "is in the folder of the sessions"),
    ],
)
async def test_where_nothing_can_be_written_one_sentence_says_so(
    make_context: Callable[..., Any],
    type_line: Callable[..., Any],
    tmp_path: Path,
    typed: str,
    complaint: Any,
) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "sub").mkdir()
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "store" / "id").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "store")
    context = make_context(storage_path=str(tmp_path / "store"))
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(AgnoShellError) as caught:
        await type_line(context, "/save " + typed.format(here=tmp_path))
    assert complaint.format(here=tmp_path) in str(caught.value)
    assert caught.value.hint
    assert "\0" not in str(caught.value)
    assert sorted(tmp_path.rglob("*")) == before


async def test_a_working_directory_that_is_gone(
    context: Any, type_line: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(UsageError, match="The working directory cannot be found"):
        await type_line(context, "/save out.md")


# Whole or not at all ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "existing"),
    [
        *(("fsync", False), ("chmod", False), ("link", False)),
        *(("fsync", True), ("chmod", True), ("replace", True)),
    ],
)
async def test_a_disk_that_fails_leaves_what_was_there(
    make_context: Callable[..., Any],
    type_line: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    call: Any,
    existing: Any,
) -> None:
    path = tmp_path / "out.md"
    if existing:
        path.write_text("old")

    def fail(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(save.os, call, fail)
    if call == "link":  # then it is put in place by a rename, which fails as well
        monkeypatch.setattr(save.os, "replace", fail)
    with pytest.raises(AgnoShellError, match="was not written: No space left on device") as caught:
        await type_line(make_context(answers=[True]), f"/save {path}")
    assert caught.value.hint == "Name another place: /save PATH"
    assert [each.read_text() for each in tmp_path.iterdir()] == (["old"] if existing else [])


async def test_a_disk_without_links_is_no_hindrance(
    context: Any, type_line: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(save.os, "link", fail)
    await type_line(context, f"/save {tmp_path}/out.json")
    assert written(tmp_path / "out.json") == []
    assert os.listdir(tmp_path) == ["out.json"]


@pytest.mark.parametrize("links", [True, False])
async def test_a_file_that_appears_meanwhile_stays(
    context: Any,
    type_line: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    links: Any,
) -> None:
    path, fsync = tmp_path / "out.md", os.fsync

    def meanwhile(fd: Any) -> None:
        path.write_text("of another program")
        fsync(fd)

    monkeypatch.setattr(save.os, "fsync", meanwhile)
    if not links:

        def fail(*_: Any, **__: Any) -> None:
            raise PermissionError(1, "Operation not permitted")

        monkeypatch.setattr(save.os, "link", fail)
    with pytest.raises(AgnoShellError, match="was not written: File exists"):
        await type_line(context, f"/save {path}")
    assert path.read_text() == "of another program"
    assert os.listdir(tmp_path) == ["out.md"]
