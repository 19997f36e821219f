"""An MCP server written with the Python SDK 2.x.

Usage: server_py2.py stdio|http|stateless|sse      (needs: pip install mcp==2.3.0)

See README.md for what it has, and what it says of itself.
"""

import sys
from typing import Annotated

from mcp.server.mcpserver import Context, Elicit, ElicitationResult, MCPServer, Resolve
from pydantic import BaseModel
from serving import over_http, over_stdio

way = sys.argv[1]
server = MCPServer("Python 2")


class Name(BaseModel):
    name: str


def name() -> Elicit[Name]:
    return Elicit("Your name?", Name)


@server.tool()
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@server.tool()
async def ask(answer: Annotated[ElicitationResult[Name], Resolve(name)]) -> str:
    """Ask for a name."""
    return f"{answer.action}: {answer.data.name}" if answer.action == "accept" else answer.action


@server.tool()
async def steps(ctx: Context) -> str:
    """Report three steps of progress."""
    await ctx.info("on the way")
    for step in range(1, 4):
        await ctx.report_progress(step, 3, f"step {step}")
    return "there"


@server.resource("greeting://{name}")
def greeting(name: str) -> str:
    return f"Hello, {name}!"


@server.prompt()
def review(code: str) -> str:
    return f"Please review: {code}"


if way == "stdio":
    over_stdio(server.run)
elif way == "sse":
    over_http(server.sse_app(), way)
else:
    over_http(server.streamable_http_app(stateless_http=way == "stateless"), way)
