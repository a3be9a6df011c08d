// A GitHub Enterprise Server for tests: the emulator `emulate`, with a proxy in front that adds what it lacks: the paths of an
// Enterprise Server, entity tags, an organization's repositories, commit statuses, the device flow, apps from a manifest.
//
//   node github.mjs        prints {"url": "http://127.0.0.1:PORT"} and serves until it is killed
//
// POST /test/approve {"user_code"} approves a device; GET /test/statuses lists what was reported.
import { createHash, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { createEmulator } from "emulate";

const API = "/api/v3";
const CLIENT = { id: "slipway-test", secret: "slipway-test-secret", redirect: "http://127.0.0.1/callback/github" };

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
    tokens: { pasted: { login: "ada", scopes: ["repo", "read:org"] }, narrow: { login: "ada", scopes: ["read:user"] } },
    github: {
      users: [{ login: "ada", name: "Ada L.", email: "ada@example.com" }],
      orgs: [{ login: "acme", name: "Acme", members: [{ login: "ada", role: "admin" }] }],
      repos: [
        { owner: "ada", name: "tool", auto_init: true },
        { owner: "acme", name: "web", private: true, auto_init: true },
      ],
      oauth_apps: [
        { client_id: CLIENT.id, client_secret: CLIENT.secret, name: "Slipway", redirect_uris: [CLIENT.redirect] },
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

async function freePort() {
  const probe = createServer();
  await new Promise((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const found = probe.address().port;
  await new Promise((resolve) => probe.close(resolve));
  return found;
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
  const bodyless = request.method === "GET" || request.method === "HEAD";
  const init = { method: request.method, headers, redirect: "manual", body: bodyless ? undefined : sent };
  const got = await fetch(inner + path, init);
  return { status: got.status, headers: Object.fromEntries(got.headers), bytes: Buffer.from(await got.arrayBuffer()) };
}

async function answer(request, response) {
  const asked = new URL(request.url, url);
  const sent = await body(request);
  if (asked.pathname === "/test/statuses") return json(response, 200, statuses);
  if (asked.pathname === "/test/approve") {
    const device = [...devices.values()].find((one) => one.user_code === JSON.parse(sent).user_code);
    device.approved = true;
    return json(response, 200, {});
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
    got.headers.location = back.href;
  }
  send(response, got);
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
  const converted = path.match(/^\/app-manifests\/([^/]+)\/conversions$/);
  if (converted) return convert(response, converted[1]);
  const status = path.match(/^\/repos\/([^/]+)\/([^/]+)\/statuses\/([0-9a-f]{40})$/);
  if (status && request.method === "POST") {
    const allowed = await forward({ ...request, method: "GET", headers: request.headers }, `/repos/${status[1]}/${status[2]}`);
    if (allowed.status !== 200) return send(response, allowed);
    const report = { repository: `${status[1]}/${status[2]}`, sha: status[3], ...JSON.parse(sent) };
    statuses.push(report);
    return json(response, 201, { id: statuses.length, ...report });
  }
  const got = await list(request, path, asked.search, sent);
  got.headers["x-github-enterprise-version"] = "3.14.0";
  if (got.headers.link) got.headers.link = got.headers.link.replaceAll(`<${url}/`, `<${url}${API}/`);
  if (request.method === "GET" && got.status === 200) {
    const etag = `W/"${createHash("sha256").update(got.bytes).digest("hex").slice(0, 32)}"`;
    got.headers.etag = etag;
    if (request.headers["if-none-match"] === etag) got.status = 304;
  }
  send(response, got);
}

/** The emulator has no list of an organization's repositories: it is taken from the account's. */
async function list(request, path, search, sent) {
  const organization = path.match(/^\/orgs\/([^/]+)\/repos$/)?.[1];
  if (!organization || request.method !== "GET") return forward(request, path + search, sent);
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
  json(response, 200, await tokens.json());
}

const manifests = new Map();

/** The page where a person confirms an app: here the confirmation is the post itself. */
function newApp(request, response, asked, sent) {
  const manifest = JSON.parse(new URLSearchParams(String(sent)).get("manifest"));
  const code = randomBytes(10).toString("hex");
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
    client_id: "Iv1.0123456789abcdef",
    client_secret: "0123456789abcdef0123456789abcdef01234567",
    webhook_secret: null,
    pem: "-----BEGIN RSA PRIVATE KEY-----\n-----END RSA PRIVATE KEY-----\n",
    html_url: `${url}/apps/${slug}`,
    permissions: manifest.default_permissions,
    events: manifest.default_events,
    owner: { login: "ada", id: 1 },
  });
}

console.log(JSON.stringify({ url }));
