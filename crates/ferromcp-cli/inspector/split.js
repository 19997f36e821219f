// A list beside the details of its selected item; narrow pages show one of them.

import { button, el, fill } from "./dom.js";

/**
 * Creates the panes.
 * @param {{list: HTMLElement, label: string, placeholder: string}} options
 */
export function createSplit(options) {
  const content = el("div", { class: "detail-content" }, el("p", { class: "empty", text: options.placeholder }));
  const back = button("← Back to the list", () => close(), { class: "small back" });
  const detail = el("section", { class: "detail-pane", "aria-label": options.label, tabindex: "-1" }, back, content);
  const element = el("div", { class: "split" }, options.list, detail);

  function close() {
    element.classList.remove("has-detail");
    /** @type {any} */ (options.list.querySelector("[role=listbox], input"))?.focus();
  }

  return {
    element,
    close,
    /** Shows details. @param {...Node} nodes */
    show(...nodes) {
      fill(content, ...nodes);
      element.classList.add("has-detail");
      detail.scrollTop = 0;
    },
    clear() {
      fill(content, el("p", { class: "empty", text: options.placeholder }));
      element.classList.remove("has-detail");
    },
  };
}

/**
 * Creates the heading of details.
 * @param {string} title
 * @param {string} [subtitle]
 * @param {...any} extra
 */
export function detailHead(title, subtitle, ...extra) {
  return el(
    "header",
    { class: "detail-head" },
    el("h2", { text: title }),
    ...extra,
    subtitle && el("p", { class: "mono muted", text: subtitle }),
  );
}
