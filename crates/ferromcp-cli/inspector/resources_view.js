// The resources and templates of the server: reading, completion of variables, subscriptions and updates.

import { post } from "./api.js";
import { keyOf, list } from "./catalog.js";
import { createCompletionField } from "./completion.js";
import { metaDetails, otherMembers, renderError, renderResource } from "./content.js";
import { announce, button, el, fill, toast } from "./dom.js";
import { prose } from "./markdown_view.js";
import { createRunList } from "./run_list.js";
import { createSplit, detailHead } from "./split.js";
import { currentConnection, on, store } from "./store.js";
import { label, size, time } from "./text.js";
import { emptyText } from "./tools_view.js";
import { expand, variables } from "./uri_template.js";
import { createVirtualList, textRow } from "./virtual_list.js";

/** Maximum number of updates that are shown. */
const MAX_UPDATES = 50;

/** The subscriptions by connection and URI. @type {Map<string, {uri: string, updates: number[]}>} */
const subscriptions = new Map();
const subscriptionKey = (uri) => `${store.current} ${uri}`;

/**
 * Creates the view. Paths are `resources/uri/URI` and `resources/template/TEMPLATE`.
 * @param {(path: string[]) => void} navigate
 */
export function createResourcesView(navigate) {
  let selected = null;
  let shown = "";
  let runNow = () => {};
  let updateUpdates = () => {};
  const items = createVirtualList({
    label: "Resources and templates",
    noun: "resource",
    onSelect: (key) => navigate(["resources", ...splitKey(key)]),
  });
  const split = createSplit({
    list: items.element,
    label: "Resource",
    placeholder: "Select a resource or a template.",
  });

  function refresh() {
    const [resources, templates] = [list("resources"), list("templates")];
    const row = (kind, type, catalog) => (item) => {
      const key = keyOf(kind, item);
      const name = typeof item.title === "string" ? item.title : typeof item.name === "string" ? item.name : "";
      return textRow({
        key: `${type} ${key}`,
        title: key,
        subtitle: [name, item.mimeType, item.description]
          .filter((text) => typeof text === "string")
          .join(" · ")
          .slice(0, 300),
        mark: catalog.marks.get(key) ?? (type === "template" ? "template" : undefined),
      });
    };
    items.setRows([
      ...resources.items.map(row("resources", "uri", resources)),
      ...templates.items.map(row("templates", "template", templates)),
    ]);
    items.setEmpty(emptyText(resources, "resources"));
    items.select(selected);
    if (selected) show(selected);
  }

  function show(key) {
    const [type, uri] = splitKey(key);
    const kind = type === "template" ? "templates" : "resources";
    const item = list(kind).items.find((each) => keyOf(kind, each) === uri);
    const identity = `${store.current} ${key} ${JSON.stringify(item) ?? ""}`;
    if (identity === shown) return;
    shown = identity;
    if (type === "template" && !item)
      return split.show(el("p", { class: "empty", text: "The server has no such template." }));
    split.show(...(type === "template" ? templateDetails(item, uri) : resourceDetails(item ?? { uri }, uri)));
  }

  function heading(item, uri) {
    return [
      detailHead(label(item.title ?? item.name ?? uri), label(uri, 1000)),
      typeof item.description === "string" && el("div", { class: "description" }, prose(item.description)),
      (item.mimeType !== undefined || item.size !== undefined) &&
        el("p", {
          class: "muted",
          text: [item.mimeType && label(item.mimeType), typeof item.size === "number" && size(item.size)]
            .filter(Boolean)
            .join(" · "),
        }),
    ];
  }

  function resourceDetails(item, uri) {
    const runs = createRunList({ render: renderRead });
    const updates = el("div", { class: "updates", role: "status" });
    const toggle = button("", () => changeSubscription(uri, update));
    const read = () => runs.run("resources/read", { uri }, { name: uri });
    const update = () => {
      const found = subscriptions.get(subscriptionKey(uri));
      toggle.textContent = found ? "Unsubscribe" : "Subscribe";
      toggle.setAttribute("aria-pressed", String(Boolean(found)));
      const times = found?.updates ?? [];
      fill(
        updates,
        found &&
          el("p", {
            class: "muted",
            text:
              times.length === 0
                ? "Subscribed. No updates yet."
                : `${times.length} updates; the latest at ${time(times.at(-1))}`,
          }),
      );
    };
    updateUpdates = (changed) => {
      update();
      if (changed === uri) read();
    };
    runNow = read;
    update();
    return [
      ...heading(item, uri),
      el("div", { class: "actions" }, button("Read", read, { class: "primary", title: "Ctrl+Enter" }), toggle),
      updates,
      runs.element,
      otherMembers(item, ["uri", "name", "title", "description", "mimeType", "size"]),
    ];
  }

  function templateDetails(item, template) {
    const runs = createRunList({ render: renderRead });
    const uri = el("output", { class: "mono expanded" });
    const values = (except) =>
      Object.fromEntries(
        fields
          .filter((field) => field.name !== except && field.value() !== "")
          .map((field) => [field.name, field.value()]),
      );
    const update = () => (uri.textContent = label(expand(template, values()), 2000));
    const fields = variables(template).map((name) =>
      createCompletionField({
        label: label(name),
        name,
        ref: { type: "ref/resource", uri: template },
        required: false,
        others: () => values(name),
        onChange: () => update(),
      }),
    );
    const read = () => {
      const expanded = expand(template, values());
      runs.run("resources/read", { uri: expanded }, { name: expanded });
    };
    runNow = read;
    updateUpdates = () => {};
    update();
    return [
      ...heading(item, template),
      el("h3", { text: "Variables" }),
      el("div", { class: "form" }, ...fields.map((field) => field.element)),
      el("p", { class: "expanded-row" }, el("span", { class: "muted", text: "URI " }), uri),
      el(
        "div",
        { class: "actions" },
        button("Read", read, { class: "primary", title: "Ctrl+Enter" }),
        button("Open as a resource", () => navigate(["resources", "uri", expand(template, values())])),
      ),
      runs.element,
      otherMembers(item, ["uriTemplate", "name", "title", "description", "mimeType"]),
    ];
  }

  on("catalog", (kind) => (kind === "resources" || kind === "templates") && refresh());
  on("connection", () => refresh());
  on("change", (event) => {
    if (event.what !== "resource") return;
    const found = subscriptions.get(`${event.connection} ${event.uri}`);
    if (found) {
      found.updates.push(Date.now());
      if (found.updates.length > MAX_UPDATES) found.updates.shift();
    }
    announce(`The resource ${label(event.uri, 100)} has changed`);
    updateUpdates(event.uri);
  });
  refresh();
  return {
    title: "Resources",
    element: split.element,
    filter: items.filter,
    close: () => split.close(),
    run: () => runNow(),
    show([type, uri]) {
      if (uri === undefined) return;
      selected = `${type} ${uri}`;
      items.select(selected);
      show(selected);
    },
  };
}

/** Splits a key at its first space. */
function splitKey(key) {
  const at = key.indexOf(" ");
  return [key.slice(0, at), key.slice(at + 1)];
}

async function changeSubscription(uri, update) {
  const key = subscriptionKey(uri);
  const isSubscribed = subscriptions.has(key);
  try {
    await post(isSubscribed ? "unsubscribe" : "subscribe", { connection: currentConnection().id, uri });
    if (isSubscribed) subscriptions.delete(key);
    else subscriptions.set(key, { uri, updates: [] });
  } catch (error) {
    toast(`Cannot change the subscription: ${label(error.message, 400)}`);
  }
  update();
}

function renderRead(outcome) {
  if (outcome.error) return renderError(outcome.error);
  const contents = Array.isArray(outcome.result?.contents) ? outcome.result.contents.slice(0, 200) : [];
  return el(
    "div",
    { class: "result-body" },
    ...contents.map(renderResource),
    contents.length === 0 && el("p", { class: "muted", text: "The resource has no contents." }),
    outcome.result?._meta !== undefined && metaDetails(outcome.result._meta),
  );
}
