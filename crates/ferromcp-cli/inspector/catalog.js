// The lists of the server: tools, prompts, resources and templates, and what has changed since the previous build.

import { fetchList } from "./calls.js";
import { announce, toast } from "./dom.js";
import { diffLists } from "./diff.js";
import { currentConnection, emit, on, store } from "./store.js";

/** The lists, with their methods and the capability that they need. */
export const KINDS = {
  tools: { method: "tools/list", member: "tools", capability: "tools", key: "name" },
  prompts: { method: "prompts/list", member: "prompts", capability: "prompts", key: "name" },
  resources: { method: "resources/list", member: "resources", capability: "resources", key: "uri" },
  templates: {
    method: "resources/templates/list",
    member: "resourceTemplates",
    capability: "resources",
    key: "uriTemplate",
  },
};

/**
 * @typedef {object} List
 * @property {any[]} items
 * @property {"idle" | "loading" | "ready" | "failed" | "unsupported"} status
 * @property {string | null} error
 * @property {any[] | null} baseline the items of the previous build
 * @property {Map<string, "added" | "changed">} marks
 * @property {any[]} removed
 */

const emptyList = () => ({
  items: [],
  status: "idle",
  error: null,
  baseline: null,
  marks: new Map(),
  removed: [],
  serial: 0,
});

/** Lists by connection and kind. @type {Map<string, Record<string, any>>} */
const catalogs = new Map();
/** The build whose lists were fetched, by connection. @type {Map<string, number>} */
const generations = new Map();

/**
 * Returns a list of the current connection.
 * @param {keyof typeof KINDS} kind
 * @returns {List}
 */
export function list(kind) {
  return catalogOf(store.current)[kind];
}

function catalogOf(connection) {
  let catalog = catalogs.get(connection);
  if (!catalog) {
    catalog = Object.fromEntries(Object.keys(KINDS).map((kind) => [kind, emptyList()]));
    catalogs.set(connection, catalog);
  }
  return catalog;
}

/**
 * Returns the key of an item.
 * @param {string} kind
 * @param {any} item
 * @returns {string}
 */
export function keyOf(kind, item) {
  const key = item[KINDS[kind].key];
  return typeof key === "string" ? key : (JSON.stringify(key) ?? "");
}

on("connection", (connection) => {
  if (connection.id !== store.current || connection.status !== "open") return;
  const previous = generations.get(connection.id);
  const isFirst = previous === undefined;
  if (!isFirst && previous === connection.generation && catalogOf(connection.id).tools.status !== "failed") return;
  generations.set(connection.id, connection.generation);
  const isRebuilt = !isFirst && previous !== connection.generation;
  reloadAll(connection.id, isRebuilt).then((changes) => {
    if (!isRebuilt || connection.id !== store.current) return;
    const text = `Server rebuilt: lists refreshed${changes ? ` (${changes})` : ""}`;
    toast(text);
    announce(text);
  });
});

on("change", (event) => {
  if (event.what === "resource") return;
  const kinds = event.what === "resources" ? ["resources", "templates"] : [event.what];
  for (const kind of kinds.filter((kind) => kind in KINDS)) reload(event.connection, kind, false);
});

async function reloadAll(connection, isRebuilt) {
  const kinds = Object.keys(KINDS);
  await Promise.all(kinds.map((kind) => reload(connection, kind, isRebuilt)));
  const catalog = catalogOf(connection);
  const totals = { added: 0, changed: 0, removed: 0 };
  for (const kind of kinds) {
    for (const mark of catalog[kind].marks.values()) totals[mark] += 1;
    totals.removed += catalog[kind].removed.length;
  }
  return Object.entries(totals)
    .filter(([, number]) => number > 0)
    .map(([name, number]) => `${number} ${name}`)
    .join(", ");
}

/**
 * Fetches a list.
 * @param {string} connection
 * @param {string} kind
 * @param {boolean} isRebuilt whether the present items are those of the previous build
 */
export async function reload(connection, kind, isRebuilt) {
  const target = catalogOf(connection)[kind];
  const { method, member, capability } = KINDS[kind];
  const finish = (changes) => {
    Object.assign(target, changes);
    if (connection === store.current) emit("catalog", kind);
  };
  if (isRebuilt || target.baseline === null) {
    target.baseline = ["ready", "unsupported"].includes(target.status) ? target.items : target.baseline;
  }
  const serial = (target.serial += 1);
  const capabilities = (store.connections.get(connection) ?? currentConnection()).capabilities ?? {};
  if (!capabilities[capability]) {
    const removed = target.baseline ?? [];
    return finish({ items: [], status: "unsupported", error: null, marks: new Map(), removed });
  }
  finish({ status: target.status === "ready" ? "ready" : "loading" });
  try {
    const items = await fetchList(method, member, connection);
    if (serial !== target.serial) return;
    finish({ items, status: "ready", error: null, ...marksOf(kind, target.baseline, items) });
  } catch (error) {
    if (serial === target.serial) finish({ status: "failed", error: error.message });
  }
}

function marksOf(kind, baseline, items) {
  if (baseline === null) return { marks: new Map(), removed: [] };
  const { added, removed, changed } = diffLists(baseline, items, (item) => keyOf(kind, item));
  const marks = new Map(added.map((item) => [keyOf(kind, item), "added"]));
  for (const { after } of changed) marks.set(keyOf(kind, after), "changed");
  return { marks, removed };
}
