// Creates DOM nodes. Text of servers becomes text nodes and attribute values, never markup.

import { label, visible, webUrl } from "./text.js";

/** Attributes that `el` sets. Names are fixed here, so that no data can add an event handler. */
const ATTRIBUTES = new Set([
  "id",
  "class",
  "role",
  "type",
  "for",
  "name",
  "placeholder",
  "title",
  "tabindex",
  "rows",
  "inputmode",
  "autocomplete",
  "spellcheck",
  "min",
  "max",
  "step",
  "alt",
  "open",
  "hidden",
  "disabled",
  "scope",
  "autocapitalize",
  "list",
]);

let lastId = 0;

/**
 * Returns an id that no other element has.
 * @param {string} [prefix]
 * @returns {string}
 */
export function uniqueId(prefix = "e") {
  lastId += 1;
  return `${prefix}-${lastId}`;
}

/**
 * Creates an element. Props are attributes, `aria-…`, `data-…`, `text`, `value`, `checked`, and `on` with event listeners.
 * @param {string} tag
 * @param {Record<string, any>} [props]
 * @param {...(Node | string | null | undefined | false)} children
 * @returns {any}
 */
export function el(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "on") for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    else if (name === "text") element.textContent = value;
    else if (name === "value" || name === "checked") element[name] = value;
    else if (ATTRIBUTES.has(name) || /^(aria|data)-[a-z-]+$/.test(name))
      element.setAttribute(name, value === true ? "" : String(value));
    else throw new Error(`cannot set the attribute ${name}: it is not in the list`);
  }
  append(element, ...children);
  return element;
}

/**
 * Appends nodes and strings; skips null, undefined and false.
 * @param {Element} element
 * @param {...any} children
 */
export function append(element, ...children) {
  for (const child of children.flat()) {
    if (child !== null && child !== undefined && child !== false) element.append(child);
  }
}

/**
 * Replaces the children of an element.
 * @param {Element} element
 * @param {...any} children
 */
export function fill(element, ...children) {
  element.replaceChildren();
  append(element, ...children);
}

/**
 * Creates a button.
 * @param {string} text
 * @param {(event: Event) => void} onClick
 * @param {Record<string, any>} [props]
 */
export function button(text, onClick, props = {}) {
  return el("button", { type: "button", ...props, on: { click: onClick } }, text);
}

/**
 * Creates a select.
 * @param {{value: string, label: string}[]} options
 * @param {Record<string, any>} [props]
 */
export function select(options, props = {}) {
  const { value, ...rest } = props;
  const element = el("select", rest);
  for (const option of options) element.append(el("option", { value: option.value, text: option.label }));
  if (value !== undefined) element.value = value;
  return element;
}

/**
 * Creates a link for http and https; other URLs are shown as text.
 * @param {unknown} url
 * @param {string} [text]
 * @returns {HTMLElement}
 */
export function externalLink(url, text) {
  const href = webUrl(url);
  if (href === null)
    return el("span", { class: "url-text", text: text === undefined ? visible(url) : `${text} (${label(url, 500)})` });
  const link = el("a", { title: label(href, 1000), text: text ?? visible(url) });
  link.href = href;
  link.target = "_blank";
  link.rel = "noopener noreferrer";
  return link;
}

/**
 * Creates a button that copies text.
 * @param {string} text
 * @param {() => string | Promise<string>} produce
 */
export function copyButton(text, produce) {
  const element = button(
    text,
    async () => {
      let outcome = "Copied";
      try {
        await navigator.clipboard.writeText(await produce());
      } catch {
        outcome = "Cannot copy";
      }
      element.textContent = outcome;
      announce(outcome);
      setTimeout(() => (element.textContent = text), 1500);
    },
    { class: "small" },
  );
  return element;
}

/**
 * Reports a text to screen readers.
 * @param {string} text
 */
export function announce(text) {
  const region = document.getElementById("announcer");
  if (region) region.textContent = text;
}

/**
 * Returns a function that runs `work` once after several calls in a row.
 * @param {() => void} work
 * @param {number} [delay] in milliseconds
 */
export function debounce(work, delay = 60) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(work, delay);
  };
}

/**
 * Shows a message at the bottom of the page for some seconds.
 * @param {string} text
 */
export function toast(text) {
  const region = document.getElementById("toasts");
  if (!region) return;
  const element = el("div", { class: "toast", text });
  region.append(element);
  while (region.childElementCount > 3) region.firstElementChild?.remove();
  setTimeout(() => element.remove(), 6000);
}
