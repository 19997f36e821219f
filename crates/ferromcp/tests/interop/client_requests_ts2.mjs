// Calls the tools of an HTTP MCP server with the TypeScript SDK 2.x client and prints the results.
//
// Usage: node client_requests_ts2.mjs auto|legacy|REVISION URL      (a revision disables the fallback)
// (needs: npm install node@22.23.3 @modelcontextprotocol/client@2.4.0, run by that Node)
//
// Prints one JSON object to stdout. See README.md for the fields.

import { createRequire } from "node:module";
import { answerTo, finish, ROOTS, seen, TOOLS } from "./client_requests.mjs";

// Packages installed next to the Node that runs this script.
const require = createRequire(process.execPath);
const { Client, StreamableHTTPClientTransport } = require("@modelcontextprotocol/client");

const [mode, url] = process.argv.slice(2);

main().then(() => finish(), finish);

async function main() {
  const capabilities = { elicitation: { form: {} }, sampling: {}, roots: {} };
  const versionNegotiation = { mode: /^\d/.test(mode) ? { pin: mode } : mode };
  const client = new Client({ name: "typescript-2", version: "0" }, { capabilities, versionNegotiation });
  client.onerror = (error) => seen.client_problems.push(String(error));
  client.setRequestHandler("elicitation/create", ({ params }) => {
    const answer = answerTo(params.message);
    return answer === null ? { action: "decline" } : { action: "accept", content: { value: answer } };
  });
  client.setRequestHandler("sampling/createMessage", ({ params }) => {
    const text = answerTo(params.messages.at(-1).content.text);
    return { role: "assistant", model: "none", content: { type: "text", text } };
  });
  client.setRequestHandler("roots/list", () => {
    seen.asked.push("roots");
    return { roots: ROOTS };
  });
  const transport = new StreamableHTTPClientTransport(new URL(url));
  await client.connect(transport);
  seen.protocol_version = client.getNegotiatedProtocolVersion();
  for (const tool of TOOLS) {
    const done = await client.callTool({ name: tool });
    seen.results[tool] = [done.isError ?? false, done.content[0].text];
  }
  if (transport.sessionId) await transport.terminateSession();
  await client.close();
}
