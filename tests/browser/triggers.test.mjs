/** Image triggers and deploy targets by clicking: from the code to the page that changes by itself, and back. */
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { createServer } from "node:http";
import { after, before, test } from "node:test";

import { addClone, addRepository, addRule, build } from "./stand/prepare.mjs";
import { eventually } from "./stand/processes.mjs";
import { Product } from "./stand/product.mjs";
import { Clone, removeOwnContainers, removeOwnImages, servicesName, servingDockerfile } from "./stand/surroundings.mjs";
import { BUILD_MS, closeBrowser, withWindow } from "./stand/window.mjs";

/** From a tag to the page that is served: pull, candidate, health gate, switch. */
const UPDATE_MS = 60_000;

after(async () => {
  await closeBrowser();
  await removeOwnContainers();
  await removeOwnImages();
});

const files = (text) => ({ Dockerfile: servingDockerfile(), "index.html": `${text}\n` });

/** What a browser would see at an address now. */
const served = async (url) => (await (await fetch(url, { signal: AbortSignal.timeout(2000) })).text()).trim();
const serves = (url, text) => eventually(`${url} serves “${text}”`, async () => (await served(url)) === text, UPDATE_MS);

/** The address behind the button "Open" that stands inside something. */
async function openedBy(window, within) {
  const button = within.getByRole("button", { name: /localhost:\d+/ });
  await window.see(button, UPDATE_MS);
  const [, port] = /localhost:(\d+)/.exec(await button.getAttribute("aria-label"));
  const [opened] = await Promise.all([window.context.waitForEvent("page"), button.click()]);
  await opened.waitForLoadState();
  const text = (await opened.locator("body").innerText()).trim();
  const url = opened.url();
  await opened.close();
  assert.equal(new URL(url).port, port);
  return { url, text };
}

/** The rows of the trigger log that say this state. */
const records = (window, state) => window.page.getByRole("row").filter({ hasText: window.t(`firings.state_${state}`) });

for (const language of ["en", "zh"]) {
  test(
    `seed 4.2, 4.3, 4.6, 4.9, 4.10, 4.11, 4.13, 4.14, 4.15: from an empty console to the page that changes by itself, and back (${language})`,
    { timeout: 420_000 },
    async () => {
      const product = await Product.start();
      const clone = await Clone.make("helloworld", files("hello world"));
      const name = servicesName(`walk-${language}`);
      await withWindow(product, { name: `triggers-${language}`, language }, async (window) => {
        const { page } = window;
        // The code, the image repository, the rule, and its first build.
        await window.visit("page.sources");
        await window.button("sources.add").first().click();
        await window.field("sources.path", {}, window.dialog).fill(clone.path);
        await window.button("common.add", {}, window.dialog).click();
        await window.see(window.row("helloworld"));
        await window.visit("page.repositories");
        await window.button("repositories.add").first().click();
        await window.field("common.name", {}, window.dialog).fill(`${name}/helloworld`);
        await window.button("common.add", {}, window.dialog).click();
        await window.see(window.heading("rules.title"));
        await window.button("rules.add").click();
        await window.see(window.dialog.getByText(`${name}/helloworld:main-`, { exact: false }));
        await window.button("rules.save_and_build", {}, window.dialog).click();
        await window.see(window.text("builds.state_succeeded"), BUILD_MS);

        // No service yet: the image of the build becomes one, and its address opens.
        await window.tab("builds.tab_result").click();
        await window.link("run.title").first().click();
        const image = window.dialog.getByRole("combobox", { name: window.t("firings.tag") });
        await window.see(image);
        assert.match(await image.inputValue(), /^main-/);
        await window.see(window.field("run.port_inside", {}, window.dialog).and(page.locator('[value="80"]')));
        await window.field("common.name", {}, window.dialog).fill(name);
        await window.button("run.start", {}, window.dialog).click();
        await window.see(window.text("run.runs", { name }, window.dialog), UPDATE_MS);
        const { url, text } = await openedBy(window, window.dialog);
        assert.equal(text, "hello world");

        // A trigger for it, with condition All; the service is chosen already, with what it runs.
        await window.link("run.make_trigger", {}, window.dialog).click();
        await window.see(page.getByRole("dialog", { name: window.t("image_triggers.new_title") }));
        await window.see(window.text("image_triggers.live_count", { matching: 1, count: 1 }, window.dialog));
        assert.ok(await window.dialog.getByRole("radio", { name: window.t("image_triggers.condition_all"), exact: true }).isChecked());
        await window.see(window.by("region", "image_triggers.runs_now", {}, window.dialog).getByText(window.t("targets.health_running")));
        assert.equal(await window.dialog.getByRole("combobox", { name: window.t("image_triggers.service") }).inputValue(), name);
        await window.field("image_triggers.name", {}, window.dialog).fill("page");
        await window.button("common.save", {}, window.dialog).click();
        await window.dialogGone();
        await window.see(window.row(window.t("image_triggers.words_all")));

        // A commit. Nobody clicks: the record appears and succeeds, and the page is another one.
        const commit = await clone.commit("say hello again", { "index.html": "hello again\n" });
        await window.see(records(window, "succeeded").filter({ hasText: commit.slice(0, 7) }), BUILD_MS + UPDATE_MS);
        await serves(url, "hello again");

        // The record says what was done.
        await records(window, "succeeded").filter({ hasText: commit.slice(0, 7) }).getByRole("button").first().click();
        await window.see(page.getByRole("dialog", { name: new RegExp(commit.slice(0, 7)) }));
        await window.see(window.text("deploy.step_start_new", {}, window.dialog));
        await window.see(window.text("firings.gap", {}, window.dialog));
        await window.see(window.dialog.getByLabel(window.t("firings.log"), { exact: true }));
        // From the commit one follows it too: the build names the trigger that it fired.
        await window.link("firings.open_build", {}, window.dialog).click();
        await window.see(window.by("region", "firings.fired").getByRole("link", { name: "page" }));

        // The target, its address, and everything that it ran.
        await window.visit("page.targets");
        const row = window.row(name);
        await window.see(row);
        await window.see(row.getByRole("link", { name: "page" }));
        assert.equal((await openedBy(window, row)).text, "hello again");
        await row.getByRole("button", { name, exact: true }).click();
        await window.see(window.text("targets.current", {}, window.dialog));

        // Back to what ran before: pinned, and the trigger waits.
        await window.button("targets.roll_back_to", { version: `main-${(await clone.git("rev-parse", "HEAD~1")).slice(0, 7)}` }, window.dialog).click();
        await window.see(window.text("targets.roll_back_pauses", { names: "page" }, window.dialog));
        await window.button("targets.roll_back", {}, window.dialog).click();
        await window.see(window.dialog.getByText(window.t("firings.state_succeeded"), { exact: true }), UPDATE_MS);
        await serves(url, "hello world");
        const [repository] = (await product.call("image_repositories.list")).items;
        await window.go(`/repositories/${repository.repository.id}/triggers`);
        const resume = window.button("targets.resume_name", { name });
        await window.see(resume);
        const third = await clone.commit("third", { "index.html": "hello once more\n" });
        await window.see(records(window, "skipped").filter({ hasText: third.slice(0, 7) }), BUILD_MS);
        assert.equal(await served(url), "hello world");

        // Resumed, it goes on with what it left out.
        await resume.click();
        await window.gone(resume);
        await serves(url, "hello once more");
      });
      await product.stop();
    },
  );
}

let product;
let clone;
let code;
let repository;
let rule;
let name;
before(async () => {
  product = await Product.start();
  clone = await Clone.make("helloworld", files("hello world"));
  code = await addClone(product, clone);
  name = servicesName("service");
  repository = await addRepository(product, `${name}/helloworld`);
  rule = await addRule(product, repository, code, { auto_trigger: false });
  const { state, tags } = await build(product, rule);
  assert.equal(state, "succeeded");
  const { firing } = await product.call("targets.run_image", {
    name,
    image: { kind: "tag", repository, tag: tags[0] },
    run_as: { kind: "container", restart: false },
    ports: [{ container_port: 80, host_port: null, only_local: true, protocol: "tcp" }],
    gate: { stay_up_seconds: 1, deadline_seconds: 60 },
  });
  await eventually("the service runs", async () => (await product.call("firings.get", { id: firing })).firing.state === "succeeded", UPDATE_MS);
});
after(() => product?.stop());

const tab = (dialog = "") => `/repositories/${repository}/triggers${dialog && `?dialog=${dialog}`}`;

test("seed 4.10, 4.11: the editor counts the tags that would fire, and the service is chosen step by step", async () => {
  await withWindow(product, { name: "trigger-editor", path: tab() }, async (window) => {
    const { dialog } = window;
    await window.button("image_triggers.add").click();
    await window.see(window.text("image_triggers.live_count", { matching: 1, count: 1 }, dialog));
    // Nothing is saved before it has a name and a service; each says so beside its field.
    await window.button("common.save", {}, dialog).click();
    await window.see(window.text("image_triggers.name_needed", {}, dialog));
    await window.see(window.text("image_triggers.target_needed", {}, dialog));
    const field = window.field("image_triggers.name", {}, dialog);
    await field.fill("1st");
    await window.see(window.text("image_triggers.name_bad", {}, dialog));
    await field.fill("chosen");
    await window.gone(window.text("image_triggers.name_bad", {}, dialog));
    // Tags by name, and by a regular expression; a mistake stands beside its field.
    await dialog.getByRole("radio", { name: window.t("image_triggers.condition_tags") }).check();
    const list = window.field("image_triggers.tag_list", {}, dialog);
    await list.fill("v1; v2, v3");
    await window.see(window.text("image_triggers.live_count", { matching: 0, count: 1 }, dialog));
    await dialog.getByRole("radio", { name: window.t("image_triggers.condition_pattern") }).check();
    const pattern = window.field("image_triggers.pattern", {}, dialog);
    await pattern.fill("^(main");
    await window.see(window.text("failure.bad_regex.what", {}, dialog));
    await pattern.fill("^main-");
    await window.see(window.text("image_triggers.live_count", { matching: 1, count: 1 }, dialog));
    // The cascade, from live lists, with what the service runs now.
    const group = dialog.getByRole("combobox", { name: window.t("image_triggers.group") });
    await eventually("the groups are listed", () => group.isEnabled());
    await window.choose(group, window.t("targets.group_containers"));
    await window.choose(dialog.getByRole("combobox", { name: window.t("image_triggers.service") }), new RegExp(name));
    await window.see(window.by("region", "image_triggers.runs_now", {}, dialog).getByText(`${name}/helloworld:main-`, { exact: false }));
    await window.see(window.text("image_triggers.on_failure_container", {}, dialog));
    await window.button("common.save", {}, dialog).click();
    await window.dialogGone();
    await window.see(window.row("chosen").getByText(window.t("image_triggers.words_pattern", { pattern: "^main-" })));

    // Off and on, then edited: everything is as it was typed.
    const toggle = window.by("switch", "image_triggers.on_for", { name: "chosen" });
    await window.turn(toggle, false);
    await eventually("it is off", async () => !(await product.call("triggers.list", { repository }))[0].spec.enabled);
    await window.pick("chosen", "common.edit");
    await window.see(dialog.getByRole("combobox", { name: window.t("image_triggers.service") }));
    assert.equal(await pattern.inputValue(), "^main-");
    await dialog.getByRole("radio", { name: window.t("image_triggers.condition_all"), exact: true }).check();
    await window.button("common.save", {}, dialog).click();
    await window.dialogGone();
    await window.see(window.row("chosen").getByText(window.t("image_triggers.words_all")));

    // A second one must not have its name.
    await window.button("image_triggers.add").click();
    await window.field("image_triggers.name", {}, dialog).fill("chosen");
    await window.choose(group, window.t("targets.group_containers"));
    await window.choose(dialog.getByRole("combobox", { name: window.t("image_triggers.service") }), new RegExp(name));
    await window.button("common.save", {}, dialog).click();
    await window.see(window.text("failure.name_taken.what", {}, dialog));
    await window.page.keyboard.press("Escape");
    await window.dialogGone();
    await window.pick("chosen", "common.delete");
    await window.button("common.delete", {}, dialog).click();
    await window.dialogGone();
    await window.see(window.text("image_triggers.empty"));
  });
});

test("seed 4.4, 4.12: without a build rule's push, a build by hand fires too; the record is found, and removed", { timeout: 180_000 }, async () => {
  const target = { kind: "container", engine: "local", name };
  await product.call("triggers.add", {
    repository,
    spec: { name: "by-hand", condition: { kind: "all" }, target, gate: { stay_up_seconds: 1, deadline_seconds: 60 } },
  });
  const commit = await clone.commit("by hand", { "index.html": "by hand\n" });
  await withWindow(product, { name: "trigger-by-hand", path: `/repositories/${repository}/build` }, async (window) => {
    await window.button("rules.build_now").first().click();
    await window.button("builds.now_start", {}, window.dialog).click();
    await window.see(window.text("builds.state_succeeded"), BUILD_MS);
    const fired = window.by("region", "firings.fired");
    await window.see(fired.getByText(window.t("firings.state_succeeded"), { exact: true }), UPDATE_MS);
    await window.go(tab());
    // Filters stand in the address.
    await window.field("firings.search").fill(commit.slice(0, 7));
    await window.see(records(window, "succeeded"));
    await window.choose(window.page.getByRole("combobox", { name: window.t("firings.state") }), window.t("firings.state_failed"));
    await window.see(window.text("common.nothing_found"));
    assert.match(window.page.url(), /state=failed/);
    await window.button("common.clear_filters").click();
    const record = records(window, "succeeded").filter({ hasText: commit.slice(0, 7) });
    await record.getByRole("button").first().click();
    await window.button("firings.delete", {}, window.dialog).click();
    await window.see(window.heading("firings.delete_title"));
    await window.button("common.delete", {}, window.dialog).click();
    await window.dialogGone();
    await window.gone(record);
  });
});

test("seed 4.5: several actions: a container, other services, a cluster, and a webhook", async () => {
  await withWindow(product, { name: "trigger-webhook", path: tab("new-trigger") }, async (window) => {
    const { dialog } = window;
    // A cluster is named by its file and context; what it answers stands where it was asked.
    await window.choose(dialog.getByRole("combobox", { name: window.t("image_triggers.place") }), window.t("image_triggers.new_cluster"));
    await window.field("image_triggers.kubeconfig", {}, dialog).fill("/nowhere/config");
    await window.field("image_triggers.context", {}, dialog).fill("prod");
    await window.see(dialog.getByRole("alert"));
    await window.segment("image_triggers.action_webhook").click();
    await window.field("image_triggers.name", {}, dialog).fill("hook");
    await window.button("common.save", {}, dialog).click();
    await window.see(window.text("image_triggers.url_needed", {}, dialog));
    await window.field("image_triggers.url", {}, dialog).fill("https://hooks.example.com/slipway");
    await window.see(window.text("image_triggers.on_failure_webhook", {}, dialog));
    await window.button("common.save", {}, dialog).click();
    await window.dialogGone();
    await window.see(window.row("hook").getByText(window.t("image_triggers.does_webhook")));
    const [saved] = (await product.call("triggers.list", { repository })).filter(({ spec }) => spec.name === "hook");
    assert.equal(saved.spec.target.allow_private, false);
    await product.call("triggers.delete", { id: saved.id });
  });
});

test("seed 4.5: a webhook is told about the new tag, signed, and only where a person allowed it", { timeout: 180_000 }, async () => {
  const calls = [];
  const receiver = createServer((request, response) => {
    let body = "";
    request.on("data", (part) => (body += part));
    request.on("end", () => {
      calls.push({ headers: request.headers, body });
      response.end();
    });
  });
  await new Promise((resolve) => receiver.listen(0, "127.0.0.1", resolve));
  const own = await Product.start({ keychain: true });
  const ownRepository = await addRepository(own, `${name}/hooked`);
  const ownRule = await addRule(own, ownRepository, await addClone(own, clone), { auto_trigger: false });
  const path = `/repositories/${ownRepository}/triggers`;
  await withWindow(own, { name: "webhook", path: `${path}?dialog=new-trigger` }, async (window) => {
    const { dialog } = window;
    await window.segment("image_triggers.action_webhook").click();
    await window.field("image_triggers.name", {}, dialog).fill("hook");
    await window.field("image_triggers.url", {}, dialog).fill(`http://127.0.0.1:${receiver.address().port}/new-tag`);
    await window.field("image_triggers.header_name", {}, dialog).fill("X-Token");
    await window.field("image_triggers.header_value", {}, dialog).fill("let me in");
    await window.button("image_triggers.header_add", {}, dialog).click();
    await window.see(window.button("image_triggers.header_remove", { name: "X-Token" }, dialog));
    await window.field("image_triggers.signing", {}, dialog).fill("a long key");
    await window.button("image_triggers.signing_keep", {}, dialog).click();
    await window.see(window.text("image_triggers.signing_kept", {}, dialog));
    await window.button("common.save", {}, dialog).click();
    await window.dialogGone();

    // Nobody allowed this machine's own address: nothing is sent, and the record says why.
    await build(own, ownRule);
    const refused = records(window, "failed");
    await window.see(refused, BUILD_MS);
    await refused.first().getByRole("button").first().click();
    await window.see(window.text("deploy.refusal_private_address", { host: "127.0.0.1" }, dialog));
    await window.page.keyboard.press("Escape");
    await window.dialogGone();
    assert.equal(calls.length, 0);

    await window.pick("hook", "common.edit");
    await dialog.getByRole("checkbox", { name: window.t("image_triggers.allow_private") }).check();
    await window.button("common.save", {}, dialog).click();
    await window.dialogGone();
    await clone.commit("told", { "index.html": "told\n" });
    await build(own, ownRule);
    await window.see(records(window, "succeeded"), BUILD_MS);
    const [{ headers, body }] = calls;
    assert.equal(headers["x-token"], "let me in");
    const signature = createHmac("sha256", "a long key").update(body).digest("hex");
    assert.equal(headers["x-hub-signature-256"], `sha256=${signature}`);
    assert.match(body, /hooked/);
  });
  await own.stop();
  receiver.close();
});

test("a target is updated by hand; what cannot be run says why beside its field", { timeout: 180_000 }, async () => {
  await withWindow(product, { name: "target-by-hand", path: "/targets" }, async (window) => {
    const { dialog } = window;
    // The list is searched in the address.
    await window.field("targets.search").fill("nothing is called so");
    await window.see(window.text("common.nothing_found"));
    await window.field("targets.search").fill(name);
    await window.see(window.row(name));
    await window.pick(name, "targets.update_now");
    const tag = dialog.getByRole("combobox", { name: window.t("firings.tag") });
    await window.see(tag);
    await tag.click();
    const first = window.page.getByRole("option").last();
    await window.see(first);
    await first.click();
    await window.button("targets.update_now", {}, dialog).click();
    await window.see(window.page.getByRole("dialog", { name: /main-/ }));
    await window.see(dialog.getByText(/^(Succeeded|Unchanged)$/), UPDATE_MS);
    await window.page.keyboard.press("Escape");

    // The name is taken: the form comes back as it was typed, with the reason beside the field.
    await window.button("run.title").first().click();
    await window.segment("targets.image_name").click();
    await window.field("targets.image_full_name", {}, dialog).fill("slipway-test/busybox:1");
    await window.field("common.name", {}, dialog).fill(name);
    await window.button("run.start", {}, dialog).click();
    await window.button("run.back", {}, dialog).click({ timeout: UPDATE_MS });
    await window.see(window.text("failure.name_taken.what", {}, dialog));
    assert.equal(await window.field("targets.image_full_name", {}, dialog).inputValue(), "slipway-test/busybox:1");
  });
});
