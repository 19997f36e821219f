// Shows JSON as a collapsible tree and as text, and long texts in parts.

import { button, copyButton, el } from "./dom.js";
import { label, size, visible } from "./text.js";

/** Children of a node, and characters of a string, that are shown at first. */
const MAX_CHILDREN = 100;
const MAX_STRING = 2000;

/** Characters of a text that are shown at first. */
const MAX_TEXT = 20_000;

/** Characters of one part of a long text. The browser lays out only the visible parts. */
const PART = 32_768;

/**
 * Shows a text; a long one is truncated, with a button that shows all of it.
 * @param {unknown} value
 * @param {string} [className]
 * @returns {HTMLElement}
 */
export function longText(value, className = "text-block") {
  const text = typeof value === "string" ? value : (JSON.stringify(value, null, 2) ?? "");
  const pre = el("pre", { class: className, tabindex: "0", role: "group", "aria-label": "Text" });
  if (text.length <= MAX_TEXT) {
    pre.append(visible(text));
    return pre;
  }
  pre.append(visible(text.slice(0, MAX_TEXT)));
  const container = el("div", { class: "long-text" }, pre);
  const more = button(
    `Show all (${size(text.length)})`,
    () => {
      pre.replaceChildren();
      for (let at = 0; at < text.length; at += PART) {
        pre.append(el("span", { class: "text-part", text: visible(text.slice(at, at + PART)) }));
      }
      more.remove();
      note.remove();
    },
    { class: "small" },
  );
  const note = el("p", { class: "muted", text: `Truncated: the first ${size(MAX_TEXT)} of ${size(text.length)}.` });
  container.append(note, more);
  return container;
}

/**
 * Shows a value as a tree whose nodes are created when they are opened.
 * @param {any} value
 * @param {{name?: string, open?: boolean}} [options]
 * @returns {HTMLElement}
 */
export function jsonTree(value, options = {}) {
  const tree = el("div", { class: "json-tree" }, node(options.name ?? null, value, options.open === false ? 0 : 2));
  const pretty = () => JSON.stringify(value, null, 2) ?? "";
  let text = null;
  const toggle = button(
    "Text",
    () => {
      if (!text) {
        text = longText(pretty());
        tree.after(text);
      }
      const isText = tree.hidden;
      tree.hidden = !isText;
      text.hidden = isText;
      toggle.textContent = isText ? "Text" : "Tree";
    },
    { class: "small" },
  );
  return el(
    "div",
    { class: "json" },
    el("div", { class: "json-tools" }, toggle, copyButton("Copy JSON", pretty)),
    tree,
  );
}

function node(name, value, openLevels) {
  const key = name === null ? null : el("span", { class: "json-key", text: `${label(name)}: ` });
  if (value === null || typeof value !== "object") return el("div", { class: "json-leaf" }, key, leaf(value));
  const entries = Array.isArray(value) ? value : Object.entries(value);
  const summary = Array.isArray(value) ? `[${entries.length}]` : `{${entries.length}}`;
  if (entries.length === 0)
    return el(
      "div",
      { class: "json-leaf" },
      key,
      el("span", { class: "json-null", text: Array.isArray(value) ? "[]" : "{}" }),
    );
  const children = el("div", { class: "json-children" });
  const details = el(
    "details",
    { class: "json-node" },
    el("summary", {}, key, el("span", { class: "muted", text: summary })),
    children,
  );
  let rendered = 0;
  const more = () => {
    const end = Math.min(entries.length, rendered + MAX_CHILDREN);
    for (; rendered < end; rendered += 1) {
      const [childName, child] = Array.isArray(value) ? [String(rendered), entries[rendered]] : entries[rendered];
      children.append(node(childName, child, openLevels - 1));
    }
    if (rendered < entries.length) {
      const rest = button(
        `Show more (${entries.length - rendered})`,
        () => {
          rest.remove();
          more();
        },
        { class: "small" },
      );
      children.append(rest);
    }
  };
  details.addEventListener("toggle", () => details.open && rendered === 0 && more());
  if (openLevels > 0 && entries.length <= MAX_CHILDREN) {
    more();
    details.open = true;
  }
  return details;
}

function leaf(value) {
  if (typeof value !== "string")
    return el("span", { class: value === null ? "json-null" : `json-${typeof value}`, text: String(value) });
  const quoted = (text) => visible(JSON.stringify(text));
  if (value.length <= MAX_STRING) return el("span", { class: "json-string", text: quoted(value) });
  const cut = el("span", { class: "json-string", text: `${quoted(value.slice(0, MAX_STRING))}…` });
  const all = button(`Show all (${size(value.length)})`, () => wrapper.replaceChildren(longText(value)), {
    class: "small",
  });
  const wrapper = el("span", {}, cut, " ", all);
  return wrapper;
}
