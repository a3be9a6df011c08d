// Git over smart HTTP for the emulated GitHub: the real `git http-backend` with a bare repository for each of the emulator's.
// Both hold the same objects. What was written through the API is in the repository before git looks at it; what git pushes
// is written through the API, so that refs, commits, folders and webhooks tell of it.
import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";

const environment = {
  PATH: process.env.PATH,
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_TERMINAL_PROMPT: "0",
  LC_ALL: "C.UTF-8",
};

/** Runs git to its end and returns what it printed. */
function git(args, { input = "", env = {} } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn("git", args, { env: { ...environment, ...env }, stdio: ["pipe", "pipe", "pipe"] });
    const [out, errors] = [[], []];
    child.stdout.on("data", (part) => out.push(part));
    child.stderr.on("data", (part) => errors.push(part));
    child.once("error", reject);
    child.once("close", (code) => (code === 0 ? resolve(Buffer.concat(out)) : reject(new Error(`git ${args.join(" ")}: ${Buffer.concat(errors)}`))));
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
  });
}

/** The git side of an emulator. `ask(method, path, body)` calls its API as somebody who may do everything. */
export class GitSide {
  constructor(folder, ask) {
    Object.assign(this, { folder, ask, turns: new Map() });
  }

  /** Answers a git request of somebody who may do it; returns the refs that it moved. */
  async answer(request, response, asked, sent, repository) {
    const backend = () => this.backend(request, asked, sent);
    let answer;
    let moved = [];
    if (asked.pathname.endsWith("/git-receive-pack") && request.method === "POST") {
      // In one turn: what was pushed and not told yet would be taken back by whoever brings what the emulator has.
      await this.inTurn(repository, async () => {
        const bare = await this.bring(repository);
        const before = await this.refs(bare);
        answer = await backend();
        moved = await this.tell(repository, bare, before);
      });
    } else {
      await this.inTurn(repository, () => this.bring(repository));
      answer = await backend();
    }
    const end = answer.indexOf("\r\n\r\n");
    const headers = Object.fromEntries(
      String(answer.subarray(0, end)).split("\r\n").map((line) => [line.split(":", 1)[0].toLowerCase(), line.slice(line.indexOf(":") + 1).trim()]),
    );
    const status = Number.parseInt(headers.status ?? "200", 10);
    delete headers.status;
    response.writeHead(status, headers);
    response.end(answer.subarray(end + 4));
    return moved;
  }

  backend(request, asked, sent) {
    return git(["http-backend"], {
      input: sent,
      env: {
        GIT_PROJECT_ROOT: this.folder,
        GIT_HTTP_EXPORT_ALL: "1",
        REQUEST_METHOD: request.method,
        PATH_INFO: asked.pathname,
        QUERY_STRING: asked.search.slice(1),
        CONTENT_TYPE: request.headers["content-type"] ?? "",
        CONTENT_LENGTH: String(sent.length),
        HTTP_CONTENT_ENCODING: request.headers["content-encoding"] ?? "",
        HTTP_GIT_PROTOCOL: request.headers["git-protocol"] ?? "",
        REMOTE_ADDR: "127.0.0.1",
        REMOTE_USER: "somebody",
      },
    });
  }

  /** One thing at a time happens to a repository. */
  inTurn(repository, work) {
    const turn = (this.turns.get(repository) ?? Promise.resolve()).catch(() => undefined).then(work);
    this.turns.set(repository, turn);
    return turn;
  }

  async refs(bare) {
    const lines = String(await git(["-C", bare, "for-each-ref", "--format=%(refname) %(objectname)"])).split("\n").filter(Boolean);
    return new Map(lines.map((line) => line.split(" ")));
  }

  /** Brings what the emulator has into the bare repository, which is made when it is not there. */
  async bring(repository) {
    const bare = join(this.folder, `${repository}.git`);
    mkdirSync(bare, { recursive: true });
    const { default_branch } = await this.ask("GET", `/repos/${repository}`);
    await git(["init", "--quiet", "--bare", `--initial-branch=${default_branch}`, bare]);
    await git(["-C", bare, "config", "http.receivepack", "true"]);
    const known = await this.refs(bare);
    for (const kind of ["heads", "tags"]) {
      for (const { ref, object } of await this.ask("GET", `/repos/${repository}/git/matching-refs/${kind}/`)) {
        if (known.get(ref) === object.sha) continue;
        await this.bringCommit(repository, bare, object.sha);
        await git(["-C", bare, "update-ref", ref, object.sha]);
      }
    }
    return bare;
  }

  async has(bare, sha) {
    return git(["-C", bare, "cat-file", "-e", sha]).then(() => true, () => false);
  }

  async put(bare, type, sha, input) {
    const made = String(await git(["-C", bare, "hash-object", "-w", "-t", type, "--stdin"], { input })).trim();
    if (made !== sha) throw new Error(`the emulator's ${type} ${sha} is ${made} for git`);
  }

  async bringCommit(repository, bare, sha) {
    if (await this.has(bare, sha)) return;
    const commit = await this.ask("GET", `/repos/${repository}/git/commits/${sha}`);
    for (const parent of commit.parents) await this.bringCommit(repository, bare, parent.sha);
    await this.bringTree(repository, bare, commit.tree.sha);
    const who = ({ name, email, date }) => `${name} <${email}> ${Math.floor(Date.parse(date) / 1000)} +0000`;
    const lines = [
      `tree ${commit.tree.sha}`,
      ...commit.parents.map((parent) => `parent ${parent.sha}`),
      `author ${who(commit.author)}`,
      `committer ${who(commit.committer)}`,
    ];
    const message = commit.message.endsWith("\n") ? commit.message : `${commit.message}\n`;
    await this.put(bare, "commit", sha, `${lines.join("\n")}\n\n${message}`);
  }

  async bringTree(repository, bare, sha) {
    if (await this.has(bare, sha)) return;
    const { tree } = await this.ask("GET", `/repos/${repository}/git/trees/${sha}`);
    for (const entry of tree) {
      if (entry.type === "tree") await this.bringTree(repository, bare, entry.sha);
      if (entry.type !== "blob" || (await this.has(bare, entry.sha))) continue;
      const { content } = await this.ask("GET", `/repos/${repository}/git/blobs/${entry.sha}`);
      await this.put(bare, "blob", entry.sha, Buffer.from(content, "base64"));
    }
    const input = tree.map(({ mode, type, sha, path }) => `${mode} ${type} ${sha}\t${path}\n`).join("");
    const made = String(await git(["-C", bare, "mktree"], { input })).trim();
    if (made !== sha) throw new Error(`the emulator's folder ${sha} is ${made} for git`);
  }

  /** Writes through the API what a push brought; returns the refs that moved. */
  async tell(repository, bare, before) {
    const after = await this.refs(bare);
    const moved = [...after].filter(([name, sha]) => before.get(name) !== sha);
    for (const [name, sha] of moved) {
      const commits = String(await git(["-C", bare, "rev-list", "--reverse", "--topo-order", sha, ...[...before.values()].map((known) => `^${known}`)]));
      for (const commit of commits.split("\n").filter(Boolean)) await this.tellCommit(repository, bare, commit);
      const commit = String(await git(["-C", bare, "rev-parse", `${sha}^{commit}`])).trim();
      if (before.has(name)) await this.ask("PATCH", `/repos/${repository}/git/${name}`, { sha: commit, force: true });
      else await this.ask("POST", `/repos/${repository}/git/refs`, { ref: name, sha: commit });
    }
    for (const [name] of [...before].filter(([name]) => !after.has(name))) {
      await this.ask("DELETE", `/repos/${repository}/git/${name}`);
      moved.push([name, null]);
    }
    return moved.map(([name]) => name);
  }

  async tellCommit(repository, bare, sha) {
    const lines = String(await git(["-C", bare, "ls-tree", "-r", "-z", sha])).split("\0").filter(Boolean);
    const tree = [];
    for (const line of lines) {
      const [, mode, type, object, path] = /^(\d+) (\w+) ([0-9a-f]+)\t(.*)$/s.exec(line);
      if (type === "blob") {
        const content = (await git(["-C", bare, "cat-file", "blob", object])).toString("base64");
        await this.ask("POST", `/repos/${repository}/git/blobs`, { content, encoding: "base64" });
      }
      tree.push({ path, mode, type, sha: object });
    }
    const made = await this.ask("POST", `/repos/${repository}/git/trees`, { tree });
    const format = ["%P", "%an", "%ae", "%aI", "%cn", "%ce", "%cI", "%B"].join("%x00");
    const shown = String(await git(["-C", bare, "show", "--no-patch", `--format=${format}`, sha]));
    const [parents, an, ae, ad, cn, ce, cd, message] = shown.split("\0");
    const commit = await this.ask("POST", `/repos/${repository}/git/commits`, {
      tree: made.sha,
      parents: parents.split(" ").filter(Boolean),
      author: { name: an, email: ae, date: ad },
      committer: { name: cn, email: ce, date: cd },
      message: message.replace(/\n+$/, "\n"),
    });
    if (commit.sha !== sha) throw new Error(`git's commit ${sha} is ${commit.sha} for the emulator`);
  }
}
