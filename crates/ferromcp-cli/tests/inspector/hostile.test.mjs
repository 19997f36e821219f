// The texts of a hostile server stay texts, wherever they are shown.

import assert from "node:assert/strict";
import test from "node:test";
import { CORPUS } from "./corpus.mjs";
import { FIXTURE, launch, openPage, openView, startDev } from "./support.mjs";

/** Returns what no text may create. */
function inspect() {
  const found = [];
  if (window.hacked !== undefined) found.push("a script has run");
  const allowed = { script: 1, link: 2 + 1, meta: 3, title: 1 };
  for (const [tag, most] of Object.entries(allowed)) {
    const number = document.getElementsByTagName(tag).length;
    if (number > most) found.push(`${number} elements <${tag}>`);
  }
  for (const tag of [
    "iframe",
    "object",
    "embed",
    "style",
    "base",
    "form",
    "svg",
    "math",
    "video",
    "template",
    "b",
    "i",
    "circle",
    "source",
  ]) {
    if (document.querySelector(tag)) found.push(`<${tag}>`);
  }
  for (const element of document.querySelectorAll("*")) {
    for (const { name, value } of element.attributes) {
      if (name.startsWith("on") || name === "srcdoc" || name === "srcset") found.push(`attribute ${name}`);
      if (["href", "src", "action", "formaction", "data"].includes(name)) {
        const isOwn = /^(#|[a-z]+\.(css|js|svg)$)/.test(value);
        const isWebLink =
          name === "href" &&
          element.tagName === "A" &&
          /^https?:\/\//.test(value) &&
          element.rel === "noopener noreferrer" &&
          element.target === "_blank";
        const isMedia =
          name === "src" && /^data:(image\/(png|jpeg|gif|webp|avif|bmp)|audio\/[a-z0-9-]+);base64,/.test(value);
        if (!isOwn && !isWebLink && !isMedia) found.push(`${element.tagName} ${name}=${value.slice(0, 100)}`);
      }
    }
  }
  const text = document.body.innerText;
  if (/[\u202a-\u202e\u2066-\u2069\u200b\u200e\u200f\ufeff\u0000\u001b\u009b]/.test(text))
    found.push("an invisible character is shown as it is");
  return found;
}

test("texts_of_a_server_stay_text", async () => {
  const [browser, dev] = await Promise.all([launch(), startDev(["--", process.execPath, FIXTURE, "hostile"])]);
  try {
    assert.ok(CORPUS.length >= 40);
    const page = await openPage(browser, dev.url);
    const check = async (where) => {
      for (let round = 0; round < 3; round += 1)
        await page.evaluate(() => document.querySelectorAll("details").forEach((each) => (each.open = true)));
      await page.waitForTimeout(50);
      assert.deepEqual(await page.evaluate(inspect), [], where);
      assert.deepEqual(page.problems, [], where);
    };
    const call = async (index) => {
      await page.locator(".vrow").nth(index).click();
      await page.getByRole("button", { name: "Call tool" }).click();
    };
    await page.locator(".vrow").first().waitFor();
    await call(0);
    await page.locator(".run-card .badge", { hasText: "tool error" }).waitFor();
    await check("tool with a hostile schema");
    await page.getByText("<script>window.hacked=1;alert(1)</script>").first().waitFor();
    await page.evaluate(() => document.querySelectorAll(".toggle-raw").forEach((each) => each.click()));
    await check("raw texts");
    for (const box of await page.locator(".form-pane input[aria-label^='Send']").all()) await box.check();
    await check("expanded form");
    await call(1);
    await page.locator(".run-card .badge", { hasText: "error" }).first().waitFor();
    await check("error");
    for (const [index, count] of [
      [2, 1],
      [3, 2],
      [4, 3],
    ]) {
      await call(index);
      await page.getByText(`Questions (${count})`).waitFor();
    }
    await check("questions");
    await openView(page, "Resources");
    for (const index of [0, 3, 9]) {
      await page.locator(".vrow").nth(index).click();
      await page.getByRole("button", { name: "Read", exact: true }).click();
      await page.locator(".run-card .resource-block").first().waitFor();
      await check(`resource ${index}`);
    }
    await page.locator(".filter").first().fill("{x}");
    await page.locator(".vrow").nth(1).click();
    await page.locator("#main").getByRole("combobox").last().focus();
    await page.locator("#main").getByRole("combobox").last().pressSequentially("a");
    await page.locator(".suggestions li").first().waitFor();
    await check("template with completions");
    await openView(page, "Prompts");
    await page.locator(".vrow").nth(1).click();
    await page.getByRole("button", { name: "Get prompt" }).click();
    await page.locator(".message").first().waitFor();
    await check("prompt");
    await openView(page, "Log");
    await page.locator(".log-row").nth(3).waitFor();
    await check("log");
    await openView(page, "History");
    for (const index of [0, 1, 2, 5]) {
      await page.locator(".vrow").nth(index).click();
      await check(`message ${index}`);
    }
    await openView(page, "Connection");
    await check("connection");
    await openView(page, "Compare");
    await page.locator("main").getByRole("button", { name: "Compare" }).click();
    await page.getByText(/Cannot compare|parts differ|offer the same/).waitFor();
    await check("comparison");
  } finally {
    await browser.close();
    await dev.stop();
  }
});
