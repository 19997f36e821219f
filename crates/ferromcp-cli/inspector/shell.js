// Commands for the terminal that repeat a request: `mcp …` and `curl`.

const SAFE_WORD = /^[A-Za-z0-9_@%+=:,./-]+$/;

/** Headers of a recorded request that curl sets, or that belong to one connection. */
const OMITTED_HEADERS = new Set(["content-length", "host", "connection", "transfer-encoding", "accept-encoding"]);

/**
 * Returns the word quoted for a POSIX shell.
 * @param {string} word
 * @returns {string}
 */
export function quote(word) {
  return SAFE_WORD.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/**
 * Returns the `mcp` command of a request, or `null` if no verb sends this request.
 * @param {{command?: string[], commandAfter?: string[]}} state
 * @param {string} method
 * @param {any} params
 * @param {string} [connection]
 * @returns {string | null}
 */
export function mcpCommand(state, method, params, connection) {
  const [program = "mcp", , ...target] = state.command ?? [];
  const after = state.commandAfter ?? [];
  const build = (verb, ...words) => {
    const era = connection === "legacy" || connection === "modern" ? ["--era", connection] : [];
    return [program, verb, ...era, ...target, ...words.map((word) => String(word)), ...after].map(quote).join(" ");
  };
  switch (method) {
    case "tools/call":
      return build("call", params?.name ?? "", ...json(params?.arguments));
    case "resources/read":
      return build("read", params?.uri ?? "");
    case "prompts/get":
      return build("prompt", params?.name ?? "", ...pairs(params?.arguments));
    case "tools/list":
      return build("list", "tools");
    case "prompts/list":
      return build("list", "prompts");
    case "resources/list":
      return build("list", "resources");
    case "resources/templates/list":
      return build("list", "templates");
    case "ping":
      return build("ping");
    default:
      return null;
  }
}

function json(args) {
  return args && Object.keys(args).length > 0 ? ["--args", JSON.stringify(args)] : [];
}

function pairs(args) {
  return Object.entries(args ?? {}).map(([name, value]) => `${name}=${value}`);
}

/**
 * Returns the curl command of a request to the endpoint of `mcp dev`, or to the server if the request was sent by HTTP.
 * @param {{endpoint?: string, url?: string | null}} state
 * @param {{method: string, payload?: any, id?: string | number | null, http?: {requestHeaders?: [string, string][]}}} message
 * @returns {string}
 */
export function curlCommand(state, message) {
  const recorded = message.http?.requestHeaders ?? [];
  const url = (recorded.length > 0 && state.url) || state.endpoint || "";
  const kept = recorded.filter(([name]) => !OMITTED_HEADERS.has(name.toLowerCase()));
  const headers = kept.length > 0 ? kept : defaultHeaders(message);
  const body = { jsonrpc: "2.0", id: message.id ?? 1, method: message.method, params: message.payload?.params ?? {} };
  const words = headers.flatMap(([name, value]) => ["-H", quote(`${name}: ${value}`)]);
  return ["curl", "-sS", "-X", "POST", quote(url), ...words, "--data-raw", quote(JSON.stringify(body))].join(" ");
}

/** Returns the headers that a request of the revision 2026-07-28 needs, or those of older revisions. */
function defaultHeaders(message) {
  const params = message.payload?.params;
  const revision = params?._meta?.["io.modelcontextprotocol/protocolVersion"];
  const headers = [
    ["content-type", "application/json"],
    ["accept", "application/json, text/event-stream"],
  ];
  if (typeof revision !== "string") return headers;
  headers.push(["mcp-protocol-version", revision], ["mcp-method", message.method]);
  const name = params.name ?? params.uri;
  if (typeof name === "string" && /^[\x21-\x7e]+$/.test(name)) headers.push(["mcp-name", name]);
  return headers;
}
