// The cards of calls: progress and Cancel while one runs, its result afterwards.

import { cancel, send } from "./calls.js";
import { renderError, announceOutcome } from "./content.js";
import { button, copyButton, el, fill } from "./dom.js";
import { on, store } from "./store.js";
import { curlCommand, mcpCommand } from "./shell.js";
import { duration, label, time } from "./text.js";

/** Maximum number of cards of a list. */
const MAX_CARDS = 20;

/** Updates of the cards that run. @type {Map<string, () => void>} */
const updates = new Map();
on("calls", (call) => updates.get(call.id)?.());
setInterval(() => updates.forEach((update) => update()), 250);

/**
 * Creates a progress bar of a call.
 * @param {Call} call
 */
export function progressBar(call) {
  const bar = el("progress", { "aria-label": `Progress of ${label(call.name, 80)}` });
  const text = el("span", { class: "muted mono" });
  return {
    element: el("div", { class: "progress" }, bar, text),
    update() {
      const { progress } = call;
      const elapsed = duration(Date.now() - call.started);
      if (progress && typeof progress.total === "number" && progress.total > 0) {
        bar.max = progress.total;
        bar.value = Math.min(progress.progress, progress.total);
      } else bar.removeAttribute("value");
      const numbers = progress
        ? `${progress.progress}${progress.total === null ? "" : ` of ${progress.total}`} · `
        : "";
      text.textContent = `${numbers}${progress?.message ? `${label(progress.message)} · ` : ""}${elapsed}`;
    },
  };
}

/**
 * Creates a list of calls.
 * @param {{render: (outcome: any) => Node}} options
 */
export function createRunList(options) {
  const element = el("div", { class: "runs" });

  /** Sends a request and shows its card. */
  function run(method, params, { name, timeout } = {}) {
    const { call, outcome } = send(method, params, { name, timeout, shown: true });
    const bar = progressBar(call);
    const status = el("span", { class: "badge", text: "running" });
    const stop = button("Cancel", () => cancel(call.id), { class: "small" });
    const body = el("div", { class: "card-body" }, bar.element);
    const copies = el("span", { class: "card-tools" }, ...copyButtons(method, params, call.connection));
    const card = el(
      "section",
      { class: "card run-card", "aria-label": `Call of ${label(name ?? method, 80)}` },
      el(
        "header",
        { class: "card-head" },
        status,
        el("span", { class: "muted", text: `${time(call.started)} · ${call.connection}` }),
        copies,
        stop,
      ),
      body,
    );
    element.prepend(card);
    while (element.childElementCount > MAX_CARDS) element.lastElementChild?.remove();
    updates.set(call.id, bar.update);
    bar.update();
    outcome.then((done) => {
      updates.delete(call.id);
      stop.replaceWith(button("Dismiss", () => card.remove(), { class: "small" }));
      const isBad = done.error || done.result?.isError === true;
      status.textContent = done.error
        ? done.error.message === "cancelled"
          ? "cancelled"
          : "error"
        : isBad
          ? "tool error"
          : "done";
      status.classList.add(isBad ? "bad" : "good");
      card.querySelector(".muted").textContent += ` · ${duration(done.duration)}`;
      fill(body, safeRender(done));
      announceOutcome(name ?? method, done);
    });
    return outcome;
  }

  function safeRender(done) {
    try {
      return options.render(done);
    } catch {
      return renderError({ code: null, message: "the result cannot be shown; see it in History" });
    }
  }

  return { element, run };
}

/**
 * Creates the buttons that copy a request as commands.
 * @param {string} method
 * @param {any} params
 * @param {string} connection
 */
export function copyButtons(method, params, connection) {
  const command = () => mcpCommand(store.state, method, params, connection) ?? "";
  const buttons = command() ? [copyButton("Copy as mcp", command)] : [];
  return [...buttons, copyButton("Copy as curl", () => curlCommand(store.state, { method, payload: { params } }))];
}
