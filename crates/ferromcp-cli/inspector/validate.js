// Checks values against the common keywords of JSON Schema. The server remains the authority.

import { resolve } from "./schema.js";

/** Maximum number of schema evaluations of one check. */
const MAX_STEPS = 200_000;

/** Maximum nesting of values and schemas. */
const MAX_DEPTH = 64;

/** Maximum number of errors of one check. */
const MAX_ERRORS = 100;

/** Maximum lengths of a pattern, and of a text that it is applied to. */
const MAX_PATTERN = 256;
const MAX_TEXT = 4096;

/** @typedef {{path: string, message: string}} SchemaError the path is a JSON pointer */

const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);

/**
 * Returns the errors of a value; an empty list means that it matches.
 * @param {any} value
 * @param {any} schema
 * @param {any} [root]
 * @returns {SchemaError[]}
 */
export function validate(value, schema, root = schema) {
  const run = { root, errors: [], steps: 0 };
  try {
    check(run, value, schema, "", 0);
  } catch (error) {
    // A keyword of the wrong type, for example `minimum: {"toString": 1}`.
    return [
      {
        path: "",
        message: `cannot be checked: the schema is invalid (${error instanceof Error ? error.name : "error"})`,
      },
    ];
  }
  return run.errors;
}

/** Returns whether a value matches, without its errors. */
function matches(run, value, schema, depth) {
  const inner = { root: run.root, errors: [], steps: run.steps };
  check(inner, value, schema, "", depth + 1);
  run.steps = inner.steps;
  return inner.errors.length === 0;
}

function check(run, value, unresolved, path, depth) {
  run.steps += 1;
  if (run.steps > MAX_STEPS || depth > MAX_DEPTH || run.errors.length >= MAX_ERRORS) return;
  const schema =
    isObject(unresolved) && "$ref" in unresolved ? resolve({ ...unresolved, allOf: undefined }, run.root) : unresolved;
  const fail = (message) => run.errors.push({ path, message });
  if (schema === false) fail("is not allowed");
  if (!isObject(schema)) return;
  if (schema.type !== undefined) {
    const types = Array.isArray(schema.type) ? schema.type : [schema.type];
    if (!types.some((type) => isType(value, type))) return void fail(`must be ${types.map(article).join(" or ")}`);
  }
  if ("const" in schema && !equal(value, schema.const)) fail(`must be ${JSON.stringify(schema.const)}`);
  if (Array.isArray(schema.enum) && !schema.enum.some((each) => equal(value, each))) fail("must be one of the choices");
  if (typeof value === "number") checkNumber(value, schema, fail);
  if (typeof value === "string") checkString(value, schema, fail);
  if (Array.isArray(value)) checkArray(run, value, schema, path, depth, fail);
  if (isObject(value)) checkObject(run, value, schema, path, depth, fail);
  checkCombinations(run, value, schema, path, depth, fail);
}

function article(type) {
  const names = {
    integer: "a whole number",
    object: "an object",
    array: "a list",
    string: "text",
    boolean: "true or false",
  };
  return names[type] ?? (type === "null" ? "null" : `a ${type}`);
}

function isType(value, type) {
  switch (type) {
    case "null":
      return value === null;
    case "array":
      return Array.isArray(value);
    case "object":
      return isObject(value);
    case "integer":
      return Number.isInteger(value);
    case "string":
    case "number":
    case "boolean":
      return typeof value === type;
    default:
      return true;
  }
}

/**
 * Returns whether two JSON values are equal.
 * @param {any} a
 * @param {any} b
 * @returns {boolean}
 */
export function equal(a, b, depth = 0) {
  if (a === b) return true;
  if (a === null || b === null || typeof a !== "object" || typeof b !== "object" || depth > MAX_DEPTH) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [keysA, keysB] = [Object.keys(a), Object.keys(b)];
  return (
    keysA.length === keysB.length && keysA.every((key) => Object.hasOwn(b, key) && equal(a[key], b[key], depth + 1))
  );
}

const plural = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;

function checkNumber(value, schema, fail) {
  if (value < schema.minimum) fail(`must be at least ${schema.minimum}`);
  if (value > schema.maximum) fail(`must be at most ${schema.maximum}`);
  if (value <= schema.exclusiveMinimum) fail(`must be greater than ${schema.exclusiveMinimum}`);
  if (value >= schema.exclusiveMaximum) fail(`must be less than ${schema.exclusiveMaximum}`);
  if (schema.multipleOf > 0) {
    const ratio = value / schema.multipleOf;
    if (Math.abs(ratio - Math.round(ratio)) > 1e-9) fail(`must be a multiple of ${schema.multipleOf}`);
  }
}

const FORMATS = {
  date: [/^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/, "a date such as 2026-07-28"],
  "date-time": [
    /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?([Zz]|[+-]\d\d:\d\d)$/,
    "a date and time with a time zone",
  ],
  time: [/^\d\d:\d\d(:\d\d(\.\d{1,9})?)?([Zz]|[+-]\d\d:\d\d)?$/, "a time"],
  email: [/^[^\s@]{1,64}@[^\s@]{1,253}$/, "an email address"],
  uuid: [/^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i, "a UUID"],
};

function checkString(value, schema, fail) {
  const length = value.length > MAX_TEXT ? value.length : [...value].length;
  if (length < schema.minLength) fail(`must have at least ${plural(schema.minLength, "character")}`);
  if (length > schema.maxLength) fail(`must have at most ${plural(schema.maxLength, "character")}`);
  if (typeof schema.pattern === "string" && value.length <= MAX_TEXT) {
    const pattern = safePattern(schema.pattern);
    if (pattern && !pattern.test(value)) fail(`must match ${schema.pattern}`);
  }
  const [pattern, name] = (Object.hasOwn(FORMATS, schema.format) && FORMATS[schema.format]) || [];
  if (pattern && !pattern.test(value)) fail(`must be ${name}`);
  if (schema.format === "uri" && !URL.canParse(value)) fail("must be a URL");
}

/**
 * Compiles a pattern, unless it could take exponential time: a repeated group that contains a repetition or a choice.
 * @param {string} source
 * @returns {RegExp | null}
 */
export function safePattern(source) {
  if (source.length > MAX_PATTERN || isExponential(source)) return null;
  try {
    return new RegExp(source, "u");
  } catch {
    return null;
  }
}

function isExponential(source) {
  const groups = [];
  let [isClass, unbounded] = [false, 0];
  for (let at = 0; at < source.length; at += 1) {
    const char = source[at];
    if (char === "\\") {
      if (/[1-9k]/.test(source[at + 1] ?? "") && !isClass) return true;
      at += 1;
    } else if (isClass) isClass = char !== "]";
    else if (char === "[") isClass = true;
    else if (char === "(") groups.push(false);
    else if (char === "|" && groups.length > 0) groups.fill(true);
    else if (char === ")") {
      const isAmbiguous = groups.pop();
      if (isAmbiguous && /[*+{]/.test(source[at + 1] ?? "")) return true;
    } else if ("*+{".includes(char)) {
      groups.fill(true);
      unbounded += 1;
      if (unbounded > 4) return true;
    } else if (char === "?") groups.fill(groups.length > 0 && source[at - 1] !== "(" ? true : (groups.at(-1) ?? false));
  }
  return false;
}

function checkArray(run, value, schema, path, depth, fail) {
  if (value.length < schema.minItems) fail(`must have at least ${plural(schema.minItems, "item")}`);
  if (value.length > schema.maxItems) fail(`must have at most ${plural(schema.maxItems, "item")}`);
  if (schema.uniqueItems && value.length <= 1000) {
    const texts = new Set(value.map((item) => JSON.stringify(item)));
    if (texts.size < value.length) fail("must not repeat an item");
  }
  const prefix = Array.isArray(schema.prefixItems) ? schema.prefixItems : [];
  value.forEach((item, index) => {
    const inner = index < prefix.length ? prefix[index] : schema.items;
    if (inner !== undefined && !Array.isArray(inner)) check(run, item, inner, `${path}/${index}`, depth + 1);
  });
  if (schema.contains !== undefined && !value.some((item) => matches(run, item, schema.contains, depth))) {
    fail("must contain an item that is required");
  }
}

function checkObject(run, value, schema, path, depth, fail) {
  const keys = Object.keys(value);
  if (keys.length < schema.minProperties) fail(`must have at least ${plural(schema.minProperties, "member")}`);
  if (keys.length > schema.maxProperties) fail(`must have at most ${plural(schema.maxProperties, "member")}`);
  const at = (key) => `${path}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
  const missing = (key) => run.errors.length < MAX_ERRORS && run.errors.push({ path: at(key), message: "is required" });
  for (const key of Array.isArray(schema.required) ? schema.required : []) {
    if (typeof key === "string" && !Object.hasOwn(value, key)) missing(key);
  }
  const properties = isObject(schema.properties) ? schema.properties : {};
  const patterns = isObject(schema.patternProperties)
    ? Object.entries(schema.patternProperties).map(([source, inner]) => [safePattern(source), inner])
    : [];
  for (const key of keys) {
    const matching = patterns.filter(([pattern]) => pattern?.test(key.slice(0, MAX_TEXT)));
    for (const [, inner] of matching) check(run, value[key], inner, at(key), depth + 1);
    if (Object.hasOwn(properties, key)) check(run, value[key], properties[key], at(key), depth + 1);
    else if (
      matching.length === 0 &&
      patterns.every(([pattern]) => pattern) &&
      schema.additionalProperties !== undefined
    ) {
      check(run, value[key], schema.additionalProperties, at(key), depth + 1);
    }
    if (schema.propertyNames !== undefined && !matches(run, key, schema.propertyNames, depth))
      fail(`has an invalid name: ${key}`);
  }
}

function checkCombinations(run, value, schema, path, depth, fail) {
  for (const part of Array.isArray(schema.allOf) ? schema.allOf : []) check(run, value, part, path, depth + 1);
  const anyOf = Array.isArray(schema.anyOf) ? schema.anyOf : null;
  if (anyOf && !anyOf.some((part) => matches(run, value, part, depth)))
    checkClosest(run, value, anyOf, path, depth, fail);
  if (Array.isArray(schema.oneOf)) {
    const matching = schema.oneOf.filter((part) => matches(run, value, part, depth)).length;
    if (matching === 0) checkClosest(run, value, schema.oneOf, path, depth, fail);
    else if (matching > 1) fail("matches more than one choice");
  }
  if (schema.not !== undefined && matches(run, value, schema.not, depth)) fail("must not match the excluded schema");
  if (schema.if !== undefined) {
    const branch = matches(run, value, schema.if, depth) ? schema.then : schema.else;
    if (branch !== undefined) check(run, value, branch, path, depth + 1);
  }
}

/** Reports the errors of the branch that fits best, so that they appear at their fields. */
function checkClosest(run, value, branches, path, depth, fail) {
  let best = null;
  for (const branch of branches) {
    const inner = { root: run.root, errors: [], steps: run.steps };
    check(inner, value, branch, path, depth + 1);
    run.steps = inner.steps;
    const isDeeper = inner.errors.every((error) => error.path !== path);
    if (isDeeper && (!best || inner.errors.length < best.length)) best = inner.errors;
  }
  if (best) run.errors.push(...best.slice(0, MAX_ERRORS));
  else fail("matches none of the choices");
}
