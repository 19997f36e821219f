"""Tests an HTTP MCP server with the Python SDK 1.x client and prints the results.

Usage: http_py1.py streamable|sse|resume URL      (needs: pip install mcp==1.30.0)

`resume` only calls slow_task, and expects its connection to be cut in the middle by somebody else.

Prints one JSON object to stdout. See README.md for the fields.
"""

import json
import logging
import sys
from contextlib import asynccontextmanager
from datetime import timedelta

import anyio
from mcp import ClientSession
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client
from pydantic import AnyUrl

TOTAL_SECONDS = 30
CALL_SECONDS = 10

seen = {"http": [], "progress": [], "logs": [], "changes": [], "client_problems": []}


class Problems(logging.Handler):
    """Records messages that the SDK cannot parse; the SDK only logs them."""

    def emit(self, record):
        seen["client_problems"].append(record.getMessage())


def watched_client(**settings):
    """An HTTP client that records each exchange when the response headers arrive."""

    async def note(response):
        kind = response.headers.get("content-type", "-").split(";")[0]
        resumed = " resumed" if "last-event-id" in response.request.headers else ""
        seen["http"].append(f"{response.request.method} {response.status_code} {kind}{resumed}")

    client = create_mcp_http_client(**settings)
    client.event_hooks = {"response": [note]}
    return client


@asynccontextmanager
async def connect(mode, url):
    if mode == "sse":
        async with sse_client(url, httpx_client_factory=watched_client) as streams:
            yield streams
        return
    async with watched_client() as client, streamable_http_client(url, http_client=client) as (read, write, _):
        yield read, write


async def on_log(params):
    seen["logs"].append([params.level, params.data])


async def on_progress(progress, total, message):
    seen["progress"].append([progress, total, message])


async def on_message(message):
    if isinstance(message, Exception):
        seen["client_problems"].append(repr(message))
    elif (method := message.root.method) in ("notifications/tools/list_changed", "notifications/resources/updated"):
        seen["changes"].append(method)


async def call_slowly(session):
    done = await session.call_tool("slow_task", {}, progress_callback=on_progress)
    seen["slow_task"] = done.content[0].text
    seen["runs"] = (await session.call_tool("slow_task_runs", {})).structuredContent


async def talk(session):
    seen["tools"] = [tool.name for tool in (await session.list_tools()).tools]
    seen["add"] = (await session.call_tool("add", {"a": 2, "b": 3})).structuredContent
    await session.set_logging_level("debug")
    done = await session.call_tool("long_task", {}, progress_callback=on_progress)
    seen["long_task"] = done.content[0].text
    seen["greeting"] = (await session.read_resource(AnyUrl("greeting://Ada"))).contents[0].text
    seen["prompt"] = (await session.get_prompt("review_code", {"code": "x = 1"})).messages[0].content.text
    await session.subscribe_resource(AnyUrl("config://app"))
    await session.call_tool("touch", {})
    with anyio.fail_after(CALL_SECONDS):
        while len(seen["changes"]) < 2:
            await anyio.sleep(0.01)


async def main(mode, url):
    limit = timedelta(seconds=CALL_SECONDS)
    with anyio.fail_after(TOTAL_SECONDS):
        async with connect(mode, url) as (read, write):
            callbacks = {"logging_callback": on_log, "message_handler": on_message}
            async with ClientSession(read, write, read_timeout_seconds=limit, **callbacks) as session:
                hello = await session.initialize()
                seen["protocol_version"] = hello.protocolVersion
                seen["server_info"] = {"name": hello.serverInfo.name, "version": hello.serverInfo.version}
                await (call_slowly(session) if mode == "resume" else talk(session))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    logging.getLogger().addHandler(Problems(logging.WARNING))
    try:
        anyio.run(main, *sys.argv[1:])
    finally:
        print(json.dumps(seen, indent=2))
