// Logs in to a protected MCP server with the OAuth client of the TypeScript SDK 2.x, and calls its tools.
//
// Usage: node oauth_ts2.mjs URL
// (needs: npm install node@22.23.3 @modelcontextprotocol/client@2.4.0, run by that Node)
//
// Prints `authorize URL` to stderr for each page that the user must open, and one JSON object to stdout. See README.md.

import { createRequire } from "node:module";
import { Provider, finish, talk } from "./oauth.mjs";

// Packages installed next to the Node that runs this script.
const require = createRequire(process.execPath);
const { Client, StreamableHTTPClientTransport, UnauthorizedError } = require("@modelcontextprotocol/client");

const [url] = process.argv.slice(2);
const TOTAL_MILLISECONDS = 60_000;
const seen = {};

setTimeout(() => finish(seen, new Error("timed out")), TOTAL_MILLISECONDS).unref();
main().then(() => finish(seen), (error) => finish(seen, error));

async function main() {
  const authProvider = await Provider.create("typescript-2");
  const versionNegotiation = { mode: { pin: "2026-07-28" } };
  let transport;
  const connect = async () => {
    const client = new Client({ name: "typescript-2", version: "0" }, { versionNegotiation });
    transport = new StreamableHTTPClientTransport(new URL(url), { authProvider });
    await client.connect(transport);
    seen.protocol_version = client.getNegotiatedProtocolVersion();
    return client;
  };
  const login = async (error) => {
    if (!(error instanceof UnauthorizedError)) throw error;
    await transport.finishAuth(await authProvider.callback());
    return await connect();
  };
  await talk(await connect().catch(login), authProvider, seen, login);
}
