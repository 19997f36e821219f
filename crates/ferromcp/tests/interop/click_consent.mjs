// Opens authorization pages in headless Chromium, and clicks the button that grants access.
//
// Usage: node click_consent.mjs CHROMIUM PROFILE_FOLDER URL      (needs Node 22, for its WebSocket client)
//
// It uses the DevTools protocol. It prints one JSON object to stdout: `title` and `text` of the page with the button, and
// `url`, the address after the click.

import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const [program, profile, url] = process.argv.slice(2);
const TOTAL_MILLISECONDS = 60_000;
const POLL_MILLISECONDS = 20;

const sleep = () => new Promise((resolve) => setTimeout(resolve, POLL_MILLISECONDS));
const flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage"];
const quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync"];
const debugging = ["--remote-debugging-port=0", `--user-data-dir=${profile}`];
const browser = spawn(program, [...flags, ...quiet, ...debugging, "about:blank"], { stdio: "ignore" });
setTimeout(() => finish(new Error("timed out")), TOTAL_MILLISECONDS).unref();
main().then(() => finish(), finish);

async function main() {
  const file = join(profile, "DevToolsActivePort");
  while (!existsSync(file) || !readFileSync(file, "utf8").includes("\n")) await sleep();
  const [port] = readFileSync(file, "utf8").split("\n");
  const pages = await (await fetch(`http://127.0.0.1:${port}/json/list`)).json();
  const command = await connect(pages.find((page) => page.type === "page").webSocketDebuggerUrl);
  const evaluate = async (expression) => (await command("Runtime.evaluate", { expression })).result.value;
  await command("Page.navigate", { url });
  const button = `document.querySelector("button[value=approve]")`;
  while (!(await evaluate(`document.readyState === "complete" && !!${button}`))) await sleep();
  const [title, text] = [await evaluate("document.title"), await evaluate("document.body.innerText")];
  const before = await evaluate("location.href");
  await evaluate(`${button}.click()`);
  let after = before;
  while (after === before || !(await evaluate(`document.readyState === "complete"`))) {
    await sleep();
    after = await evaluate("location.href");
  }
  console.log(JSON.stringify({ title, text, url: after }));
  await command("Browser.close");
}

/** Returns a function that sends a command and returns its result. */
async function connect(address) {
  const socket = new WebSocket(address);
  const waiting = new Map();
  socket.addEventListener("message", ({ data }) => {
    const { id, result, error } = JSON.parse(data);
    waiting.get(id)?.(error ? Promise.reject(new Error(error.message)) : result);
  });
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve);
    socket.addEventListener("error", () => reject(new Error("cannot connect to the browser")));
  });
  let last = 0;
  return (method, params = {}) => {
    const id = ++last;
    socket.send(JSON.stringify({ id, method, params }));
    return new Promise((resolve) => waiting.set(id, resolve));
  };
}

function finish(error) {
  if (error) console.error(error);
  browser.kill("SIGKILL");
  process.exit(error ? 1 : 0);
}
