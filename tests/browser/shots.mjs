/**
 * Takes a picture of every page and dialog in each of its states (normal, empty, full, error, engine away) into target/shots/, full size, and
 * contact sheets for light and dark, English and Chinese, a small and a large window. `shots.mjs NAME` takes only pictures with
 * that in their name, without sheets.
 */
import { copyFileSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

import { run } from "./stand/processes.mjs";
import { Product } from "./stand/product.mjs";
import { accountStates, crowdedProduct, everyDialog, everyPage, fullProduct, productWithoutEngine, tabsOn } from "./stand/scenes.mjs";
import { removeOwnImages } from "./stand/surroundings.mjs";
import { closeBrowser, Window } from "./stand/window.mjs";

const root = join(import.meta.dirname, "../..");
const folder = join(root, "target/shots");
const wanted = process.argv[2];
const LOOKS = ["en", "zh"].flatMap((language) =>
  ["light", "dark"].flatMap((scheme) => [[1024, 700], [1440, 900]].map(([width, height]) => ({ language, scheme, width, height }))),
);

/** Opens a place and brings it into its state. */
async function arrive(window, place) {
  await window.go(place.path);
  await window.see(window.page.getByRole("heading", { level: 1, includeHidden: true }));
  if (place.dialog) await window.see(window.dialog);
  await window.gone(window.text("shell.engine_asking"));
  await window.settled();
  await place.act?.(window);
  await window.settled();
}

/** Sends a form without anything in it: each field that needs something says so. */
const sendEmpty = async (window) => {
  const send = window.dialog.locator("button[type=submit]").last();
  if (!(await send.isEnabled())) return;
  await send.click();
  await window.see(window.dialog.locator('[aria-invalid="true"]'));
};

/** Types what cannot work into a rule: the preview and the checks say so beside each field. */
const spoilRule = async (window) => {
  await window.field("rules.dockerfile", {}, window.dialog).fill("nowhere/Dockerfile");
  await window.dialog.getByRole("checkbox", { name: window.t("rules.pattern") }).check();
  await window.field("rules.pattern", {}, window.dialog).fill("^refs/(heads");
  await window.see(window.text("failure.bad_regex.what", {}, window.dialog));
};

const say = (text) => process.stdout.write(`shots: ${text}\n`);

say("preparing the scenes");
const [full, empty, away, crowd] = await Promise.all([fullProduct(), Product.start(), productWithoutEngine(), crowdedProduct(10_000)]);
const reader = await Window.open(full.product);
const places = [];
for (const place of await everyPage(full.ids, tabsOn(reader))) {
  places.push({ ...place, state: "normal", product: full.product });
  if (!place.page.includes("$")) {
    places.push({ ...place, state: "empty", product: empty });
    places.push({ ...place, state: "away", product: away });
  }
}
await reader.close();
const { builds } = full;
places.push(
  { name: "builds-log-failed", state: "error", path: `/builds/${builds.failed}`, product: full.product },
  { name: "builds-log-running", state: "normal", path: `/builds/${builds.running}`, product: full.product },
  { name: "builds-log-queued", state: "normal", path: `/builds/${builds.queued}`, product: full.product },
  { name: "builds-log-cancelled", state: "normal", path: `/builds/${builds.cancelled}`, product: full.product },
  { name: "builds-timeline-failed", state: "error", path: `/builds/${builds.failed}/timeline`, product: full.product },
  { name: "builds-result-failed", state: "error", path: `/builds/${builds.failed}/result`, product: full.product },
  { name: "builds", state: "full", path: "/builds", product: crowd.product },
  { name: "builds-sorted", state: "full", path: "/builds?sort=-duration", product: crowd.product },
  { name: "overview", state: "full", path: "/", product: crowd.product },
  { name: "repositories-build", state: "full", path: `/repositories/${crowd.repository}/build`, product: crowd.product },
  { name: "builds-nothing-found", state: "empty", path: "/builds?search=nobody+wrote+this", product: full.product },
  { name: "no-such-page", state: "error", path: "/nowhere", product: full.product },
  { name: "no-such-build", state: "error", path: "/builds/999999", product: full.product },
  { name: "palette", state: "normal", path: "/", product: full.product, act: async (window) => {
    await window.page.keyboard.press("Control+k");
    await window.page.getByPlaceholder(window.t("palette.placeholder")).fill("hello");
  } },
  { name: "queue", state: "normal", path: "/", product: full.product, act: (window) => window.page.getByRole("button", { name: window.t("shell.queue_count", { running: 1, waiting: 1 }) }).click() },
  { name: "inbox", state: "normal", path: "/", product: full.product, act: async (window) => {
    // The name also says how many are unread.
    await window.page.getByRole("button", { name: new RegExp(`^${window.t("inbox.open")}`) }).click();
    await window.see(window.text("inbox.read_all"));
  } },
  ...["versions", "build", "triggers", "workflow"].map((tab) => ({ name: `repositories-${tab}`, state: "empty", path: `/repositories/${full.untouched}/${tab}`, product: full.product })),
  { name: "engine", state: "normal", path: "/", product: full.product, act: (window) => window.by("navigation", "shell.navigation").locator("xpath=../..").getByRole("button", { name: /Docker/ }).click() },
  { name: "engine", state: "error", path: "/", product: away, act: (window) => window.page.getByRole("button", { name: window.t("shell.engine_away") }).click() },
);
for (const dialog of everyDialog(full.ids)) {
  places.push({ ...dialog, name: `dialog-${dialog.name}`, state: "normal", product: full.product });
  if (dialog.dialog === "rule") places.push({ ...dialog, name: `dialog-${dialog.name}`, state: "error", product: full.product, act: spoilRule });
  if (["add", "credential", "test"].includes(dialog.dialog)) {
    places.push({ ...dialog, name: `dialog-${dialog.name}`, state: "error", product: full.product, act: sendEmpty });
  }
}

const { text: exported } = await full.product.call("configuration.export");
const imported = JSON.stringify({ ...JSON.parse(exported), sources: [{ name: "legacy", location: { kind: "ssh", url: "git@code.example.com:a.git" } }, ...JSON.parse(exported).sources] });
for (const [state, product, text] of [["normal", empty, exported], ["full", full.product, imported], ["error", full.product, '{\n  "slipway": 2\n}\n']]) {
  places.push({ name: "import-configuration", state, path: "/settings?dialog=import-configuration", product, act: async (window) => {
    await window.dialog.locator('input[type="file"]').setInputFiles({ name: "slipway-configuration.json", mimeType: "application/json", buffer: Buffer.from(text) });
    await window.see(window.dialog.getByText("slipway-configuration.json"));
  } });
}

places.push(...accountStates(full).map((place) => ({ ...place, product: full.product })));

const chosen = places.filter(({ name }) => !wanted || name.includes(wanted));
const failures = [];
let pictures = 0;

/** Takes the pictures of one look; `full` ones have names of their own, the others go on a sheet. */
async function take(look, into) {
  mkdirSync(into, { recursive: true });
  const windows = new Map();
  for (const place of chosen) {
    let window = windows.get(place.product);
    if (!window) {
      window = await Window.open(place.product, look);
      windows.set(place.product, window);
    }
    try {
      await arrive(window, place);
    } catch (thrown) {
      failures.push(`${place.name} ${place.state} ${look.language} ${look.scheme} ${look.width}: ${thrown.message.split("\n")[0]}`);
    }
    await window.page.screenshot({ path: join(into, `${place.name}.${place.state}.png`) });
    pictures += 1;
    await place.leave?.();
  }
  for (const window of windows.values()) {
    if (window.complaints.length > 0) failures.push(...window.complaints);
    await window.close();
  }
}

/** Every list when the program behind the console has died: reached by the navigation, as nothing can be opened any more. */
async function takeDead(into) {
  const product = await Product.start();
  const window = await Window.open(product, { width: 1440, height: 900, path: "/settings" });
  await window.see(window.page.getByRole("heading", { level: 1 }));
  await window.gone(window.text("shell.engine_asking"));
  await product.kill();
  for (const page of ["repositories", "builds", "sources", "registries", "targets", "overview"]) {
    if (wanted && !page.includes(wanted)) continue;
    await window.visit(`page.${page}`);
    await window.see(window.text("shell.offline"));
    await window.settled();
    await window.page.screenshot({ path: join(into, `${page}.error.png`) });
    pictures += 1;
  }
  await window.close();
}

rmSync(folder, { recursive: true, force: true });
await take({ language: "en", scheme: "light", width: 1440, height: 900 }, folder);
await takeDead(folder);
say(`${pictures} pictures in full size`);
if (!wanted) {
  for (const look of LOOKS) {
    const name = `${look.scheme}-${look.language}-${look.width}x${look.height}`;
    const singles = join(folder, name);
    if (name === "light-en-1440x900") {
      mkdirSync(singles);
      for (const file of readdirSync(folder).filter((one) => one.endsWith(".png"))) copyFileSync(join(folder, file), join(singles, file));
    } else await take(look, singles);
    await run("montage", [
      "-background", "#808890", "-geometry", "480x+6+6", "-tile", "6x", "-font", "DejaVu-Sans", "-label", "%t", "-pointsize", "12",
      // Made small as they are read: all of them at full size are more than ImageMagick takes.
      ...readdirSync(singles).sort().map((file) => `${join(singles, file)}[480x]`), join(folder, `sheet-${name}.jpg`),
    ]);
    rmSync(singles, { recursive: true });
    say(`sheet ${name}`);
  }
}
await closeBrowser();
await Promise.all([full.end(), empty.stop(), away.stop(), crowd.product.stop()]);
await removeOwnImages();
failures.forEach((failure) => say(`failed: ${failure}`));
say(`${pictures} pictures in target/shots`);
process.exit(failures.length > 0 ? 1 : 0);
