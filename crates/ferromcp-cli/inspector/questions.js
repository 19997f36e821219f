// The questions of the server: elicitation forms and URLs, and sampling, as cards beside the views.

import { post } from "./api.js";
import { createArgumentsEditor, createInvalidNotice } from "./arguments_editor.js";
import { renderMessages } from "./content.js";
import { announce, button, el, externalLink, fill, select, toast } from "./dom.js";
import { jsonTree } from "./json_view.js";
import { prose } from "./markdown_view.js";
import { emit, on, store } from "./store.js";
import { label, visible, webUrl } from "./text.js";

/** The cards by question. @type {Map<string, HTMLElement>} */
const cards = new Map();

/**
 * Creates the panel.
 * @param {HTMLElement} panel
 */
export function createQuestions(panel) {
  const title = el("h2", { text: "Questions" });
  const list = el("div", { class: "question-list" });
  fill(panel, el("header", { class: "panel-head" }, title), list);

  function refresh() {
    for (const [id, card] of cards) {
      if (store.questions.has(id)) continue;
      const hadFocus = card.contains(document.activeElement);
      card.remove();
      cards.delete(id);
      // Focus goes to the next question, or back to the page.
      if (hadFocus) (list.querySelector("[data-question]") ?? document.getElementById("main"))?.focus();
    }
    for (const question of store.questions.values()) {
      if (cards.has(question.id)) continue;
      const card = createCard(question);
      cards.set(question.id, card);
      list.append(card);
      announce(`Question from the server: ${label(question.params?.message ?? question.kind, 200)}`);
    }
    panel.hidden = cards.size === 0;
    title.textContent = `Questions (${cards.size})`;
    document.title = `${cards.size > 0 ? `(${cards.size}) ` : ""}mcp dev · ${label(store.state.target, 60)}`;
  }

  on("question", refresh);
  on("state", refresh);
  refresh();
}

function createCard(question) {
  const makers = { form: formCard, url: urlCard, sampling: samplingCard };
  let parts;
  try {
    parts = (makers[question.kind] ?? rawCard)(question);
  } catch {
    parts = rawCard(question);
  }
  const names = { form: "Form", url: "Open a page", sampling: "Sampling", roots: "Roots" };
  const head = el(
    "header",
    { class: "card-head" },
    el("h3", { text: names[question.kind] ?? "Question" }),
    el("span", { class: "muted", text: `connection ${label(question.connection, 20)}` }),
  );
  return el(
    "section",
    {
      class: "card question",
      "aria-label": `Question: ${names[question.kind] ?? "unknown"}`,
      tabindex: "-1",
      "data-question": question.id,
    },
    head,
    el("div", { class: "card-body" }, ...parts),
  );
}

async function answer(question, body) {
  try {
    await post("answer", { question: question.id, ...body });
    store.questions.delete(question.id);
  } catch (error) {
    toast(`Cannot answer: ${label(error.message, 400)}`);
  }
  emit("question", null);
}

const actions = (...buttons) => el("div", { class: "actions" }, ...buttons);
const decline = (question) => button("Decline", () => answer(question, { result: { action: "decline" } }));
const cancelButton = (question) =>
  button("Cancel", () => answer(question, { result: { action: "cancel" } }), { title: "Dismiss without a choice" });

function formCard(question) {
  const schema = question.params?.requestedSchema ?? { type: "object", properties: {} };
  const editor = createArgumentsEditor(schema, { label: "Answer", sendDefaults: true });
  const send = (value) => answer(question, { result: { action: "accept", content: value ?? {} } });
  const notice = createInvalidNotice(() => send(editor.value()));
  const accept = button(
    "Accept",
    () => {
      const { value, errors } = editor.submit();
      notice.show(errors);
      if (errors.length === 0) send(value);
    },
    { class: "primary" },
  );
  return [
    el("div", { class: "question-text" }, prose(question.params?.message ?? "")),
    editor.element,
    notice.element,
    actions(accept, decline(question), cancelButton(question)),
  ];
}

function urlCard(question) {
  const { message, url } = question.params ?? {};
  const isWeb = webUrl(url) !== null;
  const link = externalLink(url, "Open the page");
  if (isWeb) link.className = "button";
  const host = isWeb ? new URL(url).host : null;
  return [
    el("div", { class: "question-text" }, prose(message ?? "")),
    host && el("p", {}, "Host: ", el("strong", { class: "mono", text: visible(host) })),
    el("p", { class: "mono url", text: visible(url) }),
    !isWeb &&
      el("p", { class: "error-text", text: "This URL is neither http nor https, so it cannot be opened here." }),
    actions(
      isWeb && link,
      button("Accept", () => answer(question, { result: { action: "accept" } }), { class: "primary" }),
      decline(question),
      cancelButton(question),
    ),
  ];
}

function samplingCard(question) {
  const { messages, systemPrompt, tools, ...rest } = question.params ?? {};
  const text = el("textarea", { rows: "4", "aria-label": "Reply" });
  const model = el("input", { type: "text", value: "human", "aria-label": "Model", autocomplete: "off" });
  const reasons = ["endTurn", "stopSequence", "maxTokens", "toolUse"].map((value) => ({ value, label: value }));
  const stopReason = select(reasons, { "aria-label": "Stop reason" });
  const json = el("textarea", { rows: "8", class: "mono", "aria-label": "Result as JSON", spellcheck: "false" });
  const error = el("p", { class: "field-error", role: "status", hidden: true });
  const simple = el(
    "div",
    { class: "sampling-form" },
    el("label", {}, "Reply", text),
    el("div", { class: "inline-fields" }, el("label", {}, "Model", model), el("label", {}, "Stop reason", stopReason)),
  );
  json.hidden = true;
  const result = () => ({
    role: "assistant",
    content: { type: "text", text: text.value },
    model: model.value,
    stopReason: stopReason.value,
  });
  const toggle = button(
    "Edit as JSON",
    () => {
      if (json.hidden) json.value = JSON.stringify(result(), null, 2);
      json.hidden = !json.hidden;
      simple.hidden = !json.hidden;
      toggle.textContent = json.hidden ? "Edit as JSON" : "Edit as text";
    },
    { class: "small" },
  );
  const reply = button(
    "Reply",
    () => {
      let value = result();
      try {
        if (!json.hidden) value = JSON.parse(json.value);
      } catch (problem) {
        error.textContent = `This is not valid JSON: ${visible(problem.message)}`;
        error.hidden = false;
        return;
      }
      answer(question, { result: value });
    },
    { class: "primary" },
  );
  const reject = button("Decline", () =>
    answer(question, { error: { code: -1, message: "User rejected sampling request" } }),
  );
  return [
    typeof systemPrompt === "string" &&
      el("details", { open: true }, el("summary", { text: "System prompt" }), prose(systemPrompt)),
    renderMessages(messages),
    Array.isArray(tools) && el("details", {}, el("summary", { text: `Tools (${tools.length})` }), jsonTree(tools)),
    el("details", {}, el("summary", { text: "Preferences and limits" }), jsonTree(rest)),
    simple,
    json,
    error,
    actions(reply, reject, toggle),
  ];
}

function rawCard(question) {
  const json = el("textarea", {
    rows: "6",
    class: "mono",
    value: "{}",
    "aria-label": "Result as JSON",
    spellcheck: "false",
  });
  const reply = button(
    "Send result",
    () => {
      try {
        answer(question, { result: JSON.parse(json.value) });
      } catch {
        toast("Cannot send the result: it is not valid JSON");
      }
    },
    { class: "primary" },
  );
  return [
    jsonTree(question.params ?? {}),
    json,
    actions(
      reply,
      button("Decline", () => answer(question, { error: { code: -1, message: "User rejected the request" } })),
    ),
  ];
}
