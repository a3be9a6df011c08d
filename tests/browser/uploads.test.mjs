/** Images that come without a build rule, by clicking: from an uploaded Dockerfile, from the engine, from an archive; and their versions. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { addRepository } from "./stand/prepare.mjs";
import { eventually, run, temporaryFolder } from "./stand/processes.mjs";
import { Product } from "./stand/product.mjs";
import { dockerfile, LABEL, removeOwnImages, startRegistry } from "./stand/surroundings.mjs";
import { BUILD_MS, closeBrowser, withWindow } from "./stand/window.mjs";

let product;
let registry;
before(async () => {
  registry = await startRegistry();
  product = await Product.start();
});
after(async () => {
  await closeBrowser();
  await product?.stop();
  await removeOwnImages();
});

/** An image repository at a registry of its own, which the platform does not build. */
async function repositoryAt(name) {
  const known = (await product.call("registries.list")).find(({ host }) => host === registry.host);
  const { id } = known ?? (await product.call("registries.add", { form: { name: "company", host: registry.host, plain_http: true } }));
  return addRepository(product, name, { registry: id, source: "dockerfile" });
}

/** Opens one of the other ways to fill a repository. */
async function way(window, repository, key) {
  await window.go(`/repositories/${repository}/build`);
  await window.button("builds.other_ways").click();
  await window.item(key).click();
  await window.see(window.page.getByRole("dialog", { name: window.t(key) }));
}

const succeeded = (window) => window.see(window.page.getByRole("heading", { level: 1 }).getByText(window.t("builds.state_succeeded")), BUILD_MS);

for (const language of ["en", "zh"]) {
  test(`seed 0.10, 3.23, 4.1: an uploaded Dockerfile is checked, built and kept (${language})`, async () => {
    const repository = await repositoryAt(`uploads/dockerfile-${language}`);
    const folder = temporaryFolder();
    writeFileSync(join(folder, "page.html"), "from a folder\n");
    const file = join(folder, "Dockerfile");
    writeFileSync(file, dockerfile(`ARG WHO=nobody\nRUN : ${LABEL} && echo hello $WHO in ${language}\nCOPY page.html /page.html\n`));
    await withWindow(product, { name: `upload-dockerfile-${language}`, language }, async (window) => {
      await way(window, repository, "builds.dockerfile_title");
      // Nothing filled in: both fields say so, in the person's language, and nothing starts.
      await window.button("builds.now_start", {}, window.dialog).click();
      await window.see(window.dialog.getByText(window.t("common.required")).nth(1));
      const tag = window.field("builds.now_fixed", {}, window.dialog);
      assert.equal(await tag.getAttribute("aria-invalid"), "true");
      await window.focusOn(tag);
      await tag.fill("v1");
      // A mistake is said while it is typed, with its line.
      const text = window.field("builds.dockerfile_text", {}, window.dialog);
      await text.fill("FROM scratch\nRUNN echo\n");
      await window.see(window.text("common.at_line", { line: 2 }, window.dialog));
      // A file instead; it copies from a folder and takes an argument.
      await window.dialog.locator("input[type=file]").first().setInputFiles(file);
      await window.gone(window.text("common.at_line", { line: 2 }, window.dialog));
      await window.field("builds.dockerfile_folder", {}, window.dialog).fill(folder);
      await window.field("rules.args", {}, window.dialog).fill("WHO=world");
      await window.button("builds.now_start", {}, window.dialog).click();
      await succeeded(window);
      await window.see(window.by("log", "log.label").getByText(`hello world in ${language}`, { exact: true }));
      // What was built is kept.
      await window.tab("builds.tab_dockerfile").click();
      await window.see(window.text("builds.dockerfile_uploaded"));
      await window.see(window.by("region", "builds.dockerfile_label").getByText("COPY page.html /page.html"));
      assert.deepEqual(await registry.tags(`uploads/dockerfile-${language}`), ["v1"]);
      // Again, from the record.
      await window.button("builds.rerun").click();
      await window.see(window.page.getByRole("heading", { level: 1, name: "#2" }));
      await succeeded(window);
      // It stands among the versions.
      await window.go(`/repositories/${repository}/versions`);
      await window.see(window.row("v1"));
    });
  });
}

test("seed 0.10: the Dockerfile copies from an archive; one that is none is said beside its field, and nothing is lost", async () => {
  const repository = await repositoryAt("uploads/archive");
  const folder = temporaryFolder();
  writeFileSync(join(folder, "page.html"), "from an archive\n");
  const archive = join(temporaryFolder(), "context.tar.gz");
  await run("tar", ["-C", folder, "-czf", archive, "."]);
  const broken = join(temporaryFolder(), "broken.zip");
  writeFileSync(broken, "no archive at all");
  await withWindow(product, { name: "upload-archive" }, async (window) => {
    await way(window, repository, "builds.dockerfile_title");
    const context = window.field("builds.dockerfile_folder", {}, window.dialog);
    await window.field("builds.now_fixed", {}, window.dialog).fill("v1");
    const text = dockerfile(`COPY page.html /page.html\nRUN : ${LABEL}-archive && cat /page.html\n`);
    await window.field("builds.dockerfile_text", {}, window.dialog).fill(text);
    await context.fill(broken);
    await window.button("builds.now_start", {}, window.dialog).click();
    await window.see(window.text("failure.bad_archive.what", {}, window.dialog));
    assert.equal(await context.getAttribute("aria-invalid"), "true");
    assert.equal(await window.field("builds.dockerfile_text", {}, window.dialog).inputValue(), text);
    await context.fill(archive);
    await window.button("builds.now_start", {}, window.dialog).click();
    await succeeded(window);
    await window.see(window.by("log", "log.label").getByText("from an archive", { exact: true }));
  });
});

test("seed 4.1, 4.12: an image is uploaded by hand, from the engine and from an archive, and becomes a version", { timeout: 180_000 }, async () => {
  const repository = await repositoryAt("uploads/by-hand");
  const folder = temporaryFolder();
  const name = `slipway-test/browser-upload:${process.pid}`;
  const archive = join(folder, "image.tar");
  writeFileSync(join(folder, "Dockerfile"), dockerfile(`RUN : ${LABEL} && echo packed > /packed\n`));
  await run("docker", ["build", "--quiet", "--tag", name, folder]);
  await run("docker", ["save", "--output", archive, name]);
  try {
    await withWindow(product, { name: "upload-image" }, async (window) => {
      await way(window, repository, "builds.upload_title");
      await window.button("builds.upload_start", {}, window.dialog).click();
      await window.see(window.text("common.required", {}, window.dialog));
      const image = window.dialog.getByRole("combobox", { name: window.t("builds.upload_image") });
      await image.fill(name);
      await window.page.getByRole("option", { name, exact: true }).click();
      await window.field("builds.now_fixed", {}, window.dialog).fill("local");
      await window.button("builds.upload_start", {}, window.dialog).click();
      await succeeded(window);

      await way(window, repository, "builds.upload_title");
      await window.segment("builds.upload_archive").click();
      const path = window.field("builds.upload_path", {}, window.dialog);
      await path.fill(join(folder, "Dockerfile"));
      await window.see(window.text("failure.bad_archive.what", {}, window.dialog));
      await path.fill(archive);
      await window.see(window.dialog.getByText(name, { exact: false }));
      await window.field("builds.now_fixed", {}, window.dialog).fill("archive");
      await window.button("builds.upload_start", {}, window.dialog).click();
      await succeeded(window);

      await window.go(`/repositories/${repository}/versions`);
      await window.see(window.row("local"));
      await window.see(window.row("archive"));
      // Both hold the same: they are named when one is to go.
      await window.pick("local", "common.delete");
      await window.see(window.dialog.getByText("archive", { exact: true }));
      await window.button("common.cancel", {}, window.dialog).click();
      await window.dialogGone();
    });
  } finally {
    await run("docker", ["image", "rm", name]).catch(() => undefined);
  }
});

test("seed 0.10: in a browser the Dockerfile and what it copies are dropped or chosen, sent, and drawn in colour", { timeout: 180_000 }, async () => {
  const repository = await repositoryAt("uploads/sent");
  const folder = join(temporaryFolder(), "context");
  mkdirSync(join(folder, "deep"), { recursive: true });
  writeFileSync(join(folder, "page.html"), "from a folder that was sent\n");
  writeFileSync(join(folder, "deep/style.css"), "from below\n");
  const archive = join(temporaryFolder(), "context.tar.gz");
  await run("tar", ["-C", folder, "-czf", archive, "."]);
  const text = dockerfile(`COPY page.html deep/style.css /\nRUN : ${LABEL}-sent && cat /page.html /style.css\n`);
  await withWindow(product, { name: "upload-sent" }, async (window) => {
    await way(window, repository, "builds.dockerfile_title");
    const { dialog } = window;
    const field = window.field("builds.dockerfile_text", {}, dialog);
    // Dropped on the dialog.
    const dropped = await window.page.evaluateHandle((content) => {
      const data = new DataTransfer();
      data.items.add(new File([content], "Dockerfile"));
      return data;
    }, text);
    await field.dispatchEvent("dragover", { dataTransfer: dropped });
    await field.dispatchEvent("drop", { dataTransfer: dropped });
    await eventually("the dropped file is read", async () => (await field.inputValue()) === text);
    await window.see(dialog.locator(".code-keyword", { hasText: "COPY" }));
    // A mistake is marked where it stands.
    await field.fill(`${text}RUNN x\n`);
    await window.see(dialog.locator("[data-problem]", { hasText: "RUNN x" }));
    await field.fill(text);
    await window.gone(dialog.locator("[data-problem]"));
    // An archive is named and can be taken away again; then a whole folder.
    await dialog.locator('input[type=file][accept*=".zip"]').setInputFiles(archive);
    await window.see(dialog.getByText("context.tar.gz", { exact: false }));
    await window.button("builds.context_forget", {}, dialog).click();
    await window.see(window.field("builds.dockerfile_folder", {}, dialog));
    await dialog.locator("input[type=file][webkitdirectory]").setInputFiles(folder);
    await window.see(dialog.getByText("context.tar ", { exact: false }));
    await window.field("builds.now_fixed", {}, dialog).fill("folder");
    await window.button("builds.now_start", {}, dialog).click();
    await succeeded(window);
    await window.see(window.by("log", "log.label").getByText("from a folder that was sent", { exact: true }));
    await window.see(window.by("log", "log.label").getByText("from below", { exact: true }));
    await window.tab("builds.tab_dockerfile").click();
    await window.see(window.by("region", "builds.dockerfile_label").locator(".code-keyword", { hasText: "COPY" }));

    // An archive of an image, sent as well; one that is none says so, and nothing is uploaded.
    const image = join(temporaryFolder(), "image.tar");
    const [{ tags }] = (await product.call("builds.list", { repository })).items;
    await run("docker", ["pull", "--quiet", `${registry.host}/uploads/sent:${tags[0]}`]);
    await run("docker", ["save", "--output", image, `${registry.host}/uploads/sent:${tags[0]}`]);
    await way(window, repository, "builds.upload_title");
    await window.segment("builds.upload_archive").click();
    const input = dialog.locator('input[type=file][accept*=".tar"]');
    await input.setInputFiles(join(folder, "page.html"));
    await window.see(window.text("failure.bad_archive.what", {}, dialog));
    await window.button("builds.context_forget", {}, dialog).click();
    await dialog.locator('input[type=file][accept*=".tar"]').setInputFiles(image);
    await window.see(dialog.getByText("uploads/sent:folder", { exact: false }));
    await window.field("builds.now_fixed", {}, dialog).fill("sent");
    await window.button("builds.upload_start", {}, dialog).click();
    await succeeded(window);
    assert.deepEqual(await registry.tags("uploads/sent"), ["folder", "sent"]);
  });
});

test("several versions are deleted at once, and two are compared", { timeout: 180_000 }, async () => {
  const repository = await repositoryAt("uploads/versions");
  const built = async (tag, rest) => {
    await product.call("uploads.dockerfile", { repository, tag, dockerfile: { kind: "text", text: dockerfile(rest) } });
    const done = await product.finishedBuild(repository);
    assert.equal(done.state, "succeeded", JSON.stringify(done.failure));
  };
  for (const tag of ["one", "two", "three"]) await built(tag, `ENV NAME=${tag}\nRUN : ${LABEL} && echo ${tag} > /${tag}\n`);
  await withWindow(product, { name: "delete-versions", path: `/repositories/${repository}/versions` }, async (window) => {
    const pick = (tag) => window.page.getByRole("checkbox", { name: window.t("versions.pick", { tag }), exact: true }).check();
    await window.see(window.row("three"));
    await pick("one");
    await pick("two");
    await window.button("versions.compare").click();
    await window.see(window.row("NAME"));
    await window.see(window.dialog.getByText("two", { exact: true }).last());
    await window.page.keyboard.press("Escape");
    await window.dialogGone();
    await window.button("versions.delete_count", { count: 2 }).click();
    await window.see(window.dialog.getByText("one", { exact: true }));
    await window.see(window.dialog.getByText("two", { exact: true }));
    await window.button("versions.delete_count", { count: 2 }, window.dialog).click();
    await window.dialogGone();
    await window.gone(window.page.getByRole("button", { name: "one", exact: true }));
    await window.see(window.row("three"));
    assert.deepEqual(await registry.tags("uploads/versions"), ["three"]);
  });
});
