// Tests an MCP server, over stdio or HTTP, with the CLI of the official Inspector and prints the results.
//
// Usage: node inspector.mjs ERA SERVER_COMMAND [ARGS...]     ERA: modern, auto or legacy
//        node inspector.mjs ERA URL                          a path that ends in /sse: HTTP+SSE
// (needs: Node >= 22.19 and npm install @modelcontextprotocol/inspector@2.12.0, with
// node_modules/.bin on PATH so that both `node` and `mcp-inspector` are found)
//
// Prints one JSON object to stdout. Every call starts the command or opens a connection. Exit code: 0 when
// every call succeeded, 1 when one did not start, timed out, or exited with another code than the one
// below, 2 when ERA is not legacy and `initialize` was sent.

import { spawnSync } from "node:child_process";

const CALL_MILLISECONDS = 30_000;
const MODERN = "2026-07-28";
const SERVER_ERROR = 1; // the server answered with a JSON-RPC error
const NO_RESPONSE = /closed|timed? ?out|ENOENT|EPIPE|negotiation/i; // also exit code 1, without a response
const TOOL_FAILED = 5; // isError, or no such tool in tools/list

const CALLS = [
  ["hello", ["initialize"], 0],
  ["tools", ["tools/list", "--strict"], 0],
  ["call_add", ["tools/call", "--tool-name", "add", "--tool-arg", "a=2", "--tool-arg", "b=3"], 0],
  ["call_add_wrong", ["tools/call", "--tool-name", "add", "--tool-args-json", '{"a":"two","b":3}'], TOOL_FAILED],
  ["call_unknown", ["tools/call", "--tool-name", "no_such_tool"], TOOL_FAILED],
  ["resources", ["resources/list"], 0],
  ["resource_templates", ["resources/templates/list"], 0],
  ["read_greeting", ["resources/read", "--uri", "greeting://Ada"], 0],
  ["read_unknown", ["resources/read", "--uri", "nowhere://nothing"], SERVER_ERROR],
  ["prompts", ["prompts/list"], 0],
  ["get_review_code", ["prompts/get", "--prompt-name", "review_code", "--prompt-args", "code=x = 1"], 0],
  ["get_unknown", ["prompts/get", "--prompt-name", "no_such_prompt"], SERVER_ERROR],
];
const LONG_TASK = ["call_long_task", ["tools/call", "--tool-name", "long_task"], 0];

const [era, ...server] = process.argv.slice(2);
if (!["modern", "auto", "legacy"].includes(era) || server.length === 0) {
  console.error("usage: inspector.mjs modern|auto|legacy SERVER_COMMAND [ARGS...] | URL");
  process.exit(64);
}

const seen = { client: `inspector --protocol-era ${era}`, failures: [] };
for (const call of CALLS) run(call);
if (seen.tools.answer?.result?.tools?.some((tool) => tool.name === "long_task")) run(LONG_TASK);

seen.protocol_version = seen.hello.answer?.result?.protocolVersion;
seen.fell_back_to_initialize = seen.protocol_version !== MODERN;
console.log(JSON.stringify(seen, null, 2));
const wrongEra = era !== "legacy" && seen.fell_back_to_initialize;
process.exit(seen.failures.length > 0 ? 1 : wrongEra ? 2 : 0);

/** Runs one call and records its response, exit code and duration. */
function run([name, method, expected]) {
  const flags = ["--cli", "--quiet", "--format", "json", "--protocol-era", era, "--method", ...method];
  const started = performance.now();
  const child = spawnSync("mcp-inspector", [...flags, "--", ...server], {
    encoding: "utf8",
    timeout: CALL_MILLISECONDS,
    killSignal: "SIGKILL",
  });
  const seconds = Number(((performance.now() - started) / 1000).toFixed(2));
  // A result goes to stdout; the envelope of an error is the last line of stderr.
  const answer = parse(child.stdout) ?? parse((child.stderr ?? "").trim().split("\n").at(-1));
  seen[name] = { exit_code: child.status, seconds, answer };
  const why = child.error?.message ?? answer?.error?.message ?? "";
  if (child.status !== expected || (expected === SERVER_ERROR && NO_RESPONSE.test(why))) {
    seen.failures.push(`${name}: exit code ${child.status} where ${expected} was due: ${why}`);
  }
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
