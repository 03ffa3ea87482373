"""The official clients as judges: what they read of a reply, and what they think of a request.

It is run with the Python of the environment that they are installed in, and imports nothing of
this project: ``python judge.py`` takes a JSON list of jobs on its standard input and writes the
list of their results. A job is ``{"do": "read", "wire": …, "base": …, "said": …}`` or
``{"do": "check", "wire": …, "body": …}``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import cache
from typing import Any

KEY = "sk-fake-client-0000"


# What a client reads -------------------------------------------------------------------------


def reply(
    text: str | None, thoughts: str | None, calls: list[Any], usage: tuple[Any, Any], reason: Any
) -> dict[str, Any]:
    return {
        "text": text or "",
        "thoughts": thoughts or "",
        "calls": calls,
        "usage": list(usage),
        "reason": reason,
    }


@cache
def openai_client(base: str) -> Any:
    import openai

    return openai.OpenAI(base_url=f"{base}/v1", api_key=KEY, max_retries=0)


@cache
def anthropic_client(base: str) -> Any:
    import anthropic

    return anthropic.Anthropic(base_url=base, api_key=KEY, max_retries=0)


@cache
def google_client(base: str) -> Any:
    from google import genai

    # Its own default is v1; v1beta is what most servers offer.
    options = genai.types.HttpOptions(base_url=base, api_version="v1beta")
    return genai.Client(api_key=KEY, http_options=options)


def read_chat(base: str, said: str) -> dict[str, Any]:
    client = openai_client(base)
    messages: Any = [{"role": "user", "content": said}]
    options: Any = {"include_usage": True}
    with client.chat.completions.stream(
        model="gpt-4o", messages=messages, stream_options=options
    ) as stream:
        made = stream.get_final_completion()
    choice, usage = made.choices[0], made.usage
    calls = [
        [call.function.name, json.loads(call.function.arguments)]
        for call in choice.message.tool_calls or ()
    ]
    thoughts = (choice.message.model_extra or {}).get("reasoning_content")
    counts = (usage.prompt_tokens, usage.completion_tokens) if usage else (None, None)
    return reply(choice.message.content, thoughts, calls, counts, choice.finish_reason)


def read_responses(base: str, said: str) -> dict[str, Any]:
    client = openai_client(base)
    with client.responses.stream(model="gpt-4o", input=said) as stream:
        made = stream.get_final_response()
    calls = [
        [item.name, json.loads(item.arguments)]
        for item in made.output
        if item.type == "function_call"
    ]
    thoughts = [
        part.text for item in made.output if item.type == "reasoning" for part in item.summary
    ]
    usage = made.usage
    counts = (usage.input_tokens, usage.output_tokens) if usage else (None, None)
    return reply(made.output_text, "".join(thoughts), calls, counts, made.status)


def read_anthropic(base: str, said: str) -> dict[str, Any]:
    client = anthropic_client(base)
    messages: Any = [{"role": "user", "content": said}]
    with client.messages.stream(model="claude-test", max_tokens=99, messages=messages) as stream:
        made = stream.get_final_message()
    texts = [block.text for block in made.content if block.type == "text"]
    thoughts = [block.thinking for block in made.content if block.type == "thinking"]
    calls = [[block.name, block.input] for block in made.content if block.type == "tool_use"]
    counts = (made.usage.input_tokens, made.usage.output_tokens)
    return reply("".join(texts), "".join(thoughts), calls, counts, made.stop_reason)


def read_gemini(base: str, said: str) -> dict[str, Any]:
    client = google_client(base)
    text, thoughts, calls, counts, reason = "", "", [], (None, None), None
    for piece in client.models.generate_content_stream(model="gemini-test", contents=said):
        candidate = (piece.candidates or [None])[0]
        for part in (candidate and candidate.content and candidate.content.parts) or ():
            if part.function_call:
                calls.append([part.function_call.name, part.function_call.args])
            elif part.thought:
                thoughts += part.text or ""
            else:
                text += part.text or ""
        reason = (candidate and candidate.finish_reason) or reason
        if usage := piece.usage_metadata:
            counts = (usage.prompt_token_count, usage.candidates_token_count)
    return reply(text, thoughts, calls, counts, reason and reason.name)


def read_ollama(base: str, said: str) -> dict[str, Any]:
    import ollama

    client = ollama.Client(host=base)
    messages = [{"role": "user", "content": said}]
    text, thoughts, calls, counts, reason = "", "", [], (None, None), None
    for piece in client.chat(model="llama3", messages=messages, stream=True):
        text += piece.message.content or ""
        thoughts += piece.message.thinking or ""
        calls += [
            [call.function.name, dict(call.function.arguments)]
            for call in piece.message.tool_calls or ()
        ]
        if piece.done:
            counts, reason = (piece.prompt_eval_count, piece.eval_count), piece.done_reason
    return reply(text, thoughts, calls, counts, reason)


# What a client's types say of a request ------------------------------------------------------


def walked(value: Any) -> Any:
    """``value`` with every iterator in it run to its end: what is in one is checked then."""
    if isinstance(value, dict):
        return {name: walked(each) for name, each in value.items()}
    if isinstance(value, str | bytes | int | float | None):
        return value
    return [walked(each) for each in value]


def by_type(kind: Any, body: Any) -> None:
    from pydantic import TypeAdapter

    adapter = TypeAdapter(kind)  # held until all is walked through
    walked(adapter.validate_python(body))


def check_chat(body: dict[str, Any]) -> None:
    from openai.types.chat.completion_create_params import CompletionCreateParamsStreaming

    by_type(CompletionCreateParamsStreaming, body)


def check_responses(body: dict[str, Any]) -> None:
    from openai.types.responses.response_create_params import ResponseCreateParamsStreaming

    by_type(ResponseCreateParamsStreaming, body)


def check_anthropic(body: dict[str, Any]) -> None:
    from anthropic.types.message_create_params import MessageCreateParamsStreaming

    by_type(MessageCreateParamsStreaming, body)


def check_gemini(body: dict[str, Any]) -> None:
    from google.genai import types

    # Each of these models refuses what it does not know.
    parts: dict[str, Any] = {
        "contents": lambda value: [types.Content.model_validate(each) for each in value],
        "systemInstruction": types.Content.model_validate,
        "tools": lambda value: [types.Tool.model_validate(each) for each in value],
        "generationConfig": types.GenerationConfig.model_validate,
    }
    for name, value in body.items():
        parts[name](value)


def check_ollama(body: dict[str, Any]) -> None:
    from ollama._types import ChatRequest

    ChatRequest.model_validate(body)


READ: dict[str, Callable[[str, str], dict[str, Any]]] = {
    "chat": read_chat,
    "responses": read_responses,
    "anthropic": read_anthropic,
    "gemini": read_gemini,
    "ollama": read_ollama,
}
CHECK: dict[str, Callable[[dict[str, Any]], None]] = {
    "chat": check_chat,
    "responses": check_responses,
    "anthropic": check_anthropic,
    "gemini": check_gemini,
    "ollama": check_ollama,
}


def result(job: dict[str, Any]) -> dict[str, Any]:
    try:
        if job["do"] == "read":
            return READ[job["wire"]](job["base"], job["said"])
        CHECK[job["wire"]](job["body"])
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}
    return {}


if __name__ == "__main__":
    results = [result(job) for job in json.load(sys.stdin)]
    json.dump(results, sys.stdout)
