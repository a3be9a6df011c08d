// A GitHub Enterprise Server for tests: the emulator `emulate`, with a proxy in front that adds what it lacks: the paths of an
// Enterprise Server, entity tags, an organization's repositories, commit statuses, the device flow, apps from a manifest,
// and git itself (git.mjs).
//
//   node github.mjs        prints {"url": "http://127.0.0.1:PORT"} and serves until it is killed
//
// EMULATED_TOKEN names one more token of ada's. POST /test/approve {"user_code"} approves a device; GET /test/statuses lists
// what was reported, GET /test/seen what git and the list of what moved were asked; POST /test/faults [{"status", "headers",
// "message"}] answers the next reports so; POST /test/blocked {"wanted"} makes the organization refuse applications that it
// has not approved, POST /test/rest {"seconds"} says how long its list is good, POST /test/rename {"from", "to"} renames a
// repository, POST /test/sign-on {"wanted"} makes it want a single sign-on. Webhooks are the emulator's own: it signs and
// delivers when a ref moves, and GET /test/hook-secrets lists with what. Codes and tokens that it gives out carry the mark of
// made-up secrets, which the emulator does not see.
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createEmulator } from "emulate";
import { marked, unmarked } from "./canary.mjs";
import { freePort } from "./free_port.mjs";
import { GitSide } from "./git.mjs";

const API = "/api/v3";
const CLIENT = { id: "slipway-test", secret: "slipway-test-secret", redirect: "http://127.0.0.1/callback/github" };

/** What every app from a manifest gets. */
const APP = { id: "Iv1.0123456789abcdef", secret: "0123456789abcdef0123456789abcdef01234567" };

const server = createServer((request, response) => {
  answer(request, response).catch((error) => {
    response.writeHead(500, { "content-type": "application/json" });
    response.end(JSON.stringify({ message: String(error) }));
  });
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const url = `http://127.0.0.1:${server.address().port}`;

// The emulator tells only the address that it advertises, so its own port is chosen beforehand.
const port = await freePort();
const inner = `http://127.0.0.1:${port}`;
await createEmulator({
  service: "github",
  port,
  baseUrl: url,
  seed: {
    tokens: {
      pasted: { login: "ada", scopes: ["repo", "read:org"] },
      ...(process.env.EMULATED_TOKEN ? { [process.env.EMULATED_TOKEN]: { login: "ada", scopes: ["repo", "read:org"] } } : {}),
      narrow: { login: "ada", scopes: ["read:user"] },
    },
    github: {
      users: [{ login: "ada", name: "Ada L.", email: "ada@example.com" }],
      orgs: [{ login: "acme", name: "Acme", members: [{ login: "ada", role: "admin" }] }],
      repos: [
        { owner: "ada", name: "tool", auto_init: true },
        { owner: "acme", name: "web", private: true, auto_init: true },
      ],
      oauth_apps: [
        { client_id: CLIENT.id, client_secret: CLIENT.secret, name: "Slipway", redirect_uris: [CLIENT.redirect] },
        { client_id: APP.id, client_secret: APP.secret, name: "Slipway App", redirect_uris: [CLIENT.redirect] },
      ],
    },
  },
});
// The emulator lists an organization's repositories only for collaborators.
const shared = await fetch(`${inner}/repos/acme/web/collaborators/ada`, {
  method: "PUT",
  headers: { authorization: "Bearer pasted", "content-type": "application/json" },
  body: JSON.stringify({ permission: "admin" }),
});
if (!shared.ok) throw new Error(`the emulator refused a collaborator: ${shared.status}`);

const redirects = new Map();
const devices = new Map();
const statuses = [];
/** The organization wants a single sign-on. */
let signOn = false;
/** The organization has not approved the application. */
let blocked = false;
// For how many seconds the list of what moved is good.
let rest;
const faults = [];
const seen = [];
/** When git pushed to a repository: the emulator notes that only for what its own pages write. */
const pushed = new Map();
/** Old names of repositories. */
const renamed = new Map();
const folder = mkdtempSync(join(tmpdir(), "slipway-github-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(0));
const gitSide = new GitSide(folder, askEmulator);
/** What deliveries are signed with, for who looks for it where it must not be. */
const hookSecrets = [];

/** Asks the emulator as somebody who may do everything there; fails with what it answers otherwise. */
async function askEmulator(method, path, body) {
  const headers = { authorization: "Bearer pasted", "content-type": "application/json" };
  const got = await fetch(inner + path, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) });
  if (!got.ok) throw new Error(`${method} ${path}: ${got.status} ${await got.text()}`);
  return got.status === 204 ? null : got.json();
}

async function body(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts);
}

function json(response, status, value, headers = {}) {
  response.writeHead(status, { "content-type": "application/json; charset=utf-8", ...headers });
  response.end(JSON.stringify(value));
}

/** Asks the emulator; hop-by-hop headers stay here. */
async function forward(request, path, sent) {
  const headers = { ...request.headers };
  for (const name of ["host", "connection", "content-length", "transfer-encoding", "accept-encoding", "if-none-match"]) {
    delete headers[name];
  }
  if (headers.authorization) headers.authorization = unmarked(headers.authorization);
  const bodyless = request.method === "GET" || request.method === "HEAD";
  const init = { method: request.method, headers, redirect: "manual", body: bodyless || !sent ? undefined : unmarked(String(sent)) };
  const got = await fetch(inner + path, init);
  return { status: got.status, headers: Object.fromEntries(got.headers), bytes: Buffer.from(await got.arrayBuffer()) };
}

async function answer(request, response) {
  const asked = new URL(request.url, url);
  const sent = await body(request);
  if (asked.pathname === "/test/statuses") return json(response, 200, statuses);
  if (asked.pathname === "/test/seen") return json(response, 200, seen);
  if (asked.pathname === "/test/hook-secrets") return json(response, 200, hookSecrets);
  if (asked.pathname === "/test/faults") {
    faults.push(...JSON.parse(sent));
    return json(response, 200, {});
  }
  if (asked.pathname === "/test/rename") {
    const { from, to } = JSON.parse(sent);
    await askEmulator("PATCH", `/repos/${from}`, { name: to.split("/")[1] });
    renamed.set(from, to);
    return json(response, 200, {});
  }
  const repository = asked.pathname.match(/^\/([^/]+\/[^/]+)\.git\//)?.[1];
  // As GitHub: who has the old name is sent to the new one.
  if (renamed.has(repository)) {
    const to = `${url}${asked.pathname.replace(repository, renamed.get(repository))}${asked.search}`;
    response.writeHead(301, { location: to });
    return response.end();
  }
  if (repository) return smartHttp(request, response, asked, sent, repository);
  if (asked.pathname === "/test/approve") {
    const device = [...devices.values()].find((one) => one.user_code === JSON.parse(sent).user_code);
    device.approved = true;
    return json(response, 200, {});
  }
  if (asked.pathname === "/test/sign-on") {
    signOn = JSON.parse(sent).wanted;
    return json(response, 200, {});
  }
  if (asked.pathname === "/test/rest") {
    rest = JSON.parse(sent).seconds;
    return json(response, 200, {});
  }
  if (asked.pathname === "/test/blocked") {
    blocked = JSON.parse(sent).wanted;
    return json(response, 200, {});
  }
  if (asked.pathname === "/settings/applications/new") {
    response.writeHead(200, { "content-type": "text/html; charset=utf-8" });
    return response.end("<!doctype html><title>New OAuth application</title><h1>New OAuth application</h1>");
  }
  const installs = asked.pathname.match(/^\/github-apps\/([^/]+)\/installations\/new$/);
  if (installs) {
    response.writeHead(200, { "content-type": "text/html; charset=utf-8" });
    return response.end(`<!doctype html><title>Install ${installs[1]}</title><h1>Install ${installs[1]}</h1>`);
  }
  if (asked.pathname.startsWith("/settings/apps/new")) return newApp(request, response, asked, sent);
  if (asked.pathname === "/login/device/code") return newDevice(response, new URLSearchParams(String(sent)));
  if (asked.pathname === "/login/oauth/access_token") {
    const form = new URLSearchParams(String(sent));
    if (form.has("device_code")) return pollDevice(response, form);
  }
  if (asked.pathname === "/login/oauth/authorize") {
    // GitHub takes any port of a loopback address; the emulator compares exactly.
    const wanted = new URL(asked.searchParams.get("redirect_uri"));
    redirects.set(asked.searchParams.get("state"), wanted.host);
    wanted.port = "";
    asked.searchParams.set("redirect_uri", wanted.href);
  }
  if (asked.pathname.startsWith(API)) return api(request, response, asked, sent);
  const got = await forward(request, asked.pathname + asked.search, sent);
  if (got.headers.location?.startsWith(CLIENT.redirect)) {
    const back = new URL(got.headers.location);
    back.host = redirects.get(back.searchParams.get("state"));
    const code = back.searchParams.get("code");
    if (code) back.searchParams.set("code", marked(code));
    got.headers.location = back.href;
  }
  if (asked.pathname === "/login/oauth/access_token" && /json/.test(got.headers["content-type"])) {
    got.bytes = Buffer.from(JSON.stringify(withMarks(JSON.parse(got.bytes))));
  }
  send(response, got);
}

/** What an exchange answers, its tokens marked. */
function withMarks(tokens) {
  for (const name of ["access_token", "refresh_token"]) if (tokens[name]) tokens[name] = marked(tokens[name]);
  return tokens;
}

/** Git for whoever may see the repository: a token is the password of any user name. */
async function smartHttp(request, response, asked, sent, repository) {
  const basic = request.headers.authorization?.match(/^Basic (.+)$/i)?.[1];
  const [user, token] = basic ? Buffer.from(basic, "base64").toString().split(/:(.*)/s) : [];
  seen.push({ what: "git", target: request.url, user: user ?? null, token: token ?? null });
  const headers = token ? { authorization: `Bearer ${unmarked(token)}` } : {};
  const found = await fetch(`${inner}/repos/${repository}`, { headers });
  const { permissions } = found.ok ? await found.json() : {};
  const writes = asked.pathname.endsWith("receive-pack") || asked.searchParams.get("service") === "git-receive-pack";
  if (!found.ok || (writes && !permissions?.push)) {
    response.writeHead(token ? 403 : 401, { "www-authenticate": 'Basic realm="GitHub"' });
    return response.end();
  }
  const moved = await gitSide.answer(request, response, asked, sent, repository);
  if (moved.length > 0) pushed.set(repository, new Date().toISOString());
}

/** The later of the two times, as the emulator and git know it. */
function withPush(repository) {
  const at = pushed.get(repository.full_name);
  return at && at > (repository.pushed_at ?? "") ? { ...repository, pushed_at: at } : repository;
}

function send(response, got) {
  for (const name of ["content-encoding", "content-length", "transfer-encoding", "connection", "keep-alive"]) {
    delete got.headers[name];
  }
  response.writeHead(got.status, got.headers);
  response.end(got.status === 304 || got.status === 204 ? undefined : got.bytes);
}

async function api(request, response, asked, sent) {
  const path = asked.pathname.slice(API.length);
  const old = path.match(/^\/repos\/([^/]+\/[^/]+)/)?.[1];
  if (renamed.has(old)) {
    response.writeHead(301, { location: url + API + path.replace(old, renamed.get(old)) + asked.search });
    return response.end();
  }
  const converted = path.match(/^\/app-manifests\/([^/]+)\/conversions$/);
  if (converted) return convert(response, converted[1]);
  const status = path.match(/^\/repos\/([^/]+)\/([^/]+)\/statuses\/([0-9a-f]{40})$/);
  if (status && request.method === "POST") {
    const allowed = await forward({ ...request, method: "GET", headers: request.headers }, `/repos/${status[1]}/${status[2]}`);
    if (allowed.status !== 200) return send(response, allowed);
    const fault = faults.shift();
    if (fault) return json(response, fault.status, { message: fault.message ?? "no" }, fault.headers);
    const report = { repository: `${status[1]}/${status[2]}`, sha: status[3], ...JSON.parse(sent) };
    statuses.push(report);
    return json(response, 201, { id: statuses.length, ...report });
  }
  const got = await list(request, path, asked.search, sent);
  if (request.method === "POST" && got.status === 201 && path.endsWith("/hooks")) {
    hookSecrets.push(JSON.parse(sent).config.secret);
    // GitHub tries a new hook at once.
    await askEmulator("POST", `${path}/${JSON.parse(got.bytes).id}/pings`);
  }
  got.headers["x-github-enterprise-version"] = "3.14.0";
  // GitHub names a token's scopes with every answer; the emulator does not.
  const scopes = { pasted: "repo, read:org", narrow: "read:user" }[unmarked(request.headers.authorization ?? "").replace(/^\S+ /, "")];
  if (scopes) got.headers["x-oauth-scopes"] = scopes;
  if (got.headers.link) got.headers.link = got.headers.link.replaceAll(`<${url}/`, `<${url}${API}/`);
  const isList = path === "/user/repos" || /^\/orgs\/[^/]+\/repos$/.test(path);
  if (request.method === "GET" && got.status === 200 && isList) {
    const rows = JSON.parse(got.bytes).map(withPush);
    if (asked.searchParams.get("sort") === "pushed") rows.sort((a, b) => (b.pushed_at ?? "").localeCompare(a.pushed_at ?? ""));
    got.bytes = Buffer.from(JSON.stringify(rows));
  }
  if (request.method === "GET" && got.status === 200) {
    const etag = `W/"${createHash("sha256").update(got.bytes).digest("hex").slice(0, 32)}"`;
    got.headers.etag = etag;
    if (request.headers["if-none-match"] === etag) got.status = 304;
    if (isList && rest) got.headers["x-poll-interval"] = String(rest);
    if (isList) seen.push({ what: "list", target: request.url, conditional: "if-none-match" in request.headers, status: got.status });
  }
  send(response, got);
}

/** The emulator has no list of an organization's repositories: it is taken from the account's. */
async function list(request, path, search, sent) {
  const organization = path.match(/^\/orgs\/([^/]+)\/repos$/)?.[1];
  if (!organization || request.method !== "GET") return forward(request, path + search, sent);
  if (signOn) {
    const message = "Resource protected by organization SAML enforcement.";
    const headers = { "x-github-sso": `required; url=${url}/orgs/${organization}/sso?authorization_request=test`, "content-type": "application/json" };
    return { status: 403, headers, bytes: Buffer.from(JSON.stringify({ message })) };
  }
  if (blocked) {
    const message = `Although you appear to have the correct authorization credentials, the \`${organization}\` organization has enabled OAuth App access restrictions, meaning that data access to third-parties is limited.`;
    return { status: 403, headers: { "content-type": "application/json" }, bytes: Buffer.from(JSON.stringify({ message })) };
  }
  const got = await forward(request, "/user/repos?per_page=100");
  const rows = JSON.parse(got.bytes).filter((one) => one.owner.login === organization);
  return { ...got, bytes: Buffer.from(JSON.stringify(rows)) };
}

function newDevice(response, form) {
  if (form.get("client_id") !== CLIENT.id) return json(response, 200, { error: "incorrect_client_credentials" });
  const device_code = randomBytes(20).toString("hex");
  const user_code = randomBytes(4).toString("hex").toUpperCase().replace(/^(....)/, "$1-");
  devices.set(device_code, { user_code, scope: form.get("scope"), polls: 0, approved: false });
  const verification_uri = `${url}/login/device`;
  json(response, 200, { device_code, user_code, verification_uri, expires_in: 900, interval: 5 });
}

/** Pending, then "slow down" once, then what the person did. */
async function pollDevice(response, form) {
  const device = devices.get(form.get("device_code"));
  if (!device) return json(response, 200, { error: "incorrect_device_code" });
  device.polls += 1;
  if (device.polls === 2) return json(response, 200, { error: "slow_down", interval: 10 });
  if (!device.approved) return json(response, 200, { error: "authorization_pending" });
  devices.delete(form.get("device_code"));
  const scope = device.scope ?? "";
  const login = new URLSearchParams({ login: "ada", redirect_uri: CLIENT.redirect, scope, state: "device", client_id: CLIENT.id });
  const back = await fetch(`${inner}/login/oauth/callback`, { method: "POST", body: login, redirect: "manual" });
  const code = new URL(back.headers.get("location")).searchParams.get("code");
  const exchange = new URLSearchParams({ client_id: CLIENT.id, client_secret: CLIENT.secret, code });
  const headers = { accept: "application/json" };
  const tokens = await fetch(`${inner}/login/oauth/access_token`, { method: "POST", body: exchange, headers });
  json(response, 200, withMarks(await tokens.json()));
}

const manifests = new Map();

/** The page where a person confirms an app; it shows what the manifest asks for. */
function newApp(request, response, asked, sent) {
  const text = new URLSearchParams(String(sent)).get("manifest");
  const manifest = JSON.parse(text);
  if (asked.pathname !== "/settings/apps/new/confirmed") {
    const quoted = text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");
    response.writeHead(200, { "content-type": "text/html; charset=utf-8" });
    return response.end(
      `<!doctype html><title>New app</title><form method="post" action="/settings/apps/new/confirmed${asked.search.replaceAll("&", "&amp;")}">` +
        `<input type="hidden" name="manifest" value="${quoted}"><button>Create GitHub App for ada</button></form>`,
    );
  }
  const code = marked(randomBytes(10).toString("hex"));
  manifests.set(code, manifest);
  const back = new URL(manifest.redirect_url);
  back.searchParams.set("code", code);
  back.searchParams.set("state", asked.searchParams.get("state"));
  response.writeHead(302, { location: back.href });
  response.end();
}

function convert(response, code) {
  const manifest = manifests.get(code);
  if (!manifest) return json(response, 404, { message: "Not Found" });
  manifests.delete(code);
  const slug = manifest.name.toLowerCase().replace(/[^a-z0-9]+/g, "-");
  json(response, 201, {
    id: 1,
    slug,
    name: manifest.name,
    client_id: APP.id,
    client_secret: marked(APP.secret),
    webhook_secret: null,
    pem: "-----BEGIN RSA PRIVATE KEY-----\n-----END RSA PRIVATE KEY-----\n",
    html_url: `${url}/apps/${slug}`,
    permissions: manifest.default_permissions,
    events: manifest.default_events,
    owner: { login: "ada", id: 1 },
  });
}

console.log(JSON.stringify({ url }));
