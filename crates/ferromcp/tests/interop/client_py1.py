"""Tests a stdio MCP server with the Python SDK 1.x client and prints the results.

Usage: client_py1.py SERVER_COMMAND [ARGS...]      (needs: pip install mcp==1.30.0)

Prints one JSON object to stdout. Exit code: 0 when every exchange worked, 1 when the
transport failed (no start, timeout, closed early, unclean shutdown), 2 when the client
refused something the server sent. See README.md for the fields.
"""

import json
import logging
import sys
import time
from datetime import timedelta

import anyio
from mcp import ClientSession, McpError, StdioServerParameters, stdio_client
from mcp.types import PaginatedRequestParams, PromptReference
from pydantic import AnyUrl

TOTAL_SECONDS = 60
CALL_SECONDS = 10
MAX_PAGES = 100
CLOSED_EARLY, TIMED_OUT = -32000, 408  # error codes of the client without a response

seen = {"client": "python-sdk 1.x", "client_problems": [], "sent": [], "progress": [], "logs": []}
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
    except McpError as failure:
        if failure.error.code in (CLOSED_EARLY, TIMED_OUT):
            raise
        return {"error": dump(failure.error)}
    except (ValueError, RuntimeError) as failure:  # pydantic's ValidationError is a ValueError
        seen["client_problems"].append(describe(failure))
        return {"client_problem": describe(failure)}


async def pages(fetch, field):
    items, cursor = [], None
    for _ in range(MAX_PAGES):
        page = await fetch(params=PaginatedRequestParams(cursor=cursor) if cursor else None)
        items += [dump(item) for item in getattr(page, field)]
        cursor = page.nextCursor
        if cursor is None:
            return items
    raise RuntimeError(f"{field}: more than {MAX_PAGES} pages")


async def on_log(params):
    seen["logs"].append(dump(params))


async def on_progress(progress, total, message):
    seen["progress"].append({"progress": progress, "total": total, "message": message})


async def talk(session):
    hello = await session.initialize()
    has = hello.capabilities
    seen["protocol_version"] = hello.protocolVersion
    seen["server_info"] = dump(hello.serverInfo)
    seen["capabilities"] = dump(has)
    seen["instructions"] = hello.instructions
    seen["tools"] = tools = await attempt(pages(session.list_tools, "tools"))
    seen["call_add"] = await attempt(session.call_tool("add", {"a": 2, "b": 3}))
    seen["call_add_wrong"] = await attempt(session.call_tool("add", {"a": "two", "b": 3}))
    seen["call_unknown"] = await attempt(session.call_tool("no_such_tool", {}))
    seen["resources"] = await attempt(pages(session.list_resources, "resources"))
    seen["resource_templates"] = await attempt(pages(session.list_resource_templates, "resourceTemplates"))
    seen["read_greeting"] = await attempt(session.read_resource(AnyUrl("greeting://Ada")))
    seen["read_unknown"] = await attempt(session.read_resource(AnyUrl("nowhere://nothing")))
    seen["prompts"] = await attempt(pages(session.list_prompts, "prompts"))
    seen["get_review_code"] = await attempt(session.get_prompt("review_code", {"code": "x = 1"}))
    seen["get_unknown"] = await attempt(session.get_prompt("no_such_prompt", {}))
    if has.completions is not None:
        ref = PromptReference(type="ref/prompt", name="review_code")
        seen["complete_language"] = await attempt(session.complete(ref, {"name": "language", "value": "ru"}))
    if has.logging is not None:
        seen["set_log_level"] = await attempt(session.set_logging_level("debug"))
    if isinstance(tools, list) and any(tool["name"] == "long_task" for tool in tools):
        seen["call_long_task"] = await attempt(session.call_tool("long_task", {}, progress_callback=on_progress))
    seen["ping"] = await attempt(session.send_ping())


async def main(command, *args):
    limit = timedelta(seconds=CALL_SECONDS)
    with anyio.fail_after(TOTAL_SECONDS):
        async with stdio_client(StdioServerParameters(command=command, args=list(args))) as (read, write):
            async with ClientSession(read, write, read_timeout_seconds=limit, logging_callback=on_log) as session:
                await talk(session)
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
    sys.exit(1 if unclean else 2 if seen["client_problems"] else 0)
