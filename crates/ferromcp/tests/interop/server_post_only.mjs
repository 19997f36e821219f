// A server with sessions in an Express application that has a route for POST only: Express answers GET and DELETE with 404.
//
// Usage: node server_post_only.mjs
// (needs: npm install node@22.23.3 @modelcontextprotocol/sdk@1.32.2, which depends on Express; run by that Node)
//
// It listens on a free port, and prints its URL as the first line on stderr. Then it prints a line for each request: the
// method, the status, and whether the request is in a session.

import { randomUUID } from "node:crypto";
import { createRequire } from "node:module";

// Packages installed next to the Node that runs this script.
const require = createRequire(process.execPath);
const express = require("express");
const { McpServer } = require("@modelcontextprotocol/sdk/server/mcp.js");
const { StreamableHTTPServerTransport } = require("@modelcontextprotocol/sdk/server/streamableHttp.js");
const { isInitializeRequest } = require("@modelcontextprotocol/sdk/types.js");
const { z } = require("zod");

const transports = new Map(); // by session

function server() {
  const server = new McpServer({ name: "post-only", version: "1.0.0" });
  server.registerTool("add", { inputSchema: { a: z.number(), b: z.number() } }, ({ a, b }) => ({
    content: [{ type: "text", text: `${a + b}` }],
  }));
  return server;
}

const app = express();
app.use((request, response, next) => {
  const session = request.headers["mcp-session-id"] ? "in a session" : "without a session";
  response.on("finish", () => console.error(`${request.method} ${response.statusCode} ${session}`));
  next();
});
app.use(express.json());
app.post("/mcp", async (request, response) => {
  let transport = transports.get(request.headers["mcp-session-id"]);
  if (!transport && isInitializeRequest(request.body)) {
    transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => void transports.set(id, transport),
    });
    await server().connect(transport);
  }
  if (transport) return transport.handleRequest(request, response, request.body);
  const error = { code: -32000, message: "Bad Request: No valid session ID provided" };
  response.status(400).json({ jsonrpc: "2.0", error, id: null });
});
const listener = app.listen(0, "127.0.0.1", () => console.error(`http://127.0.0.1:${listener.address().port}/mcp`));
