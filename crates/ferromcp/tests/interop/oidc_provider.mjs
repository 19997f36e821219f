// An OpenID Connect provider that issues access tokens for MCP servers, written with `oidc-provider`.
//
// Usage: node oidc_provider.mjs FORMAT ACCESS_TOKEN_SECONDS [consent]
// FORMAT: opaque, or a signature algorithm such as ES256
// consent: refresh tokens are issued for the scope `offline_access` only, which requires the parameter `prompt=consent`
// (needs: npm install node@22.23.3 oidc-provider@9.13.3, run by that Node)
//
// It listens on a free port of 127.0.0.1, and prints the issuer as the first line on stderr. Then it prints a line for each
// registration, each successful token request (`token GRANT TYPE`), and each error. The user `ada` logs in and consents to
// everything, without a page.
//
// Clients register dynamically. These are registered already, the last three with the secret `secret`: the native client
// `registered`, the program `machine` (client credentials), the authorization server `upstream`, whose users log in here, and
// `resource-server`, which may introspect tokens.

import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

// Packages installed next to the Node that runs this script.
const require = createRequire(process.execPath);
const { default: Provider } = await import(pathToFileURL(require.resolve("oidc-provider")));

const [format, seconds, refresh] = process.argv.slice(2);
const SCOPES = ["notes:read", "notes:write"];

const http = createServer();
await new Promise((resolve) => http.listen(0, "127.0.0.1", resolve));
const issuer = `http://127.0.0.1:${http.address().port}`;

console.warn = () => undefined; // the provider warns of its adapter in memory, before the issuer is printed
const key = (options) => generateKeyPairSync(...options).privateKey.export({ format: "jwk" });
const withoutUser = { client_secret: "secret", redirect_uris: [], response_types: [] };
const provider = new Provider(issuer, {
  clients: [
    {
      client_id: "registered",
      application_type: "native",
      token_endpoint_auth_method: "none",
      redirect_uris: ["http://127.0.0.1:1/callback"],
      grant_types: ["authorization_code", "refresh_token"],
    },
    {
      client_id: "upstream",
      client_secret: "secret",
      application_type: "native",
      redirect_uris: ["http://127.0.0.1/upstream/callback"],
      grant_types: ["authorization_code", "refresh_token"],
    },
    { ...withoutUser, client_id: "machine", grant_types: ["client_credentials"] },
    { ...withoutUser, client_id: "resource-server", grant_types: [] },
  ],
  enabledJWA: { idTokenSigningAlgValues: ["RS256", "PS256", "ES256", "EdDSA"] },
  cookies: { keys: ["not a secret"] },
  findAccount: (_, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
  jwks: {
    keys: [
      { ...key(["rsa", { modulusLength: 2048 }]), kid: "rsa", use: "sig" },
      { ...key(["ec", { namedCurve: "P-256" }]), kid: "ec", use: "sig" },
      { ...key(["ed25519"]), kid: "ed25519", use: "sig" },
    ],
  },
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  ...(refresh === "consent" ? {} : { issueRefreshToken: (_, client) => client.grantTypeAllowed("refresh_token") }),
  rotateRefreshToken: true,
  scopes: ["openid", "offline_access", ...SCOPES], // clients register with scopes of resources
  ttl: { AccessToken: Number(seconds), Grant: 3600, Interaction: 60, Session: 3600, RefreshToken: 3600 },
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    dPoP: { enabled: true },
    introspection: { enabled: true, allowedPolicy: (_, client) => client.clientId === "resource-server" },
    registration: { enabled: true },
    resourceIndicators: {
      enabled: true,
      useGrantedResource: () => true,
      getResourceServerInfo: (_, resource) => ({
        scope: SCOPES.join(" "),
        audience: resource,
        accessTokenTTL: Number(seconds),
        ...(format === "opaque" ? {} : { accessTokenFormat: "jwt", jwt: { sign: { alg: format } } }),
      }),
    },
    revocation: { enabled: true },
  },
});

provider.on("registration_create.success", (_, client) =>
  console.error(`registered ${client.applicationType} ${client.tokenEndpointAuthMethod}`),
);
provider.on("grant.success", (ctx) => console.error(`token ${ctx.oidc.params.grant_type} ${ctx.body.token_type}`));
for (const name of ["authorization", "grant", "introspection", "registration_create", "revocation"]) {
  provider.on(`${name}.error`, (_, error) => console.error(`${name} error: ${error.error_description ?? error}`));
}
provider.on("server_error", (_, error) => console.error(`server error: ${error.stack}`));

/** Logs in and consents, as the pages of a real provider do. */
async function interact(request, response) {
  const { grantId, params, prompt, session } = await provider.interactionDetails(request, response);
  if (prompt.name === "login") {
    return await provider.interactionFinished(request, response, { login: { accountId: "ada" } });
  }
  const existing = grantId && (await provider.Grant.find(grantId));
  const grant = existing || new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  const { missingOIDCScope, missingResourceScopes } = prompt.details;
  if (missingOIDCScope) grant.addOIDCScope(missingOIDCScope.join(" "));
  for (const [resource, scopes] of Object.entries(missingResourceScopes ?? {})) {
    grant.addResourceScope(resource, scopes.join(" "));
  }
  const result = { consent: { grantId: await grant.save() } };
  await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: true });
}

const respond = provider.callback();
http.on("request", (request, response) => {
  if (!request.url.startsWith("/interaction/")) return respond(request, response);
  interact(request, response).catch((error) => {
    console.error(`interaction error: ${error.stack}`);
    response.writeHead(500).end();
  });
});
console.error(issuer);
