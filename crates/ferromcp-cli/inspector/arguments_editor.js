// A form beside the JSON of its value, which follow each other, with errors at the fields.

import { button, el } from "./dom.js";
import { createForm } from "./form.js";
import { fitValue } from "./schema.js";
import { label, visible } from "./text.js";
import { validate } from "./validate.js";

/**
 * Creates the editor. `draft` is a value from before; the parts that fit the schema are used.
 * @param {any} schema
 * @param {{draft?: any, onChange?: (value: any) => void, sendDefaults?: boolean, label: string}} options
 */
export function createArgumentsEditor(schema, options) {
  let isTouched = false;
  let showsRequired = false;
  let fromJson = false;
  const json = el("textarea", {
    class: "mono json-input",
    rows: "8",
    spellcheck: "false",
    "aria-label": `${options.label} as JSON`,
  });
  const jsonError = el("p", { class: "field-error", role: "status", hidden: true });
  const summary = el("p", { class: "field-error", role: "status", hidden: true });
  const draft = options.draft === undefined ? undefined : safeFit(options.draft, schema);
  const form = createForm(schema, { onChange: () => changed(), sendDefaults: options.sendDefaults, initial: draft });
  const jsonPane = el("div", { class: "json-pane" }, el("h4", { text: "JSON" }), json, jsonError);
  const element = el("div", { class: "arguments" }, el("div", { class: "form-pane" }, form.element, summary), jsonPane);

  function read() {
    const problems = [];
    const value = form.get(problems);
    return { value, errors: [...problems, ...validate(value, schema)] };
  }

  function changed() {
    const { value, errors } = read();
    if (!fromJson) {
      json.value = JSON.stringify(value, null, 2) ?? "";
      showJsonError("");
    }
    // Empty fields are not reported before the first attempt to send.
    const isEmpty = (inner) => inner === undefined || inner === "" || (Array.isArray(inner) && inner.length === 0);
    if (isTouched) showErrors(showsRequired ? errors : errors.filter((error) => !isEmpty(valueAt(value, error.path))));
    options.onChange?.(value);
  }

  function showErrors(errors) {
    form.showErrors(errors);
    const own = errors.filter((error) => error.path === "");
    summary.textContent = own.map((error) => visible(error.message)).join("; ");
    summary.hidden = own.length === 0;
  }

  function showJsonError(text) {
    jsonError.textContent = text;
    jsonError.hidden = text === "";
    text ? json.setAttribute("aria-invalid", "true") : json.removeAttribute("aria-invalid");
  }

  json.addEventListener("input", () => {
    let value;
    try {
      value = JSON.parse(json.value);
    } catch (error) {
      return showJsonError(`This is not valid JSON: ${visible(error.message)}`);
    }
    showJsonError("");
    fromJson = true;
    form.set(value);
    changed();
    fromJson = false;
  });

  changed();
  isTouched = true;
  return {
    element,
    json,
    /** Returns the value, and its errors, which are shown too. */
    submit() {
      showsRequired = true;
      const { value, errors } = read();
      showErrors(errors);
      const invalidJson = !jsonError.hidden;
      if (errors.length > 0) element.querySelector(".field.invalid :is(input, textarea, select)")?.focus();
      return { value, errors: invalidJson ? [...errors, { path: "", message: "the JSON is not valid" }] : errors };
    },
    value: () => read().value,
    /** @param {any} value */
    set(value) {
      form.set(value);
      changed();
    },
    focus: () => form.focus(),
  };
}

function valueAt(value, path) {
  let found = value;
  for (const key of path.split("/").slice(1)) {
    if (found === null || typeof found !== "object") return undefined;
    found = found[key.replaceAll("~1", "/").replaceAll("~0", "~")];
  }
  return found;
}

function safeFit(value, schema) {
  try {
    return fitValue(value, schema, schema);
  } catch {
    return value;
  }
}

/**
 * Creates the row below an editor that appears when its value is invalid.
 * @param {() => void} onSend
 */
export function createInvalidNotice(onSend) {
  const text = el("span");
  const element = el(
    "div",
    { class: "banner bad invalid-notice", role: "status", hidden: true },
    text,
    button("Send anyway", () => onSend(), { class: "small" }),
  );
  return {
    element,
    /** @param {{path: string, message: string}[]} errors */
    show(errors) {
      element.hidden = errors.length === 0;
      text.textContent = errors
        .slice(0, 3)
        .map((error) => `${label(error.path || "The value", 100)} ${label(error.message, 200)}`)
        .join("; ");
    },
  };
}
