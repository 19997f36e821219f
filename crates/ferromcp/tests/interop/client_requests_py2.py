"""Calls the tools of an MCP server with the Python SDK 2.x client and prints the results.

Usage: client_requests_py2.py auto|legacy URL|COMMAND [ARGS...]      (needs: pip install mcp==2.3.0)

Prints one JSON object to stdout. See README.md for the fields.
"""

import json
import logging
import sys

import anyio
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CreateMessageResult, ElicitResult, ErrorData, ListRootsResult, Root, TextContent

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
    if list(params.requested_schema["properties"]) != ["value"]:
        return ErrorData(code=-32602, message="a form of one field was expected")
    return ElicitResult(action="accept", content={"value": answer})


async def on_sample(context, params):
    answer = answer_to(params.messages[-1].content.text)
    return CreateMessageResult(role="assistant", model="none", content=TextContent(type="text", text=answer))


async def on_roots(context):
    seen["asked"].append("roots")
    return ListRootsResult(roots=[Root(uri="file:///home/ada"), Root(uri="file:///tmp")])


async def main(mode, target, *args):
    is_url = target.startswith("http")
    server = streamable_http_client(target) if is_url else StdioServerParameters(command=target, args=list(args))
    callbacks = {
        "elicitation_callback": on_elicit,
        "sampling_callback": on_sample,
        "list_roots_callback": on_roots,
    }
    with anyio.fail_after(TOTAL_SECONDS):
        async with Client(server, mode=mode, read_timeout_seconds=CALL_SECONDS, cache=None, **callbacks) as client:
            seen["protocol_version"] = client.protocol_version
            for tool in TOOLS:
                done = await client.call_tool(tool, {})
                seen["results"][tool] = [done.is_error, done.content[0].text]


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    logging.getLogger().addHandler(Problems(logging.WARNING))
    try:
        anyio.run(main, *sys.argv[1:])
    finally:
        print(json.dumps(seen, indent=2))
