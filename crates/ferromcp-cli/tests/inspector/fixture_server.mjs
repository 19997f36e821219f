// A server on stdio whose behavior is the first argument: `forms`, `hostile`, or `versions FILE`.

import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { CORPUS } from "./corpus.mjs";

const [mode] = process.argv.slice(2);
const write = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
const all = CORPUS.join("\n\n");
const at = (index) => CORPUS[index % CORPUS.length];

const node = {
  type: "object",
  title: "Node",
  properties: { value: { type: "integer" }, next: { $ref: "#/$defs/node" } },
  required: ["value"],
};
const FORMS_SCHEMA = {
  type: "object",
  required: ["name", "shape"],
  $defs: { node },
  properties: {
    name: { type: "string", minLength: 2, maxLength: 20, description: "The **name** of the order" },
    count: { type: "integer", minimum: 1, maximum: 8, default: 3 },
    ratio: { type: "number", exclusiveMinimum: 0 },
    isUrgent: { type: "boolean" },
    unit: { enum: ["celsius", "kelvin"] },
    level: { enum: [1, 2, 3] },
    seat: {
      oneOf: [
        { const: "w", title: "Window" },
        { const: "g", title: "Garden" },
      ],
    },
    tags: { type: "array", items: { type: "string" } },
    place: {
      type: "object",
      required: ["city"],
      properties: { city: { type: "string" }, zip: { type: ["integer", "null"] } },
    },
    shape: {
      oneOf: [
        {
          title: "Circle",
          type: "object",
          required: ["radius"],
          properties: { kind: { const: "circle" }, radius: { type: "number" } },
        },
        {
          title: "Square",
          type: "object",
          required: ["side"],
          properties: { kind: { const: "square" }, side: { type: "number" } },
        },
      ],
    },
    nickname: { type: ["string", "null"] },
    list: { $ref: "#/$defs/node" },
    day: { type: "string", format: "date" },
    at: { type: "string", format: "date-time" },
    mail: { type: "string", format: "email" },
    site: { type: "string", format: "uri" },
    code: { type: "string", pattern: "^[A-Z]{3}$" },
    version: { const: 2 },
    labels: { type: "object", additionalProperties: { type: "string" } },
    pair: { type: "array", prefixItems: [{ type: "string" }, { type: "integer" }], items: false },
    anything: {},
  },
};

const NAMES = Array.from({ length: 30 }, (_, index) => `p${index}`);
const WIDE_SCHEMA = {
  type: "object",
  required: NAMES,
  properties: Object.fromEntries(NAMES.map((name) => [name, { $ref: "#" }])),
};

const FORMS = {
  "tools/list": () => ({
    tools: [
      {
        name: "order",
        title: "Place an order",
        description: "Places an **order**.\n\n- returns its arguments\n- never fails",
        inputSchema: FORMS_SCHEMA,
        outputSchema: { type: "object", required: ["name"], properties: { name: { type: "string", maxLength: 3 } } },
      },
      { name: "large", description: "Returns 10 MB of text", inputSchema: { type: "object" } },
      {
        name: "media",
        description: "Returns each kind of content",
        inputSchema: { type: "object" },
        annotations: { readOnlyHint: true },
      },
      { name: "ask", description: "Asks to choose several toppings", inputSchema: { type: "object" } },
      { name: "sample", description: "Asks for a completion", inputSchema: { type: "object" } },
      { name: "url", description: "Asks to open a page", inputSchema: { type: "object" } },
      { name: "recursive", description: "Requires fields without end", inputSchema: WIDE_SCHEMA },
      {
        name: "broken",
        description: "Its schema is invalid",
        inputSchema: {
          type: "object",
          properties: {
            a: { minimum: { toString: 1 }, type: { toString: 1 }, enum: "x", oneOf: 7, $ref: 5 },
            b: { $ref: "#/properties/b" },
            c: { type: "string" },
          },
        },
      },
    ],
  }),
  "resources/templates/list": () => ({
    resourceTemplates: [{ uriTemplate: "city://{country}/{city}", name: "City", description: "A city" }],
  }),
  "resources/read": ({ uri }) => ({ contents: [{ uri, mimeType: "text/plain", text: `contents of ${uri}` }] }),
  "completion/complete": ({ argument, context }) => ({
    completion: {
      values: argument.name === "country" ? ["france", "finland"] : [`${context?.arguments?.country}-ville`],
    },
  }),
  "tools/call": ({ name, arguments: args }, ask) => {
    if (name === "order")
      return {
        content: [{ type: "text", text: JSON.stringify(args) }],
        structuredContent: args,
        _meta: { "example.com/id": 7 },
      };
    if (name === "large") return { content: [{ type: "text", text: "0123456789".repeat(1 << 20) }] };
    if (name === "ask")
      return ask("elicitation/create", {
        message: "Which toppings?",
        requestedSchema: {
          type: "object",
          required: ["toppings"],
          properties: {
            toppings: {
              type: "array",
              minItems: 1,
              items: {
                anyOf: [
                  { const: "c", title: "Cheese" },
                  { const: "o", title: "Olives" },
                ],
              },
            },
            spicy: { type: "boolean", default: true },
          },
        },
      });
    if (name === "url")
      return ask("elicitation/create", {
        mode: "url",
        message: "Sign in, please",
        url: "https://example.com/sign-in?x=1",
        elicitationId: "e1",
      });
    if (name === "sample")
      return ask("sampling/createMessage", {
        messages: [{ role: "user", content: { type: "text", text: "Write a haiku about tests." } }],
        systemPrompt: "You are a poet.",
        maxTokens: 100,
        modelPreferences: { hints: [{ name: "small" }] },
      });
    const svg = Buffer.from("<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>").toString("base64");
    const png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
    return {
      content: [
        {
          type: "text",
          text: "# Report\n\nAll **tests** pass, see [the site](https://example.com/).\n\n| name | result |\n|---|---|\n| a | `ok` |",
        },
        { type: "image", data: png, mimeType: "image/png" },
        { type: "image", data: svg, mimeType: "image/svg+xml" },
        { type: "audio", data: "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA=", mimeType: "audio/wav" },
        {
          type: "resource",
          resource: { uri: "note://1", mimeType: "application/json", text: '{"a":[1,2,{"b":null}]}' },
        },
        { type: "resource_link", uri: "note://2", name: "Second note", description: "A linked note", size: 2048 },
      ],
    };
  },
};

const contents = () => ({ uri: at(3), mimeType: "text/markdown", text: all });
const content = () => [
  ...CORPUS.map((text) => ({
    type: "text",
    text,
    annotations: { audience: [text] },
    _meta: { [text.slice(0, 50)]: text },
  })),
  { type: "image", data: "AAAA", mimeType: at(1) },
  { type: "image", data: at(1), mimeType: "image/png" },
  { type: "image", data: "AAAA", mimeType: "image/svg+xml" },
  { type: "audio", data: "AAAA", mimeType: `audio/wav${at(2)}` },
  { type: "resource", resource: contents() },
  { type: at(4), text: at(5) },
  ...CORPUS.map((text) => ({
    type: "resource_link",
    uri: text,
    name: text,
    title: text,
    description: text,
    mimeType: text,
  })),
];
const hostileSchema = () => ({
  type: "object",
  title: all,
  description: all,
  properties: Object.fromEntries(
    CORPUS.map((text, index) => [
      text,
      [
        { type: "string", title: text, description: text, default: text, pattern: text, format: text },
        { enum: [text, `${text}2`], enumNames: [text] },
        { oneOf: [{ const: text, title: text }] },
        { const: text },
        {
          anyOf: [
            { type: "object", title: text },
            { type: "string", title: text },
          ],
        },
        { type: text },
      ][index % 6],
    ]),
  ),
});
const HOSTILE = {
  "tools/list": () => ({
    tools: [
      {
        name: "a",
        description: all,
        title: all,
        inputSchema: hostileSchema(),
        annotations: { title: all },
        icons: [{ src: at(7) }],
      },
      { name: "fail", inputSchema: {} },
      ...CORPUS.map((text) => ({ name: text, title: text, description: text, inputSchema: { type: "object" } })),
    ],
  }),
  "tools/call": ({ name }, ask) => {
    if (name === "fail") return { error: { code: -32000, message: all, data: all } };
    write({ method: "notifications/message", params: { level: "error", logger: at(2), data: all } });
    write({ method: "notifications/message", params: { level: at(1), logger: at(2), data: { [at(3)]: at(4) } } });
    process.stderr.write(`${CORPUS.slice(0, 40).join("\n")}\n`);
    if (name === at(0))
      return ask("elicitation/create", {
        message: all,
        requestedSchema: {
          type: "object",
          properties: Object.fromEntries(
            CORPUS.map((text) => [
              text.slice(0, 200),
              { type: "string", title: text, description: text, default: text },
            ]),
          ),
        },
      });
    if (name === at(1))
      return ask("sampling/createMessage", {
        messages: CORPUS.map((text) => ({ role: "user", content: { type: "text", text } })),
        systemPrompt: all,
        maxTokens: 5,
      });
    if (name === at(2))
      return ask("elicitation/create", { mode: "url", message: all, url: "javascript:alert(1)", elicitationId: "x" });
    return {
      content: content(),
      structuredContent: { [at(1)]: all, list: CORPUS },
      isError: true,
      _meta: { [at(6)]: at(6) },
    };
  },
  "resources/list": () => ({
    resources: CORPUS.map((text) => ({ uri: text, name: text, title: text, description: text, mimeType: text })),
  }),
  "resources/templates/list": () => ({
    resourceTemplates: CORPUS.map((text) => ({ uriTemplate: `${text}{x}`, name: text, description: text })),
  }),
  "resources/read": () => ({ contents: [contents(), { uri: at(0), blob: at(1), mimeType: at(2) }] }),
  "prompts/list": () => ({
    prompts: CORPUS.map((text) => ({
      name: text,
      title: text,
      description: text,
      arguments: [{ name: text, description: text }],
    })),
  }),
  "prompts/get": () => ({
    description: all,
    messages: CORPUS.map((text) => ({ role: text, content: { type: "text", text } })),
  }),
  "completion/complete": () => ({ completion: { values: CORPUS.slice(0, 50) } }),
};

/** Reads the tools from a file, so that an edit is another build. */
const VERSIONS = {
  "tools/list": () => JSON.parse(readFileSync(process.argv[3], "utf8")),
  "tools/call": ({ arguments: args }) => ({ content: [{ type: "text", text: JSON.stringify(args) }] }),
};

const handlers = { forms: FORMS, hostile: HOSTILE, versions: VERSIONS }[mode];
const isHostile = mode === "hostile";
const pending = new Map();
let lastId = 0;

function handle({ id, method, params = {} }) {
  if (method === "initialize") {
    const text = isHostile ? all : "Use `order` to place orders.";
    return write({
      id,
      result: {
        protocolVersion: "2025-11-25",
        capabilities: {
          tools: {},
          resources: {},
          prompts: {},
          completions: {},
          logging: {},
          experimental: { [isHostile ? at(1) : "x"]: {} },
        },
        serverInfo: {
          name: isHostile ? at(1) : "Forms",
          title: text,
          version: isHostile ? at(2) : "1.0.0",
          description: text,
          websiteUrl: isHostile ? "javascript:alert(1)" : undefined,
        },
        instructions: text,
      },
    });
  }
  if (method === "ping" || method === "logging/setLevel") return write({ id, result: {} });
  const ask = (asked, question) => {
    lastId += 1;
    pending.set(`s${lastId}`, id);
    write({ id: `s${lastId}`, method: asked, params: question });
  };
  const empty = {
    "resources/list": { resources: [] },
    "resources/templates/list": { resourceTemplates: [] },
    "prompts/list": { prompts: [] },
  };
  const result = handlers[method]?.(params, ask) ?? empty[method];
  if (result === undefined && method === "tools/call") return;
  if (result === undefined) return write({ id, error: { code: -32601, message: "Method not found" } });
  write(result.error ? { id, error: result.error } : { id, result });
}

createInterface({ input: process.stdin }).on("line", (line) => {
  const message = JSON.parse(line);
  if (message.method && message.id !== undefined) handle(message);
  else if (pending.has(message.id)) {
    const id = pending.get(message.id);
    pending.delete(message.id);
    write({ id, result: { content: [{ type: "text", text: JSON.stringify(message.result ?? message.error) }] } });
  }
});
