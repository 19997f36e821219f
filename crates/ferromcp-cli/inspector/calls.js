// Requests to the server: ids, progress and cancellation.

import { post } from "./api.js";
import { emit, on, store } from "./store.js";

/**
 * Maximum number of calls that are sent at the same time. A browser opens six connections to a host: one is for the events, and
 * answers to questions and cancellations need another.
 */
const MAX_SENT = 4;

/** Maximum number of items of a list, and of its pages. */
const MAX_ITEMS = 10_000;
const MAX_PAGES = 1000;

/**
 * @typedef {object} Call
 * @property {string} id
 * @property {string} method
 * @property {string} name
 * @property {string} connection
 * @property {number} started unix milliseconds
 * @property {boolean} shown whether the page shows it as a running call
 * @property {{progress: number, total: number | null, message: string | null} | null} progress
 */

/** Functions that send the calls that wait, by id. @type {Map<string, (cancelled: boolean) => void>} */
const waiting = new Map();
let sent = 0;

/** Sends a call, or waits until another one has ended. */
async function sendInTurn(id, body) {
  if (sent >= MAX_SENT) {
    const cancelled = await new Promise((resolve) => waiting.set(id, resolve));
    if (cancelled === true) return { error: { code: null, message: "cancelled" }, duration: 0 };
  } else {
    sent += 1;
  }
  try {
    return await post("request", body);
  } finally {
    const next = waiting.entries().next().value;
    if (next) {
      waiting.delete(next[0]);
      next[1](false);
    } else {
      sent -= 1;
    }
  }
}

/** The calls in flight. @type {Map<string, Call>} */
export const running = new Map();

// Unique among the tabs and reloads of the page.
const prefix = crypto.getRandomValues(new Uint32Array(1))[0].toString(36);
let last = 0;

on("progress", (event) => {
  const call = running.get(event.call);
  if (!call) return;
  call.progress = { progress: event.progress, total: event.total ?? null, message: event.message ?? null };
  emit("calls", call);
});

/**
 * Sends a request. The promise resolves to `{result}` or `{error}`, with `duration`.
 * @param {string} method
 * @param {any} params
 * @param {{connection?: string, name?: string, timeout?: number, shown?: boolean}} [options]
 * @returns {{call: Call, outcome: Promise<{result?: any, error?: any, duration?: number}>}}
 */
export function send(method, params, options = {}) {
  last += 1;
  const call = {
    id: `${prefix}-${last}`,
    method,
    name: options.name ?? method,
    connection: options.connection ?? store.current,
    started: Date.now(),
    shown: options.shown ?? false,
    progress: null,
  };
  running.set(call.id, call);
  emit("calls", call);
  const body = { connection: call.connection, call: call.id, method, params, timeout: options.timeout };
  const outcome = sendInTurn(call.id, body)
    .catch((error) => ({ error: { code: null, message: error.message } }))
    .finally(() => {
      running.delete(call.id);
      emit("calls", call);
    });
  return { call, outcome };
}

/**
 * Sends a request and returns its result.
 * @param {string} method
 * @param {any} params
 * @param {string} [connection]
 * @returns {Promise<any>} rejects with the error of the server
 */
export async function request(method, params, connection) {
  const outcome = await send(method, params, { connection }).outcome;
  if (outcome.error) throw Object.assign(new Error(String(outcome.error.message)), { code: outcome.error.code });
  return outcome.result ?? {};
}

/**
 * Cancels a call.
 * @param {string} id
 */
export function cancel(id) {
  const start = waiting.get(id);
  if (start) {
    waiting.delete(id);
    start(true);
    return;
  }
  post("cancel", { call: id }).catch(() => {
    // The call has ended already.
  });
}

/**
 * Fetches all pages of a list.
 * @param {string} method
 * @param {string} member
 * @param {string} [connection]
 * @returns {Promise<any[]>}
 */
export async function fetchList(method, member, connection) {
  const items = [];
  const seen = new Set();
  let cursor;
  for (let page = 0; page < MAX_PAGES && items.length < MAX_ITEMS; page += 1) {
    const result = await request(method, cursor === undefined ? {} : { cursor }, connection);
    const found = Array.isArray(result[member]) ? result[member] : [];
    items.push(...found.filter((item) => item !== null && typeof item === "object").slice(0, MAX_ITEMS - items.length));
    cursor = result.nextCursor;
    if (typeof cursor !== "string" || seen.has(cursor)) break;
    seen.add(cursor);
  }
  return items;
}
