"""A protected MCP server with an authorization server, written with FastMCP 4 and its provider in memory.

Usage: oauth_server_fastmcp.py      (needs: pip install fastmcp==4.2.3)

See README.md for what it has.
"""

from fastmcp import FastMCP
from fastmcp.server.auth.auth import ClientRegistrationOptions, RevocationOptions
from fastmcp.server.auth.providers.in_memory import InMemoryOAuthProvider
from fastmcp.server.dependencies import get_access_token
from serving import listen, over_http

SCOPES = ["notes:read"]

listener, origin = listen()
auth = InMemoryOAuthProvider(
    base_url=origin,
    client_registration_options=ClientRegistrationOptions(enabled=True, valid_scopes=SCOPES, default_scopes=SCOPES),
    revocation_options=RevocationOptions(enabled=True),
    required_scopes=SCOPES,
)
server = FastMCP("FastMCP", auth=auth)


@server.tool
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@server.tool
def granted() -> list[str]:
    """Return the scopes of the access token."""
    return get_access_token().scopes


over_http(server.http_app(path="/mcp"), "http", listener)
