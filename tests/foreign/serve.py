"""Runs one of the servers that are written in Python, on a socket that listens already.

It is started by ``servers.py`` with the Python of the environment that the server is
installed in, and imports nothing of this project: ``python serve.py NAME DESCRIPTOR``.
"""

from __future__ import annotations

import socket
import sys
from importlib import import_module

UVICORN = {
    "llmock": "llmock.main:app",
    "fakellm": "fakellm.server:app",
    "litellm": "litellm.proxy.proxy_server:app",
}


def serve(name: str, listening: socket.socket) -> None:
    if name == "mocktopus":
        mocktopus(listening)
    else:
        import uvicorn

        uvicorn.run(UVICORN[name], fd=listening.fileno(), log_level="warning")


def mocktopus(listening: socket.socket) -> None:
    web, core = import_module("aiohttp.web"), import_module("mocktopus.core")
    server = import_module("mocktopus.server")
    scenario = core.Scenario()
    scenario.load_yaml("mocktopus.yaml")
    web.run_app(server.MockServer(scenario=scenario).create_app(), sock=listening, print=None)


if __name__ == "__main__":
    serve(sys.argv[1], socket.socket(fileno=int(sys.argv[2])))
