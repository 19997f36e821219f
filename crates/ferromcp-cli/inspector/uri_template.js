// Expands URI templates (RFC 6570) with text values.

/** Maximum number of expressions of a template. */
const MAX_EXPRESSIONS = 100;

const EXPRESSION = /\{([+#./;?&]?)([^{}]{1,500})\}/g;

/** Prefix, separator, whether names are shown, and whether reserved characters are kept, by operator. */
const OPERATORS = {
  "": ["", ",", false, false],
  "+": ["", ",", false, true],
  "#": ["#", ",", false, true],
  ".": [".", ".", false, false],
  "/": ["/", "/", false, false],
  ";": [";", ";", true, false],
  "?": ["?", "&", true, false],
  "&": ["&", "&", true, false],
};

const parse = (text) =>
  text.split(",").map((part) => {
    const found = /^([^:*]+)(?::(\d{1,4})|(\*))?$/.exec(part.trim());
    return found
      ? { name: found[1], max: found[2] ? Number(found[2]) : undefined }
      : { name: part.trim(), max: undefined };
  });

/**
 * Returns the names of the variables in their order.
 * @param {string} template
 * @returns {string[]}
 */
export function variables(template) {
  const found = [...template.slice(0, 8192).matchAll(EXPRESSION)].slice(0, MAX_EXPRESSIONS);
  return [...new Set(found.flatMap((match) => parse(match[2]).map((variable) => variable.name)))];
}

/**
 * Expands a template. Variables without a value are omitted.
 * @param {string} template
 * @param {Record<string, string>} values
 * @returns {string}
 */
export function expand(template, values) {
  return template.replace(EXPRESSION, (_, operator, text) => {
    const [prefix, separator, isNamed, isReserved] = OPERATORS[operator];
    const parts = parse(text)
      .filter(({ name }) => Object.hasOwn(values, name) && values[name] !== "")
      .map(({ name, max }) => {
        const value = max === undefined ? values[name] : [...values[name]].slice(0, max).join("");
        const encoded = isReserved ? encodeURI(value).replace(/%25([0-9A-Fa-f]{2})/g, "%$1") : encode(value);
        return isNamed ? `${name}=${encoded}` : encoded;
      });
    return parts.length > 0 ? prefix + parts.join(separator) : "";
  });
}

const encode = (value) =>
  encodeURIComponent(value).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
