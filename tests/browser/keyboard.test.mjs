/** The main path with the keyboard alone: the mouse is never used, the focus is always seen and comes back. */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { reach } from "./stand/keys.mjs";
import { Product } from "./stand/product.mjs";
import { Clone, dockerfile, removeOwnImages, talking } from "./stand/surroundings.mjs";
import { BUILD_MS, closeBrowser, withWindow } from "./stand/window.mjs";

after(async () => {
  await closeBrowser();
  await removeOwnImages();
});

/** Opens the palette, types, and takes the first thing found. */
async function palette(window, text, expected) {
  await window.page.keyboard.press("Control+k");
  const search = window.page.getByRole("textbox", { name: window.t("palette.placeholder") }).or(window.page.getByRole("combobox", { name: window.t("palette.placeholder") })).or(window.page.getByPlaceholder(window.t("palette.placeholder")));
  await window.focusOn(search);
  await window.page.keyboard.type(text);
  await window.see(window.page.getByRole("button", { name: expected }).or(window.page.getByRole("option", { name: expected })));
  await window.page.keyboard.press("ArrowDown");
  await window.page.keyboard.press("Enter");
}

test("seed 0.7, 3.22: the main path with the keyboard alone", { timeout: 240_000 }, async () => {
  const product = await Product.start();
  const clone = await Clone.make("helloworld", { Dockerfile: dockerfile(`${talking("by keyboard", 1)}ADD ./ /site\n`), "index.html": "hello\n" });
  await withWindow(product, { name: "keyboard" }, async (window) => {
    const { keyboard } = window.page;
    await window.see(window.heading("page.overview"));

    // The link to the content comes first and leads there.
    await keyboard.press("Tab");
    await window.focusOn(window.link("shell.skip"));
    await keyboard.press("Enter");
    assert.equal(await window.page.evaluate(() => document.activeElement.id), "content");

    // Code: by the palette, typed, Enter sends.
    await palette(window, window.t("sources.add"), window.t("sources.add"));
    const folder = window.field("sources.path", {}, window.dialog);
    await window.focusOn(folder);
    await keyboard.type(clone.path);
    await keyboard.press("Enter");
    await window.dialogGone();
    await window.see(window.row("helloworld"));

    // The image repository: the button, by Tab; Esc gives the focus back to it, and what was typed stays.
    await palette(window, window.t("page.repositories"), window.t("page.repositories"));
    await window.see(window.heading("page.repositories"));
    const add = window.button("repositories.add");
    await reach(window, add);
    await keyboard.press("Enter");
    const name = window.field("common.name", {}, window.dialog);
    await window.focusOn(name);
    await keyboard.type("team/keyboard");
    await keyboard.press("Escape");
    await window.dialogGone();
    await window.focusOn(add);
    await keyboard.press("Enter");
    await window.focusOn(name);
    assert.equal(await name.inputValue(), "team/keyboard");
    await keyboard.press("Enter");
    await window.see(window.heading("rules.title"));

    // The rule: any branch by Space, saved by Enter.
    await reach(window, window.button("rules.add"));
    await keyboard.press("Enter");
    const any = window.dialog.getByRole("checkbox", { name: window.t("rules.any_branch") });
    await window.see(any);
    await reach(window, any);
    await keyboard.press("Space");
    assert.equal(await any.isChecked(), true);
    await window.see(window.dialog.getByRole("listitem").filter({ hasText: "team/keyboard:main-" }));
    await reach(window, window.button("common.save", {}, window.dialog));
    await keyboard.press("Enter");
    await window.dialogGone();
    await window.see(window.row("helloworld"));

    // A push; the build's page by its link; its tabs by arrows.
    const commit = await clone.commit("typed", { "index.html": "typed\n" });
    const link = window.page.getByRole("row").filter({ hasText: "typed" }).filter({ hasText: commit.slice(0, 7) }).getByRole("link", { name: "#1" });
    await window.see(link, BUILD_MS);
    await reach(window, link);
    await keyboard.press("Enter");
    await window.see(window.page.getByRole("heading", { level: 1 }).getByText(window.t("builds.state_succeeded")), BUILD_MS);
    await reach(window, window.tab("builds.tab_log"));
    for (const tab of ["builds.tab_timeline", "builds.tab_parameters", "builds.tab_result"]) {
      while (!(await window.tab(tab).evaluate((one) => one === document.activeElement))) await keyboard.press("ArrowRight");
      if ((await window.tab(tab).getAttribute("aria-selected")) !== "true") await keyboard.press("Enter");
      await window.see(window.tab(tab).and(window.page.locator("[aria-selected=true]")));
    }
    await window.see(window.page.getByText("team/keyboard:main-", { exact: false }));

    // A menu: opened by Enter, walked by arrows, left by Esc with the focus back on its button.
    const menu = window.button("common.actions", { name: "#1" });
    await reach(window, menu, "Shift+Tab");
    await keyboard.press("Enter");
    await window.see(window.item("builds.delete"));
    await window.focusOn(window.page.getByRole("menuitem").first());
    await keyboard.press("Escape");
    await window.gone(window.item("builds.delete"));
    await window.focusOn(menu);
    await keyboard.press("Enter");
    await window.see(window.item("builds.delete"));
    await reach(window, window.item("builds.delete"), "ArrowDown");
    await keyboard.press("Enter");
    // The safe answer has the focus: Enter does not destroy.
    await window.focusOn(window.button("common.cancel", {}, window.dialog));
    await keyboard.press("Enter");
    await window.dialogGone();
    assert.equal((await product.call("builds.list", {})).items.length, 1);
  });
  await product.stop();
});
