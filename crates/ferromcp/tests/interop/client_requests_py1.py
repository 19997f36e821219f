"""Calls the tools of an MCP server with the Python SDK 1.x client and prints the results.

Usage: client_requests_py1.py URL | COMMAND [ARGS...]      (needs: pip install mcp==1.30.0)

A URL whose path ends with /sse is one of HTTP+SSE, any other of Streamable HTTP.

Prints one JSON object to stdout. See README.md for the fields.
"""

import json
import logging
import sys
from contextlib import asynccontextmanager
from datetime import timedelta

import anyio
from mcp import ClientSession, StdioServerParameters, stdio_client
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CreateMessageResult, ElicitResult, ErrorData, ListRootsResult, Root, TextContent

TOTAL_SECONDS = 60
CALL_SECONDS = 20
TOOLS = ["book", "guess", "delete", "story", "both", "look"]

# The answers by question; repeated questions get the next answer.
ANSWERS = {
    "Name?": ["Ada"],
    "How many seats, Ada?": [3],
    "3 seats for Ada, sure?": [True],
    "A number?": [1, 5, 7],
    "Delete everything?": [None],
    "About what?": ["crabs"],
    "Write a story about crabs": ["Crabs have ten legs."],
    "Is it good: Crabs have ten legs.?": [True],
    "left, turn 1?": [1],
    "right, turn 1?": [10],
    "left, turn 2?": [2],
    "right, turn 2?": [20],
}

seen = {"asked": [], "results": {}, "client_problems": []}


class Problems(logging.Handler):
    """Records messages that the SDK cannot parse; the SDK only logs them."""

    def emit(self, record):
        seen["client_problems"].append(record.getMessage())


def answer_to(words):
    seen["asked"].append(words)
    return ANSWERS[words].pop(0)


async def on_elicit(context, params):
    answer = answer_to(params.message)
    if answer is None:
        return ElicitResult(action="decline")
    if list(params.requestedSchema["properties"]) != ["value"]:
        return ErrorData(code=-32602, message="a form of one field was expected")
    return ElicitResult(action="accept", content={"value": answer})


async def on_sample(context, params):
    answer = answer_to(params.messages[-1].content.text)
    return CreateMessageResult(role="assistant", model="none", content=TextContent(type="text", text=answer))


async def on_roots(context):
    seen["asked"].append("roots")
    return ListRootsResult(roots=[Root(uri="file:///home/ada"), Root(uri="file:///tmp")])


@asynccontextmanager
async def connect(target, *args):
    if target.endswith("/sse"):
        async with sse_client(target) as streams:
            yield streams
    elif target.startswith("http"):
        async with streamable_http_client(target) as (read, write, _):
            yield read, write
    else:
        async with stdio_client(StdioServerParameters(command=target, args=list(args))) as streams:
            yield streams


async def main(*target):
    limit = timedelta(seconds=CALL_SECONDS)
    callbacks = {
        "elicitation_callback": on_elicit,
        "sampling_callback": on_sample,
        "list_roots_callback": on_roots,
    }
    with anyio.fail_after(TOTAL_SECONDS):
        async with connect(*target) as (read, write):
            async with ClientSession(read, write, read_timeout_seconds=limit, **callbacks) as session:
                seen["protocol_version"] = (await session.initialize()).protocolVersion
                for tool in TOOLS:
                    done = await session.call_tool(tool, {})
                    seen["results"][tool] = [done.isError, done.content[0].text]


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    logging.getLogger().addHandler(Problems(logging.WARNING))
    try:
        anyio.run(main, *sys.argv[1:])
    finally:
        print(json.dumps(seen, indent=2))
