/** Bad input and bad days: the engine dies, the program dies, lists are empty or endless, text is hostile, the window is narrow. */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { addClone, addRegistry, addRepository, addRule, build } from "./stand/prepare.mjs";
import { eventually } from "./stand/processes.mjs";
import { Product } from "./stand/product.mjs";
import { crowdedProduct, productWithoutEngine } from "./stand/scenes.mjs";
import { Clone, dockerfile, engineDoor, LABEL, PASSWORD, removeOwnImages, startRegistry, talking } from "./stand/surroundings.mjs";
import { BUILD_MS, closeBrowser, withWindow } from "./stand/window.mjs";

after(async () => {
  await closeBrowser();
  await removeOwnImages();
});

const chip = (window) => window.page.getByRole("button", { name: window.t("shell.engine_away") });

test("the engine is away: a guide that waits; it comes, and everything goes on by itself", { timeout: 180_000 }, async () => {
  const door = await engineDoor();
  await door.shut();
  const product = await Product.start({ env: { DOCKER_HOST: door.address } });
  const clone = await Clone.make("helloworld", { Dockerfile: dockerfile(talking("patience", 2)) });
  await withWindow(product, { name: "engine-away" }, async (window) => {
    await window.see(chip(window));
    await window.see(window.page.getByRole("alert").filter({ hasText: window.t("failure.engine_absent.what") }));
    // What is wished for meanwhile waits and says for what.
    const code = await addClone(product, clone);
    const repository = await addRepository(product, "bad/engine");
    const rule = await addRule(product, repository, code, { triggers: {} });
    const { id } = await product.call("builds.start", { rule, target: { kind: "ref", name: "refs/heads/main" } });
    await window.go(`/builds/${id}`);
    await window.see(window.text("failure.engine_absent.what"), BUILD_MS);
    await door.open();
    await window.see(window.page.getByRole("heading", { level: 1 }).getByText(window.t("builds.state_succeeded")), BUILD_MS);
    await window.gone(chip(window), BUILD_MS);
  });
  await product.stop();
  await door.shut();
});

test("the engine dies in the middle of a build and comes back: nothing is lost, nobody clicks", { timeout: 180_000 }, async () => {
  const door = await engineDoor();
  const product = await Product.start({ env: { DOCKER_HOST: door.address } });
  const clone = await Clone.make("helloworld", { Dockerfile: dockerfile(talking("hanging on", 4)) });
  const code = await addClone(product, clone);
  const repository = await addRepository(product, "bad/lost");
  const rule = await addRule(product, repository, code, { triggers: {} });
  await withWindow(product, { name: "engine-dies", path: `/repositories/${repository}/build?dialog=now.${rule}` }, async (window) => {
    await window.button("builds.now_start", {}, window.dialog).click();
    await window.see(window.by("log", "log.label").getByText("hanging on 1", { exact: true }), BUILD_MS);
    await door.shut();
    await window.see(chip(window), BUILD_MS);
    await door.open();
    await window.see(window.page.getByRole("heading", { level: 1 }).getByText(window.t("builds.state_succeeded")), BUILD_MS);
  });
  await product.stop();
  await door.shut();
});

test("the program behind the console dies: it says so, keeps what was typed, and goes on when it is back", { timeout: 120_000 }, async () => {
  const product = await Product.start();
  await withWindow(product, { name: "program-dies", path: "/registries?dialog=add" }, async (window) => {
    await window.field("registries.host", {}, window.dialog).fill("ccr.example.com");
    await product.kill();
    await window.button("common.add", {}, window.dialog).click();
    await window.see(window.dialog.getByRole("alert").filter({ hasText: window.t("failure.host_gone.what") }));
    assert.equal(await window.field("registries.host", {}, window.dialog).inputValue(), "ccr.example.com");
    await window.see(window.text("shell.offline"));
    const { token } = product;
    await product.launch();
    // Another start has another token: a new window is needed, and this one says what to do rather than nothing.
    if (product.token !== token) {
      await window.see(window.dialog.getByRole("alert"));
    }
    // Pages that were still being read ahead cannot be any more.
    window.complaints = window.complaints.filter((text) => !/ERR_FAILED.*\/assets\/|ERR_CONNECTION|Failed to fetch|401/.test(text));
  });
  await product.stop();
});

test("a backend that is slow shows grey rows that say so, then the list", async () => {
  const product = await Product.start();
  await addRepository(product, "bad/slow");
  await withWindow(product, { name: "slow", path: "/settings" }, async (window) => {
    let release;
    const held = new Promise((resolve) => (release = resolve));
    await window.page.route("**/rpc/*", async (route) => {
      await held;
      await route.fallback();
    });
    await window.reload();
    await window.visit("page.builds");
    await window.see(window.page.getByRole("status", { name: window.t("common.loading") }));
    release();
    await window.see(window.text("builds.empty"));
    assert.equal(await window.page.getByRole("status", { name: window.t("common.loading") }).count(), 0);
  });
  await product.stop();
});

test("every list that is empty says what it is for and has one button", async () => {
  const product = await Product.start();
  await withWindow(product, { name: "empty" }, async (window) => {
    for (const [page, sentence, button] of [
      ["page.repositories", "repositories.empty", "repositories.add"],
      ["page.sources", "sources.empty", "sources.add"],
      ["page.registries", "registries.only_local", "registries.add"],
    ]) {
      await window.visit(page);
      await window.see(window.text(sentence));
      await window.see(window.button(button, {}, window.page.getByRole("main")));
    }
    await window.visit("page.builds");
    await window.see(window.text("builds.empty"));
    await window.link("page.repositories", {}, window.page.getByRole("main")).click();
    await window.see(window.text("repositories.empty"));
  });
  await product.stop();
});

test("F37: 10,000 builds: the list opens, is searched, filtered and sorted in the address, and goes on to its end", { timeout: 180_000 }, async () => {
  const { product, repository } = await crowdedProduct(10_000);
  await withWindow(product, { name: "crowded", path: "/builds" }, async (window) => {
    await window.see(window.row("#10001"));
    const rows = () => window.page.getByRole("main").getByRole("row").count();
    const before = await rows();
    assert.ok(before < 120, `${before} rows at once`);
    await window.page.getByRole("searchbox", { name: window.t("builds.search") }).fill("升级文档 (9992)");
    await window.see(window.row("升级文档 (9992)"));
    await eventually("only one fits", async () => (await rows()) === 2);
    assert.match(decodeURIComponent(window.page.url().replaceAll("+", " ")), /search=升级文档 \(9992\)/);
    // Back to the whole list, by the address.
    await window.go("/builds?state=failed");
    await window.see(window.row(window.t("builds.state_failed")));
    assert.equal(await window.page.getByRole("cell").getByText(window.t("builds.state_succeeded")).count(), 0);
    await window.button("builds.more").click();
    await eventually("there are more rows", async () => (await rows()) > before + 20);
    // Sorted by the core: the longest and the shortest of all. A head is a button, and says how the list is sorted.
    const head = (key) => window.by("columnheader", key);
    await window.go("/builds");
    await head("builds.duration").getByRole("button").focus();
    await window.page.keyboard.press("Enter");
    await eventually("ascending", async () => (await head("builds.duration").getAttribute("aria-sort")) === "ascending");
    const [shortest] = (await product.call("builds.list", { order: { column: "duration" }, limit: 1 })).items;
    await window.see(window.page.getByRole("row").nth(1).getByText(`#${shortest.number}`, { exact: true }));
    await window.page.keyboard.press("Enter");
    await window.see(window.page.getByRole("row").nth(1).getByText("3 min 22 s", { exact: true }));
    assert.match(window.page.url(), /sort=-duration/);
    await window.reload();
    await window.see(window.page.getByRole("row").nth(1).getByText("3 min 22 s", { exact: true }));
    assert.equal(await head("builds.duration").getAttribute("aria-sort"), "descending");
    // Beyond what is read at once the list goes on in the same order, and one comes back to its start.
    const on = window.link("builds.go_on");
    for (let shown = 50; shown < 500; shown += 50) {
      await window.button("builds.more").click();
      await eventually(`${shown + 50} rows`, async () => (await rows()) > shown + 1);
    }
    await on.click();
    await eventually("it goes on", async () => /before=/.test(window.page.url()) && (await rows()) === 51);
    assert.match(window.page.url(), /sort=-duration/);
    await window.button("builds.to_start").click();
    await window.see(window.page.getByRole("row").nth(1).getByText("3 min 22 s", { exact: true }));
    await window.go(`/repositories/${repository}/build`);
    await window.see(window.row("#10001"));
  });
  await product.stop();
});

test("T07, F28: a log with a 100 KB line, ANSI bombs, markup, right-to-left and zero-width characters stays a log", { timeout: 120_000 }, async () => {
  const product = await Product.start();
  const evil = [
    "<script>document.title='taken over'</script><img src=x onerror=\"document.title='taken over'\">",
    "\u001b]8;;http://evil.example/\u0007click me\u001b]8;;\u0007",
    "\u001b]52;c;ZXZpbA==\u0007clipboard",
    `${"\u001b[31m".repeat(1000)}red at last${"\u001b[999999999A".repeat(200)}`,
    "\u001b[2J\u001b[Hcleared",
    "admin\u202egnp.exe \u200bzero\u200dwidth",
    "\u001b[never ends",
    "progress 1%\rprogress 100%",
  ].join("\n");
  const clone = await Clone.make("hostile", {
    Dockerfile: dockerfile(`COPY evil.txt /evil.txt\nRUN : ${LABEL} && cat /evil.txt && head -c 100000 /dev/zero | tr '\\0' 'x' && echo && echo the end\n`),
    "evil.txt": `${evil}\n`,
  });
  await clone.commit("<b>bold</b> \u202eesrever\u202c <script>document.title='taken over'</script>");
  const code = await addClone(product, clone);
  const repository = await addRepository(product, "bad/text");
  const done = await build(product, await addRule(product, repository, code, { triggers: {} }));
  assert.equal(done.state, "succeeded");
  await withWindow(product, { name: "hostile", path: `/builds/${done.id}` }, async (window) => {
    const log = window.by("log", "log.label");
    const search = window.page.getByRole("searchbox", { name: window.t("log.search") });
    for (const seen of ["<script>document.title", "click me", "clipboard", "red at last", "progress 100%", "the end"]) {
      await search.fill(seen);
      await window.see(log.getByText(seen, { exact: false }));
    }
    await search.fill("");
    // Nothing of it became an element, a link, or a hidden mark.
    assert.equal(await window.page.locator("main script, main img, main a[href^='http'], main b").count(), 0);
    const text = await log.innerText();
    assert.doesNotMatch(text, /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u200b-\u200f\u202a-\u202e]/);
    const lead = await window.page.getByRole("main").innerText();
    assert.doesNotMatch(lead, /[\u202a-\u202e]/);
    assert.match(lead, /<b>bold<\/b>/);
    assert.doesNotMatch(await window.page.title(), /taken over/);
    // The long line does not widen the page.
    const wide = await window.page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
    assert.equal(wide, false);
    // What is copied holds no sequence that a terminal would obey (T08).
    await window.button("log.copy").click();
    const copied = await eventually("the log is in the clipboard", async () => {
      const found = await window.page.evaluate(() => navigator.clipboard.readText());
      return found.includes("the end") && found;
    });
    assert.doesNotMatch(copied, /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
  });
  await product.stop();
});

test("800 pixels wide: every page and the rule editor can be used without scrolling sideways", { timeout: 120_000 }, async () => {
  const { product, repository } = await crowdedProduct(60);
  await withWindow(product, { name: "narrow", width: 800, height: 600 }, async (window) => {
    const { items } = await product.call("builds.list", {});
    for (const path of ["/", "/repositories", `/repositories/${repository}/build`, `/repositories/${repository}/info`, "/builds", `/builds/${items.at(-1).id}`, "/sources", "/registries", "/settings", `/repositories/${repository}/build?dialog=new-rule`, "/sources?dialog=add"]) {
      await window.go(path);
      await window.see(window.page.getByRole("heading", { level: 1, includeHidden: true }));
      await window.settled();
      const { inner, outer } = await window.page.evaluate(() => ({ inner: document.documentElement.scrollWidth, outer: innerWidth }));
      assert.ok(inner <= outer, `${path} is ${inner} wide in a window of ${outer}`);
      // What acts can be reached: no button of the page hangs out of the window.
      const out = await window.page.getByRole("main").getByRole("button").evaluateAll((all) =>
        all.filter((one) => one.getBoundingClientRect().width > 0 && one.getBoundingClientRect().right > innerWidth + 1 && !one.closest("[class*=scroll], [style*=overflow], .panel, table")).map((one) => one.textContent),
      );
      assert.deepEqual(out, [], path);
    }
  });
  await product.stop();
});

test("without any engine at all, lists and settings work", async () => {
  const product = await productWithoutEngine();
  await withWindow(product, { name: "no-engine" }, async (window) => {
    await window.see(window.text("failure.engine_absent.what"));
    await window.see(window.text("failure.engine_absent.next"));
    for (const page of ["page.repositories", "page.builds", "page.sources", "page.registries", "page.settings"]) {
      await window.visit(page);
      await window.see(window.page.getByRole("heading", { level: 1, name: window.t(page) }));
    }
  });
  await product.stop();
});

test("registry troubles stand at the hop that fails, and a read-only repository says why", { timeout: 120_000 }, async () => {
  const registry = await startRegistry({ password: PASSWORD });
  const product = await Product.start({ keychain: true });
  const { registry: id, credential } = await addRegistry(product, registry.host, { password: "wrong" });
  await withWindow(product, { name: "registry-troubles", path: `/registries?dialog=test.${id}` }, async (window) => {
    await window.field("registries.test_repository", {}, window.dialog).fill("team/helloworld");
    await window.button("registries.test_run", {}, window.dialog).click();
    const failure = window.dialog.getByRole("alert").filter({ hasText: window.t("failure.registry_unauthorized.what") });
    await window.see(failure);
    await window.see(failure.getByText(window.t("failure.registry_unauthorized.next")));
    await window.page.keyboard.press("Escape");
    await window.dialogGone();
    // The login is corrected where it stands.
    await window.pick("ann", "common.edit");
    await window.field("registries.password", {}, window.dialog).fill(PASSWORD);
    await window.button("common.save", {}, window.dialog).click();
    await window.dialogGone();
    await window.pick("ann", "common.test");
    await window.field("registries.test_repository", {}, window.dialog).fill("team/helloworld");
    await window.button("registries.test_run", {}, window.dialog).click();
    await window.see(window.dialog.getByText(window.t("registries.hop_push")));
    await window.gone(window.dialog.getByRole("alert"));
    assert.ok(credential > 0);
    // A stored secret is never shown again.
    await window.page.keyboard.press("Escape");
    await window.dialogGone();
    await window.pick("ann", "common.edit");
    assert.equal(await window.field("registries.password", {}, window.dialog).inputValue(), "");
    assert.equal((await window.page.content()).includes(PASSWORD), false);
  });
  await product.stop();
});

test("settings are saved, refused beside their field, and kept over a start", { timeout: 60_000 }, async () => {
  const product = await Product.start();
  await withWindow(product, { name: "settings", path: "/settings" }, async (window) => {
    await window.field("settings.concurrency").fill("3");
    await window.field("settings.mirrors").fill("docker.io = mirror.example.com\nnonsense");
    await window.see(window.text("settings.mirrors_bad", { line: 2 }));
    assert.equal(await window.button("common.save").isDisabled(), true);
    await window.field("settings.mirrors").fill("docker.io = mirror.example.com");
    await window.field("settings.code_proxy").fill("not a proxy");
    await window.button("common.save").click();
    await window.see(window.page.getByRole("alert"));
    assert.equal(await window.field("settings.code_proxy").getAttribute("aria-invalid"), "true");
    await window.field("settings.code_proxy").fill("");
    await window.button("common.save").click();
    await eventually("the settings are kept", async () => (await product.call("settings.get")).concurrency === 3);
    await window.segment("shell.theme_dark", window.page.getByRole("main")).click();
    await window.page.waitForFunction(() => document.documentElement.dataset.mantineColorScheme === "dark");
    await window.segment("settings.language_zh", window.page.getByRole("main")).click();
    window.language = "zh";
    await window.see(window.heading("page.settings"));
    await window.reload();
    await window.see(window.heading("page.settings"));
    assert.equal(await window.page.evaluate(() => document.documentElement.dataset.mantineColorScheme), "dark");
    assert.equal(await window.field("settings.concurrency").inputValue(), "3");
  });
  await product.stop();
});
