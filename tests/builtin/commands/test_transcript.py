from __future__ import annotations

from agno_shell.builtin.commands.transcript import as_json, as_markdown
from agno_shell.toolkit import json_records
from agno_shell.types import Message, ProviderTool, local_time, new_session, now

TOOLS = (
    ProviderTool("1", "search\x1b", '{"q":\n1}', "\n# Noon.\n\nSure.\n", at=7),
    ProviderTool("2", "run", status="interrupted", at=7),
)
SAID = Message(
    "1", "assistant", "I look.Noon.", now(), model="a/model", speaker="Ada", provider_tools=TOOLS
)


def test_speakers_and_tools_of_the_provider_are_in_a_text() -> None:
    session = new_session("Team")
    alone = SAID._replace(content="", provider_tools=TOOLS[1:], speaker=None)
    text = as_markdown(session, [SAID, alone]).decode()
    assert text.split("\n\n", 2)[2] == (
        f"## Ada (a/model), {local_time(SAID.created_at)}\n\nI look.\n\n"
        '> Run by the provider: search␛ {"q": 1}\n>\n> # Noon.\n>\n> Sure.\n\n'
        "> Run by the provider: run (interrupted)\n\nNoon.\n\n"
        f"## a/model, {local_time(SAID.created_at)}\n\n"
        "> Run by the provider: run (interrupted)\n"
    )


def test_they_are_in_json() -> None:
    (raw,) = json_records.loads(as_json([SAID]).data)
    assert json_records.message_of(raw, "1", None, json_records.EPOCH) == SAID
