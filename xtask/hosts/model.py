"""Connects Claude Code to `mcp dev` while the server is rebuilt 20 times, one build of which is broken.

Usage: model.py CLAUDE MCP SERVER BUILDS. CLAUDE, MCP and SERVER are programs. A local HTTP server answers in place of the
model: before each answer, it changes the source of the MCP server, and then requests a tool call. Exits with 0 if each call has
returned the result of its build, and Claude Code has offered the new tool of each build to the model.
"""

import http.server
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import time

claude, mcp, server, builds = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
BROKEN = builds // 2
TIMEOUT = 60

folder = pathlib.Path(tempfile.mkdtemp())
script = folder / "server.sh"
report = {"builds": builds, "offered": 0, "results": 0, "errors": []}
dev_lines = []


def write(number):
    if number == BROKEN:
        script.write_text("echo 'syntax error' >&2; exit 1\n")
    else:
        script.write_text(f"exec '{server}' build {number}\n")


def wait_for(text):
    deadline = time.monotonic() + TIMEOUT
    while not any(text in line for line in dev_lines):
        if time.monotonic() > deadline:
            raise TimeoutError(text)
        time.sleep(0.01)


def events(content, stop_reason):
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "local", "content": [],
               "stop_reason": None, "stop_sequence": None, "usage": {"input_tokens": 1, "output_tokens": 1}}
    yield "message_start", {"message": message}
    if content["type"] == "tool_use":
        yield "content_block_start", {"index": 0, "content_block": {**content, "input": {}}}
        yield "content_block_delta", {"index": 0, "delta": {"type": "input_json_delta", "partial_json": "{}"}}
    else:
        yield "content_block_start", {"index": 0, "content_block": {"type": "text", "text": ""}}
        yield "content_block_delta", {"index": 0, "delta": {"type": "text_delta", "text": content["text"]}}
    yield "content_block_stop", {"index": 0}
    yield "message_delta", {"delta": {"stop_reason": stop_reason, "stop_sequence": None}, "usage": {"output_tokens": 1}}
    yield "message_stop", {}


class Model(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    number = 0
    lock = threading.Lock()

    def log_message(self, *arguments):
        pass

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))) or b"{}")
        if not self.path.startswith("/v1/messages") or "count_tokens" in self.path:
            return self.reply(b'{"input_tokens": 1}', "application/json")
        names = [tool.get("name", "") for tool in request.get("tools", [])]
        if not any(name.startswith("mcp__dev__") for name in names):
            return self.stream(events({"type": "text", "text": "ok"}, "end_turn"))
        with Model.lock:
            self.stream(self.answer(request, names))

    def answer(self, request, names):
        number = Model.number
        if number > 0:
            expected = str(number - 1 if number == BROKEN else number)
            result = results(request)[-1]
            report["offered"] += f"mcp__dev__version_{expected}" in names
            report["results"] += result == expected
            if result != expected:
                report["errors"].append([number, result, names[-3:]])
        if number == builds:
            return events({"type": "text", "text": "finished"}, "end_turn")
        Model.number = number = number + 1
        write(number)
        wait_for("the previous build still runs" if number == BROKEN else f"running `Build {number}`")
        time.sleep(0.3)  # Claude Code fetches the list of tools
        return events({"type": "tool_use", "id": f"toolu_{number}", "name": "mcp__dev__current"}, "tool_use")

    def stream(self, parts):
        body = "".join(f"event: {name}\ndata: {json.dumps({'type': name, **data})}\n\n" for name, data in parts)
        self.reply(body.encode(), "text/event-stream")

    def reply(self, body, kind):
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.reply(b"{}", "application/json")


def results(request):
    """Returns the texts of all tool results."""
    found = []
    for message in request["messages"]:
        for part in message["content"] if isinstance(message["content"], list) else []:
            if part.get("type") == "tool_result":
                content = part.get("content", "")
                found.append(content if isinstance(content, str) else "".join(item.get("text", "") for item in content))
    return found or ["no result"]


def main():
    write(0)
    model = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Model)
    threading.Thread(target=model.serve_forever, daemon=True).start()
    home = {**os.environ, "HOME": str(folder), "MCP_HOME": str(folder / "mcp")}
    dev = subprocess.Popen([mcp, "dev", "--port", "0", "--no-open", "--", "sh", "server.sh"], cwd=folder, env=home,
                           stderr=subprocess.PIPE, text=True)
    threading.Thread(target=lambda: [dev_lines.append(line) for line in dev.stderr], daemon=True).start()
    try:
        wait_for("running `Build 0`")
        endpoint = next(re.search(r"http://\S+/mcp", line).group() for line in dev_lines if line.startswith("endpoint"))
        config = folder / "mcp.json"
        config.write_text(json.dumps({"mcpServers": {"dev": {"type": "http", "url": endpoint}}}))
        environment = {**home, "ANTHROPIC_BASE_URL": f"http://127.0.0.1:{model.server_port}", "ANTHROPIC_API_KEY": "none",
                       "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "DISABLE_AUTOUPDATER": "1",
                       "ENABLE_TOOL_SEARCH": "false", "MCP_TIMEOUT": "30000"}
        command = [claude, "--print", "Call the newest tool", "--mcp-config", str(config), "--strict-mcp-config",
                   "--allowedTools", "mcp__dev", "--max-turns", str(builds + 5)]
        run = subprocess.run(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True,
                             text=True, timeout=10 * TIMEOUT)
    finally:
        dev.kill()
    print(json.dumps(report))
    if run.returncode != 0 or (report["results"], report["offered"]) != (builds, builds):
        print(run.stdout, run.stderr, "".join(dev_lines), file=sys.stderr)
        sys.exit(1)


main()
