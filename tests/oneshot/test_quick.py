from __future__ import annotations

import io
import json
from typing import Any

import pytest

from agno_shell.conversation.models import Choice
from agno_shell.errors import ProviderError, UsageError
from agno_shell.events import Failed, Finished, UsageReported
from agno_shell.oneshot.quick import Answer, ask, question
from agno_shell.plugins import Plugins
from agno_shell.testing.scripted_provider import ScriptedProvider
from agno_shell.types import Usage


async def run(
    provider: ScriptedProvider, *, as_json: bool = False, metrics: bool = False, **given: Any
) -> str:
    plugins = Plugins(installed=False)
    sink = io.StringIO()
    renderer = plugins.renderers.get("plain").open(None)  # type: ignore[arg-type]
    try:
        await ask(
            "Why?",
            provider=provider,
            choice=Choice("scripted", "m"),
            plugins=plugins,
            answer=Answer(sink, renderer, as_json=as_json),
            metrics=metrics,
            **{"agent": None, "facts": {}, "api_base": None, **given},
        )
    except ProviderError as error:
        return f"{sink.getvalue()}|{error.sentence()}"
    return sink.getvalue()


async def test_the_answer_is_printed() -> None:
    assert await run(ScriptedProvider(["Be", "cause.", Finished()])) == "Because.\n"


async def test_facts_go_along() -> None:
    provider = ScriptedProvider()
    await run(provider, facts={"domain": "finance"}, api_base="http://localhost:1/v1")
    (request,) = provider.requests
    assert [m.role for m in request.messages] == ["system", "user"]
    assert request.api_base == "http://localhost:1/v1"


async def test_json_holds_the_reply_and_the_figures() -> None:
    printed = await run(
        ScriptedProvider(["Yes\x1b", UsageReported(Usage(3, 1)), Finished()]), as_json=True
    )
    record = json.loads(printed)
    assert record["reply"] == "Yes\x1b"
    assert record["model"] == "m"
    assert record["finish_reason"] == "stop"
    assert record["usage"]["input_tokens"] == 3
    assert record["timing"]["first_token"] > 0
    assert record["error"] is None


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ([Failed("server", "It broke.", "Try again.")], "|It broke. Try again."),
        (["half", Failed("server", "Cut off.")], "half\n|Cut off."),
        (["half", Finished("length")], "half\n|The reply ended early (length)."),
        ([Finished()], "|The reply is empty."),
        (["half"], "half\n|The reply ended without being finished."),
    ],
)
async def test_a_failure_is_an_error_after_what_came(script: list[Any], sentence: str) -> None:
    assert await run(ScriptedProvider(script)) == sentence


async def test_a_failure_in_json_names_its_kind() -> None:
    printed = await run(ScriptedProvider([Failed("timeout", "Too slow.")]), as_json=True)
    record = json.loads(printed.rpartition("|")[0])
    assert record["error"] == {"kind": "timeout", "message": "Too slow."}
    assert record["finish_reason"] is None


async def test_metrics_go_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    script = ["Yes", UsageReported(Usage(3, 1)), Finished()]
    assert await run(ScriptedProvider(script), metrics=True) == "Yes\n"
    assert "3 tokens in · 1 out" in capsys.readouterr().err


def test_what_is_piped_stands_behind_the_text() -> None:
    assert question("Explain:", io.BytesIO("é\n".encode())) == "Explain:\n\né\n"
    assert question("Explain:", io.BytesIO(b" \n")) == "Explain:"
    assert question("Explain:", None) == "Explain:"


@pytest.mark.parametrize("data", [b"\x00\x01", b"\xff\xfe\xfa"])
def test_binary_input_is_refused(data: bytes) -> None:
    with pytest.raises(UsageError, match="binary"):
        question("Explain:", io.BytesIO(data))


def test_too_much_input_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agno_shell.oneshot.quick.LONGEST_INPUT", 10)
    with pytest.raises(UsageError, match="larger than"):
        question("Explain:", io.BytesIO(b"x" * 11))
