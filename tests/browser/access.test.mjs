/** Every page of the route table and every dialog of the registry: axe, roles and the way of the focus. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";

import { accountStates, fullProduct, everyDialog, everyPage, tabsOn } from "./stand/scenes.mjs";
import { removeOwnImages } from "./stand/surroundings.mjs";
import { axePath, closeBrowser, Window } from "./stand/window.mjs";

const axe = readFileSync(axePath, "utf8");
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"];

const COLOUR_RULES = ["color-contrast", "link-in-text-block"];

let scene;
let places;
before(async () => {
  scene = await fullProduct();
  const window = await Window.open(scene.product);
  const found = await everyPage(scene.ids, tabsOn(window));
  await window.close();
  const { failed, running } = scene.builds;
  const more = [
    { name: "build-failed", path: `/builds/${failed}` },
    { name: "build-running", path: `/builds/${running}` },
    { name: "nothing-found", path: "/builds?search=nobody+wrote+this" },
    { name: "no-such-page", path: "/nowhere" },
    { name: "no-such-build", path: "/builds/999999" },
  ];
  places = [...found, ...more, ...everyDialog(scene.ids)];
});
after(async () => {
  await closeBrowser();
  await scene?.end();
  await removeOwnImages();
});

/** Waits until a place is there: its heading, its dialog when it is one, and nothing loads or moves. */
async function arrive(window, place) {
  await window.go(place.path);
  await window.see(window.page.getByRole("heading", { level: 1, includeHidden: true }));
  if (place.dialog) await window.see(window.dialog);
  await window.settled();
}

async function judge(window, place) {
  await window.page.evaluate(axe);
  // What does not depend on colours was found in the light theme.
  const runOnly = window.scheme === "light" ? { type: "tag", values: TAGS } : { type: "rule", values: COLOUR_RULES };
  const { violations } = await window.page.evaluate(
    (only) => globalThis.axe.run(document, { runOnly: only, resultTypes: ["violations"] }),
    runOnly,
  );
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, impact, nodes }) => `${place.name} ${window.language} ${window.scheme}: ${id} (${impact}): ${nodes.map(({ html }) => html.slice(0, 160)).join(" | ")}`);
}

/** What a page must have to be found in by ear: one of each landmark, one heading, a title. */
async function landmarks(window) {
  const missing = [];
  for (const [role, key] of [["navigation", "shell.navigation"], ["navigation", "shell.breadcrumbs"], ["main"]]) {
    const one = key ? window.by(role, key) : window.page.getByRole(role);
    if ((await one.count()) !== 1) missing.push(`${await one.count()} × ${role} ${key ?? ""}`);
  }
  if ((await window.page.getByRole("heading", { level: 1 }).count()) !== 1) missing.push("not one main heading");
  if (!(await window.page.title()).includes(window.t("product.name"))) missing.push("the window's title does not name the page");
  return missing;
}

/** What a dialog must have: a name, the focus inside for one whole round of Tab, and Esc to leave. Closes it. */
async function dialogManners(window) {
  const missing = [];
  const dialog = window.dialog;
  const named = await dialog.evaluate((one) => document.getElementById(one.getAttribute("aria-labelledby") ?? "")?.textContent?.trim() || one.getAttribute("aria-label"));
  if (!named) missing.push("the dialog has no name");
  const isInside = () => document.querySelector('[role="dialog"]')?.contains(document.activeElement);
  await window.page.waitForFunction(isInside).catch(() => missing.push("the focus is not inside the dialog"));
  await window.page.evaluate(() => void (globalThis.focusRound = new Set()));
  for (let isNew = true; isNew; ) {
    await window.page.keyboard.press("Tab");
    if (!(await window.page.evaluate(isInside))) {
      missing.push("Tab leaves the dialog");
      break;
    }
    isNew = await window.page.evaluate(() => {
      const before = globalThis.focusRound.size;
      return globalThis.focusRound.add(document.activeElement).size > before;
    });
  }
  // A list that opened under its field takes the first Esc.
  if (await dialog.locator('[aria-expanded="true"]:focus').count()) await window.page.keyboard.press("Escape");
  await window.page.keyboard.press("Escape");
  await window.gone(dialog).catch(() => missing.push("Esc does not close it"));
  return missing;
}

for (const language of ["en", "zh"]) {
  test(`axe finds nothing serious on any page or dialog, light and dark, and each has its landmarks, names, focus and Esc (${language})`, { timeout: 2_400_000 }, async () => {
    const window = await Window.open(scene.product, { language });
    const found = [];
    for (const place of [...places, ...accountStates(scene)]) {
      try {
        await arrive(window, place);
        await place.act?.(window);
        await window.settled();
      } catch (thrown) {
        found.push(`${place.name}: it does not open: ${thrown.message.split("\n")[0]}`);
        continue;
      }
      for (const scheme of ["light", "dark"]) {
        window.scheme = scheme;
        await window.wear(scheme);
        found.push(...(await judge(window, place)));
      }
      await window.wear("light");
      // What stands in an address alone; the states that are reached by clicking lie over one of these.
      if (!place.act) {
        const missing = place.dialog ? await dialogManners(window) : await landmarks(window);
        found.push(...missing.map((what) => `${place.name} ${language}: ${what}`));
      }
      await place.leave?.();
    }
    await window.close();
    assert.deepEqual(found, []);
    window.assertQuiet();
  });
}

test("Tab goes through each page in reading order, the focus is always seen, and nothing takes it away", { timeout: 300_000 }, async () => {
  const window = await Window.open(scene.product, { width: 1280, height: 1200 });
  const found = [];
  for (const place of places.filter(({ dialog }) => !dialog)) {
    await arrive(window, place);
    await window.page.evaluate(() => {
      document.activeElement?.blur();
      // What a focus may change on an element, its frame, or the word beside a hidden box.
      const look = (one) =>
        [one, one.parentElement, one.parentElement?.parentElement, one.nextElementSibling]
          .filter(Boolean)
          .map((part) => {
            const style = getComputedStyle(part);
            return [style.outlineStyle, style.outlineWidth, style.outlineColor, style.borderColor, style.boxShadow, style.clipPath, style.transform, style.top].join();
          })
          .join(";");
      const state = { steps: [], last: null };
      globalThis.focusWalk = async () => {
        // A colour that is on its way is neither the one nor the other.
        const moving = document.getAnimations().filter((one) => one.effect?.getTiming().iterations !== Infinity);
        await Promise.allSettled(moving.map(({ finished }) => finished));
        const now = document.activeElement;
        if (state.last) state.last.step.seen = state.last.look !== look(state.last.one);
        if (!now || now === document.body) return false;
        const hasSize = (one) => one && one.getBoundingClientRect().width > 0 && one.getBoundingClientRect().height > 0;
        const step = { html: now.outerHTML.slice(0, 200), href: now.getAttribute("href"), tabIndex: now.tabIndex, visible: hasSize(now) || hasSize(now.nextElementSibling), main: document.querySelector("main")?.contains(now) ?? false };
        const known = state.last === null ? false : (state.visited ??= new Set()).has(now);
        (state.visited ??= new Set()).add(now);
        state.steps.push(step);
        state.last = { one: now, look: look(now), step };
        return !known;
      };
      globalThis.focusSteps = () => state.steps;
    });
    for (let step = 0; step < 150; step += 1) {
      await window.page.keyboard.press("Tab");
      if (!(await window.page.evaluate(() => globalThis.focusWalk()))) break;
    }
    const steps = await window.page.evaluate(() => globalThis.focusSteps());
    const complain = (what, step) => found.push(`${place.name}: ${what}: ${step?.html ?? ""}`);
    if (steps[0]?.href !== "#content") complain("the first stop is not the link to the content", steps[0]);
    for (const step of steps) {
      if (step.tabIndex > 0) complain("a tab index of its own", step);
      if (!step.visible) complain("the focus stands on something without a size", step);
      if (step.seen === false) complain("the focus is not seen", step);
    }
    const begin = steps.findIndex(({ main }) => main);
    if (begin >= 0 && steps.slice(begin).some(({ main }, at, rest) => !main && rest.slice(at).some((later) => later.main))) complain("the way leaves the content and comes back");
  }
  await window.close();
  assert.deepEqual(found, []);
});
