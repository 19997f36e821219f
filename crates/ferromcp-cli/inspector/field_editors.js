// Editors of single values: text, numbers, choices, constants and raw JSON.
//
// An editor is {element, get(problems, path), set(value), focus()}. `get` returns the value, or `undefined` if there is none;
// text that is not valid JSON is reported in `problems`.

import { el, select, uniqueId } from "./dom.js";
import { label, visible } from "./text.js";

/** Common properties of an input. */
function inputProps(context) {
  return {
    id: context.id,
    "aria-describedby": context.describedBy,
    autocomplete: "off",
    spellcheck: "false",
    autocapitalize: "off",
  };
}

const placeholderOf = (schema) => {
  if (schema.default !== undefined) return `default: ${label(schema.default, 80)}`;
  const example = Array.isArray(schema.examples) ? schema.examples[0] : undefined;
  return example === undefined ? undefined : `for example ${label(example, 80)}`;
};

/** Creates an editor of text. */
export function stringEditor(model, context) {
  const types = { email: "email", uri: "url", date: "date", "date-time": "datetime-local" };
  const type = Object.hasOwn(types, model.schema.format) ? types[model.schema.format] : null;
  const props = { ...inputProps(context), placeholder: placeholderOf(model.schema) };
  const input = type ? el("input", { ...props, type }) : el("textarea", { ...props, rows: "1" });
  if (type === "datetime-local") input.step = "1";
  input.addEventListener("input", context.onEdit);
  const isDateTime = type === "datetime-local";
  return {
    element: input,
    isEmpty: () => input.value === "",
    get: () => (input.value === "" && type !== null ? undefined : isDateTime ? toInstant(input.value) : input.value),
    set(value) {
      const text = typeof value === "string" ? value : value === undefined ? "" : JSON.stringify(value);
      input.value = isDateTime ? toLocal(text) : text;
    },
    focus: () => input.focus(),
  };
}

/** Converts the local time of an input to UTC. */
function toInstant(text) {
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? text : date.toISOString().replace(".000Z", "Z");
}

function toLocal(text) {
  const date = new Date(text);
  if (text === "" || Number.isNaN(date.getTime())) return "";
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}

/** Creates an editor of a number. Text that is not a number is returned as text, so that the check reports it. */
export function numberEditor(model, context) {
  const input = el("input", {
    ...inputProps(context),
    type: "text",
    inputmode: model.kind === "integer" ? "numeric" : "decimal",
    class: "number",
    placeholder: placeholderOf(model.schema),
  });
  input.addEventListener("input", context.onEdit);
  return {
    element: input,
    isEmpty: () => input.value.trim() === "",
    get() {
      const text = input.value.trim();
      if (text === "") return undefined;
      const number = Number(text);
      return Number.isFinite(number) ? number : text;
    },
    set: (value) => (input.value = value === undefined ? "" : typeof value === "number" ? String(value) : label(value)),
    focus: () => input.focus(),
  };
}

/** Creates an editor with a fixed list of values. */
export function choiceEditor(model, context) {
  const options =
    model.kind === "boolean" ? [true, false].map((value) => ({ value, label: String(value) })) : model.options;
  const choices = [
    { value: "", label: "—" },
    ...options.map((option, index) => ({ value: String(index), label: label(option.label) })),
  ];
  const input = select(choices, { id: context.id, "aria-describedby": context.describedBy });
  input.addEventListener("change", context.onEdit);
  const indexOf = (value) => options.findIndex((option) => JSON.stringify(option.value) === JSON.stringify(value));
  return {
    element: input,
    isEmpty: () => input.value === "",
    get: () => (input.value === "" ? undefined : options[Number(input.value)].value),
    set(value) {
      const index = value === undefined ? -1 : indexOf(value);
      input.value = index < 0 ? "" : String(index);
    },
    focus: () => input.focus(),
  };
}

/** Creates an editor that selects several of a list of values. */
export function multiEditor(model, context) {
  const boxes = model.options.map((option) => {
    const id = uniqueId("box");
    const input = el("input", { type: "checkbox", id, on: { change: context.onEdit } });
    return { input, value: option.value, row: el("label", { class: "check", for: id }, input, label(option.label)) };
  });
  return {
    element: el(
      "div",
      { class: "checks", role: "group", id: context.id, "aria-labelledby": context.labelId },
      ...boxes.map((box) => box.row),
    ),
    isEmpty: () => boxes.every((box) => !box.input.checked),
    get: () => boxes.filter((box) => box.input.checked).map((box) => box.value),
    set(value) {
      const texts = new Set((Array.isArray(value) ? value : []).map((item) => JSON.stringify(item)));
      for (const box of boxes) box.input.checked = texts.has(JSON.stringify(box.value));
    },
    focus: () => boxes[0]?.input.focus(),
  };
}

/** Creates the display of a constant. */
export function constEditor(model) {
  const value = model.kind === "null" ? null : model.schema.const;
  return {
    element: el("code", { class: "const", text: label(JSON.stringify(value), 300) }),
    isEmpty: () => false,
    get: () => value,
    set: () => {},
    focus: () => {},
  };
}

/** Creates an editor of JSON, for schemas that no other editor supports. */
export function rawEditor(_model, context) {
  const input = el("textarea", { ...inputProps(context), rows: "3", class: "mono", placeholder: "JSON" });
  input.addEventListener("input", context.onEdit);
  return {
    element: input,
    isEmpty: () => input.value.trim() === "",
    get(problems, path) {
      if (input.value.trim() === "") return undefined;
      try {
        return JSON.parse(input.value);
      } catch (error) {
        problems.push({ path, message: `is not valid JSON: ${visible(error.message)}` });
        return undefined;
      }
    },
    set: (value) => (input.value = value === undefined ? "" : JSON.stringify(value, null, 2)),
    focus: () => input.focus(),
  };
}
