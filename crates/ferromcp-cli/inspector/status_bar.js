// The state of the build, its errors, and the calls in flight.

import { post } from "./api.js";
import { cancel, running } from "./calls.js";
import { announce, button, el, fill, toast } from "./dom.js";
import { progressBar } from "./run_list.js";
import { on, store } from "./store.js";
import { duration, label, visible } from "./text.js";

/**
 * Creates the state of the build in the header, and the panel with the output of a failed build.
 * @param {HTMLElement} slot
 * @param {HTMLElement} panel
 */
export function createBuildState(slot, panel) {
  const badge = el("span", { class: "badge build-badge", role: "status" });
  const rebuild = button(
    "Rebuild",
    () => post("restart").catch((error) => toast(`Cannot rebuild: ${label(error.message, 300)}`)),
    { class: "small" },
  );
  fill(slot, badge, rebuild);
  let isDismissed = false;

  function refresh(previous) {
    const { status, generation, error, buildMs, url } = store.state;
    const failed = url ? "connection failed" : "build failed";
    const texts = {
      building: "building…",
      starting: "starting…",
      failed: generation === 0 ? failed : `${failed} · generation ${generation} still runs`,
      stopped: "stopped",
      running: `running · generation ${generation}${buildMs ? ` · built in ${duration(buildMs)}` : ""}`,
    };
    badge.textContent = texts[status] ?? label(status);
    badge.className = `badge build-badge ${{ running: "good", failed: "bad", building: "busy", starting: "busy" }[status] ?? ""}`;
    if (previous?.status !== status) {
      isDismissed = false;
      if (status === "failed") announce(url ? "The connection failed" : "The build failed");
    }
    panel.hidden = status !== "failed" || !error || isDismissed;
    if (!panel.hidden) {
      const hide = button(
        "Hide",
        () => {
          isDismissed = true;
          panel.hidden = true;
        },
        { class: "small" },
      );
      fill(
        panel,
        el("header", { class: "panel-head" }, el("h2", { text: url ? "Connection failed" : "Build failed" }), hide),
        el("pre", {
          class: "build-output",
          tabindex: "0",
          role: "group",
          "aria-label": "Output of the build",
          text: visible(error),
        }),
      );
    }
  }

  on("state", refresh);
  refresh();
  return {
    dismiss: () => {
      isDismissed = true;
      panel.hidden = true;
    },
  };
}

/**
 * Creates the list of the calls in flight, shown when the page shows other things.
 * @param {HTMLElement} dock
 */
export function createCallDock(dock) {
  /** @type {Map<string, {row: HTMLElement, bar: ReturnType<typeof progressBar>}>} */
  const rows = new Map();
  const update = (call) => {
    const isRunning = running.has(call.id);
    if (!call.shown) return;
    if (isRunning && !rows.has(call.id)) {
      const bar = progressBar(call);
      const row = el(
        "div",
        { class: "dock-row" },
        el("span", { class: "mono dock-name", text: label(call.name, 60) }),
        bar.element,
        button("Cancel", () => cancel(call.id), { class: "small", "aria-label": `Cancel ${label(call.name, 60)}` }),
      );
      rows.set(call.id, { row, bar });
      // Short calls do not flash.
      setTimeout(() => running.has(call.id) && (dock.append(row), (dock.hidden = false)), 400);
    } else if (!isRunning) {
      rows.get(call.id)?.row.remove();
      rows.delete(call.id);
    }
    rows.get(call.id)?.bar.update();
    dock.hidden = dock.childElementCount === 0;
  };
  on("calls", update);
  setInterval(() => rows.forEach(({ bar }) => bar.update()), 250);
}
