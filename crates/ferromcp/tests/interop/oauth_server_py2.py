"""A protected MCP server with an authorization server, written with the Python SDK 2.x.

Usage: oauth_server_py2.py ACCESS_TOKEN_SECONDS      (needs: pip install mcp==2.3.0)

See README.md for what it has.
"""

import sys

from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.auth.settings import AuthSettings, ClientRegistrationOptions, RevocationOptions
from mcp.server.mcpserver import MCPServer
from oauth_provider import MemoryProvider
from serving import listen, over_http

SCOPES = ["notes:read"]

listener, origin = listen()
settings = AuthSettings(
    issuer_url=origin,
    resource_server_url=f"{origin}/mcp",
    required_scopes=SCOPES,
    validate_token_resource=True,
    client_registration_options=ClientRegistrationOptions(enabled=True, valid_scopes=SCOPES, default_scopes=SCOPES),
    revocation_options=RevocationOptions(enabled=True),
)
server = MCPServer("Python 2", auth=settings, auth_server_provider=MemoryProvider(int(sys.argv[1])))


@server.tool()
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@server.tool()
def granted() -> list[str]:
    """Return the scopes of the access token."""
    return get_access_token().scopes


over_http(server.streamable_http_app(), "http", listener)
