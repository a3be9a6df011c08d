/** A person who has no mouse. */
import assert from "node:assert/strict";

/** Tab until the focus stands on something; the console must get there. */
export async function reach(window, locator, key = "Tab") {
  for (let step = 0; step < 80; step += 1) {
    if (await locator.first().evaluate((one) => one === document.activeElement, undefined, { timeout: 5000 }).catch(() => false)) {
      const seen = await window.page.evaluate(() => document.activeElement.matches(":focus-visible"));
      assert.ok(seen, "the focus is not shown");
      return;
    }
    await window.page.keyboard.press(key);
  }
  throw new Error(`the keyboard does not get to ${locator}`);
}
