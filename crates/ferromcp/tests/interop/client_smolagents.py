"""Tests an MCP server with the MCP client of smolagents and prints the results.

Usage: client_smolagents.py URL                        (Streamable HTTP)
       client_smolagents.py SERVER_COMMAND [ARGS...]   (stdio)
       (needs: pip install -r xtask/interop/hosts.txt)

Prints one JSON object: `tools`, the inputs of each tool as an agent sees them; `add` and `long_task`, the results of
the calls; `unstructured`, the result of `add` without structured output.
"""

import json
import sys

from mcp import StdioServerParameters
from smolagents import MCPClient

SECONDS = 20


def connected(server, structured_output):
    return MCPClient(server, adapter_kwargs={"connect_timeout": SECONDS}, structured_output=structured_output)


def main(place, *args):
    if place.startswith("http"):
        server = {"url": place, "transport": "streamable-http"}
    else:
        server = StdioServerParameters(command=place, args=list(args))
    seen = {}
    with connected(server, structured_output=True) as tools:
        seen["tools"] = {tool.name: tool.inputs for tool in tools}
        tools = {tool.name: tool for tool in tools}
        # `sanitize_inputs_outputs` is how an agent calls a tool.
        seen["add"] = tools["add"](a=2, b=3, sanitize_inputs_outputs=True)
        seen["long_task"] = tools["long_task"](sanitize_inputs_outputs=True)
    with connected(server, structured_output=False) as tools:
        add = next(tool for tool in tools if tool.name == "add")
        seen["unstructured"] = add(a=2, b=3, sanitize_inputs_outputs=True)
    json.dump(seen, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
