"""What the shell adds to one question: on the way to the server, and on the way back."""

from __future__ import annotations

import asyncio
import random
import time
from pathlib import Path

from chat import warm_chat
from figures import RUNS, Figure, middle
from terminal import Terminal

from agno_shell.testing.model_replies import Exchange
from agno_shell.testing.model_server import Behaviour, ModelServer

TARGET_MS = 15.0


def both_ways(folder: Path) -> list[Figure]:
    """Enter to the request's arrival; the reply's first byte to the screen."""
    with warm_chat(folder) as (terminal, server):
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
            choice = {"index": 0, "delta": delta, "finish_reason": finish}
            exchange.send_event(
                {
                    "id": "chatcmpl-bench",
                    "object": "chat.completion.chunk",
                    "created": 1,
                    "model": "test",
                    "choices": [choice],
                }
            )
            await exchange.drain()
            # The rest of a reply never comes in the packet of its first word.
            await asyncio.sleep(0.1)
        exchange.send(b"data: [DONE]\n\n")
        await exchange.end_stream()

    return answer
