/** The real program without a window, with a data folder and a keychain of its own. */
import { join } from "node:path";
import { createInterface } from "node:readline";

import { connects, eventually, freePort, run, start, temporaryFolder, within } from "./processes.mjs";

const root = join(import.meta.dirname, "../../..");
/** The built console that all tests look at; scripts/browser-tests builds it. */
export const consoleFolder = process.env.SLIPWAY_CONSOLE ?? join(root, "target/browser/console");
const target = process.env.CARGO_TARGET_DIR ?? join(root, "target");

/** A keychain on a bus of its own; returns the environment of whoever may use it. */
async function startKeychain() {
  const folder = temporaryFolder();
  const install = "apt-get install dbus gnome-keyring libsecret-tools";
  const configuration = join(folder, "bus.conf");
  const { writeFileSync } = await import("node:fs");
  writeFileSync(
    configuration,
    `<busconfig><type>session</type><listen>unix:path=${folder}/bus</listen><auth>EXTERNAL</auth><policy context="default">` +
      `<allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>`,
  );
  const env = {
    ...process.env,
    DBUS_SESSION_BUS_ADDRESS: `unix:path=${folder}/bus`,
    XDG_DATA_HOME: folder,
    XDG_RUNTIME_DIR: folder,
    HOME: folder,
  };
  start("dbus-daemon", ["--nofork", "--nopidfile", "--nosyslog", `--config-file=${configuration}`], { install, env });
  // Its file is there a moment before anybody is let in, and a keyring that is refused then never asks again.
  await eventually("the bus listens", () => connects(join(folder, "bus")));
  const keyring = start(
    "gnome-keyring-daemon",
    ["--foreground", "--unlock", "--components=secrets", "--control-directory", folder],
    { install, env, stdio: ["pipe", "ignore", "pipe"] },
  );
  let said = "";
  keyring.stderr.on("data", (part) => (said += part));
  // The keyring's password: an empty standard input would make the daemon ask for one.
  keyring.stdin.end("\n");
  await eventually("the keychain keeps a secret", async () => {
    await run("secret-tool", ["store", "--label=probe", "slipway-browser", "probe"], { env, input: "probe" }).catch((failed) => {
      throw new Error(`${failed.message}; gnome-keyring-daemon, exit ${keyring.exitCode ?? keyring.signalCode ?? "none"}: ${said}`);
    });
    return true;
  });
  await run("secret-tool", ["clear", "slipway-browser", "probe"], { env });
  return env;
}

/** What the program may take to start, and to end in order. */
const LAUNCH_MS = 60_000;

/** A running Slipway. Its api is for preparing and for looking behind the console; what is tested is done by clicking. */
export class Product {
  /** Starts with an empty data folder. `env` adds variables; `keychain: false` leaves the keychain out, which starts quicker. */
  static async start({ env = {}, keychain = false } = {}) {
    const product = new Product();
    product.dataFolder = temporaryFolder();
    // The same after a restart, where the window asks again; nobody else is given it meanwhile.
    product.port = String(await freePort());
    const home = temporaryFolder();
    product.env = {
      ...(keychain
        ? await startKeychain()
        : { ...process.env, HOME: home, XDG_DATA_HOME: home, DBUS_SESSION_BUS_ADDRESS: `unix:path=${home}/none` }),
      ...env,
    };
    await product.launch();
    return product;
  }

  async launch() {
    const program = join(target, process.env.SLIPWAY_PROFILE ?? "debug", "slipway-devhost");
    this.child = start(
      program,
      ["--data-dir", this.dataFolder, "--console", consoleFolder, "--until-stdin-closes", "--port", this.port],
      { env: this.env, stdio: ["pipe", "pipe", "inherit"], install: "cargo build -p slipway-devhost --bin slipway-devhost --locked" },
    );
    this.ended = new Promise((resolve) => this.child.once("exit", resolve));
    const lines = createInterface({ input: this.child.stdout });
    const hello = new Promise((resolve, reject) => {
      lines.once("line", resolve);
      this.child.once("exit", (code) => reject(new Error(`slipway-devhost ended with ${code} before it said where it listens`)));
    });
    Object.assign(this, JSON.parse(await within(LAUNCH_MS, hello)));
  }

  /** Ends the program as a crash would; the data folder stays. */
  async kill() {
    this.child.kill("SIGKILL");
    await this.ended;
  }

  /** Ends the program in order. */
  async stop() {
    this.child.stdin.end();
    await within(LAUNCH_MS, this.ended).catch((late) => {
      this.child.kill("SIGKILL");
      throw new Error(`slipway-devhost does not end: ${late.message}`);
    });
  }

  /** Runs a command of the api and returns its answer; a failure is thrown with its code. */
  async call(command, request = {}) {
    const response = await fetch(`${this.url}/rpc/${command}`, {
      method: "POST",
      headers: { authorization: `Bearer ${this.token}`, "content-type": "application/json" },
      body: JSON.stringify(request),
    });
    const body = await response.json();
    if (!response.ok) throw Object.assign(new Error(`${command}: ${body.code}: ${body.message}`), { failure: body });
    return body;
  }

  /** Waits until the newest build of a repository (or of all) is over and returns it whole. */
  async finishedBuild(repository, deadlineMs = 90_000) {
    return eventually(
      "a build ends",
      async () => {
        const { items } = await this.call("builds.list", repository === undefined ? {} : { repository });
        const newest = items[0];
        return newest && !["queued", "running", "paused"].includes(newest.state) && this.call("builds.get", { id: newest.id });
      },
      deadlineMs,
    );
  }
}
