/** What the design card asks of the shape of the project itself. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { run } from "./stand/processes.mjs";

const root = join(import.meta.dirname, "../..");
const read = (path) => readFileSync(join(root, path), "utf8");

test("seed K.1: a Tauri shell around a web console, and nothing at the top level that is not prescribed", async () => {
  const window = JSON.parse(read("tauri.conf.json"));
  assert.equal(window.build.frontendDist, "ui/dist");
  assert.match(read("Cargo.toml"), /^tauri = /m);
  assert.ok(JSON.parse(read("ui/package.json")).dependencies.react);
  const top = new Set((await run("git", ["ls-files"], { cwd: root })).split("\n").map((path) => path.split("/")[0]));
  const prescribed = ["src-tauri", "ui", "icons", "tests", "Cargo.toml", "tauri.conf.json", "README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "LICENSE", "Makefile", ".ci"];
  const needed = ["Cargo.lock", "rust-toolchain.toml", "rustfmt.toml", "clippy.toml", "deny.toml", ".cargo", ".config", ".gitignore", ".gitattributes", ".editorconfig", ".taurignore", "scripts", "permissions", "capabilities"];
  assert.deepEqual(prescribed.filter((name) => !top.has(name)), [], "missing");
  assert.deepEqual([...top].filter((name) => !prescribed.includes(name) && !needed.includes(name)), [], "not prescribed");
});

test("seed K.2: the eleven packages of the product", () => {
  const members = read("Cargo.toml");
  for (const name of ["core", "store", "hosts", "git", "engine", "registry", "vault", "deploy", "app", "api", "devhost"]) {
    assert.match(read(`src-tauri/crates/${name}/Cargo.toml`), new RegExp(`name = "slipway-${name}"`));
    assert.match(members, new RegExp(`slipway-${name} = |src-tauri/crates/(${name}|\\*)`));
  }
});
