// The OAuth client state and the calls of `oauth_ts1.mjs` and `oauth_ts2.mjs`.

import { createServer } from "node:http";

/** Prints the results and exits. */
export function finish(seen, error) {
  if (error) seen.failure = String(error.stack ?? error);
  console.log(JSON.stringify(seen, null, 2));
  process.exit(error ? 1 : 0);
}

/** An `OAuthClientProvider` that stores everything in memory, and listens on a free port for redirects of the browser. */
export class Provider {
  static async create(name) {
    const provider = new Provider(name);
    const server = createServer((request, response) => {
      const { pathname, searchParams } = new URL(request.url, provider.redirectUrl);
      response.writeHead(pathname === "/callback" ? 200 : 404).end("Logged in.");
      if (pathname === "/callback") provider.arrived(searchParams); // browsers also request an icon
    });
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    provider.redirectUrl = `http://127.0.0.1:${server.address().port}/callback`;
    return provider;
  }

  constructor(name) {
    this.name = name;
    this.stored = {};
  }

  get clientMetadata() {
    const grant_types = ["authorization_code", "refresh_token"];
    return { client_name: this.name, redirect_uris: [this.redirectUrl], grant_types, response_types: ["code"] };
  }

  state() {
    return (this.stored.state = crypto.randomUUID());
  }

  clientInformation() {
    return this.stored.client;
  }

  saveClientInformation(client) {
    this.stored.client = client;
  }

  tokens() {
    return this.stored.tokens;
  }

  saveTokens(tokens) {
    this.stored.tokens = tokens;
  }

  saveCodeVerifier(verifier) {
    this.stored.verifier = verifier;
  }

  codeVerifier() {
    return this.stored.verifier;
  }

  discoveryState() {
    return this.stored.discovery;
  }

  saveDiscoveryState(discovery) {
    this.stored.discovery = discovery;
  }

  redirectToAuthorization(url) {
    this.redirected = new Promise((resolve) => (this.arrived = resolve));
    console.error(`authorize ${url}`);
  }

  /** Waits for the redirect, and returns its query. */
  async callback() {
    const query = await this.redirected;
    if (query.get("state") !== this.stored.state) throw new Error("the state differs");
    return query;
  }
}

/** The maximum number of times that the client connects again to call the tool with a further scope. */
const MAX_LOGINS = 2;

/** Makes all calls. `login(error)` completes the authorization that `error` requires, and returns a connected client. */
export async function talk(client, provider, seen, login) {
  const call = async (name, args = {}) => await client.callTool({ name, arguments: args });
  seen.tools = (await client.listTools()).tools.map((tool) => tool.name);
  seen.add = (await call("add", { a: 2, b: 3 })).structuredContent;
  seen.caller = (await call("whoami")).structuredContent;
  const first = provider.tokens();
  provider.saveTokens({ ...first, access_token: "unknown" }); // the server rejects it
  await call("add", { a: 2, b: 3 });
  seen.refreshed = provider.tokens().access_token !== first.access_token;
  seen.rotated = provider.tokens().refresh_token !== first.refresh_token;
  const write = async (logins) =>
    await call("write_note", { text: "hello" }).catch(async (error) => {
      if (logins === 0) throw error;
      client = await login(error);
      return await write(logins - 1);
    });
  seen.write_note = (await write(MAX_LOGINS)).content[0].text;
  seen.caller_after = (await call("whoami")).structuredContent;
  await client.close();
}
