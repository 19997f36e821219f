// Starts the page: the token, the views and their addresses, the header, and the keys.

import { post, readEvents, takeToken } from "./api.js";
import "./catalog.js";
import { createCompareView } from "./compare_view.js";
import { createConnectionView, statusBadge } from "./connection_view.js";
import { resourceLinks } from "./content.js";
import { button, el, fill, select, toast } from "./dom.js";
import { createHistoryView } from "./history_view.js";
import { createLogView } from "./log_view.js";
import { createPromptsView } from "./prompts_view.js";
import { createQuestions } from "./questions.js";
import { createResourcesView } from "./resources_view.js";
import { createBuildState, createCallDock } from "./status_bar.js";
import { apply, currentConnection, on, selectConnection, store } from "./store.js";
import { label } from "./text.js";
import { createToolsView } from "./tools_view.js";

const THEME_KEY = "mcp-dev-theme";
const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/** The views by the first part of their address. @type {Record<string, any>} */
let views = {};
let current = "";

/** @param {string[]} path */
function navigate(path) {
  location.hash = `#/${path.map(encodeURIComponent).join("/")}`;
}

function readAddress() {
  try {
    return location.hash.replace(/^#\/?/, "").split("/").filter(Boolean).map(decodeURIComponent);
  } catch {
    return [];
  }
}

function route() {
  const [name, ...rest] = readAddress();
  const next = Object.hasOwn(views, name) ? name : "tools";
  const main = byId("main");
  if (next !== current) {
    current = next;
    main.replaceChildren(views[next].element);
    main.setAttribute("aria-label", views[next].title);
    for (const link of byId("nav").querySelectorAll("a")) {
      if (link.dataset.view === next) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
  }
  views[next].show(rest);
}

function createViews() {
  views = {
    tools: createToolsView(navigate),
    resources: createResourcesView(navigate),
    prompts: createPromptsView(navigate),
    log: createLogView(),
    history: createHistoryView(navigate),
    compare: createCompareView(),
    connection: createConnectionView(),
  };
  resourceLinks.open = (uri) => navigate(["resources", "uri", uri]);
  fill(
    byId("nav"),
    ...Object.entries(views).map(([name, view], index) => {
      const link = el("a", { "data-view": name, title: `${index + 1}` }, view.title);
      link.href = `#/${name}`;
      return link;
    }),
  );
}

function createHeader() {
  const options = [
    ["auto", "Automatic"],
    ["legacy", "Legacy"],
    ["modern", "Modern"],
  ].map(([value, text]) => ({ value, label: text }));
  const chooser = select(options, { id: "connection-choice", "aria-label": "Connection" });
  const badge = el("span", { class: "connection-badge" });
  chooser.addEventListener("change", () => {
    selectConnection(chooser.value);
    connectIfClosed();
  });
  fill(byId("connection-slot"), chooser, badge);
  const refresh = () => {
    const connection = currentConnection();
    const revision = connection.revision
      ? el("span", { class: "muted revision", text: label(connection.revision, 30) })
      : null;
    fill(
      badge,
      connection.status === "login"
        ? el("a", { class: "login-link" }, statusBadge(connection))
        : statusBadge(connection),
      revision,
    );
    const link = /** @type {HTMLAnchorElement | null} */ (badge.querySelector("a"));
    if (link) link.href = "#/connection";
    byId("target").textContent = label(store.state.target, 80);
    byId("target").title = label(store.state.target, 1000);
  };
  on("connection", refresh);
  on("state", refresh);
  refresh();
}

/** The connections that were requested, and have not reported their state yet. @type {Set<string>} */
const requested = new Set();

/** Opens the current connection when the server runs, unless that was tried for this build. */
function connectIfClosed() {
  const connection = currentConnection();
  const isTried = connection.status !== "closed" && connection.generation >= store.state.generation;
  // A first build that fails is connected too: the server may require a login.
  const isBuilt = ["running", "failed"].includes(store.state.status);
  if (isBuilt && !isTried && !requested.has(connection.id) && !["open", "connecting"].includes(connection.status)) {
    requested.add(connection.id);
    post("connect", { connection: connection.id }).catch((error) =>
      toast(`Cannot connect: ${label(error.message, 300)}`),
    );
  }
}

function createThemeSwitch() {
  const themes = ["auto", "light", "dark"];
  const read = () => {
    const stored = localStorage.getItem(THEME_KEY) ?? "auto";
    return themes.includes(stored) ? stored : "auto";
  };
  const show = (theme) => {
    if (theme === "auto") document.documentElement.removeAttribute("data-theme");
    else document.documentElement.setAttribute("data-theme", theme);
    control.textContent = { auto: "◐ Auto", light: "☀ Light", dark: "☾ Dark" }[theme];
    control.setAttribute("aria-label", `Theme: ${theme}`);
  };
  const control = button(
    "",
    () => {
      const next = themes[(themes.indexOf(read()) + 1) % themes.length];
      localStorage.setItem(THEME_KEY, next);
      show(next);
    },
    { class: "small theme" },
  );
  byId("theme-slot").append(control);
  show(read());
}

function createKeys(buildState) {
  const dialog = /** @type {HTMLDialogElement} */ (byId("keys"));
  byId("keys-close").addEventListener("click", () => dialog.close());
  byId("keys-open").addEventListener("click", () => dialog.showModal());
  document.addEventListener("keydown", (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    const isTyping = target.matches("input, textarea, select") || target.isContentEditable;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      const card = target.closest(".question");
      if (card) /** @type {HTMLElement} */ (card.querySelector("button.primary"))?.click();
      else views[current].run();
    } else if (event.key === "Escape" && !dialog.open) {
      if (!byId("build-panel").hidden) buildState.dismiss();
      else if (isTyping) target.blur();
      else views[current].close();
    } else if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
    else if (event.key === "/" && views[current].filter) views[current].filter.focus();
    else if (event.key === "?") dialog.showModal();
    else if (event.key === "q") /** @type {HTMLElement | null} */ (document.querySelector("[data-question]"))?.focus();
    else if (/^[1-7]$/.test(event.key)) navigate([Object.keys(views)[Number(event.key) - 1]]);
    else return;
    event.preventDefault();
  });
}

/** @param {"open" | "lost" | "unauthorized"} status */
function showStream(status) {
  store.stream = status;
  const banner = byId("stream-banner");
  banner.hidden = status === "open";
  banner.textContent = status === "lost" ? "The connection to mcp dev is lost. Trying again…" : "";
  if (status === "unauthorized")
    showStart("The token is invalid: mcp dev was restarted. Copy the new URL from its output and open it.");
}

function showStart(text) {
  byId("app").hidden = true;
  byId("start").hidden = false;
  byId("start-text").textContent = text;
}

function start() {
  createThemeSwitch();
  if (!takeToken())
    return showStart(
      "This page needs a token. Copy the URL that mcp dev prints, including the part after #, and open it.",
    );
  byId("app").hidden = false;
  createViews();
  createHeader();
  const buildState = createBuildState(byId("build-slot"), byId("build-panel"));
  createCallDock(byId("dock"));
  createQuestions(byId("questions"));
  createKeys(buildState);
  on("connection", (connection) => connection.status !== "closed" && requested.delete(connection.id));
  on("state", connectIfClosed);
  window.addEventListener("hashchange", () => {
    // Another URL with a new token was opened in this tab.
    if (/[#&]token=/.test(location.hash)) location.reload();
    else route();
  });
  route();
  readEvents(apply, showStream);
}

start();
