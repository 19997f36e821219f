"""Stays connected to `mcp dev` over several builds of a server, one of them broken.

Usage: hot_reload.py ENDPOINT FILE BUILDS. Prints one line of JSON.
"""

import asyncio
import json
import pathlib
import sys
import time

from mcp import ClientSession
from mcp.client.streamable_http import streamablehttp_client

endpoint, file, builds = sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[3])
BROKEN = builds // 2


def source(number):
    return f'''
import asyncio
from mcp.server.fastmcp import FastMCP

server = FastMCP("Reloaded")

@server.tool()
async def slow() -> int:
    await asyncio.sleep(0.4)
    return {number}

@server.tool()
def version_{number}() -> int:
    return {number}
'''


async def main():
    changed = asyncio.Event()
    times, calls, answers = [], [], []

    async def receive(message):
        method = getattr(getattr(message, "root", None), "method", None)
        if method == "notifications/tools/list_changed":
            changed.set()

    async with streamablehttp_client(endpoint) as (read, write, get_session_id):
        async with ClientSession(read, write, message_handler=receive) as session:
            await session.initialize()
            session_id = get_session_id()

            async def call():
                result = await session.call_tool("slow", {})
                answers.append((result.isError, result.content[0].text))

            async def names():
                return [tool.name for tool in (await session.list_tools()).tools]

            while "version_0" not in await names():
                await asyncio.sleep(0.05)
            for number in range(1, builds + 1):
                calls.append(asyncio.create_task(call()))
                await asyncio.sleep(0.02)
                previous = await names()
                changed.clear()
                if number == BROKEN:
                    file.write_text("def broken(:\n")
                    await asyncio.sleep(2.0)
                    assert await names() == previous, "the previous server does not run"
                    continue
                started = time.monotonic()
                file.write_text(source(number))
                while True:
                    await asyncio.wait_for(changed.wait(), 30)
                    changed.clear()
                    if f"version_{number}" in await names():
                        break
                times.append(time.monotonic() - started)
                result = await session.call_tool(f"version_{number}", {})
                assert result.content[0].text == str(number), result
            await asyncio.gather(*calls)
            assert get_session_id() == session_id, "another session"
    times.sort()
    print(json.dumps({
        "builds": builds,
        "answered": len(answers),
        "failed": sum(failed for failed, _ in answers),
        "median_ms": round(times[len(times) // 2] * 1000),
        "max_ms": round(times[-1] * 1000),
    }))


if len(sys.argv) == 5:
    file.write_text(source(0))
else:
    asyncio.run(main())
