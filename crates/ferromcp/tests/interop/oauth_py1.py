"""Logs in to a protected MCP server with the OAuth client of the Python SDK 1.x, and calls its tools.

Usage: oauth_py1.py URL      (needs: pip install mcp==1.30.0)

Prints `authorize URL` to stderr for each page that the user must open, and one JSON object to stdout. See README.md.
"""

import json
import sys
from datetime import timedelta

import anyio
from mcp import ClientSession
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client
from mcp.shared.auth import OAuthClientMetadata
from oauth_callback import Callback, Storage

TOTAL_SECONDS = 60

seen = {}


async def talk(session, auth, storage):
    seen["tools"] = [tool.name for tool in (await session.list_tools()).tools]
    seen["add"] = (await session.call_tool("add", {"a": 2, "b": 3})).structuredContent
    seen["caller"] = (await session.call_tool("whoami", {})).structuredContent
    first = storage.tokens
    auth.context.token_expiry_time = 1  # the token seems to have expired
    await session.call_tool("add", {"a": 2, "b": 3})
    seen["refreshed"] = storage.tokens.access_token != first.access_token
    seen["rotated"] = storage.tokens.refresh_token != first.refresh_token
    seen["write_note"] = (await session.call_tool("write_note", {"text": "hello"})).content[0].text
    seen["caller_after"] = (await session.call_tool("whoami", {})).structuredContent


async def main(url):
    callback, storage = Callback(), Storage()

    async def wait():
        query = await callback.wait()
        return query["code"], query.get("state")

    metadata = OAuthClientMetadata(client_name="python-1", redirect_uris=[callback.redirect_uri])
    auth = OAuthClientProvider(url, metadata, storage, callback.show, wait)
    with anyio.fail_after(TOTAL_SECONDS):
        async with create_mcp_http_client(auth=auth) as http, streamable_http_client(url, http_client=http) as streams:
            async with ClientSession(streams[0], streams[1], read_timeout_seconds=timedelta(seconds=20)) as session:
                seen["protocol_version"] = (await session.initialize()).protocolVersion
                await talk(session, auth, storage)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    try:
        anyio.run(main, sys.argv[1])
    finally:
        print(json.dumps(seen, indent=2))
