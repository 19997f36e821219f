"""An MCP server written with the Python SDK 1.x.

Usage: server_py1.py stdio|http|stateless|sse      (needs: pip install mcp==1.30.0)

See README.md for what it has, and what it says of itself.
"""

import sys

from mcp.server.fastmcp import Context, FastMCP
from pydantic import BaseModel
from serving import over_http, over_stdio

way = sys.argv[1]
server = FastMCP("Python 1", stateless_http=way == "stateless")


class Name(BaseModel):
    name: str


@server.tool()
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@server.tool()
async def ask(ctx: Context) -> str:
    """Ask for a name."""
    answer = await ctx.elicit("Your name?", Name)
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
else:
    over_http(server.sse_app() if way == "sse" else server.streamable_http_app(), way)
