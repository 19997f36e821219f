"""An MCP server written with FastMCP 4.

Usage: server_fastmcp.py stdio|http|stateless|sse      (needs: pip install fastmcp==4.2.3)

See README.md for what it has, and what it says of itself.
"""

import sys

from fastmcp import Context, FastMCP
from mcp_types import ElicitRequest, ElicitRequestFormParams, InputRequiredResult
from pydantic import BaseModel
from serving import over_http, over_stdio

way = sys.argv[1]
server = FastMCP("FastMCP")


class Name(BaseModel):
    name: str


@server.tool
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@server.tool
async def ask(ctx: Context) -> str | InputRequiredResult:
    """Ask for a name."""
    if ctx.request_context.protocol_version < "2026-07-28":
        answer = await ctx.elicit("Your name?", Name)
        return f"{answer.action}: {answer.data.name}" if answer.action == "accept" else answer.action
    # Since that revision a tool returns its question, and is called again with the answer.
    if ctx.input_responses is None:
        params = ElicitRequestFormParams(message="Your name?", requested_schema=Name.model_json_schema())
        return InputRequiredResult(input_requests={"name": ElicitRequest(params=params)})
    answer = ctx.input_responses["name"]
    return f"{answer.action}: {answer.content['name']}" if answer.action == "accept" else answer.action


@server.tool
async def steps(ctx: Context) -> str:
    """Report three steps of progress."""
    await ctx.info("on the way")
    for step in range(1, 4):
        await ctx.report_progress(step, 3, f"step {step}")
    return "there"


@server.resource("greeting://{name}")
def greeting(name: str) -> str:
    return f"Hello, {name}!"


@server.prompt
def review(code: str) -> str:
    return f"Please review: {code}"


if way == "stdio":
    over_stdio(lambda: server.run(show_banner=False))
elif way == "sse":
    over_http(server.http_app(path="/sse", transport="sse"), way)
else:
    over_http(server.http_app(path="/mcp", stateless_http=way == "stateless"), way)
