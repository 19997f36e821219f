// Compares the two eras: opens a connection of each, and shows the differences of what the server offers.

import { post } from "./api.js";
import { fetchList } from "./calls.js";
import { KINDS, keyOf } from "./catalog.js";
import { diffLines, diffLists, stableJson } from "./diff.js";
import { button, el, fill } from "./dom.js";
import { on, store } from "./store.js";
import { label, visible } from "./text.js";

/** Time limit of opening a connection, in milliseconds. */
const OPEN_LIMIT = 60_000;

/** Unchanged lines that are shown around a change. */
const CONTEXT = 3;

/** Creates the view. */
export function createCompareView() {
  const status = el("p", { class: "muted", role: "status" });
  const body = el("div", { class: "compare" });
  const start = button("Compare", compare, { class: "primary" });
  const element = el(
    "div",
    { class: "page" },
    el("header", { class: "page-head" }, el("h2", { text: "Compare eras" }), start),
    el("p", {
      class: "muted",
      text: "Opens a legacy connection (with a session) and a modern one (2026-07-28), and compares what the server offers to each.",
    }),
    status,
    body,
  );

  async function compare() {
    start.disabled = true;
    body.replaceChildren();
    try {
      status.textContent = "Opening both connections…";
      const [legacy, modern] = await Promise.all([open("legacy"), open("modern")]);
      status.textContent = "Fetching the lists…";
      const lists = await Promise.all(["legacy", "modern"].map((id) => fetchAll(id)));
      const sections = [
        compareObject("Server", infoOf(legacy), infoOf(modern)),
        compareObject("Capabilities", legacy.capabilities, modern.capabilities),
      ];
      for (const kind of Object.keys(KINDS)) sections.push(compareLists(kind, lists[0][kind], lists[1][kind]));
      const different = sections.filter((section) => section.isDifferent).length;
      status.textContent =
        different === 0 ? "Both eras offer the same." : `${different} of ${sections.length} parts differ.`;
      fill(body, ...sections.map((section) => section.element));
    } catch (error) {
      status.textContent = `Cannot compare: ${label(error.message, 600)}`;
    }
    start.disabled = false;
  }

  return { title: "Compare", element, filter: null, show() {}, close() {}, run: compare };
}

/** Opens a connection and waits until it is open. */
function open(id) {
  const current = store.connections.get(id);
  if (current?.status === "open" && current.generation === store.state.generation) return Promise.resolve(current);
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => finish(reject, new Error(`the ${id} connection did not open in time`)), OPEN_LIMIT);
    const finish = (settle, value) => {
      unsubscribe();
      clearTimeout(timer);
      settle(value);
    };
    const unsubscribe = on("connection", (connection) => {
      if (connection.id !== id) return;
      if (connection.status === "open") finish(resolve, connection);
      else if (connection.status === "failed" || connection.status === "login")
        finish(reject, new Error(`the ${id} connection failed: ${connection.error ?? "a login is required"}`));
    });
    post("connect", { connection: id }).catch((error) => finish(reject, error));
  });
}

const infoOf = ({ serverInfo, instructions }) => ({ serverInfo, instructions });

async function fetchAll(id) {
  const capabilities = store.connections.get(id)?.capabilities ?? {};
  const kinds = Object.entries(KINDS);
  const lists = await Promise.all(
    kinds.map(([, { method, member, capability }]) => (capabilities[capability] ? fetchList(method, member, id) : [])),
  );
  return Object.fromEntries(kinds.map(([kind], index) => [kind, lists[index]]));
}

function section(title, summary, isDifferent, ...content) {
  const badge = el("span", { class: isDifferent ? "badge warn" : "badge good", text: summary });
  const element = el(
    "section",
    { class: "card" },
    el("header", { class: "card-head" }, el("h3", { text: title }), badge),
    isDifferent && el("div", { class: "card-body" }, ...content),
  );
  return { element, isDifferent };
}

function compareObject(title, before, after) {
  const [a, b] = [stableJson(before ?? null), stableJson(after ?? null)];
  return section(title, a === b ? "same" : "different", a !== b, diffView(a, b));
}

function compareLists(kind, before, after) {
  const { added, removed, changed } = diffLists(before, after, (item) => keyOf(kind, item));
  const names = (items, mark, text) =>
    items.map((item) =>
      el("p", { class: "mono" }, el("span", { class: `mark ${mark}`, text }), ` ${label(keyOf(kind, item))}`),
    );
  const changes = changed.map(({ before: old, after: current }) =>
    el(
      "details",
      {},
      el(
        "summary",
        { class: "mono" },
        el("span", { class: "mark changed", text: "changed" }),
        ` ${label(keyOf(kind, current))}`,
      ),
      diffView(stableJson(old), stableJson(current)),
    ),
  );
  const total = added.length + removed.length + changed.length;
  const title = `${kind[0].toUpperCase()}${kind.slice(1)} (${before.length} legacy, ${after.length} modern)`;
  return section(
    title,
    total === 0 ? "same" : `${total} different`,
    total > 0,
    ...names(removed, "removed", "only legacy"),
    ...names(added, "added", "only modern"),
    ...changes,
  );
}

/**
 * Shows the lines of a difference; long unchanged parts are omitted.
 * @param {string} before
 * @param {string} after
 * @returns {HTMLElement}
 */
export function diffView(before, after) {
  const lines = diffLines(before, after);
  const isNear = lines.map(() => false);
  lines.forEach((line, index) => {
    if (line.op !== "same")
      for (let at = index - CONTEXT; at <= index + CONTEXT; at += 1)
        if (at >= 0 && at < isNear.length) isNear[at] = true;
  });
  const signs = { same: " ", added: "+", removed: "-" };
  const nodes = [];
  lines.forEach((line, index) => {
    if (isNear[index])
      nodes.push(el("span", { class: `diff-line ${line.op}`, text: `${signs[line.op]} ${visible(line.text)}\n` }));
    else if (index === 0 || isNear[index - 1]) nodes.push(el("span", { class: "diff-line muted", text: "  …\n" }));
  });
  return el(
    "pre",
    { class: "diff", tabindex: "0", role: "group", "aria-label": "Difference; - is legacy, + is modern" },
    ...nodes,
  );
}
