from __future__ import annotations

import asyncio
import io
import json
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agno_shell.cli.commands.chat.answer import Answer
from agno_shell.cli.commands.chat.attached import AttachedFiles, take_in
from agno_shell.cli.commands.chat.question import question
from agno_shell.cli.commands.chat.quick import QuickChat, QuickQuestion, interrupts, make_query
from agno_shell.config import Agent, Config
from agno_shell.contracts import Abilities, ProviderFactory
from agno_shell.conversation.attempts import RetryPolicy
from agno_shell.conversation.models import Choice, Models
from agno_shell.conversation.stopping import Stop
from agno_shell.errors import ProviderError, UsageError
from agno_shell.events import (
    Failed,
    Finished,
    ProviderToolFinished,
    ProviderToolStarted,
    ReasoningDelta,
    Request,
    SpeakerChanged,
    UsageReported,
)
from agno_shell.plugins.manager import Plugins
from agno_shell.testing.scripted_provider import ScriptedProvider
from agno_shell.types import ToolCall, Usage

BUSY = Failed("rate_limited", "The server is busy.", temporary=True)
DOWN = Failed("unreachable", "Nobody answers.", "Start it.")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Asker:
    """Asks a scripted provider; what is written stays to be read."""

    def __init__(
        self, plugins: Plugins, *scripts: Any, aside: io.StringIO | None = None, **shown: bool
    ) -> None:
        self.provider = ScriptedProvider(*scripts, window=8_000)
        self.sink, self.aside = io.StringIO(), aside or io.StringIO()
        self.waited: list[float] = []
        self.stop = Stop()
        self.plugins = plugins
        renderer = plugins.renderers.get("plain").open(None)  # type: ignore[arg-type]
        options = {"as_json": False, **shown}
        self.answer = Answer(self.sink, self.aside, renderer, **options)

    async def ask(self, *models: str, **given: Any) -> str:
        """What stands on standard output, and the error if there was one."""

        async def wait(seconds: float) -> None:
            self.waited.append(seconds)

        choices = tuple(Choice("scripted", name) for name in models or ("m",))
        query = QuickQuestion(
            "Why?", choices, lambda _choice: self.provider, RetryPolicy(3, 60.0, wait)
        )
        quick = QuickChat(query._replace(**given), self.plugins, self.answer, self.stop)
        try:
            whole = await quick.ask()
        except ProviderError as error:
            return f"{self.sink.getvalue()}|{error.sentence()}"
        return self.sink.getvalue() + ("" if whole else "|stopped")

    @property
    def record(self) -> Any:
        return json.loads(self.sink.getvalue())


@pytest.fixture
def asker(plugins: Plugins) -> Callable[..., Asker]:
    return lambda *scripts, **shown: Asker(plugins, *scripts, **shown)


# The answer -------------------------------------------------------------------------------


async def test_the_answer_is_printed(asker: Callable[..., Asker]) -> None:
    assert await asker(["Be", "cause.", Finished()]).ask() == "Because.\n"


async def test_facts_and_the_server_go_along(asker: Callable[..., Asker]) -> None:
    one = asker()
    await one.ask(facts={"domain": "finance"}, api_base="http://localhost:1/v1")
    (request,) = one.provider.requests
    assert [m.role for m in request.messages] == ["system", "user"]
    assert "finance" in request.messages[0].content
    assert request.api_base == "http://localhost:1/v1"
    assert request.tools == ()


async def test_an_agent_is_the_same_as_in_the_shell(
    asker: Callable[..., Asker], tmp_path: Path
) -> None:
    (tmp_path / "rules.md").write_text("Be kind.")
    agent = Agent(
        "poet",
        "Rhyme.",
        parameters={"temperature": 0.5},
        pins=("Always.", f"@{tmp_path}/rules.md", f"@{tmp_path}/missing.md"),
    )
    one = asker()
    await one.ask(agent=agent, reasoning="high")
    (request,) = one.provider.requests
    assert request.messages[0].content == "Rhyme.\n\nAlways.\n\nBe kind."
    assert request.parameters == {"temperature": 0.5}
    assert request.reasoning == "high"
    assert f"{tmp_path}/missing.md is not sent: No such file" in one.aside.getvalue()


async def test_a_plugin_sees_the_request(
    asker: Callable[..., Asker], register: Callable[..., None]
) -> None:
    def censor(session: Any, request: Request) -> Request:
        assert session is None
        return Request("other", request.messages)

    register("censor", prepare_request=censor)
    one = asker()
    await one.ask()
    assert one.provider.requests[0].model == "other"


async def test_a_broken_filter_keeps_the_question_back(
    asker: Callable[..., Asker], register: Callable[..., None]
) -> None:
    register("censor", prepare_request=lambda request: 1 // 0)
    one = asker()
    output = await one.ask()
    assert "Nothing was sent: plugin censor (dist-censor 1) failed in prepare_request" in output
    assert one.provider.requests == []


async def test_a_filter_may_put_the_messages_as_it_likes(
    asker: Callable[..., Asker], register: Callable[..., None]
) -> None:
    def twice(request: Request) -> Request:
        return replace(request, messages=(*request.messages, *request.messages))

    register("twice", prepare_request=twice)
    one = asker()
    await one.ask()
    assert len(one.provider.requests[0].messages) == 1
    assert one.provider.refused == []


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ([Failed("server", "It broke.", "Try again.")], "|It broke. Try again."),
        (["half", Failed("server", "Cut off.")], "half\n|Cut off."),
        (["half", Finished("length")], "half\n|The reply ended early (length)."),
        ([Finished()], "|The model sent an empty reply."),
        (["half"], "half\n|The reply ended without being finished."),
    ],
)
async def test_a_failure_is_an_error_after_what_came(
    asker: Callable[..., Asker], script: list[Any], sentence: str
) -> None:
    assert await asker(script).ask() == sentence


@pytest.mark.parametrize(
    ("hint", "left"),
    [
        ("/retry asks again.", ""),
        ("Start it. /model chooses another.", "Start it."),
        (
            "Choose another with /model. Or look in /etc/hosts first.",
            "Or look in /etc/hosts first.",
        ),
        ("Try http://localhost/v1 or and/or.", "Try http://localhost/v1 or and/or."),
        ("", ""),
    ],
)
async def test_no_slash_command_is_advised_where_there_is_none(
    asker: Callable[..., Asker], hint: str, left: str
) -> None:
    printed = await asker([Failed("server", "It broke.", hint)]).ask()
    assert printed == f"|It broke. {left}".rstrip()


# Files ------------------------------------------------------------------------------------

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b550000000a49"
    "444154789c636000000002000148afa4710000000049454e44ae426082"
)
"""A picture of one pixel."""


@pytest.fixture
def attached(tmp_path: Path) -> AttachedFiles:
    (tmp_path / "notes.md").write_text("# Mine\n")
    (tmp_path / "cups.png").write_bytes(PNG)
    return take_in([str(tmp_path / "notes.md"), str(tmp_path / "cups.png")], 1_000)


async def test_text_files_go_in_the_question_and_others_beside_it(
    asker: Callable[..., Asker], attached: AttachedFiles
) -> None:
    one = asker(as_json=True)
    await one.ask(attached=attached)
    (request,) = one.provider.requests
    question = request.messages[-1]
    assert question.content == "Why?\n\nnotes.md:\n```md\n# Mine\n```"
    assert [each.name for each in question.attachments] == ["cups.png"]
    assert list(request.files.values()) == [PNG]
    assert request.files.keys() == {question.attachments[0].sha256}
    assert [
        (each["name"], each["media_type"], each["size"]) for each in one.record["attachments"]
    ] == [
        ("notes.md", "text/plain", 7),
        ("cups.png", "image/png", len(PNG)),
    ]


@pytest.mark.parametrize(
    ("images", "output"), [(False, "|cups.png cannot be sent: m takes no images. "), (None, "echo")]
)
async def test_what_a_model_is_known_not_to_take_is_not_sent(
    asker: Callable[..., Asker],
    attached: AttachedFiles,
    monkeypatch: pytest.MonkeyPatch,
    images: bool | None,
    output: str,
) -> None:
    async def abilities(_model: str) -> Abilities:
        return Abilities(images=images)

    one = asker()
    monkeypatch.setattr(one.provider, "abilities", abilities)
    assert (await one.ask(attached=attached)).startswith(output)
    assert len(one.provider.requests) == (images is not False)


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("missing.txt", None, "There is no file"),
        ("empty.txt", b"", "is empty"),
        ("program.exe", b"MZ\0\xff", "which no model takes"),
        ("large.txt", b"x" * 101, "has more than 100 B"),
    ],
)
def test_what_cannot_be_attached_is_refused(
    tmp_path: Path, name: str, data: bytes | None, message: str
) -> None:
    if data is not None:
        (tmp_path / name).write_bytes(data)
    with pytest.raises(UsageError, match=message):
        take_in([str(tmp_path / name)], 100)


# Tries and fallbacks ----------------------------------------------------------------------


async def test_a_busy_server_is_asked_again(asker: Callable[..., Asker]) -> None:
    one = asker([BUSY], [BUSY], ["Yes", Finished()])
    assert await one.ask() == "Yes\n"
    assert one.waited == [1.0, 3.0]
    assert one.aside.getvalue() == ""


async def test_the_wait_is_explained(asker: Callable[..., Asker]) -> None:
    one = asker([BUSY], ["Yes", Finished()], aside=Terminal())
    await one.ask()
    assert one.aside.getvalue() == "The server is busy. Try 2 of 3 in 1.0 s.\n"


async def test_a_model_that_is_down_is_not_the_end(asker: Callable[..., Asker]) -> None:
    one = asker([DOWN], ["Yes", Finished()])
    assert await one.ask("model-a", "model-b") == "Yes\n"
    assert [request.model for request in one.provider.requests] == ["model-a", "model-b"]
    assert one.aside.getvalue() == "Nobody answers. model-b is asked.\n"


async def test_nothing_foreign_beside_the_reply_acts(asker: Callable[..., Asker]) -> None:
    one = asker([Failed("unreachable", "Evil\x1b[2J\nline")], ["Yes", Finished()])
    await one.ask("a", "b")
    assert one.aside.getvalue() == "Evil␛[2J line b is asked.\n"


# Ctrl-C -----------------------------------------------------------------------------------


async def test_stopping_keeps_what_came(asker: Callable[..., Asker]) -> None:
    one = asker(["half", asyncio.Event()], as_json=True)
    asking = asyncio.create_task(one.ask())
    while not one.answer._recorder.step.steps[-1:] or not one.answer._recorder.step.steps[-1].steps:
        await asyncio.sleep(0)
    one.stop.set()
    assert (await asking).endswith("|stopped")
    assert (one.record["reply"], one.record["status"]) == ("half", "interrupted")
    assert (one.record["finish_reason"], one.record["error"]) == (None, None)
    assert one.provider.closed_streams == 1


async def test_control_c_stops_and_is_given_back_afterwards() -> None:
    stop = Stop()
    before = signal.getsignal(signal.SIGINT)
    with interrupts(stop.set):
        os.kill(os.getpid(), signal.SIGINT)
        while not stop.is_set:
            await asyncio.sleep(0)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    signal.signal(signal.SIGINT, before)


# Speakers, and tools of the provider -----------------------------------------------------

SEARCH = ToolCall("1", "search\x1b", '{"q": 1}')
TEAM: list[Any] = [
    "I look.",
    ProviderToolStarted(SEARCH),
    ProviderToolFinished(SEARCH, "Noon."),
    "Noon.",
    SpeakerChanged("Ada\x07"),
    ReasoningDelta("Hm."),
    "So it is.",
    SpeakerChanged(),
    "Good.",
    Finished(),
]


async def test_each_speaker_is_named_and_what_the_provider_runs_is_said_aside(
    asker: Callable[..., Asker],
) -> None:
    one = asker(TEAM, aside=Terminal())
    assert await one.ask() == "I look.\n\nNoon.\n\nAda␇:\nSo it is.\n\nGood.\n"
    assert one.aside.getvalue() == (
        '(search␛ {"q": 1} · run by the provider · begins)\n'
        '(search␛ {"q": 1} · run by the provider · complete)\n'
    )
    script = asker(TEAM)
    await script.ask()
    assert script.aside.getvalue() == ""


async def test_json_has_who_said_what_and_what_the_provider_ran(
    asker: Callable[..., Asker],
) -> None:
    one = asker(TEAM, as_json=True)
    await one.ask()
    record = one.record
    assert record["reply"] == "I look.Noon.\n\nSo it is.\n\nGood."
    assert record["parts"] == [
        {"speaker": None, "text": "I look.Noon."},
        {"speaker": "Ada\x07", "text": "So it is."},
        {"speaker": None, "text": "Good."},
    ]
    (tool,) = record["provider_tools"]
    assert (tool["name"], tool["result"], tool["at"]) == ("search\x1b", "Noon.", 7)
    assert record["reasoning"] == "Hm."


# As JSON ----------------------------------------------------------------------------------


async def test_json_holds_everything(asker: Callable[..., Asker]) -> None:
    usage = Usage(30, 10, 4, 20, 0.25)
    script = [ReasoningDelta("Hm."), "Yes\x1b", UsageReported(usage), Finished()]
    one = asker([DOWN], [BUSY], script, as_json=True, trace=True, metrics=True)
    await one.ask("model-a", "model-b")
    record = one.record
    assert record["model"] == "model-b"
    assert record["reply"] == "Yes\x1b"
    assert record["reasoning"] == "Hm."
    assert (record["status"], record["finish_reason"], record["error"]) == (
        "complete",
        "stop",
        None,
    )
    assert record["retries"] == [
        {"error": {"kind": "rate_limited", "message": "The server is busy."}, "seconds": 1.0}
    ]
    assert record["fallbacks"] == [
        {
            "model": "model-a",
            "error": {"kind": "unreachable", "message": "Nobody answers."},
            "to": "model-b",
        }
    ]
    assert record["usage"] == usage._asdict()
    assert record["timing"]["first_token"] > 0
    assert record["tokens_per_second"] > 0
    names = [step["name"] for step in record["trace"]["steps"]]
    assert names == ["request", "fallback", "request"]
    assert "1 message, " in record["trace"]["steps"][0]["detail"]
    assert "of 8,000" in record["trace"]["steps"][0]["detail"]
    assert one.aside.getvalue() == ""


async def test_json_without_a_trace_has_none_and_counts_nothing(
    asker: Callable[..., Asker], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def count(*_given: Any) -> Any:
        raise AssertionError("counting takes time that nobody wants to wait for")

    monkeypatch.setattr(ScriptedProvider, "count_tokens", count)
    one = asker(["Yes", Finished()], as_json=True)
    await one.ask()
    assert "trace" not in one.record
    assert one.record["usage"] is None
    assert one.record["tokens_per_second"] is None


async def test_a_failure_in_json_names_its_kind(asker: Callable[..., Asker]) -> None:
    one = asker([Failed("timeout", "Too slow.")], as_json=True)
    printed = await one.ask()
    record = json.loads(printed.rpartition("|")[0])
    assert record["error"] == {"kind": "timeout", "message": "Too slow."}
    assert (record["status"], record["finish_reason"]) == ("failed", None)


# Metrics and trace ------------------------------------------------------------------------


async def test_metrics_and_trace_go_to_standard_error(asker: Callable[..., Asker]) -> None:
    one = asker(["Yes", UsageReported(Usage(3, 1)), Finished()], metrics=True, trace=True)
    assert await one.ask() == "Yes\n"
    metrics, *trace = one.aside.getvalue().splitlines()
    assert metrics.startswith("3 tokens in · 1 out")
    assert "turn" in trace[0]
    assert trace[-1].split()[-2:] == ["finish", "stop"]


# What is asked, and of whom ---------------------------------------------------------------


def query(
    values: dict[str, Any], overrides: dict[str, Any] | None = None, **options: Any
) -> QuickQuestion:
    agents = {
        "plain": Agent("plain"),
        "deep": Agent("deep", model="deep-model", fallbacks=("b", "c"), reasoning="high"),
    }
    config = Config({name: (value, lambda: "") for name, value in values.items()}, agents=agents)
    scripted = ProviderFactory("scripted", "", lambda _options: ScriptedProvider())
    offline = ProviderFactory("offline", "", lambda _options: ScriptedProvider())
    default = values.get("provider.model")
    models = Models(scripted, offline, lambda _f: ScriptedProvider(), default=default, environ={})
    return make_query("Why?", config, models, overrides=overrides or {}, **options)


CONFIGURED = {
    "provider.model": "m",
    "provider.fallbacks": ("x", "b"),
    "provider.reasoning": "low",
    "provider.limits.tries": 5,
}


def test_as_configured() -> None:
    asked = query(CONFIGURED)
    assert [choice.model for choice in asked.choices] == ["m", "x", "b"]
    assert (asked.reasoning, asked.api_base, asked.agent) == ("low", None, None)
    assert (asked.retry_policy.tries, asked.retry_policy.retry_after) == (5, 60.0)


def test_an_agent_counts_more_and_the_command_line_most() -> None:
    asked = query(CONFIGURED, agent="deep")
    assert [choice.model for choice in asked.choices] == ["deep-model", "b", "c", "x"]
    assert asked.reasoning == "high"
    given = {"provider.model": "mine", "provider.reasoning": "off"}
    asked = query({**CONFIGURED, **given}, given, agent="deep")
    assert [choice.model for choice in asked.choices] == ["mine", "b", "c", "x"]
    assert asked.reasoning == "off"
    assert query({}, agent="plain").reasoning is None


def test_without_a_model_nobody_else_is_asked_either() -> None:
    asked = query({"provider.fallbacks": ("x",)})
    assert asked.choices == (Choice("offline", "offline"),)


def test_an_agent_that_is_not_configured_is_an_error() -> None:
    with pytest.raises(UsageError, match="no agent called 'poet'") as raised:
        query({}, agent="poet")
    assert raised.value.hint == "Configured agents: deep, plain."


# What is piped ----------------------------------------------------------------------------


def test_what_is_piped_stands_behind_the_text() -> None:
    assert question("Explain:", io.BytesIO("é\n".encode())) == "Explain:\n\né\n"
    assert question("Explain:", io.BytesIO(b" \n")) == "Explain:"
    assert question("Explain:", None) == "Explain:"


def test_what_is_piped_alone_is_the_question() -> None:
    assert question("", io.BytesIO("Why é?\n".encode())) == "Why é?\n"


@pytest.mark.parametrize("piped", [None, b"", b" \n"])
@pytest.mark.parametrize("text", ["", "  "])
def test_no_question_at_all(text: str, piped: bytes | None) -> None:
    with pytest.raises(UsageError, match="There is no question") as caught:
        question(text, None if piped is None else io.BytesIO(piped))
    assert "pipe the question in" in caught.value.hint


@pytest.mark.parametrize(
    ("data", "what"),
    [(b"\x00\x01", "binary"), (b"\xff\x00", "binary"), ("Zürich".encode("latin-1"), "not UTF-8")],
)
def test_input_that_is_no_text_is_refused(data: bytes, what: str) -> None:
    with pytest.raises(UsageError, match=what):
        question("Explain:", io.BytesIO(data))


def test_too_much_input_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agno_shell.cli.commands.chat.question.LONGEST_INPUT", 10)
    with pytest.raises(UsageError, match="larger than"):
        question("Explain:", io.BytesIO(b"x" * 11))
