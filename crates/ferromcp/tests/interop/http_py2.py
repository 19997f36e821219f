"""Tests an HTTP MCP server with the Python SDK 2.x client and prints the results.

Usage: http_py2.py auto|legacy|resume URL      (needs: pip install mcp==2.3.0)

`resume` is `legacy`, but only calls slow_task, and expects its connection to be cut in the middle by somebody else.

Prints one JSON object to stdout. See README.md for the fields.
"""

import json
import logging
import sys

import anyio
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client
from mcp_types import LOG_LEVEL_META_KEY

TOTAL_SECONDS = 30
CALL_SECONDS = 10

seen = {"http": [], "sent": [], "progress": [], "logs": [], "changes": [], "client_problems": []}


class Problems(logging.Handler):
    """Records messages that the SDK cannot parse; the SDK only logs them."""

    def emit(self, record):
        seen["client_problems"].append(record.getMessage())


def watched_client():
    """An HTTP client that records sent messages, and each exchange when the response headers arrive."""

    async def request(request):
        if request.method == "POST":
            seen["sent"].append(json.loads(request.content).get("method", "(response)"))

    async def response(response):
        kind = response.headers.get("content-type", "-").split(";")[0]
        resumed = " resumed" if "last-event-id" in response.request.headers else ""
        seen["http"].append(f"{response.request.method} {response.status_code} {kind}{resumed}")

    client = create_mcp_http_client()
    client.event_hooks = {"request": [request], "response": [response]}
    return client


async def on_log(params):
    seen["logs"].append([params.level, params.data])


async def on_progress(progress, total, message):
    seen["progress"].append([progress, total, message])


async def on_message(message):
    if isinstance(message, Exception):
        seen["client_problems"].append(repr(message))
    elif message.method in ("notifications/tools/list_changed", "notifications/resources/updated"):
        seen["changes"].append(message.method)


async def hear_of_changes(client):
    """Triggers two change notifications and waits for them, on a subscription or on the session stream."""
    with anyio.fail_after(CALL_SECONDS):
        if client.session.discover_result is None:
            await client.session.subscribe_resource("config://app")
            await client.call_tool("touch", {})
            while len(seen["changes"]) < 2:
                await anyio.sleep(0.01)
            return
        async with client.listen(tools_list_changed=True, resource_subscriptions=["config://app"]) as changes:
            await client.call_tool("touch", {})
            seen["events"] = [type(await anext(changes)).__name__ for _ in range(2)]


async def call_slowly(client):
    done = await client.call_tool("slow_task", {}, progress_callback=on_progress)
    seen["slow_task"] = done.content[0].text
    seen["runs"] = (await client.call_tool("slow_task_runs", {})).structured_content


async def talk(client):
    modern = client.session.discover_result is not None
    seen["tools"] = [tool.name for tool in (await client.list_tools()).tools]
    seen["add"] = (await client.call_tool("add", {"a": 2, "b": 3})).structured_content
    if not modern:
        await client.session.set_logging_level("debug")
    # Since 2026-07-28, a client enables log messages per request.
    meta = {LOG_LEVEL_META_KEY: "debug"} if modern else None
    done = await client.call_tool("long_task", {}, progress_callback=on_progress, meta=meta)
    seen["long_task"] = done.content[0].text
    seen["greeting"] = (await client.read_resource("greeting://Ada")).contents[0].text
    seen["prompt"] = (await client.get_prompt("review_code", {"code": "x = 1"})).messages[0].content.text
    await hear_of_changes(client)


async def main(mode, url):
    callbacks = {"logging_callback": on_log, "message_handler": on_message}
    with anyio.fail_after(TOTAL_SECONDS):
        async with watched_client() as http:
            pipe = streamable_http_client(url, http_client=http)
            settings = {"mode": "legacy" if mode == "resume" else mode, "read_timeout_seconds": CALL_SECONDS, "cache": None}
            async with Client(pipe, **settings, **callbacks) as client:
                seen["protocol_version"] = client.protocol_version
                seen["server_info"] = {"name": client.server_info.name, "version": client.server_info.version}
                await (call_slowly(client) if mode == "resume" else talk(client))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    logging.getLogger().addHandler(Problems(logging.WARNING))
    try:
        anyio.run(main, *sys.argv[1:])
    finally:
        print(json.dumps(seen, indent=2))
