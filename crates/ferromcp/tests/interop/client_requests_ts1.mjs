// Calls the tools of an HTTP MCP server with the TypeScript SDK 1.x client and prints the results.
//
// Usage: node client_requests_ts1.mjs URL
// (needs: npm install node@22.23.3 @modelcontextprotocol/sdk@1.32.2, run by that Node)
//
// Prints one JSON object to stdout. See README.md for the fields.

import { createRequire } from "node:module";
import { answerTo, finish, ROOTS, seen, TOOLS } from "./client_requests.mjs";

// Packages installed next to the Node that runs this script.
const require = createRequire(process.execPath);
const { Client } = require("@modelcontextprotocol/sdk/client/index.js");
const { StreamableHTTPClientTransport } = require("@modelcontextprotocol/sdk/client/streamableHttp.js");
const types = require("@modelcontextprotocol/sdk/types.js");

const [url] = process.argv.slice(2);

main().then(() => finish(), finish);

async function main() {
  const capabilities = { elicitation: { form: {} }, sampling: {}, roots: {} };
  const client = new Client({ name: "typescript-1", version: "0" }, { capabilities });
  client.onerror = (error) => seen.client_problems.push(String(error));
  client.setRequestHandler(types.ElicitRequestSchema, ({ params }) => {
    const answer = answerTo(params.message);
    return answer === null ? { action: "decline" } : { action: "accept", content: { value: answer } };
  });
  client.setRequestHandler(types.CreateMessageRequestSchema, ({ params }) => {
    const text = answerTo(params.messages.at(-1).content.text);
    return { role: "assistant", model: "none", content: { type: "text", text } };
  });
  client.setRequestHandler(types.ListRootsRequestSchema, () => {
    seen.asked.push("roots");
    return { roots: ROOTS };
  });
  const transport = new StreamableHTTPClientTransport(new URL(url));
  await client.connect(transport);
  seen.protocol_version = transport.protocolVersion;
  for (const tool of TOOLS) {
    const done = await client.callTool({ name: tool });
    seen.results[tool] = [done.isError ?? false, done.content[0].text];
  }
  await transport.terminateSession();
  await client.close();
}
