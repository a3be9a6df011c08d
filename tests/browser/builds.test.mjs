/** Builds by clicking: log, parameters, result, what failed and why, run again, cancel, delete. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { addClone, addRepository, addRule, build } from "./stand/prepare.mjs";
import { eventually } from "./stand/processes.mjs";
import { Product } from "./stand/product.mjs";
import { Clone, dockerfile, LABEL, removeOwnImages, talking } from "./stand/surroundings.mjs";
import { BUILD_MS, closeBrowser, withWindow } from "./stand/window.mjs";

let product;
let clone;
let code;
before(async () => {
  product = await Product.start();
  clone = await Clone.make("helloworld", {
    Dockerfile: dockerfile(`RUN : ${LABEL} && echo line one && echo line two\nADD ./ /site\nRUN ls /site | sort\n`),
    "index.html": "hello world\n",
    "fails/Dockerfile": dockerfile(`RUN echo getting ready\n# the next line fails\nRUN : ${LABEL} && echo it breaks here && exit 3\n`),
    "mistake/Dockerfile": dockerfile("RUNN echo hello\n"),
    "slow/Dockerfile": dockerfile(talking("still at it", 3600)),
    "args/Dockerfile": dockerfile(`ARG WHO=nobody\nRUN : ${LABEL} && echo hello $WHO\n`),
  });
  code = await addClone(product, clone);
});
after(async () => {
  await closeBrowser();
  await product?.stop();
  await removeOwnImages();
});

const manual = (spec = {}) => ({ triggers: {}, ...spec });
const logLine = (window, text) => window.by("log", "log.label").getByText(text, { exact: true });

test("seed 2.15, 2.16, 3.23: a log entry shows log, parameters and result, and its record is deleted", async () => {
  const repository = await addRepository(product, "builds/record");
  await build(product, await addRule(product, repository, code, manual({ options: { args: [{ name: "COLOUR", value: "blue" }] } })));
  await withWindow(product, { name: "record", path: `/repositories/${repository}/build` }, async (window) => {
    await window.page.getByRole("link", { name: "#1" }).last().click();
    await window.see(logLine(window, "line two"));
    // One step alone, and back.
    const steps = window.by("navigation", "log.steps");
    await steps.getByRole("button").filter({ hasText: "RUN ls /site" }).click();
    await window.see(logLine(window, "index.html"));
    await window.gone(logLine(window, "line two"));
    await steps.getByRole("button").filter({ hasText: window.t("log.all_steps") }).click();
    // Exact search over the whole log, with its count.
    await window.page.getByRole("searchbox", { name: window.t("log.search") }).fill("line two");
    await window.see(window.text("log.found", { at: 1, count: 1 }));
    // Copied as text.
    await window.button("log.copy").click();
    await eventually("the log is in the clipboard", async () => (await window.page.evaluate(() => navigator.clipboard.readText())).includes("line one\nline two"));

    await window.tab("builds.tab_parameters").click();
    await window.see(window.row("COLOUR=blue"));
    await window.see(window.row(window.t("builds.kind_manual")));
    await window.tab("builds.tab_result").click();
    await window.see(window.row("builds/record:main-"));
    await window.tab("builds.tab_timeline").click();
    await window.see(window.page.getByText("RUN ls /site", { exact: false }));

    await window.pick("#1", "builds.delete");
    await window.see(window.page.getByRole("dialog", { name: window.t("builds.delete_title", { number: 1 }) }));
    await window.button("common.delete", {}, window.dialog).click();
    await window.dialogGone();
    assert.equal((await product.call("builds.list", { repository })).items.length, 0);
  });
});

test("seed 3.25: a failed build says its class, a hint and the line, and leads to the rule; corrected, it succeeds", async () => {
  const repository = await addRepository(product, "builds/fails");
  const failed = await build(product, await addRule(product, repository, code, manual({ dockerfile_path: "fails/Dockerfile" })));
  assert.equal(failed.state, "failed");
  await withWindow(product, { name: "failed", path: `/builds/${failed.id}` }, async (window) => {
    const notice = window.page.getByRole("alert").filter({ hasText: window.t("failure.step_failed.what") });
    await window.see(notice);
    await window.see(notice.getByText(window.t("failure.step_failed.next"), { exact: false }));
    await window.see(notice.getByText(window.t("common.at_line", { line: 5 }), { exact: false }));
    // It stands on what failed.
    await window.see(logLine(window, "it breaks here"));
    await window.link("builds.open_rule", {}, notice).click();
    const path = window.field("rules.dockerfile", {}, window.dialog);
    await window.see(path);
    assert.equal(await path.inputValue(), "fails/Dockerfile");
    await path.fill("Dockerfile");
    await window.see(window.text("rules.preflight_ok", {}, window.dialog));
    await window.button("rules.save_and_build", {}, window.dialog).click();
    await window.see(window.buildState("succeeded"), BUILD_MS);
  });
});

test("a mistake in the Dockerfile names its line", async () => {
  const repository = await addRepository(product, "builds/mistake");
  const failed = await build(product, await addRule(product, repository, code, manual({ dockerfile_path: "mistake/Dockerfile" })));
  await withWindow(product, { name: "mistake", path: `/builds/${failed.id}` }, async (window) => {
    const notice = window.page.getByRole("alert").filter({ hasText: window.t("failure.dockerfile_syntax.what") });
    await window.see(notice.getByText(window.t("common.at_line", { line: 3 }), { exact: false }));
  });
});

test("run again, and run again with changes", async () => {
  const repository = await addRepository(product, "builds/again");
  const done = await build(product, await addRule(product, repository, code, manual({ dockerfile_path: "args/Dockerfile" })));
  await withWindow(product, { name: "again", path: `/builds/${done.id}` }, async (window) => {
    await window.button("builds.rerun").click();
    await window.see(window.page.getByRole("heading", { level: 1, name: "#2" }));
    await window.see(window.buildState("succeeded"), BUILD_MS);
    await window.pick("#2", "builds.rerun_changed");
    await window.field("rules.args", {}, window.dialog).fill("WHO=world");
    // A line that is none is said at once, and nothing starts.
    await window.field("rules.args", {}, window.dialog).fill("WHO=world\nnothing");
    await window.see(window.text("rules.args_bad", { line: 2 }, window.dialog));
    await window.field("rules.args", {}, window.dialog).fill("WHO=world");
    await window.button("builds.rerun", {}, window.dialog).click();
    await window.see(window.page.getByRole("heading", { level: 1, name: "#3" }));
    await window.see(window.buildState("succeeded"), BUILD_MS);
    await window.see(logLine(window, "hello world"));
    await window.tab("builds.tab_parameters").click();
    await window.see(window.row("WHO=world"));
    await window.see(window.row(window.t("builds.kind_rerun")));
  });
});

test("the comparison names the files that changed for the first step that ran", { timeout: 180_000 }, async () => {
  const repository = await addRepository(product, "builds/compared");
  const rule = await addRule(product, repository, code, manual());
  await build(product, rule);
  // What `.dockerignore` leaves out never reaches the engine.
  await clone.commit("another page", { "index.html": "another page\n", "new.html": "new\n", "notes.md": "for us\n", ".dockerignore": "*.md\n" });
  const second = await build(product, rule);
  await withWindow(product, { name: "compared", path: `/builds/${second.id}/timeline` }, async (window) => {
    const comparison = window.by("region", "comparison.title");
    await window.see(comparison.getByText("ADD ./ /site", { exact: false }));
    await window.see(comparison.getByText(window.t("comparison.changed_files", { count: 3, files: ".dockerignore, index.html, new.html" })));
  });
});

test("a build that does not exist says so and keeps saying it while others run", async () => {
  const repository = await addRepository(product, "builds/nothing");
  const rule = await addRule(product, repository, code, manual());
  await withWindow(product, { name: "nothing", path: "/builds/999999" }, async (window) => {
    await window.see(window.page.getByRole("alert"));
    await window.page.evaluate(() => {
      globalThis.blinks = 0;
      const look = () => (globalThis.blinks += document.querySelector('[role="alert"]') ? 0 : 1);
      new MutationObserver(look).observe(document.body, { subtree: true, childList: true });
    });
    const asked = window.page.waitForResponse((answer) => answer.url().endsWith("/rpc/builds.get"));
    await build(product, rule);
    await asked;
    await window.settled();
    assert.equal(await window.page.evaluate(() => globalThis.blinks), 0);
  });
});

test("a build that is started before the branches are known starts when they are", async () => {
  const repository = await addRepository(product, "builds/early");
  await addRule(product, repository, code, manual());
  await withWindow(product, { name: "early", path: `/repositories/${repository}/build` }, async (window) => {
    const held = Promise.withResolvers();
    await window.page.route("**/rpc/code_repositories.refs", async (route) => {
      await held.promise;
      await route.fallback();
    });
    await window.button("rules.build_now").first().click();
    const start = window.button("builds.now_start", {}, window.dialog);
    await start.click();
    await window.see(window.dialog.locator("button[type=submit][data-loading=true]"));
    held.resolve();
    await window.see(window.page.getByRole("heading", { level: 1, name: "#1" }));
    await window.see(window.buildState("succeeded"), BUILD_MS);
  });
});

test("seed 2.15: a running build is followed live, a second one waits and says why, and both are cancelled", async () => {
  const repository = await addRepository(product, "builds/cancel");
  const rule = await addRule(product, repository, code, manual({ dockerfile_path: "slow/Dockerfile" }));
  await withWindow(product, { name: "cancel", path: `/repositories/${repository}/build?dialog=now` }, async (window) => {
    await window.button("builds.now_start", {}, window.dialog).click();
    await window.see(window.by("log", "log.label").getByText(/^still at it \d+$/), BUILD_MS);
    await window.see(window.buildState("running"));
    const follow = window.button("log.follow");
    assert.equal(await follow.getAttribute("aria-pressed"), "true");

    await product.call("builds.start", { rule, target: { kind: "ref", name: "refs/heads/main" } });
    await window.page.getByRole("button", { name: window.t("shell.queue_count", { running: 1, waiting: 1 }) }).click();
    await window.see(window.text("builds.wait_same_ref"));
    await window.link("shell.queue_all").click();
    await window.gone(window.text("shell.queue_title"));
    await window.by("region", "builds.queue").getByRole("link", { name: "builds/cancel #2" }).click();
    await window.see(window.buildState("queued"));
    await window.button("builds.cancel").click();
    await window.see(window.buildState("cancelled"), BUILD_MS);

    await window.visit("page.builds");
    await window.by("region", "builds.queue").getByRole("link", { name: "builds/cancel #1" }).click();
    await window.button("builds.cancel").click();
    await window.see(window.buildState("cancelled"), BUILD_MS);
    await window.see(window.button("builds.rerun"));
  });
});

test("seed 4.6: create helloworld, open its page; delete it with its name, and what is lost is counted", async () => {
  await withWindow(product, { name: "helloworld", path: "/repositories" }, async (window) => {
    await window.button("repositories.add").first().click();
    await window.field("common.name", {}, window.dialog).fill("Team/HelloWorld!");
    await window.button("common.add", {}, window.dialog).click();
    // A name that no registry takes is refused beside the field; what was typed stays.
    await window.see(window.dialog.getByRole("alert"));
    await window.field("common.name", {}, window.dialog).fill("helloworld");
    await window.button("common.add", {}, window.dialog).click();
    await window.see(window.page.getByRole("heading", { level: 1, name: "helloworld" }));
    await window.tab("repositories.tab_info").click();
    await window.see(window.page.getByText("docker run --rm helloworld:latest"));
    await window.visit("page.repositories");
    await window.page.getByRole("link", { name: "helloworld", exact: true }).click();
    await window.see(window.page.getByRole("heading", { level: 1, name: "helloworld" }));
    await window.go("/repositories?search=helloworld");
    await window.pick("helloworld", "common.delete");
    await window.see(window.text("repositories.delete_text", { rules: 0, triggers: 0, builds: 0 }, window.dialog));
    await window.button("common.delete", {}, window.dialog).click();
    await window.dialogGone();
    await window.gone(window.page.getByRole("link", { name: "helloworld", exact: true }));
  });
});
