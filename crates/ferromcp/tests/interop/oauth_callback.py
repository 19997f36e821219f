"""The loopback redirect URI of an OAuth client, and the way to the user."""

import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

import anyio.to_thread


class Callback:
    """Listens on a free port of 127.0.0.1 for redirects of the browser."""

    def __init__(self):
        callback = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
                self.send_response(200)
                self.send_header("content-type", "text/plain")
                self.end_headers()
                self.wfile.write(b"Logged in.")
                callback.query = query
                callback.arrived.set()

            def log_message(self, *_):
                pass

        self.query = {}
        self.arrived = threading.Event()
        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.redirect_uri = f"http://127.0.0.1:{self.server.server_port}/callback"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    async def show(self, url):
        """Prints the URL of the authorization page; the user opens it."""
        self.arrived.clear()
        print(f"authorize {url}", file=sys.stderr, flush=True)

    async def wait(self):
        """Waits for the redirect, and returns its query."""
        await anyio.to_thread.run_sync(self.arrived.wait, abandon_on_cancel=True)
        if "error" in self.query:
            raise RuntimeError(f"the authorization failed: {self.query}")
        return self.query


class Storage:
    """Stores tokens and the client in memory."""

    def __init__(self):
        self.tokens = self.client = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client):
        self.client = client
