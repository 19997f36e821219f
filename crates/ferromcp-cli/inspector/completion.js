// A text field with suggestions of the server (`completion/complete`), as a combobox.

import { request } from "./calls.js";
import { el, fill, uniqueId } from "./dom.js";
import { currentConnection } from "./store.js";
import { label } from "./text.js";

/** Delay after a key before suggestions are requested, in milliseconds. */
const DELAY = 150;

/** Maximum number of suggestions. */
const MAX_VALUES = 100;

/**
 * Creates the field.
 * @param {{label: string, description?: string, required?: boolean, ref: object, name: string, others: () => Record<string, string>, onChange: () => void, value?: string}} options
 */
export function createCompletionField(options) {
  const [id, listId, aboutId] = [uniqueId("complete"), uniqueId("values"), uniqueId("about")];
  let [values, active, serial, timer] = [[], -1, 0, 0];
  const input = el("input", {
    type: "text",
    id,
    role: "combobox",
    "aria-expanded": "false",
    "aria-controls": listId,
    "aria-autocomplete": "list",
    "aria-describedby": aboutId,
    autocomplete: "off",
    spellcheck: "false",
    value: options.value ?? "",
  });
  const popup = el("ul", {
    class: "suggestions",
    id: listId,
    role: "listbox",
    "aria-label": `Suggestions for ${options.label}`,
    hidden: true,
  });
  const about = el("p", { class: "field-description", id: aboutId, text: `${options.description ?? ""}` });
  const head = el(
    "div",
    { class: "field-head" },
    el("label", { class: "field-name", for: id, text: options.label }),
    options.required && el("span", { class: "required", title: "required", "aria-hidden": "true", text: "*" }),
    el("span", {
      class: "field-type",
      text: options.ref.type === "ref/resource" ? "variable" : options.required ? "required" : "optional",
    }),
  );
  const element = el(
    "div",
    { class: "field" },
    head,
    options.description && about,
    el("div", { class: "combo" }, input, popup),
  );

  function render() {
    popup.hidden = values.length === 0;
    input.setAttribute("aria-expanded", String(values.length > 0));
    fill(
      popup,
      ...values.map((value, index) =>
        el("li", {
          role: "option",
          id: `${listId}-${index}`,
          "aria-selected": String(index === active),
          text: label(value),
          on: {
            mousedown: (event) => {
              event.preventDefault();
              choose(index);
            },
          },
        }),
      ),
    );
    if (active >= 0) input.setAttribute("aria-activedescendant", `${listId}-${active}`);
    else input.removeAttribute("aria-activedescendant");
  }

  function close() {
    serial += 1;
    clearTimeout(timer);
    [values, active] = [[], -1];
    render();
  }

  function choose(index) {
    input.value = values[index];
    close();
    options.onChange();
  }

  async function complete() {
    if (!currentConnection().capabilities?.completions) return;
    const own = (serial += 1);
    const others = options.others();
    const params = { ref: options.ref, argument: { name: options.name, value: input.value } };
    if (Object.keys(others).length > 0) params.context = { arguments: others };
    try {
      const { completion } = await request("completion/complete", params);
      if (own !== serial || document.activeElement !== input) return;
      const found = Array.isArray(completion?.values) ? completion.values : [];
      values = found.filter((value) => typeof value === "string" && value !== input.value).slice(0, MAX_VALUES);
      active = -1;
      render();
    } catch {
      // A server without completions for this argument; the history shows the error.
    }
  }

  const schedule = () => {
    clearTimeout(timer);
    timer = setTimeout(complete, DELAY);
  };
  input.addEventListener("input", () => {
    options.onChange();
    schedule();
  });
  input.addEventListener("focus", schedule);
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && values.length > 0) {
      close();
      event.stopPropagation();
    } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && values.length > 0) {
      active = (active + (event.key === "ArrowDown" ? 1 : -1) + values.length) % values.length;
      render();
    } else if (event.key === "Enter" && active >= 0 && !event.ctrlKey) choose(active);
    else return;
    event.preventDefault();
  });
  return {
    element,
    name: options.name,
    required: options.required,
    value: () => input.value,
    focus: () => input.focus(),
  };
}
