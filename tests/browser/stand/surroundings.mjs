/** What stands around the product in these tests: code in a clone, a registry, an engine that can be cut off. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { dirname, join } from "node:path";

import { marked } from "../../hosts/canary.mjs";
import { atExit, eventually, freePort, run, start, temporaryFolder } from "./processes.mjs";

/** The base image of test builds; `scripts/engine busybox` makes it. */
export const BASE = "slipway-test/busybox:1";
/** Carried by every image that these tests build, so that they find their own again. */
export const LABEL = `slipway.browser-test=${process.pid}-${Date.now()}`;

/** A Dockerfile of a test: everything that it builds carries the label. */
export const dockerfile = (rest = "") => `FROM ${BASE}\nLABEL ${LABEL}\n${rest}`;

let told = 0;
/** A RUN that says `text` with a number each half second, for so many seconds; no cache knows it. */
export const talking = (text, seconds) =>
  `RUN : ${LABEL}-${(told += 1)} && for n in $(seq ${seconds * 2}); do echo ${text} $n; sleep 0.5; done\n`;

/** Removes the images that these tests built, and no others. */
export async function removeOwnImages() {
  const ids = (await run("docker", ["image", "ls", "--quiet", "--no-trunc", "--filter", `label=${LABEL}`])).split("\n").filter(Boolean);
  if (ids.length > 0) await run("docker", ["image", "rm", "--force", ...new Set(ids)]).catch(() => undefined);
}

/** A Dockerfile whose image serves the files beside it on port 80, as the seeds' nginx does. */
export const servingDockerfile = () =>
  dockerfile(`MAINTAINER tencentcloudccs\nADD ./ /usr/share/nginx/html\nEXPOSE 80\nSTOPSIGNAL SIGKILL\nCMD ["httpd", "-f", "-p", "80", "-h", "/usr/share/nginx/html"]\n`);

const services = `browser-${process.pid}-${Date.now().toString(36)}`;
/** The name of a service that is to run on the shared engine: {@link removeOwnContainers} finds it again. */
export const servicesName = (what) => `${services}-${what}`;

/** Removes the containers that run under these tests' names, with those that are kept beside them, and no others. */
export async function removeOwnContainers() {
  const ids = (await run("docker", ["container", "ls", "--all", "--quiet", "--filter", `name=^/${services}-`])).split("\n").filter(Boolean);
  if (ids.length > 0) await run("docker", ["container", "rm", "--force", "--volumes", ...ids]).catch(() => undefined);
}

const gitEnvironment = {
  PATH: process.env.PATH,
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_TERMINAL_PROMPT: "0",
  LC_ALL: "C.UTF-8",
  GIT_AUTHOR_NAME: "Ann",
  GIT_AUTHOR_EMAIL: "ann@example.com",
  GIT_COMMITTER_NAME: "Ann",
  GIT_COMMITTER_EMAIL: "ann@example.com",
};

/** A local clone, made with the real git program apart from the user's configuration. */
export class Clone {
  /** Makes a clone named `name` on the branch main, with these files in its first commit. */
  static async make(name, files) {
    const clone = new Clone();
    clone.path = join(temporaryFolder(), name);
    mkdirSync(clone.path);
    await clone.git("init", "--quiet", "--initial-branch=main", ".");
    await clone.commit("hello world", files);
    return clone;
  }

  git(...args) {
    return run("git", args, { cwd: this.path, env: gitEnvironment });
  }

  /** Writes files and commits everything; returns the commit's id. */
  async commit(message, files = {}) {
    for (const [path, content] of Object.entries(files)) {
      const place = join(this.path, path);
      mkdirSync(dirname(place), { recursive: true });
      writeFileSync(place, content);
    }
    await this.git("add", "--all");
    await this.git("commit", "--quiet", "--allow-empty", "--message", message);
    return this.git("rev-parse", "HEAD");
  }
}

/** The password of a registry that asks for one. */
export const PASSWORD = marked("open sesame");

/** A real registry on a port of its own. With `password`, the user `ann` has to sign in. */
export async function startRegistry({ password } = {}) {
  const folder = temporaryFolder();
  const port = await freePort();
  let configuration =
    `version: 0.1\nlog:\n  level: error\nstorage:\n  filesystem:\n    rootdirectory: ${folder}/storage\n  delete:\n    enabled: true\n` +
    `http:\n  addr: 127.0.0.1:${port}\n`;
  if (password) {
    writeFileSync(join(folder, "htpasswd"), await run("htpasswd", ["-inBC", "4", "ann"], { input: password }));
    configuration += `auth:\n  htpasswd:\n    realm: slipway-test\n    path: ${folder}/htpasswd\n`;
  }
  writeFileSync(join(folder, "config.yml"), configuration);
  start("docker-registry", ["serve", join(folder, "config.yml")], { install: "apt-get install docker-registry" });
  const host = `127.0.0.1:${port}`;
  await eventually("the registry answers", () => fetch(`http://${host}/v2/`).then(() => true));
  return {
    host,
    /** The names of a repository's tags, as the registry lists them. */
    async tags(name) {
      const headers = password ? { authorization: `Basic ${btoa(`ann:${password}`)}` } : {};
      const answer = await fetch(`http://${host}/v2/${name}/tags/list`, { headers });
      return answer.ok ? ((await answer.json()).tags ?? []).sort() : [];
    },
  };
}

/** A door to the machine's engine that can be shut and opened again. `address` goes into DOCKER_HOST. */
export async function engineDoor() {
  const engine = (process.env.DOCKER_HOST ?? "unix:///var/run/docker.sock").replace("unix://", "");
  const path = join(temporaryFolder(), "engine.sock");
  const open = new Set();
  let server;
  const door = {
    address: `unix://${path}`,
    /** Lets connections through. */
    async open() {
      server = createServer((near) => {
        const far = connect(engine);
        for (const [one, other] of [
          [near, far],
          [far, near],
        ]) {
          open.add(one);
          one.on("error", () => other.destroy());
          one.on("close", () => open.delete(one));
          one.pipe(other);
        }
      });
      await new Promise((resolve, reject) => server.once("error", reject).listen(path, resolve));
    },
    /** Cuts every connection, and nobody listens any more: the engine is gone. */
    async shut() {
      const closed = new Promise((resolve) => server.close(resolve));
      open.forEach((socket) => socket.destroy());
      await closed;
      rmSync(path, { force: true });
    },
  };
  await door.open();
  atExit(() => open.forEach((socket) => socket.destroy()));
  return door;
}
