"""Runs the servers of this folder over stdio, or over HTTP on a free port printed to stderr."""

import os
import signal
import socket
import sys

import uvicorn


def over_stdio(run):
    """Prints the process id, and a line when the server exits after stdin closed."""
    print(f"pid {os.getpid()}", file=sys.stderr, flush=True)
    run()
    print("exited after stdin closed", file=sys.stderr, flush=True)


def listen():
    """Returns a listener on a free port, and its origin."""
    listener = socket.create_server(("127.0.0.1", 0))
    return listener, f"http://127.0.0.1:{listener.getsockname()[1]}"


def over_http(app, transport, listener=None):
    """Serves until SIGTERM, then shuts down gracefully."""
    listener = listener or listen()[0]
    path = "sse" if transport == "sse" else "mcp"
    config = uvicorn.Config(app, log_level="info", timeout_graceful_shutdown=5)
    # uvicorn raises the signal again after shutdown; ignore it, so that the exit code is 0.
    signal.signal(signal.SIGTERM, lambda *_: None)
    print(f"http://127.0.0.1:{listener.getsockname()[1]}/{path}", file=sys.stderr, flush=True)
    uvicorn.Server(config).run(sockets=[listener])
