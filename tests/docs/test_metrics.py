"""The page on figures: its questions to jq have the answers that it promises."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agno_shell.builtin.json_storage.store import open_storage
from agno_shell.builtin.plain_renderer import PlainRenderer
from agno_shell.cli.commands.chat.answer import Answer
from agno_shell.contracts import Storage, StorageOptions
from agno_shell.events import Finished
from agno_shell.types import ROOT, Message, Session, ToolCall, Usage, new_id

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "metrics.md").read_text(encoding="utf-8")
QUESTIONS = re.findall(r"^```sh\n(jq .*)\n```", PAGE, re.MULTILINE)
PER_MODEL, PATH, NOT_WHOLE, TOOLS, PER_DAY = QUESTIONS

MONDAY = datetime(2026, 7, 20, 10, 30, tzinfo=UTC)

jq = pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not installed")


class Kept:
    """A session in a real store, and what jq says of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.storage: Storage = open_storage(StorageOptions(str(folder)))
        self.session: Session = self.storage.create("Figures")
        self.last: str | None = None

    def say(self, role: Any, content: str, *, days: int = 0, **fields: Any) -> Message:
        fields = {"parent": self.last, **fields}
        message = Message(new_id(), role, content, MONDAY + timedelta(days=days), **fields)
        self.storage.append(self.session.session_id, message)
        self.last = message.id
        return message

    def ask(self, question: str, *, above: bool = False) -> list[str]:
        folder = self.folder if above else self.folder / self.session.session_id
        # The page's own line, as a person would paste it.
        done = subprocess.run(
            ["/bin/sh", "-c", question], cwd=folder, capture_output=True, text=True, check=True
        )
        return done.stdout.splitlines()


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path)


@jq
def test_figures_of_each_model(kept: Kept) -> None:
    kept.say("user", "Hi")
    kept.say("assistant", "a", model="openai/x", usage=Usage(10, 2, cost=0.25))
    kept.say("assistant", "b", model="openai/x", usage=Usage(20, None, cost=0.5))
    kept.say("assistant", "c", model="ollama/y", usage=Usage(5, 5))
    kept.say("assistant", "d", model="openai/x")
    assert kept.ask(PER_MODEL) == ["ollama/y\t1\t5\t5\t", "openai/x\t2\t30\t2\t0.75"]


@jq
def test_the_conversation_as_it_stands(kept: Kept) -> None:
    question = kept.say("user", "Which cups?")
    first = kept.say("assistant", "Blue ones.")
    kept.say("assistant", "Red “ones”\nI think.", parent=question.id)
    assert kept.ask(PATH) == ["user: Which cups?", "assistant: Red “ones”", "I think."]
    kept.storage.update(kept.session.session_id, head=first.id)
    assert kept.ask(PATH) == ["user: Which cups?", "assistant: Blue ones."]
    kept.storage.update(kept.session.session_id, head=ROOT)
    assert kept.ask(PATH) == []


@jq
def test_replies_that_are_not_whole(kept: Kept) -> None:
    kept.say("user", "Hi")
    kept.say("assistant", "fine")
    kept.say("assistant", "hal", status="interrupted")
    error = {"kind": "timeout", "message": "The model was silent for 60 s."}
    kept.say("assistant", "", status="failed", extra={"error": error})
    kept.say("assistant", "to", status="incomplete", extra={"finish_reason": "length"})
    kept.say("tool", "", status="failed", tool_call_id="c")
    assert kept.ask(NOT_WHOLE) == [
        "2026-07-20T10:30 interrupted: stopped",
        "2026-07-20T10:30 failed: The model was silent for 60 s.",
        "2026-07-20T10:30 incomplete: length",
    ]


@jq
def test_what_tools_were_asked_for(kept: Kept) -> None:
    calls = (ToolCall("c1", "clock", '{"zone":"UTC"}'), ToolCall("c2", "weather", "{}"))
    kept.say("user", "What time is it?")
    kept.say("assistant", "", tool_calls=calls)
    kept.say("tool", "12:00", tool_call_id="c1")
    kept.say("tool", "The person said no.", tool_call_id="c2", status="failed")
    kept.say("assistant", "Noon.")
    assert kept.ask(TOOLS) == [
        'clock {"zone":"UTC"} -> 12:00',
        "weather {} -> The person said no.",
    ]


@jq
def test_dollars_a_day_over_all_sessions(kept: Kept) -> None:
    kept.say("assistant", "a", usage=Usage(cost=0.25))
    kept.say("assistant", "b", usage=Usage(cost=0.5), days=1)
    kept.say("assistant", "c", usage=Usage(5, 5), days=1)
    kept.session, kept.last = kept.storage.create("Other"), None
    kept.say("assistant", "d", usage=Usage(cost=1.0), days=1)
    assert kept.ask(PER_DAY, above=True) == ["2026-07-20\t0.25", "2026-07-21\t1.5"]


@jq
@pytest.mark.parametrize("question", QUESTIONS)
def test_an_empty_session_has_no_answers_and_no_errors(kept: Kept, question: str) -> None:
    assert kept.ask(question, above=question is PER_DAY) == []


def test_the_keys_of_the_record_are_those_of_the_table() -> None:
    page = (DOCS / "scripts.md").read_text(encoding="utf-8")
    table = page.split("\n## The reply as JSON\n", 1)[1].split("\n## ", 1)[0]
    rows = re.findall(r"^\| (`.*?`(?:, `.*?`)*) \|", table, re.MULTILINE)
    documented = {key for row in rows for key in re.findall(r"`(\w+)`", row)}
    sink = io.StringIO()
    shown = Answer(sink, io.StringIO(), PlainRenderer(), as_json=True, trace=True)
    shown.end([Message(new_id(), "assistant", "Yes", MONDAY)], Finished())
    assert documented == set(json.loads(sink.getvalue()))
