/** What somebody may do with an image repository is known before anything is tried, and said where it is missing. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { addClone, addRegistry, addRepository, addRule } from "./stand/prepare.mjs";
import { Product } from "./stand/product.mjs";
import { Clone, dockerfile, PASSWORD, startRegistry } from "./stand/surroundings.mjs";
import { closeBrowser, withWindow } from "./stand/window.mjs";

let product;
let place;
let code;
before(async () => {
  const registry = await startRegistry({ password: PASSWORD });
  product = await Product.start({ keychain: true });
  const { registry: id } = await addRegistry(product, registry.host, { password: "out of date" });
  place = { host: registry.host, id };
  code = await addClone(product, await Clone.make("helloworld", { Dockerfile: dockerfile("ADD ./ /site\n") }));
});
after(async () => {
  await closeBrowser();
  await product?.stop();
});

test("seed 3.4: before there is a repository, a sub-account's rights on the registry are tested, and granted ones are shown", async () => {
  await withWindow(product, { name: "rights-test", path: `/registries?dialog=test.${place.id}` }, async (window) => {
    const choose = (name) => window.choose(window.dialog.getByRole("combobox", { name: window.t("registries.test_with") }), name);
    await choose("ann");
    await window.field("registries.test_repository", {}, window.dialog).fill("team/site");
    await window.button("registries.test_run", {}, window.dialog).click();
    await window.see(window.text("failure.registry_unauthorized.what", {}, window.dialog));
    // The sub-account that was given rights.
    await product.call("registries.add_credential", { registry: place.id, name: "robot", form: { kind: "password", username: "ann", password: PASSWORD } });
    await choose("robot");
    await window.button("registries.test_run", {}, window.dialog).click();
    for (const hop of ["read", "push"]) await window.see(window.text(`registries.hop_${hop}`, {}, window.dialog));
    await window.gone(window.text("failure.registry_unauthorized.what", {}, window.dialog));
  });
});

test("seed 2.1: without the right to push, rules are neither made nor changed; the reason and the way out stand above them", async () => {
  const registries = await product.call("registries.list");
  const { credentials } = registries.find(({ id }) => id === place.id);
  const named = (name) => credentials.find((one) => one.name === name).id;
  const robot = named("robot");
  const image = await addRepository(product, "team/site", { registry: place.id, credential: robot });
  const rule = await addRule(product, image, code, { auto_trigger: false });
  const { spec } = await product.call("image_repositories.get", { id: image });
  await product.call("image_repositories.edit", { id: image, spec: { ...spec, credential: named("ann") } });
  await assert.rejects(product.call("rules.edit", { id: rule, spec: (await product.call("rules.list", { repository: image }))[0].spec }), ({ failure }) => failure.code === "read_only_repository");

  await withWindow(product, { name: "rights-write", path: `/repositories/${image}/build` }, async (window) => {
    await window.see(window.text("repositories.read_only_why"));
    const add = window.button("rules.add");
    assert.equal(await add.isDisabled(), true);
    await window.button("common.actions", { name: "site" }).first().click();
    for (const key of ["common.edit", "common.duplicate", "common.delete"]) assert.equal(await window.item(key).getAttribute("data-disabled"), "true", key);
    await window.page.keyboard.press("Escape");
    await window.button("repositories.change_credential").click();
    await window.choose(window.dialog.getByRole("combobox", { name: window.t("repositories.credential") }), "robot");
    await window.button("common.save", {}, window.dialog).click();
    await window.dialogGone();
    await window.gone(window.text("repositories.read_only_why"));
    assert.equal(await add.isEnabled(), true);
  });
});
