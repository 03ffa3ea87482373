"""An MCP server that does what the first argument says, once its tool ``go`` is called, and
does not stop doing it."""

from __future__ import annotations

import json
import os
import sys

NOTE = {"jsonrpc": "2.0", "method": "notifications/message"}


def say(record: dict[str, object]) -> None:
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **record}) + "\n")
    sys.stdout.flush()


def line(size: int) -> str:
    return json.dumps({**NOTE, "params": {"level": "info", "data": "x" * size}}) + "\n"


def misbehave(mode: str) -> None:
    if mode == "notifications":
        many = line(1) * 1000
        while True:
            sys.stdout.write(many)
    if mode == "lines":  # each as long as is allowed
        long = line(3_900_000)
        while True:
            sys.stdout.write(long)
    if mode == "large":  # each longer than is allowed
        longer = line(30_000_000)
        while True:
            sys.stdout.write(longer)
    if mode == "deep":
        deep = "[" * 1_900_000 + "]" * 1_900_000 + "\n"
        while True:
            sys.stdout.write(deep)
    if mode == "objects":  # the dearest to parse
        many_keys = json.dumps({**NOTE, "params": {str(key): [] for key in range(250_000)}}) + "\n"
        while True:
            sys.stdout.write(many_keys)
    while mode == "errors":
        os.write(2, b"e" * 65_536)


def main() -> None:
    for text in sys.stdin:
        asked = json.loads(text)
        number, method = asked.get("id"), asked["method"]
        if number is None:
            continue
        if method == "initialize":
            version = asked["params"]["protocolVersion"]
            about = {"protocolVersion": version, "capabilities": {"tools": {}}}
            say({"id": number, "result": {**about, "serverInfo": {"name": "h", "version": "1"}}})
        elif method == "tools/list":
            names = ["go", *(f"tool{each}" for each in range(10_000))]
            tools = [{"name": name, "inputSchema": {"type": "object"}} for name in names]
            say({"id": number, "result": {"tools": tools}})
        elif method == "tools/call":
            misbehave(sys.argv[1])
        else:
            say({"id": number, "error": {"code": -32601, "message": "Method not found"}})


if __name__ == "__main__":
    main()
