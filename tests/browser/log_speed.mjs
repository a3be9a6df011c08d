/**
 * B5: a log of 1.3 million lines in the console. Prints one line of JSON:
 * `{"open": [ms, …], "search": [ms, …], "memory": MB, "lines": n, "bytes": n}`.
 *
 * open: from the click on a failed build's link in the list until the end of its log is painted. search: from Enter behind a text
 * that stands once in the log until its line is painted. memory: growth of the program and of all of Chromium's processes
 * (PSS) from the list of builds to the log that was opened, scrolled through and searched.
 */
import { closeSync, openSync, readdirSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

import { addClone, addRepository, addRule, build } from "./stand/prepare.mjs";
import { Product } from "./stand/product.mjs";
import { Clone, dockerfile, LABEL, removeOwnImages } from "./stand/surroundings.mjs";
import { closeBrowser, Window } from "./stand/window.mjs";

const LINES = 1_300_000;
const RUNS = 7;
/** What stands in one line only, far from both ends. */
const NEEDLE = "the one line that is looked for";
const RECORD = 24;

/** Writes the log and its index as the program does: a line each, 24 little-endian bytes each. */
function writeLog(folder, id, step) {
  const log = openSync(join(folder, `${id}.log`), "w");
  const index = openSync(join(folder, `${id}.idx`), "w");
  let offset = 0n;
  const now = BigInt(Date.now());
  for (let from = 0; from < LINES; from += 10_000) {
    const lines = [];
    const records = Buffer.alloc(RECORD * 10_000);
    for (let n = from; n < from + 10_000; n += 1) {
      const text = n === 700_000 ? NEEDLE : `${n + 1} compiled target/release/deps/module-${n % 977}.o in ${(n * 7919) % 1000} ms without a warning`;
      const at = (n - from) * RECORD;
      records.writeBigUInt64LE(offset, at);
      records.writeBigInt64LE(now, at + 8);
      records.writeUInt32LE(text.length, at + 16);
      records.writeUInt16LE(step, at + 20);
      offset += BigInt(text.length + 1);
      lines.push(text);
    }
    writeSync(log, `${lines.join("\n")}\n`);
    writeSync(index, records);
  }
  closeSync(log);
  closeSync(index);
  return Number(offset);
}

/** Megabytes of memory that these processes and their children hold, shared pages counted once. */
function memory(roots) {
  const parents = new Map();
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      parents.set(Number(pid), Number(readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1).split(" ")[1]));
    } catch {
      // It ended meanwhile.
    }
  }
  const belongs = (pid) => pid > 1 && (roots.includes(pid) || belongs(parents.get(pid) ?? 0));
  let kilobytes = 0;
  for (const pid of parents.keys()) {
    if (!belongs(pid)) continue;
    try {
      kilobytes += Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1] ?? 0);
    } catch {
      // It ended meanwhile.
    }
  }
  return kilobytes / 1024;
}

const product = await Product.start();
const clone = await Clone.make("long-log", { Dockerfile: dockerfile(`RUN : ${LABEL} && exit 1\n`) });
const code = await addClone(product, clone);
const repository = await addRepository(product, "bench/long-log");
const { id } = await build(product, await addRule(product, repository, code, { triggers: {} }));
const failing = (await product.call("builds.get", { id })).steps.find(({ error }) => error !== null);
await product.kill();
const bytes = writeLog(join(product.dataFolder, "logs"), id, failing.ordinal);
const database = new DatabaseSync(join(product.dataFolder, "state.db"));
database.prepare("UPDATE builds SET log_lines = ?, log_bytes = ? WHERE id = ?").run(LINES, bytes, id);
database.close();
await product.launch();

const window = await Window.open(product, { path: "/builds", width: 1280, height: 860, measured: true });
const { page } = window;
const link = page.getByRole("link", { name: "#1", exact: true }).first();
await window.see(link);
const session = await page.context().newCDPSession(page);
const measure = async () => {
  await session.send("HeapProfiler.collectGarbage");
  return memory([product.child.pid, process.pid]);
};
const before = await measure();

/** Does something in the page and returns the milliseconds until the log shows a text, painted. */
const until = (what, text) =>
  page.evaluate(
    ([act, wanted]) =>
      new Promise((resolve) => {
        const begun = performance.now();
        if (act.click) document.querySelector(act.click).click();
        else {
          const field = document.querySelector(act.field);
          Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(field, act.text);
          field.dispatchEvent(new Event("input", { bubbles: true }));
          field.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
        }
        const look = () => {
          const log = document.querySelector('[role="log"]');
          // One more frame: the text is there, and then it is on the screen.
          if (log?.textContent.includes(wanted)) requestAnimationFrame(() => resolve(performance.now() - begun));
          else requestAnimationFrame(look);
        };
        requestAnimationFrame(look);
      }),
    [what, text],
  );

const open = [];
const search = [];
for (let run = 0; run < RUNS; run += 1) {
  open.push(await until({ click: `main a[href="/builds/${id}"]` }, `${LINES} compiled`));
  search.push(await until({ field: "main input[type=search]", text: NEEDLE }, NEEDLE));
  if (run + 1 < RUNS) {
    await window.visit("page.builds");
    await window.see(link);
  }
}
// Through the whole log, as a person drags the bar.
for (let step = 0; step <= 40; step += 1) {
  await page.evaluate((part) => {
    const log = document.querySelector('[role="log"]');
    log.scrollTop = log.scrollHeight * part;
    return new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
  }, step / 40);
}
await window.see(page.getByRole("log").getByText(`${LINES} compiled`, { exact: false }));
const growth = (await measure()) - before;
window.assertQuiet();
await window.close();
await closeBrowser();
await product.stop();
await removeOwnImages();
process.stdout.write(`${JSON.stringify({ open, search, memory: growth, lines: LINES, bytes })}\n`);
process.exit(0);
