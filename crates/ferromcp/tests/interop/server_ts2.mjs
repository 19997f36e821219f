// A server written with the TypeScript SDK 2.x.
//
// Usage: node server_ts2.mjs stdio|stateless|sessions
// (needs: npm install node@22.23.3 @modelcontextprotocol/server@2.4.0, run by that Node)
//
// `stdio` and `stateless` support 2026-07-28 and legacy revisions; `sessions` supports 2025-11-25 with sessions.
// Over HTTP it listens on a free port and prints its URL as the first line on stderr.

import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { Readable } from "node:stream";

// Packages installed next to the Node that runs this script.
const require = createRequire(process.execPath);
const {
  McpServer,
  ResourceTemplate,
  WebStandardStreamableHTTPServerTransport,
  acceptedContent,
  createMcpHandler,
  inputRequired,
} = require("@modelcontextprotocol/server");
const { serveStdio } = require("@modelcontextprotocol/server/stdio");
const { z } = require("zod");

const text = (text) => ({ content: [{ type: "text", text }] });
const Name = z.object({ name: z.string() });

function server() {
  const server = new McpServer({ name: "typescript-2", version: "1.0.0" }, { capabilities: { logging: {} } });
  const inputSchema = z.object({ a: z.number(), b: z.number() });
  const outputSchema = z.object({ result: z.number() });
  server.registerTool("add", { inputSchema, outputSchema }, ({ a, b }) => {
    return { ...text(`${a + b}`), structuredContent: { result: a + b } };
  });
  server.registerTool("ask", {}, ({ mcpReq }) => {
    const answer = acceptedContent(mcpReq.inputResponses, "who", Name);
    if (answer) return text(`Hello, ${answer.name}!`);
    const who = inputRequired.elicit({ message: "Who is there?", requestedSchema: Name });
    return inputRequired({ inputRequests: { who } });
  });
  server.registerTool("steps", {}, async ({ mcpReq }) => {
    await mcpReq.log("info", "begun");
    const progressToken = mcpReq._meta?.progressToken;
    for (const progress of progressToken === undefined ? [] : [1, 2, 3]) {
      const params = { progressToken, progress, total: 3, message: `step ${progress}` };
      await mcpReq.notify({ method: "notifications/progress", params });
    }
    return text("done");
  });
  const greeting = new ResourceTemplate("greeting://{name}", { list: undefined });
  server.registerResource("greeting", greeting, {}, ({ href }, { name }) => ({
    contents: [{ uri: href, mimeType: "text/plain", text: `Hello, ${name}!` }],
  }));
  server.registerPrompt("review", { argsSchema: z.object({ code: z.string() }) }, ({ code }) => ({
    messages: [{ role: "user", content: { type: "text", text: `Please review: ${code}` } }],
  }));
  return server;
}

const transports = new Map(); // by session

/** Serves 2025-11-25 with sessions. */
async function sessions(request) {
  let transport = transports.get(request.headers.get("mcp-session-id"));
  if (!transport && request.headers.has("mcp-session-id")) return new Response(null, { status: 404 });
  if (!transport) {
    transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => void transports.set(id, transport),
      onsessionclosed: (id) => void transports.delete(id),
    });
    await server().connect(transport);
  }
  return transport.handleRequest(request);
}

/** Converts a Node request to a web request, and the web response to a Node response. */
function bridged(serve, base) {
  return async (request, response) => {
    const body = request.method === "POST" ? Readable.toWeb(request) : undefined;
    const gone = new AbortController();
    response.on("close", () => gone.abort());
    const headers = new Headers(request.headers);
    const init = { method: request.method, headers, body, duplex: "half", signal: gone.signal };
    const answer = await serve(new Request(new URL(request.url, base()), init));
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    response.flushHeaders();
    if (answer.body) Readable.fromWeb(answer.body).on("error", () => response.destroy()).pipe(response);
    else response.end();
  };
}

const mode = process.argv[2];
if (mode === "stdio") {
  serveStdio(server);
} else {
  const serve = mode === "sessions" ? sessions : createMcpHandler(server).fetch;
  const handle = bridged(serve, () => `http://127.0.0.1:${listener.address().port}`);
  const listener = createServer((request, response) => {
    handle(request, response).catch((error) => {
      console.error(error);
      response.destroy();
    });
  });
  listener.listen(0, "127.0.0.1", () => console.error(`http://127.0.0.1:${listener.address().port}/mcp`));
}
