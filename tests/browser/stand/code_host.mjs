/** A Gitea that knows one person, her organization and their repositories; it answers what the product asks about them. */
import { createHmac } from "node:crypto";
import { createServer } from "node:http";

import { marked } from "../../hosts/canary.mjs";
import { atExit } from "./processes.mjs";

/** The token that the host takes; {@link startCodeHost} says how to change its mind. */
export const TOKEN = marked("gitea-token-of-ann");

const owners = { ann: 1, acme: 2 };
const PER_PAGE = 50;

/** Starts the host. `repositories` are paths; `refuse(true)` makes it refuse every token from now on. */
export async function startCodeHost(repositories = ["ann/notes", "acme/web", ...Array.from({ length: 60 }, (_, n) => `acme/service-${n}`)]) {
  let refused = false;
  let consent = "yes";
  const branches = (full) => (full.endsWith("/notes") ? ["main", ...Array.from({ length: 9999 }, (_, n) => `feature/step-${n}`)] : ["main", "next"]);
  /** Webhooks: `{ id, repository, url, secret }`. */
  let hooks = [];
  let nextHook = 1;
  const server = createServer((request, response) => {
    const url = new URL(request.url, "http://host");
    const say = (status, body, headers = {}) => {
      response.writeHead(status, { "content-type": "application/json", ...headers });
      response.end(JSON.stringify(body));
    };
    const path = url.pathname.replace(/^\/api\/v1/, "");
    const page = (status, text) => {
      response.writeHead(status, { "content-type": "text/html; charset=utf-8" });
      response.end(`<!doctype html><title>${text}</title><h1>${text}</h1>`);
    };
    // Ann agrees at once, refuses at once, or leaves the page open.
    if (path === "/login/oauth/authorize") {
      if (consent === "later") return page(200, "Authorize Slipway?");
      const back = new URL(url.searchParams.get("redirect_uri"));
      if (consent === "no") back.searchParams.set("error", "access_denied");
      else back.searchParams.set("code", marked("code-of-ann"));
      back.searchParams.set("state", url.searchParams.get("state"));
      response.writeHead(302, { location: back.href });
      return response.end();
    }
    if (path === "/login/oauth/access_token") return say(200, { access_token: TOKEN, token_type: "bearer", expires_in: 3600, refresh_token: marked("again") });
    // A page of a repository, or of somebody else: no interface there.
    if (!url.pathname.startsWith("/api/v1") && !url.pathname.includes(".git") && path !== "/user/settings/applications") return page(404, "Not Found");
    if (path === "/version") return say(200, { version: "1.24.6" });
    if (refused || request.headers.authorization !== `Bearer ${TOKEN}`) return say(401, { message: "user does not exist [uid: 0, name: ]" });
    const view = (full) => ({
      id: repositories.indexOf(full) + 1,
      name: full.split("/")[1],
      full_name: full,
      private: full.startsWith("acme/"),
      archived: full.endsWith("-1"),
      default_branch: "main",
      clone_url: `${base}/${full}.git`,
      ssh_url: `git@127.0.0.1:${full}.git`,
      html_url: `${base}/${full}`,
      updated_at: "2026-11-20T10:00:00Z",
    });
    if (path === "/user") return say(200, { id: owners.ann, login: "ann", full_name: "Ann" });
    if (path === "/user/orgs") return say(200, [{ id: owners.acme, name: "acme", full_name: "Acme" }]);
    if (path === "/user/repos") return say(200, []);
    if (path === "/repos/search") {
      const uid = Number(url.searchParams.get("uid"));
      const page = Number(url.searchParams.get("page") ?? 1);
      const found = repositories.filter((full) => owners[full.split("/")[0]] === uid && full.includes(url.searchParams.get("q") ?? ""));
      const next = new URL(url.pathname + url.search, base);
      next.searchParams.set("page", String(page + 1));
      const shown = found.slice((page - 1) * PER_PAGE, page * PER_PAGE);
      return say(200, { ok: true, data: shown.map(view) }, found.length > page * PER_PAGE ? { link: `<${next}>; rel="next"` } : {});
    }
    const [, of, id] = /^\/repos\/([^/]+\/[^/]+)\/hooks(?:\/(\d+))?$/.exec(path) ?? [];
    const seen = ({ id, url }) => ({ id, active: true, config: { url, content_type: "json" } });
    if (repositories.includes(of) && request.method === "POST") {
      const parts = [];
      request.on("data", (part) => parts.push(part));
      return request.on("end", () => {
        const { url, secret } = JSON.parse(Buffer.concat(parts)).config;
        const hook = { id: nextHook++, repository: of, url, secret };
        hooks.push(hook);
        say(201, seen(hook));
      });
    }
    if (repositories.includes(of) && request.method === "DELETE") {
      hooks = hooks.filter((hook) => hook.id !== Number(id));
      response.writeHead(204);
      return response.end();
    }
    if (repositories.includes(of)) return say(200, hooks.filter(({ repository }) => repository === of).map(seen));
    const [, whose, prefix] = /^\/repos\/([^/]+\/[^/]+)\/(?:branches|git\/refs\/heads\/(.+))$/.exec(path) ?? [];
    if (repositories.includes(whose)) {
      if (prefix) return say(200, branches(whose).filter((name) => name.startsWith(prefix)).map((name) => ({ ref: `refs/heads/${name}`, object: { type: "commit", sha: "a".repeat(40) } })));
      return say(200, branches(whose).slice(0, PER_PAGE).map((name) => ({ name, commit: { id: "a".repeat(40) } })), whose.endsWith("/notes") ? { link: `<${base}${url.pathname}?page=2>; rel="next"` } : {});
    }
    const [, one] = /^\/repos\/([^/]+\/[^/]+)$/.exec(path) ?? [];
    if (repositories.includes(one)) return say(200, view(one));
    return say(404, { message: "not found" });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const base = `http://127.0.0.1:${server.address().port}`;
  atExit(() => server.close());
  return {
    base,
    refuse: (now) => {
      refused = now;
    },
    /** What Ann says on the page of the host: `yes`, `no` or `later`. */
    answer: (now) => {
      consent = now;
    },
    hooks: () => hooks,
    /** Removes all webhooks, as somebody does on the host's page. */
    dropHooks: () => {
      hooks = [];
    },
    /** Tells every webhook of a push, signed as Gitea does; `secret` forges it. Returns the statuses. */
    tellPush: (change, secret) =>
      Promise.all(
        hooks.map(async (hook) => {
          const body = JSON.stringify({ ref: "refs/heads/main", after: change, repository: { full_name: hook.repository } });
          const signature = createHmac("sha256", secret ?? hook.secret).update(body).digest("hex");
          const headers = { "content-type": "application/json", "x-gitea-event": "push", "x-gitea-signature": signature };
          return (await fetch(hook.url, { method: "POST", headers, body })).status;
        }),
      ),
    stop: () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  };
}

/** Connects Ann's account at the host by the api; returns its id. */
export async function addAccount(product, host) {
  const place = { provider: "gitea", base_url: host.base, allow_plain_http: true };
  return (await product.call("accounts.add_with_token", { host: place, token: { token: TOKEN } })).id;
}
