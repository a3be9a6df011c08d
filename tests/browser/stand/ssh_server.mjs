/** Git over SSH: a real sshd on a loopback port, and a user's ssh program that knows it as `box`. */
import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect } from "node:net";

import { eventually, freePort, run, start, temporaryFolder } from "./processes.mjs";

const install = "apt-get install openssh-server openssh-client";

export class SshServer {
  static async start() {
    const server = new SshServer();
    server.folder = temporaryFolder();
    server.port = await freePort();
    const at = (name) => join(server.folder, name);
    mkdirSync(at("bin"));
    await server.makeKey("host_key");
    await server.makeKey("id_ed25519");
    await run("cp", [at("id_ed25519.pub"), at("authorized")]);
    const user = await run("id", ["-un"]);
    writeFileSync(
      at("config"),
      `Host box\n  HostName 127.0.0.1\n  Port ${server.port}\n  User ${user}\n  IdentityFile ${at("id_ed25519")}\n  IdentitiesOnly yes\n` +
        `  IdentityAgent none\n  UserKnownHostsFile ${at("known_hosts")}\n`,
    );
    // The user's configuration is found through an account, not through HOME: the program is told where it is.
    writeFileSync(at("bin/ssh"), `#!/bin/sh\nexec /usr/bin/ssh -F '${at("config")}' "$@"\n`);
    chmodSync(at("bin/ssh"), 0o755);
    writeFileSync(
      at("sshd_config"),
      `ListenAddress 127.0.0.1:${server.port}\nHostKey ${at("host_key")}\nAuthorizedKeysFile ${at("authorized")}\nPidFile none\n` +
        "StrictModes no\nUsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n",
    );
    await server.listen();
    return server;
  }

  /** The environment of a program whose user has this configuration. */
  get env() {
    return { PATH: `${join(this.folder, "bin")}:${process.env.PATH}` };
  }

  get knownHosts() {
    return join(this.folder, "known_hosts");
  }

  /** Puts a copy of a clone on the server; returns its address. */
  async publish(name, clone) {
    const path = join(this.folder, name);
    await clone.git("clone", "--quiet", "--bare", ".", path);
    return `box:${path}`;
  }

  /** The fingerprint as `ssh-keygen` shows it. */
  async fingerprint() {
    return (await run("ssh-keygen", ["-l", "-f", join(this.folder, "host_key.pub")])).split(" ")[1];
  }

  /** Answers with another key from now on. */
  async changeHostKey() {
    const ended = new Promise((resolve) => this.child.once("exit", resolve));
    this.child.kill("SIGKILL");
    await ended;
    await run("rm", [join(this.folder, "host_key")]);
    await this.makeKey("host_key");
    await this.listen();
  }

  makeKey(name) {
    return run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "slipway-test", "-f", join(this.folder, name)]);
  }

  async listen() {
    // As root it wants the folder that the system's service makes; other users need none.
    if (process.getuid() === 0 && !existsSync("/run/sshd")) mkdirSync("/run/sshd");
    this.child = start("/usr/sbin/sshd", ["-D", "-e", "-f", join(this.folder, "sshd_config")], { install });
    await eventually("sshd listens", () =>
      new Promise((resolve, reject) => {
        const socket = connect(this.port, "127.0.0.1", () => resolve(socket.end()));
        socket.once("error", reject);
      }),
    );
  }
}
