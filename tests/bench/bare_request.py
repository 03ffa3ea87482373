"""The least that a question can take: ``python bare_request.py BASE_URL`` asks it over the
standard library's asyncio, and prints the reply as it came."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from urllib.parse import urlsplit


async def ask(base_url: str) -> None:
    parts = urlsplit(base_url)
    context = None
    if parts.scheme == "https":
        import ssl

        context = ssl.create_default_context(cafile=os.environ["SSL_CERT_FILE"])
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port, ssl=context)
    messages = [{"role": "user", "content": "Hello"}]
    body = json.dumps({"model": "test", "messages": messages, "stream": True}).encode()
    head = (
        f"POST {parts.path}/chat/completions HTTP/1.1\r\nHost: {parts.netloc}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        "Connection: close\r\n\r\n"
    )
    writer.write(head.encode() + body)
    async for line in reader:
        if line.startswith(b"data: "):
            print(line.decode().strip())
        if line.startswith(b"data: [DONE]"):
            break
    writer.close()


asyncio.run(ask(sys.argv[1]))
