"""Runs the mcp-proxy of PyPI on a free port of 127.0.0.1 and prints the URL to stderr.

Usage: mcp_proxy_py.py [--stateless] -- SERVER_COMMAND [ARGS...]      (needs: pip install -r xtask/interop/hosts.txt)
"""

import socket
import sys

import uvicorn
from mcp_proxy.__main__ import main

serve = uvicorn.Server.serve


async def serve_on_free_port(self):
    listener = socket.create_server(("127.0.0.1", 0))
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", file=sys.stderr, flush=True)
    await serve(self, sockets=[listener])


uvicorn.Server.serve = serve_on_free_port
# The URL must be the first line on stderr.
sys.argv[1:1] = ["--log-level", "ERROR", "--port", "1"]
main()
