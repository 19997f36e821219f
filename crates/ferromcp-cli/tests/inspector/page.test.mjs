// Tests of the inspector in Chromium, with servers behind `mcp dev`.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createServer } from "node:net";
import test, { after, before, describe } from "node:test";
import { FIXTURE, TEST_SERVER, choose, launch, openPage, openView, startDev, violations } from "./support.mjs";

let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

/** Runs a test with a page of a server, and checks that the page had no problem. */
async function withPage(words, work, options = {}) {
  const dev = await startDev(words, options.files);
  try {
    const page = await openPage(browser, dev.url, options);
    await work(page, dev);
    assert.deepEqual(page.problems, []);
    await page.context().close();
  } finally {
    await dev.stop();
  }
}

const forms = ["--", process.execPath, FIXTURE, "forms"];
const kitchen = ["--", TEST_SERVER, "stdio"];
const callTool = (page) => page.getByRole("button", { name: "Call tool" }).click();
const result = (page) => page.locator(".run-card").first();
const jsonOf = async (page) => JSON.parse(await page.getByLabel("Arguments as JSON").inputValue());

/** Returns a free port. */
function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

test("large_results_do_not_freeze_the_page", () =>
  withPage(forms, async (page) => {
    await choose(page, "large");
    await callTool(page);
    await page.getByRole("button", { name: /Show all/ }).waitFor();
    assert.ok((await result(page).textContent()).length < 30_000);
    const ms = await page.evaluate(async () => {
      const start = performance.now();
      [...document.querySelectorAll("button")].find((each) => each.textContent.startsWith("Show all")).click();
      await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
      return performance.now() - start;
    });
    assert.equal((await result(page).locator(".text-block").textContent()).length, 10 << 20);
    console.log(`# showing 10 MB took ${Math.round(ms)} ms`);
    assert.ok(ms < 3000, `${ms} ms`);
  }));

test("ten_thousand_tools_are_filtered_and_scrolled", () =>
  withPage(["--", TEST_SERVER, "hostile", "tools"], async (page) => {
    await page.getByText("10,000 tools").waitFor();
    assert.ok((await page.locator(".vrow").count()) < 60);
    const times = await page.evaluate(() => {
      const input = document.querySelector(".filter");
      return ["0", "09", "099", "0999", "09999", ""].map((text) => {
        input.value = text;
        const start = performance.now();
        input.dispatchEvent(new Event("input"));
        document.querySelector(".vlist").getBoundingClientRect();
        return performance.now() - start;
      });
    });
    console.log(`# filtering 10,000 tools took at most ${Math.max(...times).toFixed(1)} ms`);
    assert.ok(Math.max(...times) < 50, times.join(", "));
    await page.locator(".vlist").focus();
    await page.keyboard.press("End");
    await page.getByText("tool_09999").waitFor();
    assert.ok((await page.locator(".vrow").count()) < 60);
  }));

// Most of the time of a test is the start of its server, so several run at a time.
describe("page", { concurrency: 4 }, () => {
  test("calls_a_tool_when_its_form_is_filled", () =>
    withPage(forms, async (page) => {
      await choose(page, "order");
      await callTool(page);
      await page.locator(".invalid-notice").waitFor();
      assert.equal(await page.locator(".run-card").count(), 0, "invalid arguments are not sent");
      await page.getByLabel("name", { exact: true }).fill("Ada");
      await page.getByLabel("radius", { exact: true }).fill("1.5");
      await page.getByLabel("count", { exact: true }).fill("9");
      await page.getByText("must be at most 8").waitFor();
      await page.getByLabel("count", { exact: true }).fill("2");
      await page.getByLabel("isUrgent", { exact: true }).selectOption({ label: "true" });
      await page.getByLabel("level", { exact: true }).selectOption({ label: "2" });
      await page.getByLabel("seat", { exact: true }).selectOption({ label: "Garden" });
      await page.getByLabel("Send tags").check();
      const tags = page.getByRole("group", { name: "tags" });
      for (const [index, tag] of ["a", "b", "c"].entries()) {
        await tags.getByRole("button", { name: "Add item" }).click();
        await tags.locator("textarea").nth(index).fill(tag);
      }
      await tags.getByRole("button", { name: "Move up" }).nth(2).click();
      await tags.getByRole("button", { name: "Remove" }).nth(0).click();
      await page.getByLabel("Send place").check();
      await page.getByLabel("city", { exact: true }).fill("Kiev");
      await page.getByLabel("Send null as zip").check();
      await page.getByLabel("Send null as nickname").check();
      await page.getByLabel("Send list").check();
      await page.getByLabel("Send next").check();
      await page.getByLabel("value", { exact: true }).nth(0).fill("1");
      await page.getByLabel("value", { exact: true }).nth(1).fill("2");
      await page.getByLabel("day", { exact: true }).fill("2026-07-28");
      await page.getByLabel("code", { exact: true }).fill("abc");
      await page.getByText("must match ^[A-Z]{3}$").waitFor();
      await page.getByLabel("code", { exact: true }).fill("ABC");
      await page.getByLabel("Send version").check();
      await page.getByLabel("Send labels").check();
      const labels = page.getByRole("group", { name: "labels" });
      await labels.getByRole("button", { name: "Add member" }).click();
      await labels.getByLabel("Name of the member").fill("color");
      await labels.getByLabel("value", { exact: true }).fill("red");
      await page.getByLabel("Send pair").check();
      const pair = page.getByRole("group", { name: "pair" });
      await pair.locator("textarea").fill("x");
      await pair.locator("input.number").fill("7");
      await page.getByLabel("anything", { exact: true }).fill("[1, {}]");
      const expected = {
        name: "Ada",
        count: 2,
        isUrgent: true,
        level: 2,
        seat: "g",
        tags: ["c", "b"],
        place: { city: "Kiev", zip: null },
        shape: { radius: 1.5 },
        nickname: null,
        list: { value: 1, next: { value: 2 } },
        day: "2026-07-28",
        code: "ABC",
        version: 2,
        labels: { color: "red" },
        pair: ["x", 7],
        anything: [1, {}],
      };
      assert.deepEqual(await jsonOf(page), expected);
      await callTool(page);
      await result(page).locator(".badge.good", { hasText: "done" }).waitFor();
      assert.deepEqual(JSON.parse(await result(page).locator("pre").first().textContent()), expected);
      await result(page).getByText("matches the output schema").waitFor();
    }));

  test("form_follows_the_json_and_errors_appear_at_fields", () =>
    withPage(forms, async (page) => {
      await choose(page, "order");
      const json = page.getByLabel("Arguments as JSON");
      await json.fill("{");
      await page.getByText("This is not valid JSON").waitFor();
      await json.fill(
        JSON.stringify({ name: "Grace Hopper", shape: { kind: "square", side: 2 }, tags: ["p"], unknown: 1 }),
      );
      assert.equal(await page.getByLabel("name", { exact: true }).inputValue(), "Grace Hopper");
      assert.equal(await page.getByLabel("side", { exact: true }).inputValue(), "2");
      assert.equal(await page.getByRole("group", { name: "tags" }).locator("textarea").inputValue(), "p");
      await page.getByLabel("ratio", { exact: true }).fill("-1");
      await page.getByText("must be greater than 0").waitFor();
      assert.equal(await page.getByLabel("ratio", { exact: true }).getAttribute("aria-invalid"), "true");
      await callTool(page);
      await page.getByRole("button", { name: "Send anyway" }).click();
      await result(page).getByText("does not match the output schema").waitFor();
      await result(page).getByText("/name must have at most 3 characters").waitFor();
      await choose(page, "recursive");
      await page.getByRole("button", { name: "Edit p", exact: false }).first().waitFor();
      assert.ok((await page.locator(".field").count()) < 5000);
      await choose(page, "broken");
      await page.getByLabel("c", { exact: true }).fill("x");
      assert.deepEqual(await jsonOf(page), { c: "x" });
    }));

  test("questions_are_answered_when_tools_ask", () =>
    withPage(kitchen, async (page) => {
      for (const connection of ["auto", "legacy"]) {
        await page.locator("#connection-choice").selectOption(connection);
        await page.locator(".connection-badge").getByText("open", { exact: true }).waitFor();
        await choose(page, "book");
        await callTool(page);
        const card = page.locator(".question");
        await card.waitFor();
        assert.match(await page.title(), /^\(1\) /);
        assert.equal(await card.getByLabel("guests", { exact: true }).inputValue(), "2", "the default");
        await card.getByLabel("name", { exact: true }).fill("Ada");
        await card.getByLabel("place", { exact: true }).selectOption({ label: "In the garden" });
        await card.getByRole("button", { name: "Accept" }).click();
        await result(page).getByText('{"name":"Ada","guests":2,"place":"Garden"}').waitFor();
        assert.doesNotMatch(await page.title(), /^\(/);
      }
    }));

  test("several_questions_are_open_at_once", () =>
    withPage(forms, async (page) => {
      for (const [index, tool] of ["ask", "sample", "url"].entries()) {
        await choose(page, tool);
        await callTool(page);
        await page.getByText(`Questions (${index + 1})`).waitFor();
      }
      const form = page.getByRole("region", { name: "Question: Form" });
      await form.getByRole("button", { name: "Accept" }).click();
      await form.getByText("must have at least 1 item").first().waitFor();
      await form.getByLabel("Olives").check();
      await form.getByRole("button", { name: "Accept" }).click();
      const sampling = page.getByRole("region", { name: "Question: Sampling" });
      await sampling.getByText("You are a poet.").waitFor();
      await sampling.getByLabel("Reply").fill("Green lights");
      await sampling.getByLabel("Model").fill("poet-1");
      await sampling.getByRole("button", { name: "Reply", exact: true }).click();
      const url = page.getByRole("region", { name: "Question: Open a page" });
      await url.getByText("https://example.com/sign-in?x=1").waitFor();
      const link = url.getByRole("link", { name: "Open the page" });
      assert.deepEqual(
        [await link.getAttribute("rel"), await link.getAttribute("target")],
        ["noopener noreferrer", "_blank"],
      );
      await url.getByRole("button", { name: "Decline" }).click();
      await page.locator("#questions").waitFor({ state: "hidden" });
      await result(page).getByText('"action":"decline"').waitFor();
      await choose(page, "ask");
      await result(page).getByText('{"action":"accept","content":{"toppings":["o"],"spicy":true}}').waitFor();
      await choose(page, "sample");
      await result(page).getByText('"model":"poet-1"').waitFor();
    }));

  test("progress_is_shown_and_calls_are_cancelled", () =>
    withPage(kitchen, async (page) => {
      await choose(page, "sleep");
      await callTool(page);
      await page.locator("#dock").getByText("sleep").waitFor();
      await choose(page, "steps");
      await page.evaluate(() => {
        window.seen = [];
        new MutationObserver(() => {
          const bar = document.querySelector(".run-card progress[value]");
          if (bar) window.seen.push(`${bar.value} of ${bar.max}: ${bar.parentElement.textContent}`);
        }).observe(document.querySelector(".runs"), { subtree: true, childList: true, attributes: true });
      });
      await callTool(page);
      await result(page).locator(".badge", { hasText: "done" }).waitFor();
      const seen = await page.evaluate(() => window.seen);
      assert.ok(
        seen.some((text) => /^\d of 3: .*step \d/.test(text)),
        seen.join("\n"),
      );
      await page.locator("#dock").getByRole("button", { name: "Cancel sleep" }).click();
      await choose(page, "sleep");
      await result(page).locator(".badge", { hasText: "cancelled" }).waitFor();
      await page.locator("#dock").waitFor({ state: "hidden" });
      await openView(page, "Log");
      await page.getByText("on the way").waitFor();
      await page.locator(".log").getByText("cancelled").waitFor();
      await page.getByLabel("Lowest level that is shown").selectOption("warning");
      assert.equal(await page.locator(".log-row").count(), 0);
    }));

  test("variables_are_completed_when_typing", () =>
    withPage(forms, async (page) => {
      await openView(page, "Resources");
      await choose(page, "city://{country}/{city}");
      const country = page.getByRole("combobox", { name: "country" });
      await country.pressSequentially("f");
      await page.getByRole("option", { name: "france" }).waitFor();
      await country.press("ArrowDown");
      await country.press("Enter");
      const city = page.getByRole("combobox", { name: "city" });
      await city.focus();
      await page.getByRole("option", { name: "france-ville" }).click();
      await page.getByRole("button", { name: "Read", exact: true }).click();
      await page.getByText("contents of city://france/france-ville").waitFor();
    }));

  test("resources_are_subscribed_and_prompts_are_shown", () =>
    withPage(kitchen, async (page) => {
      await openView(page, "Resources");
      await choose(page, "note://today");
      await page.getByRole("button", { name: "Subscribe" }).click();
      await page.getByText("Subscribed. No updates yet.").waitFor();
      await openView(page, "Tools");
      await choose(page, "touch");
      await callTool(page);
      await openView(page, "Resources");
      await page.getByText(/1 updates/).waitFor();
      await page.getByText("Buy cheese").first().waitFor();
      await page.getByRole("button", { name: "Unsubscribe" }).click();
      await page.getByRole("button", { name: "Subscribe", exact: true }).waitFor();
      await openView(page, "Prompts");
      await choose(page, "review");
      await page.getByRole("button", { name: "Get prompt" }).click();
      await page.getByText("Required: code").waitFor();
      await page.getByRole("combobox", { name: "code" }).fill("1 + 1");
      await page.getByRole("combobox", { name: "language" }).fill("ru");
      await page.getByRole("option", { name: "rust" }).click();
      await page.getByRole("button", { name: "Get prompt" }).click();
      await page.getByText("Please review this rust code:").waitFor();
    }));

  test("lists_and_forms_follow_when_the_server_is_rebuilt", () => {
    const tool = (name, properties) => ({ name, inputSchema: { type: "object", properties } });
    const text = { type: "string" };
    const first = JSON.stringify({ tools: [tool("edit", { a: text, b: text }), tool("old", {}), tool("same", {})] });
    const second = JSON.stringify({ tools: [tool("edit", { a: text, c: text }), tool("new", {}), tool("same", {})] });
    return withPage(
      ["--", process.execPath, FIXTURE, "versions", "tools.md"],
      async (page, dev) => {
        await choose(page, "edit");
        await page.getByLabel("a", { exact: true }).fill("kept");
        await page.getByLabel("b", { exact: true }).fill("lost");
        await page.locator(".filter").fill("");
        dev.write("tools.md", second);
        await page.getByText("running · generation 2").waitFor();
        await page.getByText("Server rebuilt: lists refreshed (1 added, 1 changed, 1 removed)").first().waitFor();
        await page.getByLabel("c", { exact: true }).waitFor();
        assert.deepEqual(await jsonOf(page), { a: "kept" });
        const marks = await page
          .locator(".vrow")
          .evaluateAll((rows) => rows.map((row) => row.querySelector(".row-title").textContent).sort());
        assert.deepEqual(marks, ["editchanged", "newadded", "oldremoved", "same"]);
        await callTool(page);
        await result(page).getByText('{"a":"kept"}').waitFor();
      },
      { files: { "tools.md": first } },
    );
  });

  test("output_is_shown_when_a_build_fails", () =>
    withPage(
      ["--", "sh", "server.sh"],
      async (page, dev) => {
        await page.getByText("running · generation 1").waitFor();
        dev.write("server.sh", "echo 'error: mismatched types' >&2; exit 3\n");
        await page.locator("#build-panel").getByText("mismatched types").waitFor();
        await page.getByText("build failed · generation 1 still runs").waitFor();
        await page.keyboard.press("Escape");
        await page.locator("#build-panel").waitFor({ state: "hidden" });
        await choose(page, "add");
        await page.getByLabel("a", { exact: true }).fill("1");
        await callTool(page);
        await result(page).locator("pre", { hasText: "2" }).first().waitFor();
      },
      { files: { "server.sh": `exec '${TEST_SERVER}' stdio\n` } },
    ));

  test("login_is_shown_step_by_step", async () => {
    const port = await freePort();
    const server = spawn(TEST_SERVER, ["protected", String(port)], { stdio: "ignore" });
    try {
      for (
        let attempt = 0;
        attempt < 100 && !(await fetch(`http://127.0.0.1:${port}/mcp`).catch(() => null));
        attempt += 1
      )
        await new Promise((resolve) => setTimeout(resolve, 50));
      await withPage([`http://127.0.0.1:${port}/mcp`], async (page) => {
        await page.locator(".connection-badge").getByText("login required").click();
        await page.getByRole("button", { name: "Log in", exact: true }).click();
        const popup = page.context().waitForEvent("page");
        await page.getByRole("button", { name: "Open the login page" }).click();
        await popup;
        await page.locator(".steps li.done", { hasText: "Connect with the token" }).waitFor();
        assert.ok((await page.locator(".steps li.done").count()) >= 5);
        await openView(page, "Tools");
        await choose(page, "user");
        await callTool(page);
        await result(page).getByText("ada").waitFor();
      });
    } finally {
      server.kill("SIGKILL");
    }
  });

  test("history_shows_and_replays_requests", () =>
    withPage(kitchen, async (page) => {
      await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
      await choose(page, "add");
      await page.getByLabel("a", { exact: true }).fill("41");
      await callTool(page);
      await result(page).locator(".card-head .badge.good").waitFor();
      await openView(page, "History");
      await page.locator(".filter").fill("tools/call request");
      await page.locator(".vrow").first().click();
      await page.getByRole("button", { name: "Copy as mcp" }).click();
      const command = await page.evaluate(() => navigator.clipboard.readText());
      assert.match(command, /^mcp call add --args '\{"a":41\}' -- .*cli-test-server stdio$/);
      await page.getByRole("button", { name: "Copy as curl" }).click();
      await page.waitForFunction(async () => (await navigator.clipboard.readText()).startsWith("curl"));
      await page.getByRole("button", { name: "Replay" }).click();
      await page.locator(".replay .badge.good").waitFor();
      await page.getByRole("button", { name: "Show response" }).click();
      await page.locator(".facts").getByText("received").waitFor();
    }));

  test("eras_are_compared", () =>
    withPage(kitchen, async (page) => {
      await openView(page, "Compare");
      await page.locator("main").getByRole("button", { name: "Compare" }).click();
      await page.getByText(/Both eras offer the same|parts differ/).waitFor();
      await page.getByText("Tools (12 legacy, 12 modern)").waitFor();
    }));

  test("roots_are_edited", () =>
    withPage(kitchen, async (page) => {
      await openView(page, "Connection");
      await page.getByRole("button", { name: "Add root" }).click();
      await page.getByLabel("URI of root 1").fill("file:///srv/data");
      await page.getByRole("button", { name: "Save" }).click();
      await page.getByText("Roots saved").waitFor();
      await openView(page, "Tools");
      await choose(page, "folders");
      await callTool(page);
      await result(page).getByText("file:///srv/data").waitFor();
    }));

  test("keyboard_reaches_everything", () =>
    withPage(kitchen, async (page) => {
      await page.locator(".vrow").first().waitFor();
      await page.keyboard.press("/");
      await page.keyboard.type("fol");
      await page.keyboard.press("ArrowDown");
      await page.keyboard.press("Enter");
      await page.keyboard.press("Control+Enter");
      await result(page).locator(".card-head .badge.good").waitFor();
      await page.keyboard.press("?");
      await page.locator("#keys").waitFor();
      await page.keyboard.press("Escape");
      await page.locator("#keys").waitFor({ state: "hidden" });
      await page.keyboard.press("3");
      assert.equal(await page.locator("#nav a[aria-current]").textContent(), "Prompts");
    }));

  test("page_explains_a_missing_or_invalid_token", () =>
    withPage(kitchen, async (page, dev) => {
      await page.getByText("running · generation 1").waitFor();
      assert.doesNotMatch(page.url(), /token/);
      const origin = new URL(dev.url).origin;
      const other = await openPage(browser, origin);
      await other.getByText("This page needs a token.").waitFor();
      await other.goto(`${origin}/#token=00000000000000000000000000000000`);
      await other.reload();
      await other.getByText("The token is invalid").waitFor();
      await other.context().close();
    }));

  test("page_fits_when_it_is_narrow", () =>
    withPage(kitchen, async (page) => {
      await page.setViewportSize({ width: 400, height: 700 });
      await choose(page, "echo");
      for (const name of ["Resources", "Prompts", "Log", "History", "Compare", "Connection", "Tools"]) {
        await openView(page, name);
        const width = await page.evaluate(() =>
          [...document.querySelectorAll("main *")].reduce(
            (most, each) => Math.max(most, each.closest("pre, .log, .vlist") ? 0 : each.getBoundingClientRect().right),
            0,
          ),
        );
        assert.ok(width <= 401, `${name}: ${width}`);
      }
      await page.getByRole("button", { name: "Back to the list" }).click();
      await page.locator(".vrow").first().waitFor();
    }));

  test("axe_finds_no_serious_violation_in_any_view", () =>
    withPage(
      forms,
      async (page) => {
        for (const tool of ["ask", "sample", "url"]) {
          await choose(page, tool);
          await callTool(page);
        }
        await page.getByText("Questions (3)").waitFor();
        const visits = [
          [
            "Tools",
            async () => {
              await choose(page, "order");
              await callTool(page);
              await page.getByLabel("Send tags").check();
              await page.getByRole("button", { name: "Add item" }).click();
            },
          ],
          [
            "Tools",
            async () => {
              await choose(page, "media");
              await callTool(page);
              await result(page).locator(".card-head .badge.good").waitFor();
            },
          ],
          ["Resources", async () => choose(page, "city://{country}/{city}")],
          ["Prompts", async () => {}],
          ["Log", async () => {}],
          ["History", async () => page.locator(".vrow").first().click()],
          ["Compare", async () => {}],
          ["Connection", async () => page.getByRole("button", { name: "Add root" }).click()],
        ];
        for (const theme of ["light", "dark"]) {
          while ((await page.locator("html").getAttribute("data-theme")) !== theme)
            await page.locator(".theme").click();
          for (const [name, work] of visits) {
            await openView(page, name);
            await work();
            assert.deepEqual(await violations(page), [], `${name} ${theme}`);
          }
        }
      },
      { bypassCSP: true },
    ));
});
