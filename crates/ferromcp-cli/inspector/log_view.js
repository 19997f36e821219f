// The log: messages of the server, its stderr, the output of builds, and messages of `mcp dev`.

import { post } from "./api.js";
import { button, el, fill, select, toast } from "./dom.js";
import { jsonTree } from "./json_view.js";
import { currentConnection, on, store } from "./store.js";
import { label, time, visible } from "./text.js";

const LEVELS = ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"];

/** Maximum number of entries that are shown, and characters of one. */
const MAX_SHOWN = 500;
const MAX_ENTRY = 4000;

/** Creates the view. */
export function createLogView() {
  const filter = el("input", {
    type: "search",
    class: "filter",
    placeholder: "Filter the log",
    "aria-label": "Filter the log",
    autocomplete: "off",
    on: { input: () => refresh() },
  });
  const level = select(
    LEVELS.map((name) => ({ value: name, label: `${name} and above` })),
    { "aria-label": "Lowest level that is shown" },
  );
  const source = select(
    [
      { value: "", label: "all sources" },
      ...["server", "stderr", "build", "dev"].map((name) => ({ value: name, label: name })),
    ],
    { "aria-label": "Source" },
  );
  const serverLevel = select(
    [{ value: "off", label: "off" }, ...LEVELS.map((name) => ({ value: name, label: name }))],
    { "aria-label": "Level that the server sends" },
  );
  const count = el("span", { class: "muted" });
  const body = el("div", { class: "log", role: "log", "aria-live": "off", "aria-label": "Log", tabindex: "0" });
  for (const control of [level, source]) control.addEventListener("change", () => refresh());
  serverLevel.addEventListener("change", () => {
    post("log-level", { connection: currentConnection().id, level: serverLevel.value }).catch((error) =>
      toast(`Cannot set the level: ${label(error.message, 300)}`),
    );
  });
  const clear = button("Clear", () => {
    store.log = [];
    refresh();
    post("clear", { what: "log" }).catch(() => {});
  });
  const tools = el(
    "div",
    { class: "toolbar" },
    filter,
    level,
    source,
    el("label", { class: "inline" }, "Server sends", serverLevel),
    count,
    clear,
  );
  const element = el(
    "div",
    { class: "page log-page" },
    el("h2", { class: "visually-hidden", text: "Log" }),
    tools,
    body,
  );

  function refresh() {
    if (!element.isConnected) return;
    const isAtEnd = body.scrollTop + body.clientHeight >= body.scrollHeight - 40;
    const lowest = LEVELS.indexOf(level.value);
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const matches = store.log.filter(
      (entry) =>
        Math.max(LEVELS.indexOf(entry.level), 0) >= lowest &&
        (source.value === "" || entry.source === source.value) &&
        words.every((word) => searchText(entry).includes(word)),
    );
    const shown = matches.slice(-MAX_SHOWN);
    count.textContent =
      matches.length > shown.length ? `latest ${shown.length} of ${matches.length}` : `${matches.length} entries`;
    fill(
      body,
      ...shown.map(row),
      shown.length === 0 &&
        el("p", {
          class: "empty",
          text:
            store.log.length === 0
              ? "The log is empty. Messages, stderr and build output appear here."
              : "Nothing matches the filter.",
        }),
    );
    if (isAtEnd) body.scrollTop = body.scrollHeight;
  }

  on("log", () => refresh());
  on("snapshot", () => refresh());
  return { title: "Log", element, filter, show: () => refresh(), close() {}, run() {} };
}

const searches = new WeakMap();

function searchText(entry) {
  let text = searches.get(entry);
  if (text === undefined) {
    text =
      `${entry.level} ${entry.source} ${entry.logger ?? ""} ${typeof entry.data === "string" ? entry.data : JSON.stringify(entry.data)}`
        .slice(0, MAX_ENTRY)
        .toLowerCase();
    searches.set(entry, text);
  }
  return text;
}

function row(entry) {
  const known = LEVELS.includes(entry.level) ? entry.level : "info";
  const text = typeof entry.data === "string" ? entry.data : null;
  const data =
    text === null
      ? jsonTree(entry.data, { open: false })
      : el("span", {
          class: "log-text",
          text: visible(text.slice(0, MAX_ENTRY)) + (text.length > MAX_ENTRY ? "…" : ""),
        });
  const origin = [entry.source, entry.logger, entry.connection]
    .filter(Boolean)
    .map((part) => label(part, 60))
    .join(" · ");
  return el(
    "div",
    { class: `log-row level-${known}` },
    el("time", { class: "muted", text: time(entry.time) }),
    el("span", { class: "log-level", text: known }),
    el("span", { class: "log-source muted", text: origin }),
    data,
  );
}
