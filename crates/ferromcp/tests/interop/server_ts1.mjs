// A server written with the TypeScript SDK 1.x.
//
// Usage: node server_ts1.mjs stdio|sessions|stateless|sse
// (needs: npm install node@22.23.3 @modelcontextprotocol/sdk@1.32.2, run by that Node)
//
// Over HTTP it listens on a free port and prints its URL as the first line on stderr.

import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { createRequire } from "node:module";

// Packages installed next to the Node that runs this script.
const require = createRequire(process.execPath);
const { McpServer, ResourceTemplate } = require("@modelcontextprotocol/sdk/server/mcp.js");
const { SSEServerTransport } = require("@modelcontextprotocol/sdk/server/sse.js");
const { StdioServerTransport } = require("@modelcontextprotocol/sdk/server/stdio.js");
const { StreamableHTTPServerTransport } = require("@modelcontextprotocol/sdk/server/streamableHttp.js");
const { isInitializeRequest } = require("@modelcontextprotocol/sdk/types.js");
const { z } = require("zod");

const text = (text) => ({ content: [{ type: "text", text }] });

function server() {
  const server = new McpServer({ name: "typescript-1", version: "1.0.0" }, { capabilities: { logging: {} } });
  const sum = { inputSchema: { a: z.number(), b: z.number() }, outputSchema: { result: z.number() } };
  server.registerTool("add", sum, ({ a, b }) => ({ ...text(`${a + b}`), structuredContent: { result: a + b } }));
  server.registerTool("ask", {}, async ({ requestId }) => {
    const requestedSchema = { type: "object", properties: { name: { type: "string" } }, required: ["name"] };
    const question = { message: "Who is there?", requestedSchema };
    const { action, content } = await server.server.elicitInput(question, { relatedRequestId: requestId });
    return text(action === "accept" ? `Hello, ${content.name}!` : action);
  });
  server.registerTool("steps", {}, async ({ sendNotification, _meta }) => {
    const progressToken = _meta?.progressToken;
    await sendNotification({ method: "notifications/message", params: { level: "info", data: "begun" } });
    for (const progress of progressToken === undefined ? [] : [1, 2, 3]) {
      const params = { progressToken, progress, total: 3, message: `step ${progress}` };
      await sendNotification({ method: "notifications/progress", params });
    }
    return text("done");
  });
  const greeting = new ResourceTemplate("greeting://{name}", { list: undefined });
  server.registerResource("greeting", greeting, {}, ({ href }, { name }) => ({
    contents: [{ uri: href, mimeType: "text/plain", text: `Hello, ${name}!` }],
  }));
  server.registerPrompt("review", { argsSchema: { code: z.string() } }, ({ code }) => ({
    messages: [{ role: "user", content: { type: "text", text: `Please review: ${code}` } }],
  }));
  return server;
}

const transports = new Map(); // by session

async function sessions(request, response) {
  const body = request.method === "POST" ? await json(request) : undefined;
  let transport = transports.get(request.headers["mcp-session-id"]);
  if (!transport && isInitializeRequest(body)) {
    transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => void transports.set(id, transport),
      onsessionclosed: (id) => void transports.delete(id),
    });
    await server().connect(transport);
  }
  if (transport) return transport.handleRequest(request, response, body);
  refuse(response, request.headers["mcp-session-id"] ? 404 : 400, -32000, "Bad Request: no valid session");
}

async function stateless(request, response) {
  if (request.method !== "POST") return refuse(response, 405, -32000, "Method not allowed.");
  const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined });
  const mine = server();
  response.on("close", () => void mine.close());
  await mine.connect(transport);
  await transport.handleRequest(request, response, await json(request));
}

async function sse(request, response) {
  const url = new URL(request.url, "http://localhost");
  if (request.method === "POST" && url.pathname === "/messages") {
    const transport = transports.get(url.searchParams.get("sessionId"));
    return transport ? transport.handlePostMessage(request, response) : response.writeHead(404).end();
  }
  if (request.method !== "GET") return response.writeHead(405).end();
  const transport = new SSEServerTransport("/messages", response);
  transports.set(transport.sessionId, transport);
  response.on("close", () => transports.delete(transport.sessionId));
  await server().connect(transport);
}

async function json(request) {
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  return JSON.parse(Buffer.concat(pieces));
}

function refuse(response, status, code, message) {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify({ jsonrpc: "2.0", error: { code, message }, id: null }));
}

const mode = process.argv[2];
if (mode === "stdio") {
  await server().connect(new StdioServerTransport());
} else {
  const serve = { sessions, stateless, sse }[mode];
  const listener = createServer((request, response) => {
    serve(request, response).catch((error) => {
      console.error(error);
      if (!response.headersSent) response.writeHead(500);
      response.end();
    });
  });
  listener.listen(0, "127.0.0.1", () => {
    console.error(`http://127.0.0.1:${listener.address().port}/${mode === "sse" ? "sse" : "mcp"}`);
  });
}
