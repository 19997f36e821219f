// Tests an HTTP MCP server with the TypeScript SDK 1.x client and prints the results.
//
// Usage: node http_ts1.mjs streamable|sse|resume URL
// (needs: npm install node@22.23.3 @modelcontextprotocol/sdk@1.32.2, run by that Node)
//
// `resume` only calls slow_task; a proxy closes the connection during the call.
// Prints one JSON object to stdout. See README.md for the fields.

import { createRequire } from "node:module";

// Packages installed next to the Node that runs this script.
const require = createRequire(process.execPath);
const { Client } = require("@modelcontextprotocol/sdk/client/index.js");
const { SSEClientTransport } = require("@modelcontextprotocol/sdk/client/sse.js");
const { StreamableHTTPClientTransport } = require("@modelcontextprotocol/sdk/client/streamableHttp.js");
const {
  LoggingMessageNotificationSchema,
  ResourceUpdatedNotificationSchema,
  ToolListChangedNotificationSchema,
} = require("@modelcontextprotocol/sdk/types.js");

const [mode, url] = process.argv.slice(2);
const TOTAL_MILLISECONDS = 30_000;
let posting = 0; // POST requests in flight
const seen = { http: [], progress: [], logs: [], changes: [], client_problems: [] };
const progress = { onprogress: (p) => seen.progress.push([p.progress, p.total, p.message]) };

setTimeout(() => finish(new Error("timed out")), TOTAL_MILLISECONDS).unref();
main().then(() => finish(), finish);

async function main() {
  const client = new Client({ name: "typescript-1", version: "0" });
  client.onerror = (error) => seen.client_problems.push(String(error));
  const recordChange = ({ method }) => void seen.changes.push(method);
  client.setNotificationHandler(ToolListChangedNotificationSchema, recordChange);
  client.setNotificationHandler(ResourceUpdatedNotificationSchema, recordChange);
  client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => {
    seen.logs.push([params.level, params.data]);
  });
  const Transport = mode === "sse" ? SSEClientTransport : StreamableHTTPClientTransport;
  const transport = new Transport(new URL(url), { fetch: watched });
  await client.connect(transport);
  if (mode === "sse") watchProgress(transport);
  seen.protocol_version = transport.protocolVersion ?? transport._protocolVersion;
  seen.server_info = client.getServerVersion();
  await (mode === "resume" ? callSlowly(client) : talk(client));
  if (mode !== "sse") await transport.terminateSession();
  await client.close();
}

async function talk(client) {
  seen.tools = (await client.listTools()).tools.map((tool) => tool.name);
  seen.add = (await client.callTool({ name: "add", arguments: { a: 2, b: 3 } })).structuredContent;
  await client.setLoggingLevel("debug");
  seen.long_task = (await client.callTool({ name: "long_task" }, undefined, progress)).content[0].text;
  seen.greeting = (await client.readResource({ uri: "greeting://Ada" })).contents[0].text;
  const prompt = await client.getPrompt({ name: "review_code", arguments: { code: "x = 1" } });
  seen.prompt = prompt.messages[0].content.text;
  await client.subscribeResource({ uri: "config://app" });
  await client.callTool({ name: "touch" });
  while (seen.changes.length < 2) await new Promise((resolve) => setTimeout(resolve, 10));
  await cancelWaitingCall(client);
}

/** Calls a tool that never returns, cancels the call on its first progress, and waits until the cancellation is sent. */
async function cancelWaitingCall(client) {
  const controller = new AbortController();
  const options = { signal: controller.signal, onprogress: () => controller.abort("enough") };
  seen.wait = await client.callTool({ name: "wait" }, undefined, options).catch((error) => String(error));
  do await new Promise((resolve) => setTimeout(resolve, 10));
  while (posting > 0);
}

async function callSlowly(client) {
  seen.slow_task = (await client.callTool({ name: "slow_task" }, undefined, progress)).content[0].text;
  seen.runs = (await client.callTool({ name: "slow_task_runs" })).structuredContent;
}

/**
 * Records progress on arrival. If progress and response arrive in one chunk, this client processes the response first
 * and then drops the progress.
 */
function watchProgress(transport) {
  const { onmessage } = transport;
  progress.onprogress = () => undefined;
  transport.onmessage = (message, extra) => {
    if (message.method !== "notifications/progress") return onmessage(message, extra);
    const { progress, total, message: words } = message.params;
    if (total) seen.progress.push([progress, total, words]);
    else onmessage(message, extra);
  };
}

/** Records each exchange when the response headers arrive. */
async function watched(url, init) {
  const posts = init?.method === "POST" ? 1 : 0;
  posting += posts;
  const response = await fetch(url, init).finally(() => (posting -= posts));
  const resumes = new Headers(init?.headers).has("last-event-id") ? " resumed" : "";
  const kind = (response.headers.get("content-type") ?? "-").split(";")[0];
  seen.http.push(`${init?.method ?? "GET"} ${response.status} ${kind}${resumes}`);
  return response;
}

function finish(error) {
  if (error) seen.failure = String(error.stack ?? error);
  console.log(JSON.stringify(seen, null, 2));
  process.exit(error ? 1 : 0);
}
