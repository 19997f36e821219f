"""Logs in to a protected MCP server with the OAuth client of the Python SDK 2.x, and calls its tools.

Usage: oauth_py2.py URL      (needs: pip install mcp==2.3.0)

Prints `authorize URL` to stderr for each page that the user must open, and one JSON object to stdout. See README.md.
"""

import json
import sys

import anyio
from mcp import Client
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client
from mcp.shared.auth import OAuthClientMetadata
from oauth_callback import Callback, Storage

TOTAL_SECONDS = 60

seen = {}


async def talk(client, auth, storage):
    seen["tools"] = [tool.name for tool in (await client.list_tools()).tools]
    seen["add"] = (await client.call_tool("add", {"a": 2, "b": 3})).structured_content
    seen["caller"] = (await client.call_tool("whoami", {})).structured_content
    first = storage.tokens
    auth.context.token_expiry_time = 1  # the token seems to have expired
    await client.call_tool("add", {"a": 2, "b": 3})
    seen["refreshed"] = storage.tokens.access_token != first.access_token
    seen["rotated"] = storage.tokens.refresh_token != first.refresh_token
    seen["write_note"] = (await client.call_tool("write_note", {"text": "hello"})).content[0].text
    seen["caller_after"] = (await client.call_tool("whoami", {})).structured_content


async def main(url):
    callback, storage = Callback(), Storage()

    async def wait():
        query = await callback.wait()
        return AuthorizationCodeResult(code=query["code"], state=query.get("state"), iss=query.get("iss"))

    metadata = OAuthClientMetadata(client_name="python-2", redirect_uris=[callback.redirect_uri])
    auth = OAuthClientProvider(url, metadata, storage, callback.show, wait)
    with anyio.fail_after(TOTAL_SECONDS):
        async with create_mcp_http_client(auth=auth) as http:
            pipe = streamable_http_client(url, http_client=http)
            async with Client(pipe, mode="auto", read_timeout_seconds=20, cache=None) as client:
                seen["protocol_version"] = client.protocol_version
                await talk(client, auth, storage)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    try:
        anyio.run(main, sys.argv[1])
    finally:
        print(json.dumps(seen, indent=2))
