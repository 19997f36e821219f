// Renders parsed Markdown as DOM nodes. Only the node types below exist; images are shown as links.

import { button, el, externalLink } from "./dom.js";
import { longText } from "./json_view.js";
import { MAX_MARKDOWN, parseMarkdown } from "./markdown.js";
import { visible } from "./text.js";

const MARKDOWN_HINT = /(^|\n)\s{0,3}(#{1,6}\s|[-*+]\s|\d+[.)]\s|>\s|```|\|.*\|)|\*\*\S|`[^`\n]+`|\[[^\]\n]+\]\(/;

/**
 * Shows a text as Markdown if it looks like it, with a switch to the raw text.
 * @param {unknown} value
 * @returns {HTMLElement}
 */
export function markdownText(value) {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "");
  if (text.length > MAX_MARKDOWN || !MARKDOWN_HINT.test(text.slice(0, 20_000))) return longText(text);
  const rendered = renderMarkdown(text);
  const raw = longText(text);
  raw.hidden = true;
  const toggle = button(
    "Raw",
    () => {
      rendered.hidden = !rendered.hidden;
      raw.hidden = !raw.hidden;
      toggle.textContent = rendered.hidden ? "Rendered" : "Raw";
    },
    { class: "small toggle-raw" },
  );
  return el("div", { class: "markdown-box" }, toggle, rendered, raw);
}

/**
 * Shows prose, for example a description: like `markdownText`, but plain text looks like the text of the page.
 * @param {unknown} value
 * @returns {HTMLElement}
 */
export function prose(value) {
  const element = markdownText(value);
  element.classList.add("prose");
  return element;
}

/**
 * Renders Markdown.
 * @param {string} text
 * @returns {HTMLElement}
 */
export function renderMarkdown(text) {
  return el("div", { class: "markdown" }, ...parseMarkdown(text).map(block));
}

function block(node) {
  switch (node.type) {
    case "heading":
      // Below the headings of the page itself.
      return el(
        "p",
        { class: `md-heading md-h${node.level}`, role: "heading", "aria-level": String(Math.min(node.level + 3, 6)) },
        ...node.children.map(inline),
      );
    case "paragraph":
      return el("p", {}, ...node.children.map(inline));
    case "code":
      return el(
        "pre",
        { class: "text-block", tabindex: "0", role: "group", "aria-label": "Code" },
        el("code", { text: visible(node.text) }),
      );
    case "quote":
      return el("blockquote", {}, ...node.children.map(block));
    case "list":
      return el(node.ordered ? "ol" : "ul", {}, ...node.items.map((item) => el("li", {}, ...item.map(block))));
    case "table":
      return table(node.rows);
    default:
      return el("hr");
  }
}

function table([head, ...rows]) {
  const row = (cells, tag) => el("tr", {}, ...cells.map((cell) => el(tag, {}, ...cell.map(inline))));
  return el("table", {}, el("thead", {}, row(head, "th")), el("tbody", {}, ...rows.map((cells) => row(cells, "td"))));
}

function inline(node) {
  switch (node.type) {
    case "code":
      return el("code", { text: visible(node.text) });
    case "strong":
      return el("strong", {}, ...node.children.map(inline));
    case "emphasis":
      return el("em", {}, ...node.children.map(inline));
    case "strike":
      return el("s", {}, ...node.children.map(inline));
    case "link":
      return externalLink(node.href, visible(node.children[0]?.text));
    case "image":
      return el(
        "span",
        { class: "md-image" },
        "image: ",
        externalLink(node.href, visible(node.text || "no description")),
      );
    default:
      return visible(node.text);
  }
}
