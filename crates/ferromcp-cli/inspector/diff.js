// Differences of texts and of lists of named items.

/** Maximum number of line pairs that are compared; larger texts are replaced as a whole. */
const MAX_PAIRS = 4_000_000;

/** Maximum depth of values that are serialized with sorted keys. */
const MAX_DEPTH = 64;

/**
 * Returns pretty JSON with sorted keys, so that equal values have equal texts.
 * @param {unknown} value
 * @returns {string}
 */
export function stableJson(value) {
  return JSON.stringify(sorted(value, 0), null, 2) ?? "null";
}

function sorted(value, depth) {
  if (value === null || typeof value !== "object") return value;
  if (depth >= MAX_DEPTH) return "…";
  if (Array.isArray(value)) return value.map((item) => sorted(item, depth + 1));
  const entries = Object.keys(value)
    .sort()
    .map((key) => [key, sorted(value[key], depth + 1)]);
  return Object.assign(Object.create(null), Object.fromEntries(entries));
}

/**
 * Returns the lines of both texts, each with its operation.
 * @param {string} before
 * @param {string} after
 * @returns {{op: "same" | "added" | "removed", text: string}[]}
 */
export function diffLines(before, after) {
  const [a, b] = [before.split("\n"), after.split("\n")];
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start += 1;
  let [endA, endB] = [a.length, b.length];
  while (endA > start && endB > start && a[endA - 1] === b[endB - 1]) {
    endA -= 1;
    endB -= 1;
  }
  const line = (op) => (text) => ({ op, text });
  const middle = diffMiddle(a.slice(start, endA), b.slice(start, endB), line);
  return [...a.slice(0, start).map(line("same")), ...middle, ...a.slice(endA).map(line("same"))];
}

/** Compares by the longest common subsequence. */
function diffMiddle(a, b, line) {
  if (a.length * b.length > MAX_PAIRS) return [...a.map(line("removed")), ...b.map(line("added"))];
  const width = b.length + 1;
  const lengths = new Uint32Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      const at = i * width + j;
      lengths[at] = a[i] === b[j] ? lengths[at + width + 1] + 1 : Math.max(lengths[at + width], lengths[at + 1]);
    }
  }
  const lines = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push(line("same")(a[i]));
      i += 1;
      j += 1;
    } else if (j >= b.length || (i < a.length && lengths[(i + 1) * width + j] >= lengths[i * width + j + 1])) {
      lines.push(line("removed")(a[i]));
      i += 1;
    } else {
      lines.push(line("added")(b[j]));
      j += 1;
    }
  }
  return lines;
}

/**
 * Compares two lists by the key of their items.
 * @template T
 * @param {T[]} before
 * @param {T[]} after
 * @param {(item: T) => string} keyOf
 * @returns {{added: T[], removed: T[], changed: {before: T, after: T}[]}}
 */
export function diffLists(before, after, keyOf) {
  const old = new Map(before.map((item) => [keyOf(item), item]));
  const current = new Map(after.map((item) => [keyOf(item), item]));
  const added = after.filter((item) => !old.has(keyOf(item)));
  const removed = before.filter((item) => !current.has(keyOf(item)));
  const changed = [];
  for (const [key, item] of current) {
    const previous = old.get(key);
    if (previous !== undefined && stableJson(previous) !== stableJson(item))
      changed.push({ before: previous, after: item });
  }
  return { added, removed, changed };
}
