"""Tests a stdio MCP server with the Python SDK 2.x client and prints the results.

Usage: client_py2.py SERVER_COMMAND [ARGS...]      (needs: pip install mcp==2.3.0)

Prints one JSON object to stdout. Exit code: 0 when every exchange worked, 1 when the
transport failed (no start, timeout, closed early, unclean shutdown), 2 when the client
refused something the server sent, 3 when it fell back from server/discover to initialize.
See README.md for the fields.
"""

import json
import logging
import sys
import time

import anyio
from mcp import Client, MCPError, StdioServerParameters
from mcp_types import LOG_LEVEL_META_KEY, PromptReference

TOTAL_SECONDS = 60
CALL_SECONDS = 10
MAX_PAGES = 100
CLOSED_EARLY, TIMED_OUT = -32000, -32001  # error codes of the client without a response

seen = {"client": "python-sdk 2.x", "client_problems": [], "sent": [], "progress": [], "logs": []}
process = None


def dump(model):
    return model.model_dump(by_alias=True, mode="json", exclude_unset=True)


def describe(failure):
    if inner := getattr(failure, "exceptions", None):
        return "; ".join(map(describe, inner))
    return f"{type(failure).__name__}: {failure}"


class Problems(logging.Handler):
    """Records messages that the SDK cannot parse; the SDK only logs them."""

    def emit(self, record):
        seen["client_problems"].append(record.getMessage())


def watch_process():
    """Records the server process and the methods written to it."""
    open_process = anyio.open_process

    async def watched(*args, **kwargs):
        global process
        process = await open_process(*args, **kwargs)
        send = process.stdin.send

        async def recorded(data):
            for line in data.decode().splitlines():
                seen["sent"].append(json.loads(line).get("method", "(response)"))
            await send(data)

        process.stdin.send = recorded
        return process

    anyio.open_process = watched


async def attempt(call):
    """Returns the response as JSON: a result, or the error of the server or of this client."""
    try:
        answer = await call
        return answer if isinstance(answer, list) else dump(answer)
    except MCPError as failure:
        if failure.error.code in (CLOSED_EARLY, TIMED_OUT):
            raise
        return {"error": dump(failure.error)}
    except (ValueError, RuntimeError) as failure:  # pydantic's ValidationError is a ValueError
        seen["client_problems"].append(describe(failure))
        return {"client_problem": describe(failure)}


async def pages(fetch, field):
    items, cursor = [], None
    for _ in range(MAX_PAGES):
        page = await fetch(cursor=cursor)
        items += [dump(item) for item in getattr(page, field)]
        cursor = page.next_cursor
        if cursor is None:
            return items
    raise RuntimeError(f"{field}: more than {MAX_PAGES} pages")


async def on_log(params):
    seen["logs"].append(dump(params))


async def on_progress(progress, total, message):
    seen["progress"].append({"progress": progress, "total": total, "message": message})


async def talk(client):
    has, session = client.server_capabilities, client.session
    seen["protocol_version"] = client.protocol_version
    seen["fell_back_to_initialize"] = session.discover_result is None or "initialize" in seen["sent"]
    seen["server_info"] = dump(client.server_info) if client.server_info else None
    seen["capabilities"] = dump(has)
    seen["instructions"] = client.instructions
    seen["discover"] = dump(session.discover_result or session.initialize_result)
    seen["tools"] = tools = await attempt(pages(client.list_tools, "tools"))
    seen["call_add"] = await attempt(client.call_tool("add", {"a": 2, "b": 3}))
    seen["call_add_wrong"] = await attempt(client.call_tool("add", {"a": "two", "b": 3}))
    seen["call_unknown"] = await attempt(client.call_tool("no_such_tool", {}))
    seen["resources"] = await attempt(pages(client.list_resources, "resources"))
    seen["resource_templates"] = await attempt(pages(client.list_resource_templates, "resource_templates"))
    seen["read_greeting"] = await attempt(client.read_resource("greeting://Ada"))
    seen["read_unknown"] = await attempt(client.read_resource("nowhere://nothing"))
    seen["prompts"] = await attempt(pages(client.list_prompts, "prompts"))
    seen["get_review_code"] = await attempt(client.get_prompt("review_code", {"code": "x = 1"}))
    seen["get_unknown"] = await attempt(client.get_prompt("no_such_prompt", {}))
    if has.completions is not None:
        ref = PromptReference(name="review_code")
        seen["complete_language"] = await attempt(client.complete(ref, {"name": "language", "value": "ru"}))
    # Since 2026-07-28, a client enables log messages per request.
    meta = {LOG_LEVEL_META_KEY: "debug"} if has.logging is not None else None
    if isinstance(tools, list) and any(tool["name"] == "long_task" for tool in tools):
        call = client.call_tool("long_task", {}, progress_callback=on_progress, meta=meta)
        seen["call_long_task"] = await attempt(call)


async def main(command, *args):
    server = StdioServerParameters(command=command, args=list(args))
    with anyio.fail_after(TOTAL_SECONDS):
        async with Client(server, read_timeout_seconds=CALL_SECONDS, logging_callback=on_log, cache=None) as client:
            await talk(client)
            closing = time.monotonic()
        code, seconds = process.returncode, round(time.monotonic() - closing, 3)
        seen["shutdown"] = {"exit_code": code, "seconds": seconds, "clean": code == 0}


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    watch_process()
    logging.getLogger().addHandler(Problems(logging.WARNING))
    try:
        anyio.run(main, *sys.argv[1:])
    except Exception as failure:
        seen["transport_failure"] = describe(failure)
    print(json.dumps(seen, indent=2))
    unclean = "transport_failure" in seen or not seen["shutdown"]["clean"]
    refused, fell_back = bool(seen["client_problems"]), seen.get("fell_back_to_initialize")
    sys.exit(1 if unclean else 2 if refused else 3 if fell_back else 0)
