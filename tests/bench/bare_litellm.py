"""litellm's own loop over one streamed reply: the least that a token can cost.

``python bare_litellm.py BASE_URL``: for each line on the standard input one request is
made; its seconds of wall time and of CPU are printed.
"""

import asyncio
import os
import sys
import time

os.environ.update(
    LITELLM_MODE="PRODUCTION",
    LITELLM_LOCAL_MODEL_COST_MAP="True",
    LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS="True",
)


async def main(base_url: str) -> None:
    import litellm

    litellm.suppress_debug_info = True
    litellm.REPEATED_STREAMING_CHUNK_LIMIT = sys.maxsize
    print("ready", flush=True)
    for _line in sys.stdin:
        began, cpu = time.monotonic(), time.process_time()
        stream = await litellm.acompletion(
            model="openai/test",
            api_base=base_url,
            api_key="sk-fake-0000",
            messages=[{"role": "user", "content": "Go on."}],
            stream=True,
            stream_options={"include_usage": True},
        )
        text = ""
        async for chunk in stream:
            if chunk.choices:
                text += chunk.choices[0].delta.content or ""
        print(time.monotonic() - began, time.process_time() - cpu, len(text), flush=True)


asyncio.run(main(sys.argv[1]))
