// The prompts of the server: their arguments with completion, and the messages.

import { keyOf, list } from "./catalog.js";
import { createCompletionField } from "./completion.js";
import { metaDetails, otherMembers, renderError, renderMessages } from "./content.js";
import { button, el } from "./dom.js";
import { prose } from "./markdown_view.js";
import { createRunList } from "./run_list.js";
import { createSplit, detailHead } from "./split.js";
import { on, store } from "./store.js";
import { label } from "./text.js";
import { emptyText } from "./tools_view.js";
import { createVirtualList, textRow } from "./virtual_list.js";

/** Maximum number of arguments and of prompts whose values are remembered. */
const MAX_ARGUMENTS = 200;
const MAX_REMEMBERED = 50;

/** Values of arguments by prompt. @type {Map<string, Record<string, string>>} */
const drafts = new Map();

/**
 * Creates the view.
 * @param {(path: string[]) => void} navigate
 */
export function createPromptsView(navigate) {
  let selected = null;
  let shown = "";
  let runNow = () => {};
  const items = createVirtualList({ label: "Prompts", noun: "prompt", onSelect: (key) => navigate(["prompts", key]) });
  const split = createSplit({ list: items.element, label: "Prompt", placeholder: "Select a prompt." });

  function refresh() {
    const catalog = list("prompts");
    items.setRows(
      catalog.items.map((prompt) =>
        textRow({
          key: keyOf("prompts", prompt),
          title: keyOf("prompts", prompt),
          subtitle: typeof prompt.description === "string" ? prompt.description.slice(0, 300) : "",
          mark: catalog.marks.get(keyOf("prompts", prompt)),
        }),
      ),
    );
    items.setEmpty(emptyText(catalog, "prompts"));
    items.select(selected);
    if (selected !== null) show(selected);
  }

  function show(name) {
    const prompt = list("prompts").items.find((each) => keyOf("prompts", each) === name);
    const identity = `${store.current} ${name} ${JSON.stringify(prompt) ?? ""}`;
    if (shown === identity) return;
    shown = identity;
    split.show(
      ...(prompt ? details(prompt, name) : [el("p", { class: "empty", text: "The server has no such prompt." })]),
    );
  }

  function details(prompt, name) {
    const runs = createRunList({ render: renderPrompt });
    const draft = drafts.get(name) ?? {};
    const values = (except) =>
      Object.fromEntries(
        fields
          .filter((field) => field.name !== except && field.value() !== "")
          .map((field) => [field.name, field.value()]),
      );
    const save = () => {
      drafts.set(name, values());
      if (drafts.size > MAX_REMEMBERED) drafts.delete(drafts.keys().next().value);
    };
    const declared = (Array.isArray(prompt.arguments) ? prompt.arguments : [])
      .filter((each) => each !== null && typeof each?.name === "string")
      .slice(0, MAX_ARGUMENTS);
    const fields = declared.map((argument) =>
      createCompletionField({
        label: label(argument.title ?? argument.name),
        name: argument.name,
        required: argument.required === true,
        value: draft[argument.name],
        description: typeof argument.description === "string" ? label(argument.description, 1000) : undefined,
        ref: { type: "ref/prompt", name: prompt.name },
        others: () => values(argument.name),
        onChange: save,
      }),
    );
    const notice = el("p", { class: "field-error", role: "status", hidden: true });
    runNow = () => {
      const missing = fields.filter((field) => field.required && field.value() === "");
      notice.hidden = missing.length === 0;
      notice.textContent = `Required: ${missing.map((field) => label(field.name)).join(", ")}`;
      if (missing.length > 0) return missing[0].focus();
      runs.run("prompts/get", { name: prompt.name, arguments: values() }, { name });
    };
    return [
      detailHead(label(prompt.title ?? prompt.name), prompt.title ? label(name) : undefined),
      typeof prompt.description === "string" && el("div", { class: "description" }, prose(prompt.description)),
      fields.length > 0 && el("h3", { text: "Arguments" }),
      el("div", { class: "form" }, ...fields.map((field) => field.element)),
      notice,
      el(
        "div",
        { class: "actions" },
        button("Get prompt", () => runNow(), { class: "primary", title: "Ctrl+Enter" }),
      ),
      runs.element,
      otherMembers(prompt, ["name", "title", "description", "arguments"]),
    ];
  }

  on("catalog", (kind) => kind === "prompts" && refresh());
  on("connection", () => refresh());
  refresh();
  return {
    title: "Prompts",
    element: split.element,
    filter: items.filter,
    close: () => split.close(),
    run: () => runNow(),
    show([name]) {
      if (name === undefined) return;
      selected = name;
      items.select(name);
      show(name);
    },
  };
}

function renderPrompt(outcome) {
  if (outcome.error) return renderError(outcome.error);
  const { description, messages, _meta } = outcome.result ?? {};
  return el(
    "div",
    { class: "result-body" },
    typeof description === "string" && el("p", { class: "muted", text: label(description, 1000) }),
    renderMessages(messages),
    _meta !== undefined && metaDetails(_meta),
  );
}
