"""What the shell adds to one question: on the way to the server, on the way back, and when
the person stops the reply."""

from __future__ import annotations

import asyncio
import random
import time
from itertools import chain, repeat
from pathlib import Path

from chat import warm_chat
from figures import RUNS, Figure, middle
from terminal import Terminal

from agno_shell.testing.model_replies import Exchange
from agno_shell.testing.model_server import Behaviour, ModelServer

TARGET_MS = 15.0
STOP_TARGET_MS = 100.0
CTRL_C = "\x03"


def both_ways(folder: Path) -> list[Figure]:
    """Enter to the request's arrival; the reply's first byte to the screen."""
    return [
        figure._replace(what=f"{figure.what} ({provider})")
        for provider in ("direct", "litellm")
        for figure in _both_ways(folder / provider, provider)
    ]


def _both_ways(folder: Path, provider: str) -> list[Figure]:
    folder.mkdir()
    with warm_chat(folder, provider) as (terminal, server):
        prompt_answers = [_turn(terminal, server, 0.0, n) for n in range(RUNS)]
        slow_answers = [_turn(terminal, server, 0.3, RUNS + n) for n in range(RUNS)]
    there = [sample[0] for sample in prompt_answers + slow_answers]
    return [
        middle("Enter to the request at the server", there, "ms", TARGET_MS),
        middle(
            "first byte to the screen, answered after 300 ms",
            [sample[1] for sample in slow_answers],
            "ms",
            TARGET_MS,
        ),
        middle(
            "first byte to the screen, answered at once",
            [sample[1] for sample in prompt_answers],
            "ms",
            TARGET_MS,
        ),
    ]


def stopping(folder: Path) -> list[Figure]:
    """Ctrl-C in the middle of a reply to the line that says so, and to the end of the
    connection at the server."""
    shown, closed = [], []
    with warm_chat(folder) as (terminal, server):
        for number in range(RUNS):
            word = f"Begin{number:03}"
            server.forget()
            server.plan(_endless(word, ended := []))
            terminal.type(f"question {number}\r")
            terminal.wait_for(word)
            # Not in step with the shell's frames.
            terminal.watch(0.2 + random.random() / 10)
            pressed = terminal.type(CTRL_C)
            shown.append((terminal.wait_for("(stopped") - pressed) * 1e3)
            while not ended:
                terminal.watch(0.005)
            closed.append((ended[0] - pressed) * 1e3)
            terminal.watch(0.3)
    return [
        middle("Ctrl-C to the line that says so", shown, "ms", STOP_TARGET_MS),
        middle("Ctrl-C to the end of the connection", closed, "ms", STOP_TARGET_MS),
    ]


def _endless(word: str, ended: list[float]) -> Behaviour:
    async def answer(exchange: Exchange) -> None:
        exchange.begin_stream()
        try:
            for piece in chain([word], repeat(" and on")):
                exchange.send_event(_chunk({"content": piece}, None))
                await exchange.drain()
                await asyncio.sleep(0.005)
        finally:
            ended.append(time.monotonic())

    return answer


def _turn(
    terminal: Terminal, server: ModelServer, thinking: float, number: int
) -> tuple[float, float]:
    """Milliseconds there and back."""
    word = f"Reply{number:03}"
    sent: list[float] = []
    server.forget()
    server.plan(_answer(word, thinking, sent))
    terminal.type(f"question {number}")
    # Not in step with the shell's frames.
    terminal.watch(0.2 + random.random() / 10)
    pressed = terminal.type("\r")
    drawn = terminal.wait_for(word)
    terminal.watch(0.5)
    arrived = next(r.at for r in server.requests if r.path.endswith("/chat/completions"))
    return (arrived - pressed) * 1e3, (drawn - sent[0]) * 1e3


def _answer(word: str, thinking: float, sent: list[float]) -> Behaviour:
    async def answer(exchange: Exchange) -> None:
        exchange.begin_stream()
        await exchange.drain()
        await asyncio.sleep(thinking)
        sent.append(time.monotonic())
        for delta, finish in (({"content": word}, None), ({}, "stop")):
            exchange.send_event(_chunk(delta, finish))
            await exchange.drain()
            # The rest of a reply never comes in the packet of its first word.
            await asyncio.sleep(0.1)
        exchange.send(b"data: [DONE]\n\n")
        await exchange.end_stream()

    return answer


def _chunk(delta: dict[str, str], finish: str | None) -> dict[str, object]:
    return {
        "id": "chatcmpl-bench",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "test",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }
