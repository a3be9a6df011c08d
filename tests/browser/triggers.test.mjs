/** Image triggers and deploy targets by clicking. */
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import { after, before, test } from "node:test";

import { addClone, addRepository, addRule, build } from "./stand/prepare.mjs";
import { startCluster } from "./stand/cluster.mjs";
import { reach } from "./stand/keys.mjs";
import { eventually } from "./stand/processes.mjs";
import { Product } from "./stand/product.mjs";
import { records, serves, serving, UPDATE_MS } from "./stand/services.mjs";
import { Clone, removeOwnContainers, removeOwnImages, servicesName, servingDockerfile } from "./stand/surroundings.mjs";
import { BUILD_MS, closeBrowser, withWindow } from "./stand/window.mjs";

after(async () => {
  await closeBrowser();
  await removeOwnContainers();
  await removeOwnImages();
});

let product;
let clone;
let code;
let repository;
let rule;
let name;
before(async () => {
  product = await Product.start();
  clone = await Clone.make("helloworld", serving("hello world"));
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
    await window.see(window.buildState("succeeded"), BUILD_MS);
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

test("seed 4.5: another kind of action: a webhook, with what it needs", async () => {
  await withWindow(product, { name: "trigger-webhook", path: tab("new-trigger") }, async (window) => {
    const { dialog } = window;
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

test("seed 4.5, 4.11: a cluster is named by kubeconfig and context; then namespace, workload and container, from live lists", async () => {
  const cluster = await startCluster();
  const own = await Product.start();
  const ownRepository = await addRepository(own, `${name}/cluster`);
  await withWindow(own, { name: "trigger-cluster", path: `/repositories/${ownRepository}/triggers?dialog=new-trigger` }, async (window) => {
    const { dialog } = window;
    const list = (key) => dialog.getByRole("combobox", { name: window.t(key) });
    await window.field("image_triggers.name", {}, dialog).fill("on-the-cluster");
    await window.choose(list("image_triggers.place"), window.t("image_triggers.new_cluster"));
    // A file that cannot be read says so beside its field.
    const file = window.field("image_triggers.kubeconfig", {}, dialog);
    await file.fill("/nowhere/config");
    await window.see(window.text("failure.kubeconfig_invalid.what", {}, dialog));
    assert.equal(await file.getAttribute("aria-invalid"), "true");
    await file.fill(cluster.kubeconfig);
    const context = list("image_triggers.context");
    await eventually("the contexts are listed", () => context.isEnabled());
    assert.equal(await context.inputValue(), "", "the current one is never assumed");
    // A program that would sign in is shown first, and runs only when a person allowed it.
    await window.choose(context, /by-program/);
    await window.see(dialog.getByRole("alert").getByText(`touch ${cluster.ran}`, { exact: false }));
    assert.equal(existsSync(cluster.ran), false);
    await window.button("image_triggers.allow_program", {}, dialog).click();
    await eventually("the program ran", () => existsSync(cluster.ran));
    // A login that is over says what to do.
    cluster.expired = true;
    await window.choose(context, /shop/);
    // In the cluster's own words: the program's place before had no login either.
    const over = dialog.getByRole("alert").filter({ hasText: "the token expired" });
    await window.see(over.getByText(window.t("failure.cluster_unauthorized.next")));
    cluster.expired = false;
    await window.button("common.retry", {}, dialog).click();
    const group = list("image_triggers.group");
    await eventually("the namespaces are listed", () => group.isEnabled());
    await window.choose(group, window.t("targets.group_namespace", { name: "shop" }));
    const service = list("image_triggers.service");
    await service.click();
    await window.see(window.page.getByRole("option", { name: /metrics/ }));
    await window.page.getByRole("option", { name: /page/ }).first().click();
    await window.see(window.by("region", "image_triggers.runs_now", {}, dialog).getByText("team/page:1", { exact: false }));
    await window.button("common.save", {}, dialog).click();
    await window.dialogGone();
    await window.see(window.row("on-the-cluster").getByText(window.t("image_triggers.does_kubernetes_container")));
    const [{ spec }] = await own.call("triggers.list", { repository: ownRepository });
    const { kind, namespace, workload, container } = spec.target;
    assert.deepEqual([kind, spec.target.context, namespace, workload, container], ["kubernetes_container", "shop", "shop", "web", "page"]);
  });
  await own.stop();
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
    await window.button("targets.run_image").first().click();
    await window.segment("targets.image_name").click();
    await window.field("targets.image_full_name", {}, dialog).fill("slipway-test/busybox:1");
    await window.field("common.name", {}, dialog).fill(name);
    await window.button("run.start", {}, dialog).click();
    await window.button("run.back", {}, dialog).click({ timeout: UPDATE_MS });
    await window.see(window.text("failure.name_taken.what", {}, dialog));
    assert.equal(await window.field("targets.image_full_name", {}, dialog).inputValue(), "slipway-test/busybox:1");
  });
});

test("seed 4.10, 4.11: the trigger editor with the keyboard alone", async () => {
  await withWindow(product, { name: "trigger-keyboard", path: tab() }, async (window) => {
    const { dialog } = window;
    const { keyboard } = window.page;
    const add = window.button("image_triggers.add");
    await window.see(add);
    await reach(window, add);
    await keyboard.press("Enter");
    const field = window.field("image_triggers.name", {}, dialog);
    await window.focusOn(field);
    await keyboard.type("by-keyboard");
    // Off and on again by Space; the condition by arrows.
    const toggle = dialog.getByRole("switch", { name: window.t("image_triggers.enabled") });
    await reach(window, toggle);
    await keyboard.press("Space");
    assert.equal(await toggle.isChecked(), false);
    await keyboard.press("Space");
    await reach(window, dialog.getByRole("radio", { name: window.t("image_triggers.condition_all"), exact: true }));
    await keyboard.press("ArrowDown");
    await keyboard.press("ArrowDown");
    const pattern = window.field("image_triggers.pattern", {}, dialog);
    await reach(window, pattern);
    await keyboard.type("^main-");
    // Place, group and service from lists: opened, walked and taken by keys.
    const take = async (name, option) => {
      const list = dialog.getByRole("combobox", { name: window.t(name) });
      await eventually(`${name} is there`, () => list.isEnabled());
      await reach(window, list);
      await keyboard.press("ArrowDown");
      const wanted = window.page.getByRole("option", { name: option }).first();
      await window.see(wanted);
      for (let step = 0; step < 40; step += 1) {
        if ((await wanted.getAttribute("data-combobox-selected")) === "true") break;
        await keyboard.press("ArrowDown");
      }
      await keyboard.press("Enter");
      await window.gone(wanted);
    };
    await take("image_triggers.group", window.t("targets.group_containers"));
    await take("image_triggers.service", new RegExp(name));
    await window.see(window.by("region", "image_triggers.runs_now", {}, dialog));
    await reach(window, window.button("common.save", {}, dialog));
    await keyboard.press("Enter");
    await window.dialogGone();
    await window.focusOn(add);
    await window.see(window.row("by-keyboard").getByText(window.t("image_triggers.words_pattern", { pattern: "^main-" })));
    const [saved] = (await product.call("triggers.list", { repository })).filter(({ spec }) => spec.name === "by-keyboard");
    assert.deepEqual([saved.spec.target.name, saved.spec.enabled], [name, true]);
    await product.call("triggers.delete", { id: saved.id });
  });
});

test("a version that a service can be rolled back to says so before it is deleted", { timeout: 180_000 }, async () => {
  const target = { kind: "container", engine: "local", name };
  await clone.commit("for the way back", { "index.html": "for the way back\n" });
  const { tags } = await build(product, rule);
  // A trigger of another test may have brought it there first.
  await product.call("targets.update_now", {
    target,
    image: { kind: "tag", repository, tag: tags[0] },
    gate: { stay_up_seconds: 1, deadline_seconds: 60 },
  });
  const versions = async () => (await product.call("targets.get", { target })).versions;
  await eventually("the service is updated", async () => (await versions()).some(({ current, version }) => current && version.tag === tags[0]), UPDATE_MS);
  const before = (await versions()).find(({ current, version }) => !current && version.tag).version.tag;
  await withWindow(product, { name: "needed-version", path: `/repositories/${repository}/versions` }, async (window) => {
    await window.pick(before, "common.delete");
    await window.see(window.text("versions.delete_needed", {}, window.dialog));
    await window.see(window.text("versions.needed_roll_back", { name }, window.dialog));
    await window.button("common.cancel", {}, window.dialog).click();
    await window.dialogGone();
    // What runs cannot be deleted at all.
    await window.pick(tags[0], "common.delete");
    await window.see(window.text("versions.delete_used", {}, window.dialog));
    assert.ok(await window.dialog.getByRole("button", { name: window.t("versions.delete_count", { count: 1 }) }).isDisabled());
  });
});

test("an update that fails is told in the inbox, which leads to its record", { timeout: 180_000 }, async () => {
  const target = { kind: "container", engine: "local", name };
  const gate = { stay_up_seconds: 1, deadline_seconds: 20 };
  await product.call("triggers.add", { repository, spec: { name: "told", condition: { kind: "all" }, target, gate } });
  const [newest] = (await product.call("inbox.list", {})).items;
  if (newest) await product.call("inbox.mark_read", { id: newest.id, and_older: true });
  await withWindow(product, { name: "update-failed" }, async (window) => {
    await window.see(window.heading("page.overview"));
    await clone.commit("ends at once", { Dockerfile: `${servingDockerfile()}CMD ["false"]\n` });
    await build(product, rule);
    const inbox = window.by("button", "inbox.open_unread", { count: 1 });
    await window.see(inbox, UPDATE_MS);
    await inbox.click();
    await window.page.getByRole("button", { name: window.t("inbox.update_failed", { name }) }).click();
    await window.see(window.page.getByRole("dialog", { name: /main-/ }));
    await window.see(window.dialog.getByText(window.t("firings.state_failed"), { exact: true }));
    assert.match(window.page.url(), /\/targets\?dialog=record/);
    // The next good one is told as well.
    await clone.commit("serves again", { Dockerfile: servingDockerfile(), "index.html": "again\n" });
    await build(product, rule);
    await eventually(
      "the recovery is told",
      async () => (await product.call("inbox.list", {})).items[0].facts.kind === "update_recovered",
      UPDATE_MS,
    );
  });
});
