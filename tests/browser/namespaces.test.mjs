/** Namespaces by clicking: made at a registry that allows it, and told how they come to be at one that does not. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { startHarbor } from "./stand/harbor.mjs";
import { addRegistry } from "./stand/prepare.mjs";
import { Product } from "./stand/product.mjs";
import { PASSWORD, startRegistry } from "./stand/surroundings.mjs";
import { closeBrowser, withWindow } from "./stand/window.mjs";

let harbor;
let product;
before(async () => {
  [harbor, product] = await Promise.all([startHarbor(), Product.start({ keychain: true })]);
});
after(async () => {
  await closeBrowser();
  await product?.stop();
});

test("a namespace is made at a Harbor, public or not, and a refusal stands at its field", { timeout: 120_000 }, async () => {
  const { registry } = await addRegistry(product, harbor.host, { name: "harbor", password: PASSWORD });
  await withWindow(product, { name: "namespaces", path: "/registries" }, async (window) => {
    await window.pick("harbor", "registries.namespaces");
    const { dialog } = window;
    await window.see(window.row("library").getByText(window.t("registries.namespace_public")));
    await window.see(window.text("registries.creation_here", {}, dialog));
    const name = window.field("registries.namespace_new", {}, dialog);
    const create = window.button("registries.namespace_create", {}, dialog);

    // Left empty, not a name, and a name that is taken: each says so at the field, and what was typed stays.
    await create.click();
    await window.see(dialog.getByText(window.t("common.required")));
    for (const [typed, words] of [["Team", "failure.registry_name_invalid.what"], ["library", "failure.name_taken.what"]]) {
      await name.fill(typed);
      await create.click();
      await window.see(window.text(words, {}, dialog));
      assert.equal(await name.getAttribute("aria-invalid"), "true", typed);
      assert.equal(await name.inputValue(), typed);
    }

    await name.fill("team");
    await create.click();
    await window.see(window.row("team").getByText(window.t("registries.namespace_private")));
    await window.see(window.text("registries.namespace_made", { name: "team" }, dialog));
    assert.equal(await name.inputValue(), "");
    await name.fill("shared");
    await dialog.getByRole("checkbox", { name: window.t("registries.namespace_everybody") }).check();
    await name.press("Enter");
    await window.see(window.row("shared").getByText(window.t("registries.namespace_public")));
  });
  const made = harbor.projects.map((one) => [one.name, one.metadata.public]);
  assert.deepEqual(made, [["library", "true"], ["team", "false"], ["shared", "true"]]);

  // A robot may not.
  const form = { kind: "password", username: "robot$ci", password: PASSWORD };
  const { id: credential } = await product.call("registries.add_credential", { registry, name: "robot", form });
  const refused = await product.call("registries.create_namespace", { registry, credential, name: "mine" }).catch((thrown) => thrown.failure);
  assert.deepEqual([refused.code, refused.field], ["registry_denied", "credential"]);
});

test("a plain registry makes namespaces with the first push, and offers no other way", { timeout: 120_000 }, async () => {
  const plain = await startRegistry();
  await addRegistry(product, plain.host, { name: "plain" });
  await withWindow(product, { name: "namespaces-plain", path: "/registries" }, async (window) => {
    await window.pick("plain", "registries.namespaces");
    await window.see(window.text("registries.creation_first_push", {}, window.dialog));
    assert.equal(await window.field("registries.namespace_new", {}, window.dialog).count(), 0);
  });
});
