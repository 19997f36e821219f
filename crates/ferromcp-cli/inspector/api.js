// The API of `mcp dev`: the token, requests, and the stream of events.

const TOKEN_KEY = "mcp-dev-token";

/** Delays between attempts to read the events, in milliseconds. */
const BACKOFF = [250, 500, 1000, 2000, 4000];

/** Maximum size of one event, in characters. */
const MAX_EVENT = 256 << 20;

/** An error that the API has returned. */
export class ApiError extends Error {
  /** @param {number} status @param {string} message */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

let token = "";

/**
 * Moves the token from the fragment of the URL to the storage of the tab.
 * @returns {boolean} whether there is a token
 */
export function takeToken() {
  const found = /[#&]token=([\w-]{8,256})/.exec(location.hash);
  if (found) {
    sessionStorage.setItem(TOKEN_KEY, found[1]);
    history.replaceState(null, "", `${location.pathname}#/tools`);
  }
  token = sessionStorage.getItem(TOKEN_KEY) ?? "";
  return token !== "";
}

/**
 * Sends a request to the API.
 * @param {string} name
 * @param {object} [body]
 * @returns {Promise<any>}
 */
export async function post(name, body = {}) {
  let response;
  try {
    response = await fetch(`/api/${name}`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  } catch {
    throw new ApiError(0, "cannot reach `mcp dev`: it was stopped; start it again and open its new URL");
  }
  const value = await response.json().catch(() => ({}));
  if (!response.ok)
    throw new ApiError(response.status, typeof value.message === "string" ? value.message : `HTTP ${response.status}`);
  return value;
}

/**
 * Reads events until the token is rejected, and reconnects when the stream breaks.
 * @param {(event: any) => void} onEvent
 * @param {(status: "open" | "lost" | "unauthorized") => void} onStatus
 */
export async function readEvents(onEvent, onStatus) {
  for (let attempt = 0; ; attempt += 1) {
    try {
      const response = await fetch("/api/events", { headers: { authorization: `Bearer ${token}` } });
      if (response.status === 401) return onStatus("unauthorized");
      if (response.ok && response.body) {
        onStatus("open");
        attempt = 0;
        await readStream(response.body, onEvent);
      }
    } catch {
      // The next attempt follows.
    }
    onStatus("lost");
    await new Promise((resolve) => setTimeout(resolve, BACKOFF[Math.min(attempt, BACKOFF.length - 1)]));
  }
}

/** @param {ReadableStream<Uint8Array>} body @param {(event: any) => void} onEvent */
async function readStream(body, onEvent) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  const parse = createParser(onEvent);
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    parse(value);
  }
}

/**
 * Returns a parser of server-sent events that takes the text in pieces.
 * @param {(event: any) => void} onEvent
 * @returns {(piece: string) => void}
 */
export function createParser(onEvent) {
  let pieces = [];
  let length = 0;
  return (piece) => {
    let rest = piece;
    for (let end = rest.indexOf("\n"); end >= 0; end = rest.indexOf("\n")) {
      const line = pieces.join("") + rest.slice(0, end);
      pieces = [];
      length = 0;
      rest = rest.slice(end + 1);
      if (line.startsWith("data:")) onEvent(JSON.parse(line.slice(5)));
    }
    length += rest.length;
    if (length > MAX_EVENT) throw new Error("cannot read the events: one is too large");
    if (rest) pieces.push(rest);
  };
}
