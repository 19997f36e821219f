"""A server by the Python SDK, 1.x or 2.x: `server_py.py stdio | sse PORT | http PORT | stateless PORT`."""

import sys

from pydantic import BaseModel

try:
    from mcp.server.mcpserver import Context, MCPServer as Server

    SECOND = True
except ImportError:
    from mcp.server.fastmcp import Context, FastMCP as Server

    SECOND = False

server = Server("python")


class Name(BaseModel):
    name: str


@server.tool()
def add(a: int, b: int) -> int:
    """Add two numbers"""
    return a + b


@server.tool()
async def steps(ctx: Context) -> str:
    """Report progress"""
    for step in range(1, 4):
        await ctx.report_progress(step, 3)
    return "all steps done"


@server.tool()
async def ask(ctx: Context) -> str:
    """Ask for a name"""
    answer = await ctx.elicit("Your name?", Name)
    return f"Hello, {answer.data.name}!" if answer.action == "accept" else answer.action


@server.resource("greeting://{name}")
def greeting(name: str) -> str:
    return f"Hello, {name}!"


@server.prompt()
def review(code: str) -> str:
    return f"Please review: {code}"


def main() -> None:
    kind, port = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 0
    if kind == "stdio":
        return server.run("stdio")
    options = {"host": "127.0.0.1", "port": port}
    if kind != "sse":
        options["stateless_http"] = kind == "stateless"
    transport = "sse" if kind == "sse" else "streamable-http"
    if SECOND:
        return server.run(transport, **options)
    for name, value in options.items():
        setattr(server.settings, name, value)
    return server.run(transport)


main()
