// Tests an HTTP MCP server with the TypeScript SDK 2.x client and prints the results.
//
// Usage: node http_ts2.mjs auto|legacy|resume|REVISION URL      (a revision disables the fallback)
// (needs: npm install node@22.23.3 @modelcontextprotocol/client@2.4.0, run by that Node)
//
// `resume` uses `legacy` and only calls slow_task; a proxy closes the connection during the call.
// Prints one JSON object to stdout. See README.md for the fields.

import { createRequire } from "node:module";

// Packages installed next to the Node that runs this script.
const require = createRequire(process.execPath);
const { Client, StreamableHTTPClientTransport } = require("@modelcontextprotocol/client");

const [mode, url] = process.argv.slice(2);
const TOTAL_MILLISECONDS = 30_000;
let posting = 0; // POST requests in flight
const seen = { http: [], sent: [], progress: [], logs: [], changes: [], client_problems: [] };
const progress = { onprogress: (p) => seen.progress.push([p.progress, p.total, p.message]) };

setTimeout(() => finish(new Error("timed out")), TOTAL_MILLISECONDS).unref();
main().then(() => finish(), finish);

async function main() {
  const versionNegotiation = { mode: /^\d/.test(mode) ? { pin: mode } : mode === "resume" ? "legacy" : mode };
  const client = new Client({ name: "typescript-2", version: "0" }, { versionNegotiation });
  client.onerror = (error) => seen.client_problems.push(String(error));
  for (const what of ["notifications/tools/list_changed", "notifications/resources/updated"]) {
    client.setNotificationHandler(what, () => void seen.changes.push(what));
  }
  client.setNotificationHandler("notifications/message", ({ params }) => {
    seen.logs.push([params.level, params.data]);
  });
  const transport = new StreamableHTTPClientTransport(new URL(url), { fetch: watched });
  await client.connect(transport);
  seen.protocol_version = client.getNegotiatedProtocolVersion();
  const { name, version } = client.getServerVersion();
  seen.server_info = { name, version };
  await (mode === "resume" ? callSlowly(client) : talk(client));
  if (transport.sessionId) await transport.terminateSession();
  await client.close();
}

async function talk(client) {
  const modern = client.getProtocolEra() === "modern";
  seen.tools = (await client.listTools()).tools.map((tool) => tool.name);
  seen.add = (await client.callTool({ name: "add", arguments: { a: 2, b: 3 } })).structuredContent;
  // Since 2026-07-28, a client enables log messages per request.
  const _meta = modern ? { "io.modelcontextprotocol/logLevel": "debug" } : undefined;
  if (!modern) await client.setLoggingLevel("debug");
  seen.long_task = (await client.callTool({ name: "long_task", _meta }, progress)).content[0].text;
  seen.greeting = (await client.readResource({ uri: "greeting://Ada" })).contents[0].text;
  const prompt = await client.getPrompt({ name: "review_code", arguments: { code: "x = 1" } });
  seen.prompt = prompt.messages[0].content.text;
  const uri = "config://app";
  const listening = modern
    ? await client.listen({ toolsListChanged: true, resourceSubscriptions: [uri] })
    : await client.subscribeResource({ uri });
  await client.callTool({ name: "touch" });
  while (seen.changes.length < 2) await new Promise((resolve) => setTimeout(resolve, 10));
  if (modern) {
    await listening.close();
    seen.closed = await listening.closed;
  }
  await cancelWaitingCall(client);
}

async function callSlowly(client) {
  seen.slow_task = (await client.callTool({ name: "slow_task" }, progress)).content[0].text;
  seen.runs = (await client.callTool({ name: "slow_task_runs" })).structuredContent;
}

/** Calls a tool that never returns, cancels the call on its first progress, and waits until the cancellation is sent. */
async function cancelWaitingCall(client) {
  const controller = new AbortController();
  const options = { signal: controller.signal, onprogress: () => controller.abort("enough") };
  seen.wait = await client.callTool({ name: "wait" }, options).catch((error) => String(error));
  do await new Promise((resolve) => setTimeout(resolve, 10));
  while (posting > 0);
}

/** Records sent messages, and each exchange when the response headers arrive. */
async function watched(url, init) {
  if (init?.method === "POST") seen.sent.push(JSON.parse(init.body).method ?? "(response)");
  const posts = init?.method === "POST" ? 1 : 0;
  posting += posts;
  const response = await fetch(url, init).finally(() => (posting -= posts));
  const kind = (response.headers.get("content-type") ?? "-").split(";")[0];
  const resumes = new Headers(init?.headers).has("last-event-id") ? " resumed" : "";
  seen.http.push(`${init?.method ?? "GET"} ${response.status} ${kind}${resumes}`);
  return response;
}

function finish(error) {
  if (error) seen.failure = String(error.stack ?? error);
  console.log(JSON.stringify(seen, null, 2));
  process.exit(error ? 1 : 0);
}
