// Forms of JSON schemas. A field is {element, get(problems, path), set(value), showErrors(errors, path), focus()}.
//
// Optional fields have a checkbox "Send"; a field without it is not part of the value. Nested optional fields are created
// when they are sent, so recursive schemas are expanded on demand.

import { button, el, fill, select, uniqueId } from "./dom.js";
import { choiceEditor, constEditor, multiEditor, numberEditor, rawEditor, stringEditor } from "./field_editors.js";
import { createFieldParts } from "./field_parts.js";
import { describe, initialValue } from "./schema.js";
import { label, visible } from "./text.js";
import { validate } from "./validate.js";

/** Depth below which required groups are created on demand too. */
const MAX_EAGER_DEPTH = 6;

/** Maximum number of fields that are created at once. */
const MAX_FIELDS = 200;

/** Maximum number of items and members that a form shows. */
const MAX_ENTRIES = 500;

const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
const escapePointer = (key) => key.replaceAll("~", "~0").replaceAll("/", "~1");

/** The editors by the kind of the field. */
const EDITORS = {
  string: stringEditor,
  number: numberEditor,
  integer: numberEditor,
  boolean: choiceEditor,
  enum: choiceEditor,
  multi: multiEditor,
  const: constEditor,
  null: constEditor,
  raw: rawEditor,
  object: objectEditor,
  array: arrayEditor,
  tuple: arrayEditor,
  union: unionEditor,
};
const GROUPS = new Set(["object", "array", "tuple", "union", "multi"]);

/**
 * Creates the form of a schema.
 * @param {any} schema
 * @param {{onChange: () => void, sendDefaults?: boolean, initial?: any}} options
 */
export function createForm(schema, options) {
  const budget = { fields: MAX_FIELDS };
  const onChange = () => {
    budget.fields = MAX_FIELDS;
    options.onChange();
  };
  const context = {
    root: schema,
    depth: 0,
    isBare: false,
    budget,
    sendDefaults: options.sendDefaults ?? false,
    onChange,
  };
  const model = safeDescribe(schema, schema);
  const own = {
    ...context,
    id: uniqueId("form"),
    labelId: undefined,
    describedBy: undefined,
    onEdit: onChange,
    schema,
  };
  const editor = (EDITORS[model.kind] ?? rawEditor)(model, own);
  // The fields of an object begin with their own values.
  if (options.initial !== undefined) editor.set(options.initial);
  else if (model.kind !== "object") editor.set(safeInitial(schema, schema));
  return {
    element: el("div", { class: "form" }, editor.element),
    get: (problems) => editor.get(problems, ""),
    set(value) {
      budget.fields = MAX_FIELDS;
      editor.set(value);
    },
    showErrors: (errors) => editor.showErrors?.(errors, ""),
    focus: () => editor.focus(),
  };
}

function safeDescribe(schema, root) {
  try {
    return describe(schema, root);
  } catch {
    return { kind: "raw", schema: {}, nullable: false };
  }
}

function safeInitial(schema, root) {
  try {
    return initialValue(schema, root);
  } catch {
    return undefined;
  }
}

/** Creates a field: its label, description, limits, checkboxes, editor and error. */
function createField(schema, name, required, context) {
  const model = safeDescribe(schema, context.root);
  const parts = createFieldParts(model, name, { required, isGroup: GROUPS.has(model.kind), isBare: context.isBare });
  const { element, body, error, send, nullBox, id, labelId } = parts;
  const isGroup = GROUPS.has(model.kind);
  let [editor, isNull] = [null, false];
  let sent = required;

  function build(value) {
    if (editor === null) {
      const own = {
        ...context,
        isBare: false,
        depth: context.depth + 1,
        id,
        labelId,
        describedBy: parts.describedBy,
        onEdit,
        schema,
      };
      try {
        editor = (EDITORS[model.kind] ?? rawEditor)(model, own);
      } catch {
        editor = rawEditor(model, own);
      }
      fill(body, editor.element);
    }
    editor.set(value);
  }

  /** Creates the button that shows a nested field: a recursive schema may require fields without end. */
  function createEditButton() {
    const edit = () => {
      context.budget.fields = MAX_FIELDS;
      build(safeInitial(schema, context.root));
      context.onChange();
    };
    return button("Edit", edit, { class: "small", "aria-label": `Edit ${label(name, 80)}` });
  }

  function onEdit() {
    if (!required && !sent && editor !== null) sent = !editor.isEmpty?.();
    update();
    context.onChange();
  }

  function update() {
    send.checked = sent;
    nullBox.checked = isNull;
    element.classList.toggle("unsent", !sent);
    body.hidden = isNull || (isGroup && !sent);
  }

  send.addEventListener("change", () => {
    sent = send.checked;
    if (sent && editor === null) build(safeInitial(schema, context.root));
    else if (sent && editor.isEmpty?.()) editor.set(safeInitial(schema, context.root));
    update();
    context.onChange();
  });
  nullBox.addEventListener("change", () => {
    isNull = nullBox.checked;
    sent = required || isNull || sent;
    update();
    context.onChange();
  });

  context.budget.fields -= 1;
  const isEager = context.budget.fields > 0 && (!isGroup || context.depth < MAX_EAGER_DEPTH);
  if (context.sendDefaults && isObject(model.schema) && model.schema.default !== undefined) sent = true;
  if (isEager && (sent || !isGroup)) {
    build(required || context.sendDefaults ? safeInitial(schema, context.root) : undefined);
  } else if (sent) fill(body, createEditButton());
  update();

  return {
    element,
    get(problems, path) {
      if (!sent) return undefined;
      if (isNull) return null;
      return editor?.get(problems, path);
    },
    set(value) {
      isNull = value === null && model.nullable;
      sent = required || value !== undefined;
      if (!isNull && (value !== undefined || editor !== null)) build(value);
      update();
    },
    showErrors(errors, path) {
      const own = errors.filter((each) => each.path === path);
      error.textContent = own.map((each) => visible(each.message)).join("; ");
      error.hidden = own.length === 0;
      element.classList.toggle("invalid", own.length > 0);
      const input = body.querySelector(`#${CSS.escape(id)}`);
      if (input) own.length > 0 ? input.setAttribute("aria-invalid", "true") : input.removeAttribute("aria-invalid");
      editor?.showErrors?.(errors, path);
    },
    focus: () => editor?.focus(),
    name,
  };
}

/** Creates an editor of an object: its properties, and further members if the schema allows them. */
function objectEditor(model, context) {
  const fields = model.properties
    .slice(0, MAX_ENTRIES)
    .map(({ name, schema, required }) => createField(schema, name, required, context));
  const known = new Set(fields.map((field) => field.name));
  const allowsMore = model.additional !== false && model.additional !== undefined;
  const extra = allowsMore ? mapEditor(model.additional, context, known) : null;
  // Members that the schema does not allow; they are sent as they are, and the check reports them.
  let rest = {};
  const isEmpty = fields.length === 0 && !extra;
  const element = el(
    "div",
    { class: "object" },
    ...fields.map((field) => field.element),
    extra?.element,
    isEmpty && el("p", { class: "muted", text: "No arguments." }),
  );
  return {
    element,
    get(problems, path) {
      const value = {};
      for (const field of fields) {
        const inner = field.get(problems, `${path}/${escapePointer(field.name)}`);
        if (inner !== undefined) value[field.name] = inner;
      }
      return { ...value, ...extra?.get(problems, path), ...rest };
    },
    set(value) {
      const members = isObject(value) ? value : {};
      for (const field of fields) field.set(Object.hasOwn(members, field.name) ? members[field.name] : undefined);
      const others = Object.fromEntries(Object.entries(members).filter(([key]) => !known.has(key)));
      rest = extra ? {} : others;
      extra?.set(others);
    },
    showErrors(errors, path) {
      for (const field of fields) field.showErrors(errors, `${path}/${escapePointer(field.name)}`);
      extra?.showErrors(errors, path);
    },
    focus: () => fields[0]?.focus(),
  };
}

/** Creates an editor of members with any name. */
function mapEditor(schema, context, known) {
  let entries = [];
  const rows = el("div", { class: "entries" });
  const add = button(
    "Add member",
    () => {
      entries.push(createEntry("", undefined));
      render();
      entries.at(-1).key.focus();
      context.onChange();
    },
    { class: "small" },
  );

  function createEntry(key, value) {
    const input = el("input", {
      type: "text",
      class: "mono",
      value: key,
      placeholder: "name",
      "aria-label": "Name of the member",
      autocomplete: "off",
      on: { input: context.onChange },
    });
    const field = createField(schema, "value", true, { ...context, depth: context.depth + 1 });
    if (value !== undefined) field.set(value);
    const entry = { key: input, field, row: null };
    entry.row = el(
      "div",
      { class: "entry" },
      input,
      field.element,
      button(
        "Remove",
        () => {
          entries = entries.filter((each) => each !== entry);
          render();
          context.onChange();
        },
        { class: "small", "aria-label": "Remove this member" },
      ),
    );
    return entry;
  }

  const render = () => fill(rows, ...entries.map((entry) => entry.row));
  return {
    element: el("div", { class: "map" }, rows, add),
    get(problems, path) {
      const value = {};
      for (const { key, field } of entries) {
        if (key.value === "" || key.value === "__proto__") continue;
        if (known.has(key.value) || Object.hasOwn(value, key.value))
          problems.push({ path, message: `has the member ${key.value} twice` });
        const inner = field.get(problems, `${path}/${escapePointer(key.value)}`);
        if (inner !== undefined) value[key.value] = inner;
      }
      return value;
    },
    set(value) {
      entries = Object.entries(value)
        .slice(0, MAX_ENTRIES)
        .map(([key, inner]) => createEntry(key, inner));
      render();
    },
    showErrors(errors, path) {
      for (const { key, field } of entries) field.showErrors(errors, `${path}/${escapePointer(key.value)}`);
    },
  };
}

/** Creates an editor of an array or a tuple, whose items can be added, removed and moved. */
function arrayEditor(model, context) {
  const prefix = model.kind === "tuple" ? model.prefix : [];
  let items = [];
  const rows = el("div", { class: "entries" });
  const canAdd = model.items !== false;
  const schemaAt = (index) => (index < prefix.length ? prefix[index] : model.items);
  const add = button(
    "Add item",
    () => {
      if (items.length < MAX_ENTRIES) items.push(createItem(items.length, undefined));
      render();
      items.at(-1)?.field.focus();
      context.onChange();
    },
    { class: "small" },
  );

  function createItem(index, value) {
    const field = createField(schemaAt(index), `${index + 1}`, true, context);
    if (value !== undefined) field.set(value);
    const item = { field, row: null };
    const at = () => items.indexOf(item);
    const change = (work) => () => {
      work();
      render();
      context.onChange();
    };
    const tools =
      index < prefix.length
        ? null
        : el(
            "div",
            { class: "entry-tools" },
            button(
              "↑",
              change(() => move(at(), at() - 1)),
              { class: "small", "aria-label": "Move up" },
            ),
            button(
              "↓",
              change(() => move(at(), at() + 1)),
              { class: "small", "aria-label": "Move down" },
            ),
            button(
              "Remove",
              change(() => items.splice(at(), 1)),
              { class: "small", "aria-label": "Remove this item" },
            ),
          );
    item.row = el("div", { class: "entry" }, field.element, tools);
    return item;
  }

  function move(from, to) {
    if (to < prefix.length || to >= items.length) return;
    const [item] = items.splice(from, 1);
    items.splice(to, 0, item);
  }

  function render() {
    fill(rows, ...items.map((item) => item.row));
    items.forEach((item, index) => {
      const name = item.row.querySelector(".field-name");
      if (name) name.textContent = `${index + 1}`;
    });
  }

  return {
    element: el("div", { class: "array" }, rows, canAdd && add),
    isEmpty: () => items.length === 0,
    get: (problems, path) => items.map((item, index) => item.field.get(problems, `${path}/${index}`) ?? null),
    set(value) {
      const values = Array.isArray(value) ? value.slice(0, MAX_ENTRIES) : [];
      while (values.length < prefix.length) values.push(undefined);
      items = values.map((inner, index) => createItem(index, inner));
      render();
    },
    showErrors(errors, path) {
      items.forEach((item, index) => item.field.showErrors(errors, `${path}/${index}`));
    },
    focus: () => (items[0] ? items[0].field.focus() : add.focus()),
  };
}

/** Creates an editor that chooses one of several forms. */
function unionEditor(model, context) {
  const choices = model.branches.map((branch, index) => ({ value: String(index), label: label(branch.label) }));
  const chooser = select(choices, { id: context.id, class: "branch", "aria-label": "Form of the value" });
  const body = el("div", { class: "branch-body" });
  let field = null;
  function choose(index, value) {
    chooser.value = String(index);
    field = createField(model.branches[index].schema, model.branches[index].label, true, { ...context, isBare: true });
    if (value !== undefined) field.set(value);
    fill(body, field.element);
  }
  chooser.addEventListener("change", () => {
    choose(Number(chooser.value), undefined);
    context.onEdit();
  });
  choose(0, undefined);
  return {
    element: el("div", { class: "union" }, chooser, body),
    get: (problems, path) => field.get(problems, path),
    set(value) {
      if (value === undefined) return;
      const counts = model.branches.map((branch) => validate(value, branch.schema, context.root).length);
      const current = Number(chooser.value);
      const best = counts.indexOf(Math.min(...counts));
      choose(counts[current] === counts[best] ? current : best, value);
    },
    showErrors: (errors, path) => field.showErrors(errors, path),
    focus: () => chooser.focus(),
  };
}
