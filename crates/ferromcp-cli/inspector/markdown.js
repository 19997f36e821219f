// Parses a safe subset of Markdown into a tree of plain objects. HTML is text.
//
// Every inline node is {type, text?, children?, href?}; every block is {type, children?, items?, rows?, text?, level?}.
// The renderer (markdown_view.js) creates DOM nodes for known types only.

/** Maximum nesting of blocks and of inline nodes. */
const MAX_DEPTH = 12;

/** Maximum number of characters of a text that is parsed; a longer one is shown as it is. */
export const MAX_MARKDOWN = 200_000;

const FENCE = /^ {0,3}(`{3,}|~{3,})\s*([\w+#.-]*)/;
const HEADING = /^ {0,3}(#{1,6})(?:[ \t](.*))?$/s;
const RULE = /^ {0,3}(?:(?:\*\s*){3,}|(?:-\s*){3,}|(?:_\s*){3,})$/;
const ITEM = /^( {0,3})([-*+]|\d{1,9}[.)])(\s+|$)(.*)$/;
const QUOTE = /^ {0,3}> ?/;
const DIVIDER = /^\|? ?:?-+:? ?(?:\| ?:?-+:? ?)*\|?$/;
/** Maximum length of the line below the headings of a table. */
const MAX_DIVIDER = 2000;

/** Returns whether a line separates the headings of a table from its rows. */
function isDivider(line = "") {
  return line.length <= MAX_DIVIDER && DIVIDER.test(line.trim().replace(/[ \t]+/g, " "));
}

/** Returns the text of a heading, without the number signs at its end. */
function headingText(text = "") {
  const trimmed = text.trim();
  let end = trimmed.length;
  while (end > 0 && trimmed[end - 1] === "#") end -= 1;
  const isClosed = end < trimmed.length && (end === 0 || /\s/.test(trimmed[end - 1]));
  return isClosed ? trimmed.slice(0, end).trimEnd() : trimmed;
}

/**
 * Parses Markdown.
 * @param {string} text
 * @returns {object[]}
 */
export function parseMarkdown(text) {
  return parseBlocks(text.replace(/\r\n?/g, "\n").split("\n"), 0);
}

function parseBlocks(lines, depth) {
  const blocks = [];
  if (depth >= MAX_DEPTH) return [{ type: "paragraph", children: [{ type: "text", text: lines.join("\n") }] }];
  let at = 0;
  while (at < lines.length) {
    if (lines[at].trim() === "") {
      at += 1;
      continue;
    }
    const [block, next] = parseBlock(lines, at, depth);
    blocks.push(block);
    at = next;
  }
  return blocks;
}

/** Returns the block at this line, and the line after it. */
function parseBlock(lines, at, depth) {
  const line = lines[at];
  const fence = FENCE.exec(line);
  if (fence) return parseFence(lines, at, fence);
  const heading = HEADING.exec(line);
  if (heading) {
    return [{ type: "heading", level: heading[1].length, children: parseInline(headingText(heading[2]), 0) }, at + 1];
  }
  if (RULE.test(line)) return [{ type: "rule" }, at + 1];
  if (QUOTE.test(line)) {
    let end = at;
    while (end < lines.length && QUOTE.test(lines[end])) end += 1;
    const inner = lines.slice(at, end).map((quoted) => quoted.replace(QUOTE, ""));
    return [{ type: "quote", children: parseBlocks(inner, depth + 1) }, end];
  }
  if (ITEM.test(line)) return parseList(lines, at, depth);
  if (line.includes("|") && isDivider(lines[at + 1])) return parseTable(lines, at);
  if (/^ {4}/.test(line)) {
    let end = at;
    while (end < lines.length && /^( {4}|\s*$)/.test(lines[end])) end += 1;
    return [
      {
        type: "code",
        text: lines
          .slice(at, end)
          .map((code) => code.slice(4))
          .join("\n")
          .trimEnd(),
      },
      end,
    ];
  }
  let end = at + 1;
  while (end < lines.length && !startsBlock(lines[end])) end += 1;
  return [{ type: "paragraph", children: parseInline(lines.slice(at, end).join("\n"), 0) }, end];
}

function startsBlock(line) {
  return (
    line.trim() === "" ||
    FENCE.test(line) ||
    HEADING.test(line) ||
    RULE.test(line) ||
    QUOTE.test(line) ||
    ITEM.test(line)
  );
}

function parseFence(lines, at, fence) {
  const mark = fence[1];
  let end = at + 1;
  const closes = (line) => line.trim().length >= mark.length && [...line.trim()].every((char) => char === mark[0]);
  while (end < lines.length && !closes(lines[end])) end += 1;
  return [{ type: "code", language: fence[2], text: lines.slice(at + 1, end).join("\n") }, end + 1];
}

function parseList(lines, at, depth) {
  const isOrdered = /\d/.test(ITEM.exec(lines[at])[2]);
  const items = [];
  let end = at;
  while (end < lines.length) {
    const found = ITEM.exec(lines[end]);
    if (!found || /\d/.test(found[2]) !== isOrdered || RULE.test(lines[end])) break;
    const indent = found[1].length + found[2].length + Math.min(Math.max(found[3].length, 1), 4);
    const inner = [found[4]];
    end += 1;
    while (end < lines.length) {
      const line = lines[end];
      const isIndented = line.length - line.trimStart().length >= Math.min(indent, 2) && line.trim() !== "";
      const isBlankBefore = line.trim() === "" && /^\s{2,}\S/.test(lines[end + 1] ?? "");
      if (!isIndented && !isBlankBefore && (line.trim() === "" || startsBlock(line))) break;
      inner.push(line.slice(Math.min(indent, line.length - line.trimStart().length)));
      end += 1;
    }
    items.push(parseBlocks(inner, depth + 1));
    if (lines[end]?.trim() === "" && ITEM.test(lines[end + 1] ?? "")) end += 1;
  }
  return [{ type: "list", ordered: isOrdered, items }, end];
}

function parseTable(lines, at) {
  const cells = (line) =>
    line
      .trim()
      .replace(/^\||\|$/g, "")
      .split("|")
      .slice(0, 64)
      .map((cell) => parseInline(cell.trim(), 0));
  const rows = [cells(lines[at])];
  let end = at + 2;
  while (end < lines.length && lines[end].includes("|") && lines[end].trim() !== "") {
    rows.push(cells(lines[end]));
    end += 1;
  }
  return [{ type: "table", rows }, end];
}

/** Inline patterns, tried at each special character. None backtracks beyond its own line of text. */
const INLINE = [
  ["code", /(`{1,3})([^`]{1,2000})\1(?!`)/y],
  ["image", /!\[([^\]\n]{0,500})\]\(([^()\s]{0,2000})(?:\s+"[^"\n]{0,200}")?\)/y],
  ["link", /\[([^\]\n]{1,500})\]\(([^()\s]{0,2000})(?:\s+"[^"\n]{0,200}")?\)/y],
  ["auto", /<(https?:\/\/[^\s<>]{1,2000})>/y],
  ["url", /https?:\/\/[^\s<>()"'`*]{1,2000}[^\s<>()"'`*.,;:!?]/y],
  ["strong", /(\*\*|__)(?=\S)([^\n]{1,2000}?\S|\S)\1/y],
  ["strike", /(~~)(?=\S)([^~\n]{1,2000})\1/y],
  ["emphasis", /([*_])(?=[^\s*_])([^*_\n]{0,2000}[^\s*_])\1(?!\w)/y],
];

/**
 * Parses the inline syntax of a paragraph.
 * @param {string} text
 * @param {number} depth
 * @returns {object[]}
 */
export function parseInline(text, depth) {
  const nodes = [];
  let plain = "";
  const flush = () => {
    if (plain) nodes.push({ type: "text", text: plain });
    plain = "";
  };
  let at = 0;
  while (at < text.length) {
    const char = text[at];
    if (char === "\\" && /[!-/:-@[-`{-~]/.test(text[at + 1] ?? "")) {
      plain += text[at + 1];
      at += 2;
      continue;
    }
    const found = depth < MAX_DEPTH && "`![<h*_~".includes(char) ? matchInline(text, at) : null;
    if (found) {
      flush();
      nodes.push(inlineNode(found, depth));
      at += found.match[0].length;
    } else {
      plain += char;
      at += 1;
    }
  }
  flush();
  return nodes;
}

function matchInline(text, at) {
  const isInWord = at > 0 && /\w/.test(text[at - 1]);
  for (const [type, pattern] of INLINE) {
    if (isInWord && (type === "url" || text[at] === "_")) continue;
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match) return { type, match };
  }
  return null;
}

function inlineNode({ type, match }, depth) {
  switch (type) {
    case "code":
      return { type, text: match[2] };
    case "image":
      return { type, text: match[1], href: match[2] };
    case "link":
      return { type, href: match[2], children: [{ type: "text", text: match[1] }] };
    case "auto":
      return { type: "link", href: match[1], children: [{ type: "text", text: match[1] }] };
    case "url":
      return { type: "link", href: match[0], children: [{ type: "text", text: match[0] }] };
    default:
      return { type, children: parseInline(match[2], depth + 1) };
  }
}
