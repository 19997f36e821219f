// Converts the tools of a stdio MCP server with the AI SDK, as it does for a model, and prints the results.
//
// Usage: node host_types.mjs SERVER_COMMAND [ARGS...]     (needs: npm ci in xtask/interop)
//
// Prints one JSON object: for each provider an object with the result of each tool. A result is "yes", or a text that
// begins with "loses" or "changes" (the request has another schema) or "no" (an error). Requests are not sent: the fetch function
// of the provider records them.

import { createRequire } from "node:module";
import { isDeepStrictEqual } from "node:util";

// Packages installed next to the Node that runs this script.
const require = createRequire(process.execPath);
const { createMCPClient } = require("@ai-sdk/mcp");
const { Experimental_StdioMCPTransport: StdioTransport } = require("@ai-sdk/mcp/mcp-stdio");
const { createGoogleGenerativeAI } = require("@ai-sdk/google");
const { createOpenAI } = require("@ai-sdk/openai");
const { generateText } = require("ai");

const PROVIDERS = {
  ai_sdk_openai: (fetch) => createOpenAI({ apiKey: "none", fetch })("gpt-5"),
  ai_sdk_google: (fetch) => createGoogleGenerativeAI({ apiKey: "none", fetch })("gemini-2.5-pro"),
};

const [command, ...args] = process.argv.slice(2);
const client = await createMCPClient({ transport: new StdioTransport({ command, args }) });
const definitions = await client.listTools();
const schemas = Object.fromEntries(definitions.tools.map((tool) => [tool.name, tool.inputSchema]));
const tools = await client.tools();
const results = {};
for (const [name, model] of Object.entries(PROVIDERS)) {
  results[name] = {};
  for (const [tool, definition] of Object.entries(tools)) {
    results[name][tool] = await convert(model, tool, definition);
  }
}
await client.close();
console.log(JSON.stringify(results));

async function convert(model, name, definition) {
  let request;
  const fetch = async (_, { body }) => {
    request = JSON.parse(body);
    throw new Error("recorded");
  };
  try {
    await generateText({ model: model(fetch), maxRetries: 0, prompt: "Hello", tools: { [name]: definition } });
  } catch (error) {
    if (!request) return `no: ${error.message.split("\n")[0].slice(0, 80)}`;
  }
  const [tool] = request.tools;
  const declaration = tool.functionDeclarations?.[0];
  const sent = tool.parameters ?? declaration.parametersJsonSchema ?? declaration.parameters;
  return compared(schemas[name], sent);
}

function compared(schema, sent) {
  const { additionalProperties: open, ...before } = schema;
  const { additionalProperties: closed, ...after } = sent;
  if (open && !closed) return "loses `additionalProperties`";
  return isDeepStrictEqual(before, after) ? "yes" : "changes the schema";
}
