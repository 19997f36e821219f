// The tools of the server: their list, a form for each, and the results of calls.

import { createArgumentsEditor, createInvalidNotice } from "./arguments_editor.js";
import { keyOf, list } from "./catalog.js";
import { otherMembers, renderToolResult } from "./content.js";
import { button, el } from "./dom.js";
import { jsonTree } from "./json_view.js";
import { prose } from "./markdown_view.js";
import { createRunList } from "./run_list.js";
import { createSplit, detailHead } from "./split.js";
import { currentConnection, on } from "./store.js";
import { label } from "./text.js";
import { createVirtualList, textRow } from "./virtual_list.js";

/** Maximum number of tools whose forms and results are remembered. */
const MAX_REMEMBERED = 50;

/** Values of forms and lists of calls, by tool. @type {Map<string, {draft: any, runs: any, schemas: {output: any}}>} */
const remembered = new Map();

function remember(name) {
  let entry = remembered.get(name);
  if (!entry) {
    const schemas = { output: undefined };
    entry = {
      draft: undefined,
      schemas,
      runs: createRunList({ render: (outcome) => renderToolResult(outcome, schemas.output) }),
    };
    remembered.set(name, entry);
    if (remembered.size > MAX_REMEMBERED) remembered.delete(remembered.keys().next().value);
  }
  return entry;
}

/**
 * Creates the view.
 * @param {(path: string[]) => void} navigate
 */
export function createToolsView(navigate) {
  let selected = null;
  /** The JSON of the tool that is shown. */
  let shown = "";
  let runNow = () => {};
  const items = createVirtualList({ label: "Tools", noun: "tool", onSelect: (key) => navigate(["tools", key]) });
  const split = createSplit({ list: items.element, label: "Tool", placeholder: "Select a tool." });

  function refresh() {
    const catalog = list("tools");
    items.setRows([
      ...catalog.items.map((tool) => toolRow(tool, catalog.marks.get(keyOf("tools", tool)))),
      ...catalog.removed.map((tool) => ({ ...toolRow(tool, "removed"), key: `removed ${keyOf("tools", tool)}` })),
    ]);
    items.setEmpty(emptyText(catalog, "tools"));
    items.select(selected);
    if (selected !== null) show(selected);
  }

  function show(name) {
    const tool = list("tools").items.find((each) => keyOf("tools", each) === name);
    const text = tool ? JSON.stringify(tool) : "";
    if (shown === `${name} ${text}`) return;
    shown = `${name} ${text}`;
    if (!tool) {
      const isLoading = ["idle", "loading"].includes(list("tools").status);
      return split.show(
        el("p", { class: "empty", text: isLoading ? "Loading the tools…" : `The server has no tool ${label(name)}.` }),
      );
    }
    split.show(...details(tool));
  }

  function details(tool) {
    const memory = remember(keyOf("tools", tool));
    memory.schemas.output = tool.outputSchema;
    const schema = tool.inputSchema ?? { type: "object" };
    const editor = createArgumentsEditor(schema, {
      label: "Arguments",
      draft: memory.draft,
      onChange: (value) => (memory.draft = value),
    });
    const timeout = el("input", {
      type: "number",
      min: "1",
      max: "86400",
      value: "60",
      class: "timeout",
      "aria-label": "Timeout in seconds",
    });
    const notice = createInvalidNotice(() => send(editor.value()));
    const send = (value) => {
      notice.show([]);
      memory.runs.run(
        "tools/call",
        { name: tool.name, arguments: value ?? {} },
        { name: String(tool.name), timeout: Number(timeout.value) || 60 },
      );
    };
    runNow = () => {
      const { value, errors } = editor.submit();
      notice.show(errors);
      if (errors.length === 0) send(value);
    };
    const reset = button("Reset", () => {
      memory.draft = undefined;
      shown = "";
      show(keyOf("tools", tool));
    });
    const run = button("Call tool", () => runNow(), { class: "primary", title: "Ctrl+Enter" });
    return [
      detailHead(
        label(tool.title ?? tool.annotations?.title ?? tool.name),
        tool.title ? label(tool.name) : undefined,
        ...hints(tool.annotations),
      ),
      tool.description !== undefined && el("div", { class: "description" }, prose(tool.description)),
      el("h3", { text: "Arguments" }),
      editor.element,
      notice.element,
      el("div", { class: "actions" }, run, reset, el("label", { class: "inline" }, "Timeout", timeout, "s")),
      el("h3", { text: "Results" }),
      memory.runs.element,
      el("details", { class: "meta" }, el("summary", { text: "Definition" }), jsonTree(tool)),
      otherMembers(tool, ["name", "title", "description", "inputSchema", "outputSchema", "annotations"]),
    ];
  }

  on("catalog", (kind) => kind === "tools" && refresh());
  on("connection", () => refresh());
  refresh();
  return {
    title: "Tools",
    element: split.element,
    filter: items.filter,
    close: () => split.close(),
    run: () => selected !== null && runNow(),
    show([name]) {
      if (name === undefined) return;
      selected = name;
      items.select(name);
      show(name);
    },
  };
}

function toolRow(tool, mark) {
  const text = typeof tool.description === "string" ? tool.description : "";
  const title = tool.title ?? tool.annotations?.title;
  return textRow({
    key: keyOf("tools", tool),
    title: keyOf("tools", tool),
    subtitle: text.slice(0, 300),
    search: typeof title === "string" ? title : "",
    mark,
  });
}

/** Returns badges of the annotations. They are claims of the server. */
function hints(annotations) {
  const names = {
    readOnlyHint: "read-only",
    destructiveHint: "destructive",
    idempotentHint: "idempotent",
    openWorldHint: "open world",
  };
  return Object.entries(names)
    .filter(([key]) => annotations?.[key] === true)
    .map(([key, text]) =>
      el("span", { class: key === "destructiveHint" ? "badge bad" : "badge", title: "The server claims this", text }),
    );
}

/**
 * Returns the text of an empty list.
 * @param {List} catalog
 * @param {string} what
 */
export function emptyText(catalog, what) {
  const connection = currentConnection();
  if (connection.status === "login") return "The server requires a login. See Connection.";
  if (connection.status === "failed") return `Cannot connect: ${label(connection.error, 400)}`;
  if (connection.status === "connecting") return "Connecting…";
  if (connection.status !== "open") return "Not connected.";
  if (catalog.status === "failed") return `Cannot list the ${what}: ${label(catalog.error, 400)}`;
  if (catalog.status === "unsupported") return `The server has no ${what}.`;
  return catalog.status === "ready" ? `The server has no ${what}.` : "Loading…";
}
