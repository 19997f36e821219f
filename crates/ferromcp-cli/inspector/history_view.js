// Every message in both directions: its list, its content, copies as commands, and replay.

import { post } from "./api.js";
import { send } from "./calls.js";
import { renderError } from "./content.js";
import { button, copyButton, el, select } from "./dom.js";
import { jsonTree } from "./json_view.js";
import { curlCommand, mcpCommand } from "./shell.js";
import { createSplit, detailHead } from "./split.js";
import { on, store } from "./store.js";
import { duration, label, size, time } from "./text.js";
import { createVirtualList } from "./virtual_list.js";

/** Members of `_meta` that the backend sets for each request, so that a replay does not contain them. */
const OWN_META = /^(io\.modelcontextprotocol\/|progressToken$)/;

/**
 * Creates the view.
 * @param {(path: string[]) => void} navigate
 */
export function createHistoryView(navigate) {
  let selected = null;
  const connection = select(
    [
      { value: "", label: "all connections" },
      ...["auto", "legacy", "modern", "host"].map((id) => ({ value: id, label: id })),
    ],
    { "aria-label": "Connection" },
  );
  const clear = button(
    "Clear",
    () => {
      store.messages = [];
      refresh();
      split.clear();
      post("clear", { what: "messages" }).catch(() => {});
    },
    { class: "small" },
  );
  const items = createVirtualList({
    label: "Messages",
    noun: "message",
    rowHeight: 44,
    onSelect: (key) => navigate(["history", key]),
    tools: [connection, clear],
    empty: "There are no messages yet.",
  });
  const split = createSplit({ list: items.element, label: "Message", placeholder: "Select a message." });
  connection.addEventListener("change", () => refresh());

  function refresh() {
    if (!split.element.isConnected) return;
    const isAtEnd = items.isAtEnd();
    const shown =
      connection.value === ""
        ? store.messages
        : store.messages.filter((message) => message.connection === connection.value);
    items.setRows(shown.map(row));
    if (isAtEnd) items.scrollToEnd();
  }

  function show(seq) {
    const message = store.messages.find((each) => each.seq === seq);
    if (!message) return split.show(el("p", { class: "empty", text: "This message was removed from the history." }));
    split.show(...details(message, navigate));
  }

  on("messages", () => refresh());
  on("snapshot", () => refresh());
  return {
    title: "History",
    element: split.element,
    filter: items.filter,
    close: () => split.close(),
    run() {},
    show([key]) {
      refresh();
      if (key === undefined) return;
      if (selected !== key) show(Number(key));
      selected = key;
      items.select(key);
    },
  };
}

const rows = new WeakMap();

function row(message) {
  let found = rows.get(message);
  if (!found) {
    const { method, kind, connection, direction } = message;
    const name = message.payload?.params?.name ?? message.payload?.params?.uri ?? "";
    const search =
      `${method} ${kind} ${connection} ${direction} ${statusOf(message)} ${typeof name === "string" ? name.slice(0, 300) : ""}`.toLowerCase();
    found = { key: String(message.seq), search, render: () => renderRow(message, name) };
    rows.set(message, found);
  }
  return found;
}

function renderRow(message, name) {
  const status = statusOf(message);
  const facts = [message.kind, message.connection, duration(message.duration), size(message.size)]
    .filter(Boolean)
    .join(" · ");
  return [
    el(
      "span",
      { class: "row-title" },
      el("span", {
        class: `direction ${message.direction}`,
        "aria-label": message.direction,
        role: "img",
        text: message.direction === "sent" ? "↑" : "↓",
      }),
      label(message.method ?? message.kind, 80),
      typeof name === "string" && name !== "" && el("span", { class: "muted", text: ` ${label(name, 80)}` }),
      status !== "" && el("span", { class: status === "ok" ? "mark ok" : "mark removed", text: status }),
    ),
    el("span", { class: "row-subtitle", text: `${time(message.time)} · ${facts}` }),
  ];
}

function statusOf(message) {
  if (message.kind !== "response") return "";
  if (message.payload?.error) return "error";
  return message.payload?.result?.isError === true ? "tool error" : "ok";
}

function details(message, navigate) {
  const isRequest = message.kind === "request";
  const params = message.payload?.params;
  const related = isRequest
    ? store.messages.find((each) => each.request === message.seq)
    : store.messages.find((each) => each.seq === message.request);
  const tools = [];
  const outcome = el("div", { class: "replay" });
  if (isRequest && message.direction === "sent") {
    if (mcpCommand(store.state, message.method, params))
      tools.push(
        copyButton("Copy as mcp", () => mcpCommand(store.state, message.method, params, message.connection) ?? ""),
      );
    tools.push(copyButton("Copy as curl", () => curlCommand(store.state, message)));
  }
  if (isRequest && message.direction === "sent" && message.connection !== "host")
    tools.push(button("Replay", () => replay(message, outcome), { class: "small primary" }));
  if (related)
    tools.push(
      button(isRequest ? "Show response" : "Show request", () => navigate(["history", String(related.seq)]), {
        class: "small",
      }),
    );
  const facts = [
    ["Direction", message.direction],
    ["Kind", message.kind],
    ["Connection", message.connection],
    ["Time", time(message.time)],
    ["Id", message.id],
    ["Duration", duration(message.duration)],
    ["Size", size(message.size)],
    ["HTTP status", message.http?.status],
  ];
  return [
    detailHead(label(message.method ?? message.kind)),
    el("div", { class: "actions" }, ...tools),
    outcome,
    definitionList(facts),
    message.truncated && el("p", { class: "banner bad", text: "This message is truncated, because it is large." }),
    el("h3", { text: "Message" }),
    jsonTree(message.payload ?? null),
    ...headers("Request headers", message.http?.requestHeaders),
    ...headers("Response headers", message.http?.responseHeaders),
  ];
}

/**
 * Creates a list of names and values; omits those without a value.
 * @param {[string, any][]} facts
 */
export function definitionList(facts) {
  const shown = facts.filter(([, value]) => value !== undefined && value !== null && value !== "");
  return el(
    "dl",
    { class: "facts" },
    ...shown.flatMap(([name, value]) => [el("dt", { text: name }), el("dd", { text: label(value, 1000) })]),
  );
}

function headers(title, pairs) {
  if (!Array.isArray(pairs) || pairs.length === 0) return [];
  return [
    el("h3", { text: title }),
    el(
      "dl",
      { class: "facts mono" },
      ...pairs.flatMap(([name, value]) => [el("dt", { text: label(name) }), el("dd", { text: label(value, 2000) })]),
    ),
  ];
}

async function replay(message, outcome) {
  const params = structuredClone(message.payload?.params ?? {});
  if (params._meta) {
    for (const key of Object.keys(params._meta)) if (OWN_META.test(key)) delete params._meta[key];
    if (Object.keys(params._meta).length === 0) delete params._meta;
  }
  outcome.replaceChildren(el("p", { class: "muted", text: "Sending…" }));
  const done = await send(message.method, params, { connection: message.connection, shown: true }).outcome;
  const status = el("span", { class: done.error ? "badge bad" : "badge good", text: done.error ? "error" : "done" });
  outcome.replaceChildren(
    el(
      "section",
      { class: "card", "aria-label": "Replay" },
      el("header", { class: "card-head" }, status, el("span", { class: "muted", text: duration(done.duration) })),
      el("div", { class: "card-body" }, done.error ? renderError(done.error) : jsonTree(done.result)),
    ),
  );
}
