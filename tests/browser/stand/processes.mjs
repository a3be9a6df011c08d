/** Programs that a test starts, and waiting for what they do. Everything that was started ends with the test's process. */
import { spawn } from "node:child_process";
import { mkdtempSync, renameSync, rmSync } from "node:fs";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";

export { freePort } from "../../hosts/free_port.mjs";

const ends = [];
// The last first: a program ends before the folder goes that it writes into.
process.on("exit", () => {
  for (const end of ends.reverse()) {
    try {
      end();
    } catch (thrown) {
      console.error(`left behind: ${thrown.message}`);
    }
  }
});
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));

/** Calls `end` when the process ends, however it ends. */
export function atExit(end) {
  ends.push(end);
}

/**
 * Makes a folder that is gone after the process. In a run of all tests it is moved to where what they left is looked through for
 * canaries (testkit's `TempDataDir` does the same).
 */
export function temporaryFolder() {
  const folder = mkdtempSync(join(tmpdir(), "slipway-browser-"));
  atExit(() => {
    try {
      if (process.env.SLIPWAY_GIVEN_UP) renameSync(folder, join(process.env.SLIPWAY_GIVEN_UP, basename(folder)));
    } catch {
      // A test took it away itself, or something is mounted there.
    }
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

/** Starts a program; `install` says how to get it when it is missing. Returns the child, killed with this process. */
export function start(program, args, { install, env = process.env, stdio = ["ignore", "ignore", "ignore"], cwd } = {}) {
  const child = spawn(program, args, { env, stdio, cwd });
  child.once("error", (error) => {
    throw new Error(`${program} does not start (${error.message}): ${install ?? "run make setup"}`);
  });
  atExit(() => child.kill("SIGKILL"));
  return child;
}

/** What a program that is waited for may take; one that hangs is named instead of holding up everything. */
const RUN_MS = 120_000;

/** Runs a program to its end and returns what it printed; a failure carries its error text. */
export function run(program, args, { cwd, env = process.env, input = "" } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env, stdio: ["pipe", "pipe", "pipe"], timeout: RUN_MS, killSignal: "SIGKILL" });
    let out = "";
    let err = "";
    child.stdout.on("data", (part) => (out += part));
    child.stderr.on("data", (part) => (err += part));
    child.once("error", (error) => reject(new Error(`${program} does not start (${error.message}): run make setup`)));
    child.once("close", (code, signal) =>
      code === 0 ? resolve(out.trim()) : reject(new Error(`${program} ${args.join(" ")}: ${err.trim() || `ended with ${code ?? signal}`}`)),
    );
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
  });
}

/** Whether a socket's file has somebody behind it who lets in. */
export function connects(path) {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path);
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
  });
}

/**
 * Asks again until `ask` gives something other than undefined, null or false, and returns that.
 * Fails after the deadline with what was waited for and the last error; an answer that does not come is not waited for longer.
 */
export async function eventually(what, ask, deadlineMs = 60_000) {
  const until = performance.now() + deadlineMs;
  let last = "";
  for (;;) {
    try {
      const answer = await within(until - performance.now(), ask());
      if (answer !== undefined && answer !== null && answer !== false) return answer;
      last = "";
    } catch (thrown) {
      last = `: ${thrown instanceof Error ? thrown.message : String(thrown)}`;
    }
    if (performance.now() > until) throw new Error(`not within ${deadlineMs / 1000} s: ${what}${last}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** What is promised, or a failure when it does not come in time. */
export function within(milliseconds, promised) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error("no answer")), Math.max(milliseconds, 1));
  });
  return Promise.race([promised, late]).finally(() => clearTimeout(timer));
}
