// Drives an HTTP MCP server with the TypeScript SDK 2.x client and prints what it saw.
//
// Usage: node http_ts2.mjs auto|legacy|resume|REVISION URL      (a revision is insisted on, without falling back)
// (needs: npm install node@22.23.3 @modelcontextprotocol/client@2.4.0, and to be run by that Node)
//
// `resume` is `legacy`, but only calls slow_task, and expects its connection to be cut in the middle by somebody else.
// Prints one JSON object to stdout. See README.md for the fields.

import { createRequire } from "node:module";

// The packages that were installed beside the Node that runs this.
const require = createRequire(process.execPath);
const { Client, StreamableHTTPClientTransport } = require("@modelcontextprotocol/client");

const [mode, url] = process.argv.slice(2);
const TOTAL_MILLISECONDS = 30_000;
let posting = 0; // messages on their way
const seen = { http: [], sent: [], progress: [], logs: [], heard: [], client_problems: [] };
const progress = { onprogress: (p) => seen.progress.push([p.progress, p.total, p.message]) };

setTimeout(() => finish(new Error("it takes too long")), TOTAL_MILLISECONDS).unref();
main().then(() => finish(), finish);

async function main() {
  const versionNegotiation = { mode: /^\d/.test(mode) ? { pin: mode } : mode === "resume" ? "legacy" : mode };
  const client = new Client({ name: "typescript-2", version: "0" }, { versionNegotiation });
  client.onerror = (error) => seen.client_problems.push(String(error));
  for (const what of ["notifications/tools/list_changed", "notifications/resources/updated"]) {
    client.setNotificationHandler(what, () => void seen.heard.push(what));
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
  // From 2026-07-28 on, a client asks for log messages request by request.
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
  while (seen.heard.length < 2) await new Promise((resolve) => setTimeout(resolve, 10));
  if (modern) {
    await listening.close();
    seen.closed = await listening.closed;
  }
  await giveUpWaiting(client);
}

async function callSlowly(client) {
  seen.slow_task = (await client.callTool({ name: "slow_task" }, progress)).content[0].text;
  seen.runs = (await client.callTool({ name: "slow_task_runs" })).structuredContent;
}

/** Calls what never answers, lets go of it when it is heard of, and sees that this is told before anything else. */
async function giveUpWaiting(client) {
  const gone = new AbortController();
  const options = { signal: gone.signal, onprogress: () => gone.abort("enough") };
  seen.wait = await client.callTool({ name: "wait" }, options).catch((error) => String(error));
  do await new Promise((resolve) => setTimeout(resolve, 10));
  while (posting > 0);
}

/** Notes what is sent, and each exchange once the headers of its response are there. */
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
