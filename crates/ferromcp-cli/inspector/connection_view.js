// The connection: its server, capabilities, roots, login and ping.

import { post } from "./api.js";
import { send } from "./calls.js";
import { button, copyButton, el, externalLink, fill, toast } from "./dom.js";
import { definitionList } from "./history_view.js";
import { jsonTree } from "./json_view.js";
import { prose } from "./markdown_view.js";
import { currentConnection, on, store } from "./store.js";
import { duration, label } from "./text.js";

const report = (action) => (error) => toast(`Cannot ${action}: ${label(error.message, 400)}`);

/** Creates the view. */
export function createConnectionView() {
  const server = el("section", { class: "card", "aria-label": "Server" });
  const login = el("section", { class: "card", "aria-label": "Login" });
  const roots = createRootsEditor();
  const element = el(
    "div",
    { class: "page" },
    el("header", { class: "page-head" }, el("h2", { text: "Connection" })),
    el("div", { class: "cards" }, server, login, roots),
  );

  function refresh() {
    const connection = currentConnection();
    const isOpen = connection.status === "open";
    const info = connection.serverInfo ?? {};
    const ping = button(
      "Ping",
      async () => {
        const done = await send("ping", {}).outcome;
        toast(done.error ? `Ping failed: ${label(done.error.message, 300)}` : `Ping: ${duration(done.duration)}`);
      },
      { class: "small", disabled: !isOpen },
    );
    const connect = button(
      isOpen ? "Reconnect" : "Connect",
      () => post("connect", { connection: connection.id }).catch(report("connect")),
      { class: "small primary" },
    );
    const disconnect = button(
      "Disconnect",
      () => post("disconnect", { connection: connection.id }).catch(report("disconnect")),
      { class: "small", disabled: !isOpen },
    );
    fill(
      server,
      el(
        "header",
        { class: "card-head" },
        el("h3", { text: "Server" }),
        statusBadge(connection),
        el("span", { class: "card-tools" }, ping, disconnect, connect),
      ),
      el(
        "div",
        { class: "card-body" },
        connection.error && el("p", { class: "banner bad", text: label(connection.error, 4000) }),
        definitionList([
          ["Name", info.name],
          ["Title", info.title],
          ["Version", info.version],
          ["Description", info.description],
          ["Revision", connection.revision],
          ["Era", connection.era],
          ["Transport", connection.transport],
          ["Target", store.state.target],
          ["Endpoint for hosts", store.state.endpoint],
          ["Watching", (store.state.watching ?? []).join(", ")],
        ]),
        info.websiteUrl !== undefined && el("p", {}, externalLink(info.websiteUrl)),
        store.state.endpoint && copyButton("Copy the endpoint", () => store.state.endpoint),
        typeof connection.instructions === "string" &&
          el("div", {}, el("h4", { text: "Instructions" }), prose(connection.instructions)),
        isOpen && el("div", {}, el("h4", { text: "Capabilities" }), jsonTree(connection.capabilities ?? {})),
      ),
    );
    refreshLogin();
  }

  function refreshLogin() {
    const connection = currentConnection();
    const steps = store.logins.get(connection.id) ?? [];
    login.hidden = !store.state.url && connection.status !== "login" && steps.length === 0;
    if (login.hidden) return;
    const isRunning = steps.some((step) => step?.status === "running");
    const start = button("Log in", () => post("login", { connection: connection.id }).catch(report("log in")), {
      class: "small primary",
      disabled: isRunning,
    });
    const stop = button(
      "Cancel",
      () => {
        post("login/cancel").catch(report("cancel the login"));
        store.logins.delete(connection.id);
        refreshLogin();
      },
      { class: "small", hidden: !isRunning },
    );
    const logout = button(
      "Log out",
      () =>
        post("logout", { connection: connection.id })
          .then(() => toast("Logged out"))
          .catch(report("log out")),
      { class: "small", hidden: isRunning },
    );
    fill(
      login,
      el(
        "header",
        { class: "card-head" },
        el("h3", { text: "OAuth login" }),
        connection.status === "login" && el("span", { class: "badge warn", text: "required" }),
        el("span", { class: "card-tools" }, logout, stop, start),
      ),
      el(
        "div",
        { class: "card-body" },
        steps.length === 0 && el("p", { class: "muted", text: "The steps of a login appear here." }),
        el("ol", { class: "steps", "aria-live": "polite" }, ...steps.filter(Boolean).map(loginStep)),
      ),
    );
  }

  on("connection", refresh);
  on("connections", refresh);
  on("state", refresh);
  on("login", refreshLogin);
  refresh();
  return { title: "Connection", element, filter: null, show: refresh, close() {}, run() {} };
}

/** @param {any} connection */
export function statusBadge(connection) {
  const kinds = { open: "good", failed: "bad", login: "warn" };
  const text = connection.status === "login" ? "login required" : connection.status;
  return el("span", { class: `badge ${kinds[connection.status] ?? ""}`, text });
}

function loginStep(step) {
  const signs = { running: "…", done: "✓", failed: "✗" };
  const isKnown = Object.hasOwn(signs, step.status);
  const page =
    step.url &&
    step.status === "running" &&
    el(
      "div",
      { class: "login-page" },
      el("p", { class: "mono url", text: label(step.url, 4000) }),
      button("Open the login page", () => openPage(step.url), { class: "primary" }),
    );
  const detail =
    step.detail !== null &&
    step.detail !== undefined &&
    el("details", {}, el("summary", { text: "Details" }), jsonTree(step.detail));
  return el(
    "li",
    { class: isKnown ? step.status : "" },
    el("span", {
      class: "step-sign",
      "aria-label": isKnown ? step.status : "",
      role: "img",
      text: signs[step.status] ?? "",
    }),
    el(
      "div",
      {},
      el("strong", { text: label(step.title) }),
      page,
      step.error && el("p", { class: "error-text", text: label(step.error, 2000) }),
      detail,
    ),
  );
}

/** Opens a page by the click of the user; it gets no reference to this page. */
function openPage(url) {
  const link = externalLink(url);
  if (link instanceof HTMLAnchorElement) link.click();
  else toast("Cannot open the page: its URL is neither http nor https");
}

function createRootsEditor() {
  const rows = el("div", { class: "entries" });
  let edited = [];
  const save = () =>
    post("roots", { roots: edited.filter((root) => root.uri).map(({ uri, name }) => (name ? { uri, name } : { uri })) })
      .then(() => toast("Roots saved"))
      .catch(report("save the roots"));
  const input = (root, member, name, placeholder) =>
    el("input", {
      type: "text",
      class: "mono",
      value: root[member] ?? "",
      placeholder,
      "aria-label": name,
      autocomplete: "off",
      spellcheck: "false",
      on: { input: (event) => (root[member] = event.target.value) },
    });
  const render = () =>
    fill(
      rows,
      ...edited.map((root, index) =>
        el(
          "div",
          { class: "root-row" },
          input(root, "uri", `URI of root ${index + 1}`, "file:///path"),
          input(root, "name", `Name of root ${index + 1}`, "name"),
          button(
            "Remove",
            () => {
              edited.splice(index, 1);
              render();
            },
            { class: "small" },
          ),
        ),
      ),
      edited.length === 0 && el("p", { class: "muted", text: "There are no roots." }),
    );
  const load = () => {
    edited = store.roots.map((root) => ({ ...root }));
    render();
  };
  on("roots", load);
  load();
  const add = button(
    "Add root",
    () => {
      edited.push({ uri: "", name: "" });
      render();
      rows.querySelector(".root-row:last-child input")?.focus();
    },
    { class: "small" },
  );
  return el(
    "section",
    { class: "card", "aria-label": "Roots" },
    el(
      "header",
      { class: "card-head" },
      el("h3", { text: "Roots" }),
      el("span", { class: "card-tools" }, add, button("Save", save, { class: "small primary" })),
    ),
    el(
      "div",
      { class: "card-body" },
      el("p", { class: "muted", text: "Requests of the server for roots are answered with this list." }),
      rows,
    ),
  );
}
