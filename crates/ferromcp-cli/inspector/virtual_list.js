// A list with a filter that renders only its visible rows, and is operated with the keyboard.

import { el, fill, uniqueId } from "./dom.js";
import { count, label } from "./text.js";

/** Rows that are rendered above and below the visible ones. */
const MARGIN = 6;

/**
 * @typedef {object} Row
 * @property {string} key
 * @property {string} search text that the filter searches, in lower case
 * @property {() => (Node | string | null)[]} render creates the content of the row
 */

/**
 * Creates a list. `onSelect` receives the key of the row that was chosen.
 * @param {{label: string, noun: string, rowHeight?: number, onSelect: (key: string) => void, tools?: Node[], empty?: string}} options
 */
export function createVirtualList(options) {
  const rowHeight = options.rowHeight ?? 48;
  const listId = uniqueId("list");
  /** @type {Row[]} */
  let rows = [];
  /** @type {Row[]} */
  let shown = [];
  let selected = null;
  let active = -1;

  const filter = el("input", {
    type: "search",
    class: "filter",
    placeholder: `Filter ${options.noun}s`,
    "aria-label": `Filter ${options.noun}s`,
    "aria-controls": listId,
    autocomplete: "off",
    spellcheck: "false",
  });
  const total = el("span", { class: "muted list-count", "aria-live": "polite" });
  const body = el("div", { class: "vlist-body", role: "none" });
  const scroller = el(
    "div",
    { class: "vlist", id: listId, role: "listbox", tabindex: "0", "aria-label": options.label },
    body,
  );
  const notice = el("p", { class: "empty", hidden: true });
  const head = el(
    "div",
    { class: "list-head" },
    filter,
    el("div", { class: "list-tools" }, total, ...(options.tools ?? [])),
  );
  const element = el("div", { class: "list-pane" }, head, notice, scroller);

  function applyFilter() {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    shown = words.length === 0 ? rows : rows.filter((row) => words.every((word) => row.search.includes(word)));
    total.textContent =
      shown.length === rows.length
        ? count(rows.length, options.noun)
        : `${shown.length} of ${count(rows.length, options.noun)}`;
    active = shown.findIndex((row) => row.key === selected);
    body.style.height = `${shown.length * rowHeight}px`;
    notice.textContent = rows.length === 0 ? (options.empty ?? `No ${options.noun}s.`) : "Nothing matches the filter.";
    notice.hidden = shown.length > 0;
    scroller.hidden = shown.length === 0;
    render();
  }

  function render() {
    const first = Math.max(0, Math.floor(scroller.scrollTop / rowHeight) - MARGIN);
    const end = Math.min(
      shown.length,
      Math.ceil((scroller.scrollTop + (scroller.clientHeight || 600)) / rowHeight) + MARGIN,
    );
    const nodes = [];
    for (let index = first; index < end; index += 1) nodes.push(renderRow(index));
    fill(body, nodes);
    if (active >= first && active < end) scroller.setAttribute("aria-activedescendant", `${listId}-${active}`);
    else scroller.removeAttribute("aria-activedescendant");
  }

  function renderRow(index) {
    const row = shown[index];
    const option = el(
      "div",
      {
        class: index === active ? "vrow active" : "vrow",
        role: "option",
        id: `${listId}-${index}`,
        "aria-selected": String(row.key === selected),
        "aria-setsize": String(shown.length),
        "aria-posinset": String(index + 1),
        on: { click: () => choose(index) },
      },
      ...row.render(),
    );
    option.style.transform = `translateY(${index * rowHeight}px)`;
    option.style.height = `${rowHeight}px`;
    return option;
  }

  function choose(index) {
    active = index;
    selected = shown[index].key;
    render();
    options.onSelect(selected);
  }

  function move(index) {
    if (shown.length === 0) return;
    active = Math.min(Math.max(index, 0), shown.length - 1);
    const [top, bottom] = [active * rowHeight, (active + 1) * rowHeight];
    if (top < scroller.scrollTop) scroller.scrollTop = top;
    else if (bottom > scroller.scrollTop + scroller.clientHeight) scroller.scrollTop = bottom - scroller.clientHeight;
    render();
  }

  function onKey(event) {
    const page = Math.max(1, Math.floor(scroller.clientHeight / rowHeight) - 1);
    const moves = {
      ArrowDown: active + 1,
      ArrowUp: active - 1,
      PageDown: active + page,
      PageUp: active - page,
      Home: 0,
      End: shown.length - 1,
    };
    if (event.key in moves) move(moves[event.key]);
    else if ((event.key === "Enter" || event.key === " ") && active >= 0) choose(active);
    else return;
    event.preventDefault();
  }

  filter.addEventListener("input", applyFilter);
  filter.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" && shown.length > 0) {
      scroller.focus();
      move(active < 0 ? 0 : active);
    } else if (event.key === "Enter" && shown.length > 0) choose(Math.max(active, 0));
    else if (event.key === "Escape" && filter.value) {
      filter.value = "";
      applyFilter();
      event.stopPropagation();
    } else return;
    event.preventDefault();
  });
  scroller.addEventListener("keydown", onKey);
  scroller.addEventListener("scroll", () => render(), { passive: true });
  new ResizeObserver(() => render()).observe(scroller);

  return {
    element,
    filter,
    /** @param {Row[]} next */
    setRows(next) {
      rows = next;
      applyFilter();
    },
    /** Marks a row as chosen. @param {string | null} key */
    select(key) {
      selected = key;
      active = shown.findIndex((row) => row.key === key);
      if (active >= 0) move(active);
      else render();
    },
    /** Scrolls to the last row if the list was scrolled to its end. */
    isAtEnd: () => scroller.scrollTop + scroller.clientHeight >= scroller.scrollHeight - rowHeight,
    scrollToEnd() {
      scroller.scrollTop = scroller.scrollHeight;
    },
    /** @param {string} text */
    setEmpty(text) {
      options.empty = text;
      if (rows.length === 0) notice.textContent = text;
    },
  };
}

/**
 * Creates a row with a title, a second line, and a mark.
 * @param {{key: string, title: string, subtitle?: string, mark?: string, search?: string}} item
 * @returns {Row}
 */
export function textRow(item) {
  const search = `${item.title}\n${item.subtitle ?? ""}\n${item.search ?? ""}`.slice(0, 4000).toLowerCase();
  return {
    key: item.key,
    search,
    render: () => [
      el(
        "span",
        { class: "row-title" },
        el("span", { class: "row-name", text: label(item.title) }),
        item.mark && el("span", { class: `mark ${item.mark}`, text: item.mark }),
      ),
      el("span", { class: "row-subtitle", text: label(item.subtitle ?? "") }),
    ],
  };
}
