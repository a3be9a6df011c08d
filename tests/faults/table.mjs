/**
 * Prints which tests show each fault (F), promise (P) and threat (T) of rows.tsv, from the names in the sources: `f12_…`,
 * `t02_f35_…` in Rust and the console, `F37, T07: …` before the colon in the browser. Nothing is run. Ends with 1
 * when a row that needs a test has none, or when a test carries an id that no row has.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

const root = join(import.meta.dirname, "../..");
const SKIPPED = new Set(["node_modules", "target", "dist"]);

/** Returns the files below a folder that end so. */
function files(folder, ...ends) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return SKIPPED.has(entry.name) ? [] : files(path, ...ends);
    return ends.some((end) => entry.name.endsWith(end)) ? [path] : [];
  });
}

/** The functions of a Rust file that are tests: other attributes and comments may stand between the mark and the name. */
export function rustTests(text) {
  const mark = /#\[(?:tokio::)?test(?:\([^\]]*\))?\]((?:\s*(?:#\[[^\n]*\]|\/\/[^\n]*))*)\s*(?:pub(?:\([^)]*\))? )?(?:async )?fn (\w+)/g;
  return [...text.matchAll(mark)].map((found) => found[2]);
}

export function idsOfRustTest(name) {
  return [...name.matchAll(/(?<![a-z0-9])(f\d\d|t\d\d|p\d)(?=_)/g)].map((found) => found[1].toUpperCase());
}

/** The titles of a JavaScript file's tests. */
export function titles(text) {
  return [...text.matchAll(/\b(?:test|it)(?:\.each\([^)]*\))?\(\s*(["'`])(.*?)\1\s*,/gs)].map((found) => found[2]);
}

export function idsOfTitle(title) {
  const before = title.includes(":") ? title.slice(0, title.indexOf(":")) : "";
  return [...idsOfRustTest(title), ...[...before.matchAll(/\b(F\d\d|T\d\d|P\d)\b/g)].map((found) => found[1])];
}

/** Tests by id: `Map<id, ["path name"]>`. */
function findTests() {
  const tests = new Map();
  const add = (path, name, ids) => {
    for (const id of new Set(ids)) tests.set(id, [...(tests.get(id) ?? []), `${relative(root, path)}  ${name}`]);
  };
  for (const folder of ["src-tauri", "tests"]) {
    for (const path of files(join(root, folder), ".rs")) {
      for (const name of rustTests(readFileSync(path, "utf8"))) add(path, name, idsOfRustTest(name));
    }
  }
  for (const folder of ["tests", "ui/src"]) {
    for (const path of files(join(root, folder), ".test.mjs", ".test.ts", ".test.tsx")) {
      for (const title of titles(readFileSync(path, "utf8"))) add(path, title, idsOfTitle(title));
    }
  }
  return tests;
}

/** Proves that a name is found and that a gap is seen. */
function selfTest() {
  const rust = '#[test]\nfn f01_p2_a() {}\n#[tokio::test(flavor = "multi_thread")]\n#[cfg(unix)]\nasync fn seed_0_2_and_t17_b() {}\nfn t02_no_test() {}\n';
  const found = rustTests(rust).flatMap(idsOfRustTest).join();
  if (found !== "F01,P2,T17") throw new Error(`Rust: ${found}`);
  const script = 'test("seed 2.1, T07: a", async () => {});\nit(`F37: b`, () => {});\ntest("without: F01", () => {});\ntest("t08_c", () => {});\n';
  const named = titles(script).flatMap(idsOfTitle).join();
  if (named !== "T07,F37,T08") throw new Error(`titles: ${named}`);
}

const brief = process.argv.includes("--brief");
selfTest();
const lines = readFileSync(join(import.meta.dirname, "rows.tsv"), "utf8").trim().split("\n");
const rows = lines.filter((line) => !line.startsWith("#")).map((line) => line.split("\t"));
const tests = findTests();
const missing = [];
let needed = 0;
for (const [id, title, part, also, none] of rows) {
  const own = tests.get(id) ?? [];
  const shown = own.length > 0;
  if (!none) {
    needed += 1;
    if (!shown) missing.push(id);
  }
  if (brief) continue;
  const state = shown ? "ok" : none ? "-" : "MISSING";
  console.log(`${id.padEnd(4)} ${state.padEnd(8)} ${title} [${part}]${none ? ` (${none})` : ""}`);
  for (const name of own) console.log(`${" ".repeat(15)}${name}`);
  if (also) console.log(`${" ".repeat(15)}${also}`);
}
const unknown = [...tests.keys()].filter((id) => !rows.some(([row]) => row === id));
for (const id of unknown) console.log(`${id}: no row has this id; it is carried by ${tests.get(id).join("; ")}`);
console.log(`faults: ${needed - missing.length} of ${needed} have a test; missing: ${missing.join(" ") || "none"}; ${rows.length - needed} need none yet`);
process.exit(missing.length > 0 || unknown.length > 0 ? 1 : 0);
