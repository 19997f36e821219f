"""Runs the servers of this folder: over stdio, or at a free port that is told on stderr."""

import os
import signal
import socket
import sys

import uvicorn


def over_stdio(run):
    """Tells its process id, and that it came to its end by itself."""
    print(f"pid {os.getpid()}", file=sys.stderr, flush=True)
    run()
    print("ended by itself", file=sys.stderr, flush=True)


def over_http(app, way):
    """Serves until SIGTERM, and then ends well, unless something is still going on."""
    listener = socket.create_server(("127.0.0.1", 0))
    path = "sse" if way == "sse" else "mcp"
    config = uvicorn.Config(app, log_level="info", timeout_graceful_shutdown=5)
    # uvicorn raises the signal once more when it is done; here that is no reason to die of it.
    signal.signal(signal.SIGTERM, lambda *_: None)
    print(f"http://127.0.0.1:{listener.getsockname()[1]}/{path}", file=sys.stderr, flush=True)
    uvicorn.Server(config).run(sockets=[listener])
