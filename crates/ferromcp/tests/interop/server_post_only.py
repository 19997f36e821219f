"""A server with sessions in a Starlette application that has a route for POST only: Starlette answers GET and DELETE with 405.

Usage: server_post_only.py      (needs: pip install mcp==1.30.0, which depends on Starlette)

It serves on a free port, and prints its URL as the first line on stderr. Then it prints a line for each request: the method,
the status, and whether the request is in a session.
"""

import sys

from mcp.server.fastmcp import FastMCP
from serving import over_http
from starlette.applications import Starlette
from starlette.routing import Route

server = FastMCP("Post only")


@server.tool()
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


class Endpoint:
    async def __call__(self, scope, receive, send):
        await server.session_manager.handle_request(scope, receive, send)


class Log:
    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        async def logged(message):
            if message["type"] == "http.response.start":
                session = "in" if b"mcp-session-id" in dict(scope["headers"]) else "without"
                print(scope["method"], message["status"], session, "a session", file=sys.stderr, flush=True)
            await send(message)

        await self.app(scope, receive, logged if scope["type"] == "http" else send)


server.streamable_http_app()  # creates the session manager
app = Starlette(
    routes=[Route("/mcp", Endpoint(), methods=["POST"])],
    lifespan=lambda _: server.session_manager.run(),
)
over_http(Log(app), "http")
