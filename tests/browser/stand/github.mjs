/** GitHub as it stands around these tests: an emulator that others wrote, with real git behind it (tests/hosts/github.mjs). */
import assert from "node:assert/strict";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { marked } from "../../hosts/canary.mjs";
import { start, temporaryFolder } from "./processes.mjs";

/** The emulator's application, as it is registered with the product. */
export const APPLICATION = { client_id: "slipway-test", client_secret: marked("slipway-test-secret") };

/** Starts GitHub with ada, her organization acme and its private repository acme/web. */
export async function startGithub() {
  const folder = join(import.meta.dirname, "../../hosts");
  const program = start(process.execPath, ["github.mjs"], {
    cwd: folder,
    env: { ...process.env, TMPDIR: temporaryFolder() },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const hello = await new Promise((resolve, reject) => {
    createInterface({ input: program.stdout }).once("line", resolve);
    program.once("exit", (code) => reject(new Error(`the emulated GitHub ended with ${code}: run make setup`)));
  });
  const { url } = JSON.parse(hello);
  return {
    url,
    place: { provider: "github", base_url: url, allow_plain_http: true },
    /** Pushes the branches of a clone to a repository, as ada does with her own token. */
    async push(clone, repository, ...branches) {
      const remote = `${url.replace("http://", "http://ada:pasted@")}/${repository}.git`;
      await clone.git("push", "--quiet", "--force", remote, ...branches);
    },
    /** Renames a repository, as its owner does in its settings. */
    async rename(from, to) {
      const answer = await fetch(`${url}/test/rename`, { method: "POST", body: JSON.stringify({ from, to }) });
      assert.equal(answer.status, 200);
    },
    /** What the host shows beside a commit, oldest first. */
    async statuses(commit) {
      const all = await (await fetch(`${url}/test/statuses`)).json();
      return all.filter(({ sha }) => sha === commit).map(({ state, description }) => ({ state, description }));
    },
  };
}
