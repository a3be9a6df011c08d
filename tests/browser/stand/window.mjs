/** A person in front of the console: Chromium, and verbs by role and accessible name. */
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

import { atExit } from "./processes.mjs";
import { wordsOf } from "./words.mjs";

const root = join(import.meta.dirname, "../../..");
// The console's packages are the only ones installed.
const packages = createRequire(join(root, "ui/package.json"));
const { chromium } = packages("playwright-core");
/** The source of axe-core, to be run inside a page. */
export const axePath = packages.resolve("axe-core/axe.min.js");

/** What a step may take that only needs the console and its core. */
const STEP_MS = 30_000;
/** What a build may take from push to result on a busy machine. */
export const BUILD_MS = 90_000;

let shared;
/** The browser of this process; `CHROMIUM` names another program. */
export async function browser() {
  shared ??= chromium
    .launch({
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      args: ["--no-sandbox", "--disable-dev-shm-usage", "--font-render-hinting=none", "--disable-gpu", ...(process.env.CHROMIUM_ARGS?.split(" ") ?? [])],
    })
    .then(
      (one) => {
        atExit(() => void one.close());
        one.once("disconnected", () => (shared = undefined));
        return one;
      },
      (failed) => {
        shared = undefined;
        throw failed;
      },
    );
  return shared;
}

/** Ends the browser, so that the process can end. */
export async function closeBrowser() {
  await (await shared?.catch(() => undefined))?.close();
  shared = undefined;
}

const pattern = (text) => new RegExp(`^\\s*${text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}(\\s*\\*)?\\s*$`);

/** One window on a product. Texts are given as keys of the console's own translations. */
export class Window {
  /** Opens the console on a path of the product. */
  static async open(product, { path = "/", language = "en", scheme = "light", width = 1280, height = 860, deviceScaleFactor = 1, measured = false } = {}) {
    const own = await browser();
    const context = await own.newContext({
      viewport: { width, height },
      deviceScaleFactor,
      locale: language === "zh" ? "zh-CN" : "en-US",
      timezoneId: "UTC",
      colorScheme: scheme,
      reducedMotion: "reduce",
      permissions: ["clipboard-read", "clipboard-write"],
      acceptDownloads: true,
    });
    context.setDefaultTimeout(STEP_MS);
    const window = new Window();
    Object.assign(window, { product, context, language, complaints: [], expected: [] });
    await context.exposeBinding("slipwayTestViolation", (_, text) => window.complaints.push(`content policy: ${text}`));
    await context.addInitScript(() =>
      addEventListener("securitypolicyviolation", (event) =>
        globalThis.slipwayTestViolation(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`),
      ),
    );
    await context.addInitScript((chosen) => {
      if (localStorage.getItem("slipway.language") === null) localStorage.setItem("slipway.language", chosen);
    }, language);
    // A container that starts changes the machine's network, and Chromium then gives up what it loads, also from this machine.
    // What is measured is not sent through here.
    await context.route(measured ? /\/assets\// : /\/(assets|rpc)\//, async (route) => {
      try {
        const response = await route.fetch({ timeout: 0 });
        await route.fulfill({ response });
        await response.dispose();
      } catch {
        // The program or the window is gone.
        await route.abort().catch(() => undefined);
      }
    });
    window.page = await context.newPage();
    window.page.on("pageerror", (error) => window.complaints.push(`error: ${error.stack ?? error.message}`));
    window.page.on("console", (message) => {
      if (!["error", "warning"].includes(message.type())) return;
      const text = message.text();
      // A command that fails answers with an HTTP status, which Chromium mentions; the console shows the failure itself.
      if (text.startsWith("Failed to load resource") && /\/(rpc|events)/.test(message.location().url)) return;
      if (text.includes("ERR_NETWORK_CHANGED")) return;
      window.complaints.push(`${message.type()}: ${text} (${message.location().url})`);
    });
    await window.load(`${product.url}${path}#token=${product.token}`);
    return window;
  }

  get t() {
    return wordsOf(this.language);
  }

  /** Goes to another address of the console, as a link from outside would. */
  async go(path) {
    await this.load(`${this.product.url}${path}`);
  }
  async load(address) {
    await this.untilLoaded(() => this.page.goto(address));
  }
  /** Loads the page once more. */
  async reload() {
    await this.untilLoaded(() => this.page.reload());
  }
  /** Does what opens a page in the person's browser, and returns that page. */
  async opens(act) {
    const [page] = await Promise.all([this.context.waitForEvent("page"), act()]);
    await page.waitForLoadState();
    await this.untilLoaded(() => page.url().startsWith("chrome-error:") && page.reload());
    return page;
  }
  async untilLoaded(load) {
    for (let left = 5; ; left -= 1) {
      try {
        return await load();
      } catch (thrown) {
        if (left === 0 || !/ERR_NETWORK_CHANGED/.test(thrown.message)) throw thrown;
      }
    }
  }

  /** Something by its role and its exact name, inside `within` or the whole page. */
  by(role, key, values, within = this.page) {
    return within.getByRole(role, { name: pattern(this.t(key, values)) });
  }

  button(key, values, within) {
    return this.by("button", key, values, within);
  }
  link(key, values, within) {
    return this.by("link", key, values, within);
  }
  /** Goes to a page by the navigation on the left. */
  async visit(key) {
    await this.link(key, {}, this.by("navigation", "shell.navigation")).click();
  }
  tab(key, values) {
    return this.by("tab", key, values);
  }
  item(key, values) {
    return this.by("menuitem", key, values);
  }
  heading(key, values) {
    return this.by("heading", key, values);
  }
  /** A field of a form that is typed into, by its label; a box to tick may have the same one. */
  field(key, values, within = this.page) {
    return within.getByLabel(pattern(this.t(key, values))).and(within.locator("input:not([type=checkbox], [type=radio]), textarea"));
  }
  /** One of a few choices that stand side by side. */
  segment(key, within = this.dialog) {
    return within.getByText(this.t(key), { exact: true });
  }
  /** Turns a switch by a click and waits until it stands. What is clicked lies over the box: it is not looked whether it moves. */
  async turn(toggle, on) {
    await this.see(toggle);
    await this.settled();
    await toggle.click({ force: true });
    await this.see(toggle.and(this.page.locator(on ? ":checked" : ":not(:checked)")));
  }
  /** The dialog that is open. */
  get dialog() {
    return this.page.getByRole("dialog");
  }
  /** The first row of a table that holds this text. */
  row(text) {
    return this.page.getByRole("row").filter({ hasText: text }).first();
  }
  /** Some text as it stands on the page. */
  text(key, values, within = this.page) {
    return within.getByText(this.t(key, values), { exact: false }).first();
  }

  /** How the build stands whose page is open. The word alone also stands elsewhere: in hints, and in other lists. */
  buildState(state) {
    return this.page.getByRole("heading", { level: 1 }).getByText(this.t(`builds.state_${state}`), { exact: true });
  }

  /** Chooses an entry of a list field, as it is labelled. */
  async choose(field, option, within = this.page) {
    await field.click();
    await this.page.getByRole("option", { name: option }).first().click();
  }

  /** Opens the menu of a thing and picks an entry. */
  async pick(name, key, values) {
    await this.button("common.actions", { name }).first().click();
    await this.item(key, values).click();
  }

  /** Waits until something can be seen. */
  async see(locator, timeout = STEP_MS) {
    await locator.first().waitFor({ state: "visible", timeout });
    return locator;
  }
  /** Waits until something cannot be seen any more. */
  async gone(locator, timeout = STEP_MS) {
    await locator.first().waitFor({ state: "hidden", timeout });
  }
  /** Waits until the open dialog has closed and its animation is over. */
  async dialogGone() {
    await this.gone(this.dialog);
  }

  /** Waits until nothing is loading and nothing moves. */
  async settled() {
    await this.page.waitForFunction(
      () =>
        document.fonts.status === "loaded" &&
        document.querySelector('[role="status"][aria-label], [aria-busy="true"], [data-loading="true"]') === null &&
        document.getAnimations().every((one) => one.playState !== "running" || one.effect?.getTiming().iterations === Infinity),
      undefined,
      { timeout: STEP_MS },
    );
  }

  /** Changes the theme as the system would, and waits until everything wears it. */
  async wear(scheme) {
    await this.page.emulateMedia({ colorScheme: scheme });
    await this.page.waitForFunction((wanted) => document.documentElement.dataset.mantineColorScheme === wanted, scheme);
    await this.settled();
  }

  /** Waits until the focus stands on something. */
  async focusOn(locator) {
    const element = await locator.first().elementHandle();
    await this.page.waitForFunction((one) => document.activeElement === one, element);
  }

  /** Errors and violations of the content policy since the window was opened; there must be none. */
  assertQuiet() {
    assert.deepEqual(this.complaints, [], "the console complained");
  }

  async close() {
    await this.context.close();
  }
}

/**
 * Runs a test with a window that is closed afterwards: the console must not have complained, and a failure leaves a picture.
 */
export async function withWindow(product, options, test) {
  const window = await Window.open(product, options);
  try {
    await test(window);
    window.assertQuiet();
  } catch (thrown) {
    const folder = join(root, "target/browser/failures");
    mkdirSync(folder, { recursive: true });
    const name = (options.name ?? "window").replace(/[^\w.-]+/g, "-").slice(0, 100);
    const picture = join(folder, `${name}.png`);
    await window.page.screenshot({ path: picture }).catch(() => undefined);
    if (thrown instanceof Error) {
      thrown.message += `\n(picture: ${picture}; address: ${window.page.url()}${window.complaints.length ? `; ${window.complaints.join("; ")}` : ""})`;
    }
    throw thrown;
  } finally {
    await window.close();
  }
}
