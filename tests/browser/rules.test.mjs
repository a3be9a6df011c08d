/** Build rules by clicking: the editor with what it will do, and everything that is done with a rule. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { addClone, addRepository, addRule, build } from "./stand/prepare.mjs";
import { eventually } from "./stand/processes.mjs";
import { Product } from "./stand/product.mjs";
import { Clone, dockerfile, removeOwnImages } from "./stand/surroundings.mjs";
import { BUILD_MS, closeBrowser, withWindow } from "./stand/window.mjs";

let product;
let clone;
let code;
let first;
before(async () => {
  product = await Product.start();
  clone = await Clone.make("helloworld", {
    Dockerfile: dockerfile("ADD ./ /site\n"),
    "index.html": "hello world\n",
    "build/Dockerfile": dockerfile("COPY page.html /page.html\n"),
    "web/page.html": "a page\n",
    "far/Dockerfile": "FROM 127.0.0.1:9/nobody/nothing:1\n",
  });
  first = await clone.git("rev-parse", "HEAD");
  await clone.git("branch", "release/1.2");
  await clone.git("branch", "weird/Fix$(1)+ü");
  await clone.git("tag", "v1.4.2");
  code = await addClone(product, clone);
});
after(async () => {
  await closeBrowser();
  await product?.stop();
  await removeOwnImages();
});

const page = (repository, dialog = "") => `/repositories/${repository}/build${dialog && `?dialog=${dialog}`}`;
const trigger = (window, key) => window.dialog.getByRole("checkbox", { name: window.t(key), exact: true });
/** The list of references that the rule would make, beside the form. */
const preview = (window, text) => window.dialog.getByRole("listitem").filter({ hasText: text });

test("seed 2.6, 3.8, 3.10, 3.11, 3.12, 3.13: the trigger boxes of the new rule dialog, several at once, with their matches", async () => {
  const repository = await addRepository(product, "rules/triggers");
  await withWindow(product, { name: "triggers", path: page(repository) }, async (window) => {
    await window.button("rules.add").click();
    await window.see(window.page.getByRole("dialog", { name: window.t("rules.new_title") }));
    // A given branch: the default branch is offered.
    await window.see(preview(window, "rules/triggers:main-"));
    assert.equal(await preview(window, "rules/triggers:").count(), 1);
    // A new tag, at the same time.
    await trigger(window, "rules.new_tag").check();
    await window.see(preview(window, "rules/triggers:v1.4.2-"));
    await window.see(preview(window, "rules/triggers:main-"));
    await trigger(window, "rules.new_tag").uncheck();
    await window.gone(preview(window, "rules/triggers:v1.4.2-"));
    // Any branch, none named.
    await trigger(window, "rules.branches").uncheck();
    await trigger(window, "rules.any_branch").check();
    await window.see(preview(window, "rules/triggers:release-1.2-"));
    await trigger(window, "rules.any_branch").uncheck();
    // None: by hand only.
    await window.see(window.text("rules.manual_only", {}, window.dialog));
    // A regular expression, on the full ref.
    await trigger(window, "rules.pattern").check();
    const pattern = window.dialog.getByRole("textbox", { name: window.t("rules.pattern") });
    await pattern.fill("^refs/heads/main$");
    await window.see(preview(window, "rules/triggers:main-"));
    await pattern.fill("^refs/heads/master$");
    await window.see(window.text("rules.live_none", {}, window.dialog));
    // A mistake in it stands beside the field.
    await pattern.fill("^refs/(heads");
    await window.see(window.text("failure.bad_regex.what", {}, window.dialog));
    await pattern.fill("^refs/heads/release/.*");
    await window.see(preview(window, "rules/triggers:release-1.2-"));
    await window.button("common.save", {}, window.dialog).click();
    await window.dialogGone();
    await window.see(window.row("^refs/heads/release/.*"));
  });
});

test("seed 3.10: a push to a given branch needs the branch", async () => {
  const repository = await addRepository(product, "rules/branch");
  await withWindow(product, { name: "branch-required", path: page(repository, "new-rule") }, async (window) => {
    const branches = window.field("rules.branches", {}, window.dialog);
    await window.see(branches);
    await branches.press("Backspace");
    await window.button("common.save", {}, window.dialog).click();
    await window.see(window.text("rules.branches_required", {}, window.dialog));
    assert.equal((await product.call("rules.list", { repository })).length, 0);
    await branches.fill("release/1.2");
    await branches.press("Enter");
    await window.see(preview(window, "rules/branch:release-1.2-"));
    await window.button("common.save", {}, window.dialog).click();
    await window.dialogGone();
    await window.see(window.row("release/1.2"));
  });
});

test("seed 2.7, 2.8, 3.16: the version rule's parts are shown on real refs, and what no tag may hold is replaced", async () => {
  const repository = await addRepository(product, "rules/version");
  await withWindow(product, { name: "version", path: page(repository, "new-rule") }, async (window) => {
    await window.see(preview(window, "rules/version:main-"));
    await window.field("rules.prefix", {}, window.dialog).fill("Rel_A");
    await window.see(preview(window, `rules/version:Rel_A-main-${first.slice(0, 7)}`));
    await trigger(window, "rules.part_time").check();
    await window.see(preview(window, new RegExp(`rules/version:Rel_A-main-\\d{14}-${first.slice(0, 7)}`)));
    await trigger(window, "rules.part_commit").uncheck();
    await trigger(window, "rules.part_time").uncheck();
    await trigger(window, "rules.any_branch").check();
    await window.see(preview(window, "rules/version:Rel_A-release-1.2"));
    await window.see(preview(window, /rules\/version:Rel_A-weird-Fix[\w.-]*$/));
    // Templates, and a fixed tag that moves along.
    await window.segment("rules.version_templates").click();
    await window.see(preview(window, `rules/version:main-${first.slice(0, 7)}`));
    await window.field("rules.overwrite", {}, window.dialog).fill("latest");
    await window.see(preview(window, "rules/version:latest"));
    await window.button("common.save", {}, window.dialog).click();
    await window.dialogGone();
    const [rule] = await product.call("rules.list", { repository });
    assert.equal(rule.spec.overwrite_tag, "latest");
    assert.equal(rule.spec.version.kind, "templates");
  });
});

test("seed 0.3, 2.9, 3.14, 3.15: Dockerfile path and build directory, default in the root, and one that is missing", async () => {
  const repository = await addRepository(product, "rules/paths");
  await withWindow(product, { name: "paths", path: page(repository, "new-rule") }, async (window) => {
    const path = window.field("rules.dockerfile", {}, window.dialog);
    await window.see(path);
    assert.equal(await path.inputValue(), "Dockerfile");
    assert.equal(await window.field("rules.context", {}, window.dialog).inputValue(), "");
    await window.see(window.text("rules.preflight_ok", {}, window.dialog));
    // Without a Dockerfile nothing can be built: said beside the field, before anything is saved.
    await path.fill("nowhere/Dockerfile");
    await window.see(window.text("failure.dockerfile_missing.what", {}, window.dialog));
    await path.fill("build/Dockerfile");
    await window.field("rules.context", {}, window.dialog).fill("web");
    await window.page.keyboard.press("Escape");
    if (!(await window.dialog.isVisible())) await window.button("rules.add").click();
    await window.see(window.text("rules.preflight_ok", {}, window.dialog));
    await window.button("rules.save_and_build", {}, window.dialog).click();
    await window.see(window.heading("builds.title", { number: 1 }).or(window.page.getByRole("heading", { level: 1 })));
    await window.see(window.buildState("succeeded"), BUILD_MS);
    await window.tab("builds.tab_parameters").click();
    await window.see(window.row("build/Dockerfile"));
    await window.see(window.row("web"));
  });
});

test("seed 0.11: a base image that the engine cannot reach is said before saving", async () => {
  const repository = await addRepository(product, "rules/far");
  await withWindow(product, { name: "unreachable", path: page(repository, "new-rule") }, async (window) => {
    await window.field("rules.dockerfile", {}, window.dialog).fill("far/Dockerfile");
    await window.see(window.text("failure.base_image_unreachable.what", {}, window.dialog), BUILD_MS);
    await window.see(window.text("failure.base_image_unreachable.next", {}, window.dialog));
    assert.equal(await window.button("common.save", {}, window.dialog).isDisabled(), true);
    await window.field("rules.dockerfile", {}, window.dialog).fill("Dockerfile");
    await window.see(window.text("rules.preflight_ok", {}, window.dialog));
    assert.equal(await window.button("common.save", {}, window.dialog).isDisabled(), false);
  });
});

test("seed 3.19, 3.20, 3.21: a rule is edited, duplicated, switched off and on, and deleted", async () => {
  const repository = await addRepository(product, "rules/manage");
  await addRule(product, repository, code, { name: "site" });
  await withWindow(product, { name: "manage", path: page(repository) }, async (window) => {
    // Edit: what was saved stands in the form.
    await window.pick("site", "common.edit");
    const name = window.field("common.name", {}, window.dialog);
    await window.see(name);
    assert.equal(await name.inputValue(), "site");
    assert.equal(await trigger(window, "rules.any_branch").isChecked(), true);
    await name.fill("front page");
    await window.field("rules.args", {}, window.dialog).fill("STAGE=test");
    await window.see(preview(window, "rules/manage:main-"));
    await window.button("common.save", {}, window.dialog).click();
    await window.dialogGone();
    await window.see(window.row("front page"));
    let rules = await product.call("rules.list", { repository });
    assert.deepEqual(rules[0].spec.options.args, [{ name: "STAGE", value: "test" }]);

    // Duplicate: another name, everything else the same, opened for changes.
    await window.pick("front page", "common.duplicate");
    const copyName = window.field("common.name", {}, window.dialog);
    assert.equal(await copyName.inputValue(), "front page-2");
    await copyName.fill("copy");
    await window.button("common.duplicate", {}, window.dialog).click();
    await window.see(window.page.getByRole("dialog", { name: window.t("rules.edit_title", { name: "copy" }) }));
    await window.button("common.cancel", {}, window.dialog).click();
    await window.dialogGone();
    await window.see(window.row("copy"));

    // Off: pushes are ignored.
    const auto = window.page.getByRole("switch", { name: window.t("rules.auto_for", { name: "front page" }) });
    await window.turn(auto, false);
    await eventually("auto trigger is off", async () => !(await product.call("rules.list", { repository })).find((one) => one.spec.name === "front page").spec.auto_trigger);
    await window.turn(auto, true);

    // Delete: names what goes, and asks once.
    await window.pick("copy", "common.delete");
    await window.see(window.page.getByRole("dialog", { name: window.t("rules.delete_title", { name: "copy" }) }));
    await window.button("common.delete", {}, window.dialog).click();
    await window.dialogGone();
    await window.gone(window.row("copy"));
    rules = await product.call("rules.list", { repository });
    assert.deepEqual(rules.map((rule) => rule.spec.name), ["front page"]);
    assert.equal(rules[0].spec.auto_trigger, true);
  });
});

test("seed 0.9, 2.12, 3.18: build now by a button, a branch, a tag or a revision", async () => {
  const repository = await addRepository(product, "rules/now");
  const version = { kind: "parts", prefix: "", ref_name: true, update_time: false, commit: true };
  await addRule(product, repository, code, { triggers: {}, name: "site", version });
  const second = await clone.commit("second page", { "index.html": "second\n" });
  await withWindow(product, { name: "build-now", path: page(repository) }, async (window) => {
    const open = async () => {
      await window.go(page(repository));
      await window.button("rules.build_now").first().click();
      await window.see(window.page.getByRole("dialog"));
    };
    const start = async (number) => {
      await window.button("builds.now_start", {}, window.dialog).click();
      await window.see(window.page.getByRole("heading", { level: 1, name: `#${number}` }));
      await window.see(window.buildState("succeeded"), BUILD_MS);
    };
    await open();
    await window.choose(window.dialog.getByRole("combobox", { name: window.t("builds.now_branch") }), "release/1.2");
    await start(1);
    await window.see(window.page.getByText(`release-1.2-${first.slice(0, 7)}`));

    await open();
    await window.segment("builds.now_tag").click();
    await window.choose(window.dialog.getByRole("combobox", { name: window.t("builds.now_tag") }), "v1.4.2");
    await window.field("builds.now_fixed", {}, window.dialog).fill("by-hand");
    await start(2);
    await window.see(window.page.getByText("by-hand"));

    await open();
    await window.segment("builds.now_commit").click();
    await window.field("builds.now_commit", {}, window.dialog).fill("0000000000000000000000000000000000000000");
    await window.button("builds.now_start", {}, window.dialog).click();
    await window.see(window.text("failure.ref_not_found.what", {}, window.dialog));
    await window.field("builds.now_commit", {}, window.dialog).fill(second.slice(0, 10));
    await start(3);
    await window.see(window.page.getByText("second page"));
  });
});

test("seed 2.10, 3.21, 4.2: a new branch is a push, every commit yields an image, and a rule that is off ignores both", async () => {
  const repository = await addRepository(product, "rules/pushes");
  const rule = await addRule(product, repository, code, { strategy: "every_push" });
  await withWindow(product, { name: "pushes", path: page(repository) }, async (window) => {
    await window.see(window.row("site"));
    const built = (commit) => window.page.getByRole("row").filter({ hasText: commit.slice(0, 7) }).filter({ has: window.link("builds.title", { number: "" }).or(window.page.getByRole("link", { name: /^#\d+$/ })) });
    await clone.git("switch", "--quiet", "--create", "feature/door");
    const one = await clone.commit("the door", { "index.html": "door\n" });
    await window.see(built(one).filter({ hasText: "feature/door" }), BUILD_MS);
    const two = await clone.commit("the door handle", { "index.html": "handle\n" });
    await window.see(built(two), BUILD_MS);
    await window.see(built(one).filter({ hasText: window.t("builds.state_succeeded") }), BUILD_MS);
    await window.see(built(two).filter({ hasText: window.t("builds.state_succeeded") }), BUILD_MS);

    await window.turn(window.page.getByRole("switch", { name: window.t("rules.auto_for", { name: "site" }) }), false);
    await eventually("auto trigger is off", async () => !(await product.call("rules.list", { repository }))[0].spec.auto_trigger);
    const ignored = await clone.commit("nobody builds this", { "index.html": "ignored\n" });
    await product.call("code_repositories.check", { id: code });
    await eventually("the commit was seen", async () =>
      (await product.call("code_repositories.refs", { id: code })).refs.some((ref) => JSON.stringify(ref).includes(ignored)),
    );
    // By hand it still builds; no push did.
    const byHand = await build(product, rule, "refs/heads/feature/door");
    assert.equal(byHand.state, "succeeded");
    await window.see(built(ignored));
    const { items } = await product.call("builds.list", { repository });
    assert.deepEqual(items.filter(({ commit }) => commit?.id === ignored).map(({ kind }) => kind), ["manual"]);
  });
  await clone.git("switch", "--quiet", "main");
});

test("what was typed stays: the language changes in the middle, and the dialog is closed half-way", async () => {
  const repository = await addRepository(product, "rules/kept");
  await withWindow(product, { name: "kept", path: page(repository, "new-rule") }, async (window) => {
    await window.see(preview(window, "rules/kept:"));
    await window.field("common.name", {}, window.dialog).fill("half a rule");
    await window.field("rules.prefix", {}, window.dialog).fill("keep");
    // Closed by mistake.
    await window.page.keyboard.press("Escape");
    await window.dialogGone();
    await window.button("rules.add").click();
    await window.see(window.dialog);
    assert.equal(await window.field("common.name", {}, window.dialog).inputValue(), "half a rule");
    // Another language, by the palette-free way: the button above, with the dialog closed and opened again.
    await window.page.keyboard.press("Escape");
    await window.dialogGone();
    await window.button("shell.language").click();
    await window.item("settings.language_zh").click();
    window.language = "zh";
    await window.button("rules.add").click();
    await window.see(window.page.getByRole("dialog", { name: window.t("rules.new_title") }));
    assert.equal(await window.field("common.name", {}, window.dialog).inputValue(), "half a rule");
    assert.equal(await window.field("rules.prefix", {}, window.dialog).inputValue(), "keep");
    assert.equal(await window.page.evaluate(() => document.documentElement.lang), "zh-CN");
  });
});

test("a name that is taken is said beside its field, and nothing is lost", async () => {
  const repository = await addRepository(product, "rules/taken");
  await addRule(product, repository, code, { name: "site" });
  await withWindow(product, { name: "taken", path: page(repository, "new-rule") }, async (window) => {
    const name = window.field("common.name", {}, window.dialog);
    await name.fill("site");
    await window.button("common.save", {}, window.dialog).click();
    await window.see(window.text("failure.name_taken.what", {}, window.dialog));
    assert.equal(await name.getAttribute("aria-invalid"), "true");
    assert.equal(await name.inputValue(), "site");
  });
});
