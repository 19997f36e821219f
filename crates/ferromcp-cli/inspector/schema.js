// Models of forms: describes a JSON schema as the kind of field that edits its values.

/** Maximum number of references that are followed for one schema. */
const MAX_REFERENCES = 32;

/** Maximum number of schemas of an `allOf` that are merged. */
const MAX_MERGED = 64;

/** Maximum number of choices and branches. */
const MAX_CHOICES = 1000;

/** Maximum number of values of one initial value: a recursive schema may require members without end. */
const MAX_INITIAL = 100;

/** Keys of objects that no form may set. */
const isUnsafe = (key) => key === "__proto__";

/**
 * @typedef {object} FieldModel
 * @property {"string"|"number"|"integer"|"boolean"|"enum"|"multi"|"const"|"null"|"object"|"array"|"tuple"|"union"|"raw"} kind
 * @property {any} schema the resolved schema
 * @property {string} [title]
 * @property {string} [description]
 * @property {boolean} nullable
 * @property {{value: any, label: string}[]} [options] of enum and multi
 * @property {{label: string, schema: any}[]} [branches] of union
 * @property {{name: string, schema: any, required: boolean}[]} [properties] of object
 * @property {any} [additional] schema of further members of an object, or false
 * @property {any[]} [prefix] of tuple
 * @property {any} [items] of array and tuple
 */

const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);

/**
 * Follows `$ref` within the root, and merges `allOf`.
 * @param {any} schema
 * @param {any} root
 * @returns {any} a schema without `$ref` at its top, or `{}`
 */
export function resolve(schema, root) {
  let current = schema;
  for (let step = 0; step < MAX_REFERENCES; step += 1) {
    if (!isObject(current) || typeof current.$ref !== "string") return merge(current, root);
    const { $ref, ...siblings } = current;
    const target = lookUp($ref, root);
    if (target === undefined) return siblings;
    current = isObject(target) ? { ...target, ...siblings } : target;
    if (isObject(current) && current.$ref === $ref) return {};
  }
  return {};
}

/** Returns the schema that a reference names, or `undefined`. */
function lookUp(reference, root) {
  if (!reference.startsWith("#")) return undefined;
  if (reference !== "#" && !reference.startsWith("#/")) return undefined;
  let found = root;
  for (const part of reference.split("/").slice(1)) {
    let key;
    try {
      key = decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~");
    } catch {
      return undefined;
    }
    if (found === null || typeof found !== "object" || !Object.hasOwn(found, key)) return undefined;
    found = found[key];
  }
  return found;
}

function merge(schema, root) {
  if (!isObject(schema) || !Array.isArray(schema.allOf)) return schema;
  const { allOf, ...rest } = schema;
  if (allOf.length > MAX_MERGED) return rest;
  const merged = { ...rest };
  for (const part of allOf) {
    const { $ref, ...siblings } = isObject(part) ? part : {};
    const target = typeof $ref === "string" ? lookUp($ref, root) : undefined;
    const resolved = isObject(target) ? { ...target, ...siblings } : siblings;
    for (const [key, value] of Object.entries(resolved)) {
      if (key === "properties") merged.properties = { ...value, ...merged.properties };
      else if (key === "required") merged.required = [...new Set([...list(merged.required), ...list(value)])];
      else if (!(key in merged)) merged[key] = value;
    }
  }
  return merged;
}

const list = (value) => (Array.isArray(value) ? value : []);

/**
 * Describes the field of a schema.
 * @param {any} schema
 * @param {any} root
 * @returns {FieldModel}
 */
export function describe(schema, root) {
  const resolved = resolve(schema, root);
  if (!isObject(resolved)) return { kind: "raw", schema: resolved, nullable: false };
  const title = typeof resolved.title === "string" ? resolved.title : undefined;
  const description = typeof resolved.description === "string" ? resolved.description : undefined;
  const model = { title, description, nullable: false, schema: resolved, ...kindOf(resolved, root) };
  return { ...model, title: title ?? model.title, description: description ?? model.description };
}

function kindOf(schema, root) {
  if ("const" in schema) return { kind: schema.const === null ? "null" : "const" };
  if (Array.isArray(schema.enum) && schema.enum.length <= MAX_CHOICES) return enumKind(schema);
  const branches = schema.oneOf ?? schema.anyOf;
  if (Array.isArray(branches) && branches.length > 0 && branches.length <= MAX_CHOICES) {
    return unionKind(schema, branches, root);
  }
  const types = Array.isArray(schema.type) ? schema.type : [schema.type ?? guessType(schema)];
  const others = types.filter((type) => type !== "null");
  if (others.length > 1) {
    const { type, ...rest } = schema;
    const split = others.map((each) => ({ label: String(each), schema: { ...rest, type: each, title: undefined } }));
    return { kind: "union", branches: split, nullable: types.includes("null") };
  }
  const nullable = types.length > others.length && others.length === 1;
  return { nullable, ...typeKind(others[0] ?? types[0], schema, root) };
}

function enumKind(schema) {
  const names = list(schema.enumNames);
  const options = schema.enum.map((value, index) => ({ value, label: optionLabel(value, names[index]) }));
  const rest = options.filter(({ value }) => value !== null);
  return { kind: "enum", options: rest, nullable: rest.length < options.length };
}

const optionLabel = (value, title) =>
  typeof title === "string" ? title : typeof value === "string" ? value : JSON.stringify(value);

function unionKind(schema, branches, root) {
  const resolved = branches.map((branch) => resolve(branch, root));
  const isNull = (branch) =>
    isObject(branch) && (branch.type === "null" || ("const" in branch && branch.const === null));
  const others = branches.filter((_, index) => !isNull(resolved[index]));
  const nullable = others.length < branches.length;
  const kept = resolved.filter((branch) => !isNull(branch));
  if (kept.length > 0 && kept.every((branch) => isObject(branch) && "const" in branch)) {
    const options = kept.map((branch) => ({ value: branch.const, label: optionLabel(branch.const, branch.title) }));
    return { kind: "enum", options, nullable };
  }
  const { oneOf, anyOf, title, description, default: _default, ...base } = schema;
  const combine = (branch) => {
    const inner = resolve(branch, root);
    return isObject(inner) && Object.keys(base).length > 0 ? withBase(inner, base) : branch;
  };
  if (others.length === 1) return { ...describe(combine(others[0]), root), nullable };
  const labels = others.map((branch, index) => branchLabel(resolve(branch, root), branch, index));
  return {
    kind: "union",
    nullable,
    branches: others.map((branch, index) => ({ label: labels[index], schema: combine(branch) })),
  };
}

/** Adds the keywords beside `oneOf` to a branch. */
function withBase(branch, base) {
  const properties = { ...base.properties, ...branch.properties };
  const required = [...new Set([...list(base.required), ...list(branch.required)])];
  const merged = { ...base, ...branch };
  if (base.properties) Object.assign(merged, { properties, required });
  return merged;
}

function branchLabel(schema, branch, index) {
  if (!isObject(schema)) return `Choice ${index + 1}`;
  if (typeof schema.title === "string") return schema.title;
  if (typeof branch.$ref === "string") return branch.$ref.split("/").at(-1) || `Choice ${index + 1}`;
  const tag = Object.entries(isObject(schema.properties) ? schema.properties : {}).find(
    ([, it]) => isObject(it) && "const" in it,
  );
  if (tag) return `${tag[0]}: ${optionLabel(tag[1].const)}`;
  if ("const" in schema) return optionLabel(schema.const);
  return typeof schema.type === "string" ? schema.type : `Choice ${index + 1}`;
}

function guessType(schema) {
  if (isObject(schema.properties) || "additionalProperties" in schema || Array.isArray(schema.required))
    return "object";
  if ("items" in schema || "prefixItems" in schema) return "array";
  if ("pattern" in schema || "format" in schema || "minLength" in schema) return "string";
  if ("minimum" in schema || "maximum" in schema || "multipleOf" in schema) return "number";
  return undefined;
}

function typeKind(type, schema, root) {
  switch (type) {
    case "string":
    case "number":
    case "integer":
    case "boolean":
    case "null":
      return { kind: type };
    case "object":
      return objectKind(schema);
    case "array":
      return arrayKind(schema, root);
    default:
      return { kind: "raw" };
  }
}

function objectKind(schema) {
  const required = new Set(list(schema.required));
  const names = isObject(schema.properties) ? Object.keys(schema.properties).filter((name) => !isUnsafe(name)) : [];
  const properties = names.map((name) => ({ name, schema: schema.properties[name], required: required.has(name) }));
  const fallback = names.length === 0 && !("properties" in schema) ? {} : false;
  let additional =
    schema.additionalProperties ??
    (isObject(schema.patternProperties) ? Object.values(schema.patternProperties)[0] : fallback);
  if (additional === true) additional = {};
  return { kind: "object", properties, additional };
}

function arrayKind(schema, root) {
  if (Array.isArray(schema.prefixItems) && schema.prefixItems.length <= MAX_CHOICES) {
    return { kind: "tuple", prefix: schema.prefixItems, items: schema.items ?? {} };
  }
  const items = schema.items ?? {};
  if (Array.isArray(items)) return { kind: "raw" };
  const model = isObject(items) && (items.enum || items.oneOf || items.anyOf) ? describe(items, root) : null;
  if (model?.kind === "enum" && schema.uniqueItems !== false && (schema.uniqueItems || model.options.length <= 12)) {
    return { kind: "multi", options: model.options };
  }
  return { kind: "array", items };
}

/**
 * Returns the limits of a schema as short texts, for example `1 – 8` or `pattern ^a`.
 * @param {any} schema
 * @returns {string[]}
 */
export function limits(schema) {
  if (!isObject(schema)) return [];
  const texts = [];
  const known = (value) => (typeof value === "number" || typeof value === "string" ? value : undefined);
  const range = (lowest, highest, unit) => {
    const [low, high] = [known(lowest), known(highest)];
    const units = (number) => (unit === "" ? "" : ` ${unit}${number === 1 ? "" : "s"}`);
    if (low !== undefined && high !== undefined)
      texts.push(low === high ? `${low}${units(low)}` : `${low} – ${high}${units(high)}`);
    else if (low !== undefined) texts.push(`≥ ${low}${units(low)}`);
    else if (high !== undefined) texts.push(`≤ ${high}${units(high)}`);
  };
  range(schema.minimum, schema.maximum, "");
  if (known(schema.exclusiveMinimum) !== undefined) texts.push(`> ${schema.exclusiveMinimum}`);
  if (known(schema.exclusiveMaximum) !== undefined) texts.push(`< ${schema.exclusiveMaximum}`);
  if (known(schema.multipleOf) !== undefined) texts.push(`multiple of ${schema.multipleOf}`);
  range(schema.minLength, schema.maxLength, "character");
  range(schema.minItems, schema.maxItems, "item");
  range(schema.minProperties, schema.maxProperties, "member");
  if (known(schema.pattern) !== undefined) texts.push(`pattern ${schema.pattern}`);
  if (known(schema.format) !== undefined) texts.push(String(schema.format));
  return texts;
}

/**
 * Returns the value with which a field of this schema begins.
 * @param {any} schema
 * @param {any} root
 * @param {number} [depth]
 * @param {{values: number}} [budget]
 * @returns {any} `undefined` if the field begins empty
 */
export function initialValue(schema, root, depth = 0, budget = { values: MAX_INITIAL }) {
  budget.values -= 1;
  const model = describe(schema, root);
  if (isObject(model.schema) && "default" in model.schema) return structuredClone(model.schema.default);
  switch (model.kind) {
    case "const":
      return structuredClone(model.schema.const);
    case "null":
      return null;
    case "object": {
      const value = {};
      if (depth >= 6 || budget.values <= 0) return undefined;
      for (const { name, schema: inner, required } of model.properties) {
        const initial = required ? initialValue(inner, root, depth + 1, budget) : undefined;
        if (initial !== undefined) value[name] = initial;
      }
      return value;
    }
    case "array":
    case "multi":
      return [];
    default:
      return undefined;
  }
}

/**
 * Returns the part of a value that still fits a schema, for example after the server was rebuilt.
 * @param {any} value
 * @param {any} schema
 * @param {any} root
 * @param {number} [depth]
 * @returns {any} `undefined` if nothing fits
 */
export function fitValue(value, schema, root, depth = 0) {
  if (value === undefined || depth > 16) return undefined;
  const model = describe(schema, root);
  if (value === null) return model.nullable || model.kind === "null" || model.kind === "raw" ? null : undefined;
  const keepIf = (condition) => (condition ? value : undefined);
  switch (model.kind) {
    case "string":
    case "boolean":
      return keepIf(typeof value === model.kind);
    case "number":
    case "integer":
      return keepIf(typeof value === "number");
    case "enum":
      return keepIf(model.options.some((option) => JSON.stringify(option.value) === JSON.stringify(value)));
    case "const":
      return keepIf(JSON.stringify(model.schema.const) === JSON.stringify(value));
    case "multi":
    case "array": {
      if (!Array.isArray(value)) return undefined;
      if (model.kind === "multi") return value.filter((item) => model.options.some((option) => option.value === item));
      return value.map((item) => fitValue(item, model.items, root, depth + 1)).filter((item) => item !== undefined);
    }
    case "tuple":
      return keepIf(Array.isArray(value));
    case "object":
      return isObject(value) ? fitObject(value, model, root, depth) : undefined;
    case "null":
      return undefined;
    default:
      return value;
  }
}

function fitObject(value, model, root, depth) {
  const kept = {};
  for (const { name, schema } of model.properties) {
    const fitting = Object.hasOwn(value, name) ? fitValue(value[name], schema, root, depth + 1) : undefined;
    if (fitting !== undefined) kept[name] = fitting;
  }
  const names = new Set(model.properties.map(({ name }) => name));
  for (const [key, inner] of Object.entries(value)) {
    if (model.additional !== false && !names.has(key) && !isUnsafe(key)) kept[key] = inner;
  }
  return kept;
}
