// Shows content of results: text, images, audio, resources, structured content, and messages of prompts.
//
// Images and audio become data: URLs with a media type of the lists below. An SVG image is shown as text, because it is a
// document with scripts and references of its own.

import { announce, button, copyButton, el } from "./dom.js";
import { jsonTree, longText } from "./json_view.js";
import { markdownText } from "./markdown_view.js";
import { duration, label, size } from "./text.js";
import { validate } from "./validate.js";

const IMAGE_TYPES = new Set(["image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/bmp"]);
const AUDIO_TYPES = new Set([
  "audio/wav",
  "audio/x-wav",
  "audio/mpeg",
  "audio/mp3",
  "audio/ogg",
  "audio/mp4",
  "audio/webm",
  "audio/aac",
  "audio/flac",
]);
const TEXT_TYPES = /^(text\/|application\/(json|xml|yaml|javascript)$|image\/svg\+xml$)/;

/** Maximum size of base64 data that is shown or decoded, in characters. */
const MAX_DATA = 64 << 20;

/** Maximum number of content blocks that are shown at first. */
const MAX_BLOCKS = 200;

/** Opens a resource in its view; set by the application. @type {{open: (uri: string) => void}} */
export const resourceLinks = { open: () => {} };

const typeOf = (value) => (typeof value === "string" ? value.split(";")[0].trim().toLowerCase() : "");
const isData = (data) => typeof data === "string" && data.length <= MAX_DATA && /^[A-Za-z0-9+/=\s_-]*$/.test(data);

/**
 * Shows one block of content.
 * @param {any} block
 * @returns {HTMLElement}
 */
export function renderContent(block) {
  if (block === null || typeof block !== "object") return longText(block);
  const notes = [];
  const { annotations } = block;
  if (annotations && typeof annotations === "object") notes.push(`annotations: ${label(annotations, 300)}`);
  const body = renderBlock(block);
  const meta = block._meta === undefined ? null : metaDetails(block._meta);
  return el(
    "div",
    { class: "content-block" },
    body,
    notes.length > 0 && el("p", { class: "muted", text: notes.join(" · ") }),
    meta,
  );
}

function renderBlock(block) {
  switch (block.type) {
    case "text":
      return markdownText(block.text);
    case "image":
      return media(block, IMAGE_TYPES, "image");
    case "audio":
      return media(block, AUDIO_TYPES, "audio");
    case "resource":
      return renderResource(block.resource ?? {});
    case "resource_link":
      return renderLink(block);
    default:
      return jsonTree(block);
  }
}

/**
 * Shows the contents of a resource.
 * @param {any} contents
 * @returns {HTMLElement}
 */
export function renderResource(contents) {
  if (contents === null || typeof contents !== "object") return longText(contents);
  const type = typeOf(contents.mimeType);
  const header = el(
    "div",
    { class: "block-head" },
    resourceButton(contents.uri),
    el("span", { class: "muted", text: label(contents.mimeType ?? "") }),
  );
  const meta = contents._meta === undefined ? null : metaDetails(contents._meta);
  let body;
  if (typeof contents.text === "string") body = resourceText(contents.text, type);
  else if (typeof contents.blob === "string")
    body = media(
      { data: contents.blob, mimeType: contents.mimeType },
      type.startsWith("audio/") ? AUDIO_TYPES : IMAGE_TYPES,
      type.startsWith("audio/") ? "audio" : "image",
    );
  else body = jsonTree(contents);
  return el("section", { class: "resource-block" }, header, body, meta);
}

function resourceText(text, type) {
  if (type === "application/json" || type.endsWith("+json")) {
    try {
      return jsonTree(JSON.parse(text));
    } catch {
      return longText(text);
    }
  }
  return type === "text/markdown" || type === "" ? markdownText(text) : longText(text);
}

function resourceButton(uri) {
  return button(label(uri, 500), () => resourceLinks.open(String(uri)), { class: "link", title: "Open in Resources" });
}

function renderLink(block) {
  const size_ = typeof block.size === "number" ? ` · ${size(block.size)}` : "";
  return el(
    "div",
    { class: "resource-block" },
    el(
      "div",
      { class: "block-head" },
      resourceButton(block.uri),
      el("span", { class: "muted", text: `${label(block.mimeType ?? "")}${size_}` }),
    ),
    el("p", { text: label(block.title ?? block.name ?? "") }),
    typeof block.description === "string" && el("p", { class: "muted", text: label(block.description, 1000) }),
  );
}

function media(block, types, kind) {
  const type = typeOf(block.mimeType);
  const data = block.data;
  const caption = `${label(block.mimeType ?? "unknown type")} · ${size(typeof data === "string" ? Math.floor(data.length * 0.75) : 0)}`;
  if (!isData(data))
    return el(
      "div",
      { class: "media-block" },
      el("p", { class: "error-text", text: `The data of this ${kind} is not valid base64.` }),
      el("p", { class: "muted", text: caption }),
    );
  const standard = data.replaceAll("-", "+").replaceAll("_", "/");
  if (types.has(type)) {
    const element =
      kind === "image"
        ? el("img", { alt: `Image from the server (${type})` })
        : el("audio", { "aria-label": `Audio from the server (${type})` });
    if (kind === "audio") element.controls = true;
    element.src = `data:${type};base64,${standard}`;
    const broken = el("p", { class: "error-text", text: `The browser cannot show this ${kind}.`, hidden: true });
    element.addEventListener("error", () => (broken.hidden = false));
    return el("div", { class: "media-block" }, element, broken, el("p", { class: "muted", text: caption }));
  }
  if (TEXT_TYPES.test(type))
    return el(
      "div",
      {},
      longText(decodeText(standard)),
      el("p", { class: "muted", text: `${caption} · shown as text` }),
    );
  return el(
    "div",
    { class: "media-block" },
    el("p", { class: "muted", text: `${caption} · binary` }),
    copyButton("Copy base64", () => data),
  );
}

function decodeText(data) {
  try {
    return new TextDecoder().decode(Uint8Array.from(atob(data), (char) => char.charCodeAt(0)));
  } catch {
    return data;
  }
}

/**
 * Shows `_meta` closed.
 * @param {any} meta
 * @returns {HTMLElement}
 */
export function metaDetails(meta) {
  return el("details", { class: "meta" }, el("summary", { text: "_meta" }), jsonTree(meta));
}

function blocks(content) {
  const list = Array.isArray(content) ? content : content === undefined ? [] : [content];
  const nodes = list.slice(0, MAX_BLOCKS).map(safely(renderContent));
  if (list.length > MAX_BLOCKS) {
    const more = button(
      `Show all ${list.length} blocks`,
      () => more.replaceWith(...list.slice(MAX_BLOCKS).map(safely(renderContent))),
      { class: "small" },
    );
    nodes.push(more);
  }
  return nodes;
}

/** One block that cannot be shown costs only itself. */
function safely(render) {
  return (value) => {
    try {
      return render(value);
    } catch {
      return el("p", { class: "error-text", text: "This content cannot be shown." });
    }
  };
}

/**
 * Shows the outcome of a call of a tool.
 * @param {{result?: any, error?: any, duration?: number}} outcome
 * @param {any} [outputSchema]
 * @returns {HTMLElement}
 */
export function renderToolResult(outcome, outputSchema) {
  if (outcome.error) return renderError(outcome.error);
  const result = outcome.result ?? {};
  const children = [];
  if (result.isError === true)
    children.push(el("p", { class: "banner bad", text: "The tool reports an error (isError)." }));
  children.push(...blocks(result.content));
  if (result.structuredContent !== undefined) children.push(structured(result.structuredContent, outputSchema));
  else if (outputSchema !== undefined && result.isError !== true) {
    children.push(
      el("p", { class: "banner bad", text: "Structured content is missing, but the tool has an output schema." }),
    );
  }
  if (result._meta !== undefined) children.push(metaDetails(result._meta));
  if (children.length === 0) children.push(el("p", { class: "muted", text: "The result is empty." }));
  return el("div", { class: "result-body" }, ...children);
}

function structured(value, schema) {
  const errors = schema === undefined ? null : validate(value, schema);
  const verdict =
    errors === null
      ? null
      : errors.length === 0
        ? el("span", { class: "badge good", text: "matches the output schema" })
        : el(
            "div",
            { class: "banner bad" },
            "does not match the output schema: ",
            ...errors
              .slice(0, 10)
              .map((error) =>
                el("div", { class: "mono", text: `${label(error.path || "/")} ${label(error.message)}` }),
              ),
          );
  return el(
    "section",
    { class: "resource-block" },
    el("div", { class: "block-head" }, el("h4", { text: "Structured content" }), verdict),
    jsonTree(value),
  );
}

/**
 * Shows an error of the protocol or of the connection.
 * @param {any} error
 * @returns {HTMLElement}
 */
export function renderError(error) {
  const code = error.code === null || error.code === undefined ? "" : ` (code ${label(error.code, 30)})`;
  return el(
    "div",
    { class: "result-body" },
    el("div", { class: "banner bad" }, el("strong", { text: `Error${code}: ` }), label(error.message, 4000)),
    error.data !== undefined && error.data !== null && jsonTree(error.data, { name: "data" }),
  );
}

/**
 * Shows messages of a prompt, or of a sampling request.
 * @param {any} messages
 * @returns {HTMLElement}
 */
export function renderMessages(messages) {
  const list = Array.isArray(messages) ? messages.slice(0, MAX_BLOCKS) : [];
  const nodes = list.map((message) =>
    el(
      "section",
      { class: "message" },
      el("h4", { class: "role", text: label(message?.role ?? "unknown", 40) }),
      ...blocks(message?.content),
    ),
  );
  return el(
    "div",
    { class: "messages" },
    ...nodes,
    nodes.length === 0 && el("p", { class: "muted", text: "There are no messages." }),
  );
}

/**
 * Shows the icons, website and descriptions of an item: the members that are not shown elsewhere.
 * @param {any} item
 * @param {string[]} shown
 * @returns {HTMLElement | null}
 */
export function otherMembers(item, shown) {
  const rest = Object.fromEntries(Object.entries(item).filter(([key]) => !shown.includes(key)));
  if (Object.keys(rest).length === 0) return null;
  return el("details", { class: "meta" }, el("summary", { text: "More" }), jsonTree(rest));
}

/**
 * Reports a finished call to screen readers.
 * @param {string} name
 * @param {{result?: any, error?: any, duration?: number}} outcome
 */
export function announceOutcome(name, outcome) {
  const status = outcome.error ? "failed" : outcome.result?.isError ? "returned an error" : "finished";
  announce(`${label(name, 80)} ${status} after ${duration(outcome.duration ?? 0)}`);
}
