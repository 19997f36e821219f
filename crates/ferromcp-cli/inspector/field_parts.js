// The parts of a field around its editor: label, type, limits, description, checkboxes and error.

import { el, uniqueId } from "./dom.js";
import { limits } from "./schema.js";
import { label, visible } from "./text.js";

/** Maximum number of characters of a description. */
const MAX_DESCRIPTION = 4000;

/** Kinds whose editor has no input that a label could name. */
const WITHOUT_INPUT = new Set(["const", "null"]);

/**
 * Creates the parts.
 * @param {FieldModel} model
 * @param {string} name
 * @param {{required: boolean, isGroup: boolean, isBare: boolean}} options a bare field shows no label
 */
export function createFieldParts(model, name, { required, isGroup, isBare }) {
  const [id, labelId, aboutId, errorId] = ["field", "label", "about", "error"].map(uniqueId);
  const isLabel = !isGroup && !WITHOUT_INPUT.has(model.kind);
  const title = el(
    isLabel ? "label" : "span",
    { id: labelId, class: "field-name", for: isLabel ? id : undefined },
    label(name),
  );
  const send = el("input", { type: "checkbox", "aria-label": `Send ${label(name, 80)}`, title: "Send this field" });
  const nullBox = el("input", { type: "checkbox", "aria-label": `Send null as ${label(name, 80)}` });
  const error = el("p", { class: "field-error", id: errorId, hidden: true });
  const body = el("div", { class: "field-body" });
  const types = [typeName(model), ...limits(model.schema).map((limit) => label(limit, 120))].join(" · ");
  const star = el("span", { class: "required", title: "required", "aria-hidden": "true", text: "*" });
  const head = el(
    "div",
    { class: isBare ? "visually-hidden" : "field-head" },
    required ? null : send,
    title,
    required && star,
    el("span", { class: "field-type", text: types }),
    model.nullable && el("label", { class: "check null-check" }, nullBox, "null"),
  );
  const about = el(
    "div",
    { id: aboutId, class: "field-about" },
    description(model, name),
    el("span", { class: "visually-hidden", text: `${types}${required ? ", required" : ""}` }),
  );
  const group = isGroup ? { role: "group", "aria-labelledby": labelId } : {};
  const element = el("div", { class: isGroup ? "field group" : "field", ...group }, head, about, body, error);
  return { element, body, error, send, nullBox, id, labelId, describedBy: `${aboutId} ${errorId}` };
}

function description(model, name) {
  const texts = [model.title === name ? undefined : model.title, model.description].filter(Boolean);
  if (texts.length === 0) return null;
  return el("p", { class: "field-description", text: visible(texts.join(" — ").slice(0, MAX_DESCRIPTION)) });
}

function typeName(model) {
  const names = {
    multi: "several of a list",
    enum: "one of a list",
    raw: "JSON",
    union: "one of several forms",
    tuple: "fixed list",
    const: "constant",
  };
  return names[model.kind] ?? model.kind;
}
