// Text of servers: makes invisible characters visible, and formats numbers, sizes and times.

/** Controls, bidirectional controls, zero-width characters, separators, tags and lone surrogates. */
const INVISIBLE = new RegExp(
  "[\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f" +
    "\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\u3164\\ufeff\\uffa0\\ufff0-\\ufffb\\ud800-\\udfff]" +
    "|[\\u{e0000}-\\u{e0fff}]",
  "gu",
);

/** Maximum number of characters of a name in a list or a heading. */
export const MAX_LABEL = 200;

/**
 * Returns the text with invisible characters as `‹U+202E›`. CR LF becomes LF.
 * @param {unknown} value
 * @returns {string}
 */
export function visible(value) {
  const text = typeof value === "string" ? value : value === undefined ? "" : (JSON.stringify(value) ?? "");
  return text.replace(/\r\n/g, "\n").replace(INVISIBLE, (found) => {
    const code = found.codePointAt(0) ?? 0;
    return `‹U+${code.toString(16).toUpperCase().padStart(4, "0")}›`;
  });
}

/**
 * Returns one visible line, truncated to `max` characters.
 * @param {unknown} value
 * @param {number} [max]
 * @returns {string}
 */
export function label(value, max = MAX_LABEL) {
  const text = typeof value === "string" ? value : value === undefined ? "" : (JSON.stringify(value) ?? "");
  const cut = text.length > max ? `${text.slice(0, max)}…` : text;
  return visible(cut).replace(/[\n\t]+/g, " ");
}

/**
 * Returns a size with its unit.
 * @param {number} bytes
 * @returns {string}
 */
export function size(bytes) {
  if (!(bytes >= 1024)) return `${bytes || 0} B`;
  const isLarge = bytes >= 1024 * 1024;
  const value = bytes / (isLarge ? 1024 * 1024 : 1024);
  return `${value >= 100 ? Math.round(value) : value.toFixed(1)} ${isLarge ? "MB" : "KB"}`;
}

/**
 * Returns a duration with its unit.
 * @param {number | null | undefined} ms
 * @returns {string}
 */
export function duration(ms) {
  if (typeof ms !== "number") return "";
  if (ms < 1000) return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
  return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
}

/**
 * Returns the time of day with milliseconds.
 * @param {number} ms
 * @returns {string}
 */
export function time(ms) {
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) return "";
  const two = (number) => String(number).padStart(2, "0");
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":");
  return `${clock}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

/**
 * Returns a count with its noun.
 * @param {number} number
 * @param {string} noun
 * @returns {string}
 */
export function count(number, noun) {
  return `${number.toLocaleString("en-US")} ${noun}${number === 1 ? "" : "s"}`;
}

/**
 * Returns the URL if its scheme is http or https, without credentials.
 * @param {unknown} value
 * @returns {string | null}
 */
export function webUrl(value) {
  if (typeof value !== "string" || value.length > 8192) return null;
  try {
    const url = new URL(value);
    const isWeb = url.protocol === "http:" || url.protocol === "https:";
    return isWeb && !url.username && !url.password ? url.href : null;
  } catch {
    return null;
  }
}
