// Logs in to a protected MCP server with the OAuth client of the TypeScript SDK 1.x, and calls its tools.
//
// Usage: node oauth_ts1.mjs URL
// (needs: npm install node@22.23.3 @modelcontextprotocol/sdk@1.32.2, run by that Node)
//
// Prints `authorize URL` to stderr for each page that the user must open, and one JSON object to stdout. See README.md.

import { createRequire } from "node:module";
import { Provider, finish, talk } from "./oauth.mjs";

// Packages installed next to the Node that runs this script.
const require = createRequire(process.execPath);
const { UnauthorizedError } = require("@modelcontextprotocol/sdk/client/auth.js");
const { Client } = require("@modelcontextprotocol/sdk/client/index.js");
const { StreamableHTTPClientTransport } = require("@modelcontextprotocol/sdk/client/streamableHttp.js");

const [url] = process.argv.slice(2);
const TOTAL_MILLISECONDS = 60_000;
const seen = {};

setTimeout(() => finish(seen, new Error("timed out")), TOTAL_MILLISECONDS).unref();
main().then(() => finish(seen), (error) => finish(seen, error));

async function main() {
  const authProvider = await Provider.create("typescript-1");
  let transport;
  const connect = async () => {
    const client = new Client({ name: "typescript-1", version: "0" });
    transport = new StreamableHTTPClientTransport(new URL(url), { authProvider });
    await client.connect(transport);
    seen.protocol_version = transport.protocolVersion;
    return client;
  };
  const login = async (error) => {
    if (error.message.includes("after trying upscoping")) {
      // This SDK uses a refresh token instead of another authorization, which cannot obtain a further scope.
      authProvider.saveTokens({ ...authProvider.tokens(), refresh_token: undefined });
      return await connect();
    }
    if (!(error instanceof UnauthorizedError)) throw error;
    await transport.finishAuth((await authProvider.callback()).get("code"));
    return await connect();
  };
  await talk(await connect().catch(login), authProvider, seen, login);
}
