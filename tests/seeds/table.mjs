/**
 * Prints which test shows each row of the seeds, from what the last test run left in target/seeds: `*.log` of the Rust runners
 * (nextest or cargo test; names like `seed_2_13_1_4_…`) and `*.xml` of Node's (names like `seed 2.13, 1.4: …`).
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "../..");
const results = join(root, "target/seeds");
/** Rows that ask for nothing to build. */
const NOTHING_TO_BUILD = new Set(["1.1", "3.2"]);

/** Tests with a seed's id: `{ ids, name, passed }`. */
const tests = [];
const inWords = /seed ((?:[0-9K]\.\d+)(?:, [0-9K]\.\d+)*)/;
const inRust = /seed((?:_[0-9k]_\d+)+)(?:_|$)/;

for (const file of existsSync(results) ? readdirSync(results) : []) {
  const text = readFileSync(join(results, file), "utf8").replace(/\u001b\[[0-9;]*m/g, "");
  if (file.endsWith(".log")) {
    const line = /^\s*(?:(PASS|FAIL|TIMEOUT|SIGABRT|SIGSEGV|ABORT) \[[^\]]*\](?: \([^)]*\))? (?:(\S+) )?(\S+)|test (\S+)(?: - should panic)? \.\.\. (ok|FAILED))\s*$/gm;
    for (const [, state, binary, name, plain, word] of text.matchAll(line)) {
      const ids = inRust.exec(name ?? plain)?.[1].slice(1).split("_") ?? [];
      const pairs = ids.flatMap((part, at) => (at % 2 === 0 ? [`${part.toUpperCase()}.${ids[at + 1]}`] : []));
      if (pairs.length > 0) tests.push({ ids: pairs, name: [binary, name ?? plain].filter(Boolean).join(" "), passed: state === "PASS" || word === "ok" });
    }
  } else if (file.endsWith(".xml")) {
    for (const [, name, closed] of text.matchAll(/<testcase name="([^"]*)"[^>]*?(\/?)>(?!\s*<skipped)/g)) {
      const ids = inWords.exec(name)?.[1].split(", ") ?? [];
      const readable = name.replaceAll("&quot;", '"').replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&apos;", "'").replaceAll("&amp;", "&");
      if (ids.length > 0) tests.push({ ids, name: `${file.replace(".xml", "")}: ${readable}`, passed: closed === "/" });
    }
  }
}

const rows = readFileSync(join(import.meta.dirname, "rows.tsv"), "utf8").trim().split("\n").map((line) => line.split("\t"));
const unknown = new Set(tests.flatMap(({ ids }) => ids).filter((id) => !rows.some(([row]) => row === id)));
let shown = 0;
for (const [id, asked] of rows) {
  if (NOTHING_TO_BUILD.has(id)) {
    console.log(`${id.padEnd(5)} -        ${asked} (nothing to build)`);
    continue;
  }
  // One passing test shows the row; failed ones are named beside it and fail their own stage.
  const own = tests.filter(({ ids }) => ids.includes(id));
  const passed = own.filter((one) => one.passed);
  if (passed.length > 0) shown += 1;
  console.log(`${id.padEnd(5)} ${passed.length > 0 ? "ok      " : own.length > 0 ? "FAILED  " : "MISSING "} ${asked}`);
  for (const { name, passed: fine } of own) console.log(`${" ".repeat(15)}${fine ? "ok" : "failed"}  ${name}`);
}
for (const id of unknown) console.log(`${id}: a test carries this id, but no row does`);
console.log(`seed rows: ${shown} of ${rows.length - NOTHING_TO_BUILD.size}`);
