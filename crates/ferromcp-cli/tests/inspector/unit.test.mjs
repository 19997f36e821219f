// Tests of the modules that need no browser.

import assert from "node:assert/strict";
import test from "node:test";
import { createParser } from "../../inspector/api.js";
import { diffLines, diffLists, stableJson } from "../../inspector/diff.js";
import { parseInline, parseMarkdown } from "../../inspector/markdown.js";
import { describe, fitValue, initialValue, limits, resolve } from "../../inspector/schema.js";
import { curlCommand, mcpCommand, quote } from "../../inspector/shell.js";
import { label, size, visible, webUrl } from "../../inspector/text.js";
import { expand, variables } from "../../inspector/uri_template.js";
import { safePattern, validate } from "../../inspector/validate.js";
import { CORPUS } from "./corpus.mjs";

const kind = (schema, root = schema) => describe(schema, root).kind;

test("kind_of_field_follows_the_schema", () => {
  assert.equal(kind({ type: "string" }), "string");
  assert.equal(kind({ enum: [1, "a"] }), "enum");
  assert.equal(kind({ const: 5 }), "const");
  assert.equal(kind({ properties: { a: {} } }), "object");
  assert.equal(kind({ prefixItems: [{}] }), "tuple");
  assert.equal(kind({ type: "array", uniqueItems: true, items: { enum: ["a", "b"] } }), "multi");
  assert.equal(kind({ anyOf: [{ type: "string" }, { type: "number" }] }), "union");
  assert.equal(kind({ type: ["string", "number"] }), "union");
  assert.equal(kind({}), "raw");
  assert.equal(kind(true), "raw");
  assert.equal(kind({ type: "array", items: [{}] }), "raw");
});

test("nullable_is_separate_from_the_kind", () => {
  for (const schema of [{ type: ["integer", "null"] }, { anyOf: [{ type: "integer" }, { type: "null" }] }]) {
    const model = describe(schema, schema);
    assert.deepEqual([model.kind, model.nullable], ["integer", true]);
  }
  const choices = describe({ enum: ["a", null] }, {});
  assert.deepEqual([choices.options.length, choices.nullable], [1, true]);
});

test("titles_label_choices_and_branches", () => {
  const choices = describe({ oneOf: [{ const: "w", title: "Window" }, { const: "g" }] }, {});
  assert.deepEqual(choices.options, [
    { value: "w", label: "Window" },
    { value: "g", label: "g" },
  ]);
  const root = {
    $defs: { cat: { type: "object" } },
    oneOf: [{ $ref: "#/$defs/cat" }, { type: "object", properties: { kind: { const: "dog" } } }],
  };
  assert.deepEqual(
    describe(root, root).branches.map((branch) => branch.label),
    ["cat", "kind: dog"],
  );
});

test("references_are_resolved_within_the_schema", () => {
  const root = { $defs: { "a/b": { type: "integer" }, loop: { $ref: "#/$defs/loop" } } };
  assert.equal(resolve({ $ref: "#/$defs/a~1b" }, root).type, "integer");
  assert.deepEqual(resolve({ $ref: "#/$defs/loop" }, root), {});
  assert.deepEqual(resolve({ $ref: "https://example.com/x", title: "x" }, root), { title: "x" });
  assert.deepEqual(resolve({ $ref: "#/constructor/prototype" }, root), {});
  const merged = resolve(
    {
      allOf: [
        { properties: { a: {} }, required: ["a"] },
        { properties: { b: {} }, required: ["b"] },
      ],
    },
    root,
  );
  assert.deepEqual(
    [Object.keys(merged.properties).sort(), merged.required],
    [
      ["a", "b"],
      ["a", "b"],
    ],
  );
});

test("initial_value_ends_when_a_required_schema_is_recursive", () => {
  const root = { type: "object", required: ["next"], properties: { next: { $ref: "#" } } };
  assert.ok(JSON.stringify(initialValue(root, root)).length < 200);
  const names = Array.from({ length: 50 }, (_, index) => `p${index}`);
  const wide = {
    type: "object",
    required: names,
    properties: Object.fromEntries(names.map((name) => [name, { $ref: "#" }])),
  };
  assert.ok(JSON.stringify(initialValue(wide, wide)).length < 1_000_000);
  assert.deepEqual(
    initialValue({ type: "object", required: ["a"], properties: { a: { default: 3 }, b: { default: 4 } } }, {}),
    { a: 3 },
  );
});

test("limits_are_short_texts", () => {
  assert.deepEqual(limits({ minimum: 1, maximum: 8 }), ["1 – 8"]);
  assert.deepEqual(limits({ minLength: 1, pattern: "^a", format: "email" }), ["≥ 1 character", "pattern ^a", "email"]);
  assert.deepEqual(limits({ minimum: { toString: 1 }, pattern: {} }), []);
});

test("values_that_fit_are_kept_when_the_schema_changes", () => {
  const schema = {
    type: "object",
    properties: { a: { type: "string" }, b: { type: "integer" }, c: { type: "array", items: { type: "number" } } },
  };
  assert.deepEqual(fitValue({ a: "x", b: "y", c: [1, "z"], d: 4 }, schema, schema), { a: "x", c: [1] });
});

test("validation_reports_the_path", () => {
  const schema = {
    type: "object",
    required: ["a", "d"],
    additionalProperties: false,
    properties: {
      a: { type: "string", maxLength: 2 },
      b: { type: "array", items: { $ref: "#/$defs/n" } },
      "c/d": { enum: [1] },
      d: {},
    },
    $defs: { n: { type: "integer", minimum: 3 } },
  };
  const paths = (value) => validate(value, schema).map((error) => error.path);
  assert.deepEqual(paths({ a: "ab", b: [3], "c/d": 1, d: null }), []);
  assert.deepEqual(paths({ a: "abc", b: [3, 2, 1.5], "c/d": 2, e: 1 }), ["/d", "/a", "/b/1", "/b/2", "/c~1d", "/e"]);
  assert.equal(validate(null, { not: {} }).length, 1);
  assert.equal(
    validate({ kind: "a" }, { oneOf: [{ properties: { kind: { const: "a" } } }, { required: ["kind"] }] }).length,
    1,
  );
  assert.deepEqual(
    validate({ r: "x" }, { anyOf: [{ type: "object", properties: { r: { type: "number" } } }, { type: "string" }] })[0]
      .path,
    "/r",
  );
  for (const [format, good, bad] of [
    ["date", "2026-07-28", "2026-13-01"],
    ["date-time", "2026-07-28T10:00:00Z", "2026-07-28"],
    ["email", "a@b.c", "a b"],
    ["uri", "a:b", "x y"],
  ]) {
    assert.deepEqual([validate(good, { format }).length, validate(bad, { format }).length], [0, 1], format);
  }
});

test("validation_ends_when_schemas_are_hostile", () => {
  const loop = { $ref: "#/$defs/a", $defs: { a: { allOf: [{ $ref: "#/$defs/a" }, { $ref: "#/$defs/a" }] } } };
  const start = performance.now();
  validate(1, loop);
  validate("a".repeat(4000), { pattern: "(a+)+$" });
  assert.match(
    validate(1, { minimum: { toString: 1, valueOf: 1 } })[0]?.message ?? "cannot be checked",
    /cannot be checked/,
  );
  assert.ok(performance.now() - start < 2000);
  assert.equal(safePattern("(a+)+$"), null);
  assert.equal(safePattern("(a|a)*$"), null);
  assert.equal(safePattern("^[A-Z]{3}$")?.test("ABC"), true);
  assert.equal(safePattern("("), null);
});

test("markdown_is_parsed_to_a_tree", () => {
  const types = (text) => parseMarkdown(text).map((block) => block.type);
  assert.deepEqual(
    types("# a\n\ntext\n\n- x\n- y\n\n> q\n\n```rust\nfn x() {}\n```\n\n---\n\n| a | b |\n|---|---|\n| 1 | 2 |"),
    ["heading", "paragraph", "list", "quote", "code", "rule", "table"],
  );
  assert.deepEqual(
    parseInline("a **b** `c` [d](https://e) _f_ snake_case_name", 0).map((node) => node.type),
    ["text", "strong", "text", "code", "text", "link", "text", "emphasis", "text"],
  );
  assert.equal(parseMarkdown("- a\n  - b\n- c")[0].items.length, 2);
  assert.deepEqual(parseInline("\\*a\\*", 0), [{ type: "text", text: "*a*" }]);
});

test("markdown_is_parsed_in_time_when_it_is_hostile", () => {
  const start = performance.now();
  for (const text of [
    ...CORPUS,
    "[".repeat(50_000),
    "*_".repeat(25_000),
    "`".repeat(50_000),
    "> ".repeat(20_000),
    "- ".repeat(20_000),
    "![](".repeat(10_000),
  ])
    parseMarkdown(text);
  assert.ok(performance.now() - start < 5000, `${performance.now() - start} ms`);
});

test("markdown_with_long_spaces_is_parsed_in_time", () => {
  const started = performance.now();
  parseMarkdown(`# x${" ".repeat(150_000)}y`);
  parseMarkdown(`# x${" #".repeat(75_000)}y`);
  parseMarkdown(`a|b\n${" ".repeat(150_000)}x`);
  parseMarkdown(`a|b\n${"-|".repeat(75_000)}x`);
  assert.ok(performance.now() - started < 1000, `${performance.now() - started} ms`);
  assert.deepEqual(parseMarkdown("## Title ##")[0], parseMarkdown("## Title")[0]);
  assert.deepEqual(parseMarkdown("# C#")[0].children, parseInline("C#", 0));
});

test("markdown_never_contains_html", () => {
  const types = new Set();
  const visit = (node) => {
    if (node?.type) types.add(node.type);
    for (const value of Object.values(node ?? {})) if (value && typeof value === "object") visit(value);
  };
  for (const text of CORPUS) parseMarkdown(text).forEach(visit);
  const known = [
    "text",
    "code",
    "image",
    "link",
    "strong",
    "emphasis",
    "strike",
    "heading",
    "paragraph",
    "list",
    "quote",
    "rule",
    "table",
  ];
  assert.deepEqual(
    [...types].filter((type) => !known.includes(type)),
    [],
  );
});

test("lines_are_compared", () => {
  const ops = diffLines("a\nb\nc", "a\nx\nc\nd").map(({ op, text }) => `${op[0]}${text}`);
  assert.deepEqual(ops, ["sa", "rb", "ax", "sc", "ad"]);
  assert.equal(diffLines("a", "a").length, 1);
  assert.equal(diffLines(`${"a\n".repeat(5000)}1`, `${"b\n".repeat(5000)}2`).length, 10_002);
});

test("lists_are_compared_by_key", () => {
  const diff = diffLists(
    [{ n: "a", x: 1 }, { n: "b" }, { n: "c", y: { p: 1, q: 2 } }],
    [{ n: "a", x: 2 }, { n: "c", y: { q: 2, p: 1 } }, { n: "d" }],
    (item) => item.n,
  );
  assert.deepEqual(
    [diff.added, diff.removed, diff.changed.map((each) => each.after.n)],
    [[{ n: "d" }], [{ n: "b" }], ["a"]],
  );
  assert.equal(stableJson({ b: 1, a: [{ d: 1, c: 2 }] }), stableJson({ a: [{ c: 2, d: 1 }], b: 1 }));
});

test("words_are_quoted_for_the_shell", () => {
  assert.deepEqual(["plain-1.x", "a b", "it's", "$(x)", "", "a\nb"].map(quote), [
    "plain-1.x",
    "'a b'",
    "'it'\\''s'",
    "'$(x)'",
    "''",
    "'a\nb'",
  ]);
});

test("requests_are_copied_as_commands", () => {
  const target = { command: ["mcp", "call", "demo"], commandAfter: [], endpoint: "http://127.0.0.1:1/mcp" };
  assert.equal(
    mcpCommand(target, "tools/call", { name: "add", arguments: { a: 1, t: "it's" } }),
    `mcp call demo add --args '{"a":1,"t":"it'\\''s"}'`,
  );
  const words = { command: ["mcp", "call"], commandAfter: ["--", "python", "my server.py"] };
  assert.equal(
    mcpCommand(words, "tools/call", { name: "add" }, "legacy"),
    "mcp call --era legacy add -- python 'my server.py'",
  );
  assert.equal(mcpCommand(target, "resources/read", { uri: "note://1" }), "mcp read demo note://1");
  assert.equal(mcpCommand(target, "unknown/method", {}), null);
  const curl = curlCommand(target, { method: "tools/list", id: 5, payload: { params: {} } });
  assert.match(
    curl,
    /^curl -sS -X POST http:\/\/127\.0\.0\.1:1\/mcp -H 'content-type: application\/json'.* --data-raw '\{"jsonrpc":"2\.0","id":5,/,
  );
});

test("templates_are_expanded", () => {
  assert.deepEqual(variables("a://{x}/{y*}{?z,w:3}"), ["x", "y", "z", "w"]);
  assert.equal(expand("a://{x}/{+y}{?z,w}", { x: "a/b c", y: "d/e", z: "1&2" }), "a://a%2Fb%20c/d/e?z=1%262");
  assert.equal(expand("{constructor}", {}), "");
});

test("invisible_characters_become_visible", () => {
  assert.equal(visible("a\u202eb\u200b\u0000"), "a‹U+202E›b‹U+200B›‹U+0000›");
  assert.equal(visible("line\r\nline\ttab"), "line\nline\ttab");
  assert.equal(visible("\ud800x"), "‹U+D800›x");
  assert.equal(visible("😀"), "😀");
  assert.equal(visible({ toString: 1 }), '{"toString":1}');
  assert.equal(label("a\nb", 2), "a …");
  assert.deepEqual([0, 1023, 2048, 10 << 20].map(size), ["0 B", "1023 B", "2.0 KB", "10.0 MB"]);
});

test("only_web_urls_are_links", () => {
  assert.equal(webUrl("https://example.com/a"), "https://example.com/a");
  for (const url of [
    "javascript:x",
    "data:text/html,x",
    "file:///x",
    "/x",
    "//x",
    "https://user:password@example.com/",
    "java\tscript:x",
    5,
  ])
    assert.equal(webUrl(url), null, String(url));
});

test("events_are_parsed_when_they_arrive_in_pieces", () => {
  const events = [];
  const parse = createParser((event) => events.push(event));
  for (const piece of [": keep", "-alive\n\nda", 'ta: {"a":', '1}\n\ndata: {"b":2}\n', "\n"]) parse(piece);
  assert.deepEqual(events, [{ a: 1 }, { b: 2 }]);
});
