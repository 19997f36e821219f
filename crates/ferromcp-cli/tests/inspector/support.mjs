// Starts `mcp dev` and Chromium for the tests of the inspector.
//
// The environment: MCP (the program), TEST_SERVER (the example server), NODE_MODULES (playwright-core and axe-core) CHROMIUM (the
// browser), and optionally INSPECTOR_FOLDER (files of the page that replace those of the program).

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const require = createRequire(join(process.env.NODE_MODULES ?? "", "package.json"));

export const TEST_SERVER = process.env.TEST_SERVER ?? "";
export const FIXTURE = new URL("./fixture_server.mjs", import.meta.url).pathname;

/** Limit of a step in milliseconds. */
const LIMIT = 15_000;

/** Starts `mcp dev` with these arguments; `files` are created in its folder. */
export async function startDev(words, files = {}) {
  const folder = mkdtempSync(join(tmpdir(), "inspector-"));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const env = { ...process.env, MCP_HOME: join(folder, "home"), NO_PROXY: "127.0.0.1" };
  const child = spawn(process.env.MCP ?? "", ["dev", "--port", "0", "--no-open", ...words], {
    cwd: folder,
    env,
    stdio: ["ignore", "ignore", "pipe"],
  });
  const lines = [];
  const exited = new Promise((resolve) => child.on("exit", resolve));
  const url = await new Promise((resolve, reject) => {
    createInterface({ input: child.stderr }).on("line", (line) => {
      lines.push(line);
      if (line.startsWith("inspector: ")) resolve(line.slice("inspector: ".length));
    });
    child.on("exit", () => reject(new Error(`mcp dev exited: ${lines.join("\n")}`)));
  });
  return {
    url,
    lines,
    write: (name, text) => writeFileSync(join(folder, name), text),
    async stop() {
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), 5000);
      await exited;
      clearTimeout(timer);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Starts the browser. */
export function launch() {
  const { chromium } = require("playwright-core");
  return chromium.launch({
    executablePath: process.env.CHROMIUM,
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
  });
}

/** Opens the inspector; collects errors, dialogs and requests to other hosts in `page.problems`. */
export async function openPage(browser, url, options = {}) {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    reducedMotion: "reduce",
    ...options,
  });
  const page = await context.newPage();
  if (process.env.INSPECTOR_FOLDER) await context.route((address) => isAsset(address), serveFromFolder);
  page.setDefaultTimeout(LIMIT);
  page.problems = [];
  const origin = new URL(url).origin;
  page.on("pageerror", (error) => page.problems.push(`error: ${error.message}`));
  page.on("dialog", (dialog) => {
    page.problems.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  page.on("console", (message) => {
    const text = message.text();
    if (message.type() === "error" && !text.includes("Failed to load resource")) page.problems.push(`console: ${text}`);
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(origin) && !request.url().startsWith("data:"))
      page.problems.push(`request: ${request.url().slice(0, 200)}`);
  });
  await page.goto(url);
  return page;
}

/** Returns whether a request is for a file of the page. */
const isAsset = (address) =>
  address.hostname === "127.0.0.1" && /^\/([\w-]+\.(js|css|html|svg))?$/.test(address.pathname);

/** Serves the files of the page from a folder with the headers of the program, so that a change needs no build. */
async function serveFromFolder(route) {
  const response = await route.fetch();
  const name = new URL(route.request().url()).pathname.slice(1) || "index.html";
  await route.fulfill({ response, body: readFileSync(join(process.env.INSPECTOR_FOLDER, name)) });
}

/** Opens a view by its link. */
export async function openView(page, name) {
  await page.locator("#nav").getByRole("link", { name, exact: true }).click();
}

/** Selects an item of the list of the view. */
export async function choose(page, name) {
  await page.locator(".filter").first().fill(name);
  await page
    .locator(".vrow", { has: page.getByText(name, { exact: true }) })
    .first()
    .click();
}

/** Returns the serious and critical violations that axe-core finds. */
export async function violations(page) {
  const source = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
  await page.evaluate(`if (!window.axe) { ${source} }`);
  const found = await page.evaluate(async () => {
    const results = await window.axe.run(document, { resultTypes: ["violations"] });
    return results.violations
      .filter((each) => ["serious", "critical"].includes(each.impact))
      .map((each) => ({
        id: each.id,
        nodes: each.nodes
          .slice(0, 5)
          .map((node) => `${node.html.slice(0, 200)} | ${node.failureSummary?.slice(0, 300)}`),
      }));
  });
  return found;
}
