/** A Harbor as far as its projects go: its own interface with its real shapes, beside a registry that asks for a login. */
import { createServer } from "node:http";

import { atExit } from "./processes.mjs";
import { PASSWORD } from "./surroundings.mjs";

/** Starts a Harbor of Ann, who may make projects, and of robots, which may not. */
export async function startHarbor() {
  const projects = [{ project_id: 1, name: "library", owner_id: 1, repo_count: 2, metadata: { public: "true" } }];
  const server = createServer(async (request, response) => {
    const say = (status, body, headers = {}) => {
      response.writeHead(status, { "content-type": "application/json; charset=utf-8", ...headers });
      response.end(typeof body === "string" ? body : JSON.stringify(body));
    };
    const no = (status, code, message) => say(status, { errors: [{ code, message }] });
    const parts = [];
    for await (const part of request) parts.push(part);
    const url = new URL(request.url, "http://harbor");
    const [user, password] = atob((request.headers.authorization ?? "").replace(/^Basic /, "")).split(/:(.*)/s);
    const known = password === PASSWORD;
    if (url.pathname === "/api/v2.0/ping") return say(200, "Pong", { "content-type": "text/plain; charset=utf-8" });
    if (url.pathname.startsWith("/v2/")) return known ? say(200, {}) : say(401, { errors: [{ code: "UNAUTHORIZED" }] }, { "www-authenticate": 'Basic realm="harbor"' });
    if (url.pathname !== "/api/v2.0/projects") return no(404, "NOT_FOUND", "not found");
    if (password !== undefined && !known) return no(401, "UNAUTHORIZED", "unauthorized");
    if (request.method === "GET") {
      const [page, size] = ["page", "page_size"].map((name) => Number(url.searchParams.get(name)));
      const seen = projects.filter(({ metadata }) => known || metadata.public === "true");
      return say(200, seen.slice((page - 1) * size, page * size), { "x-total-count": String(seen.length) });
    }
    if (!known) return no(401, "UNAUTHORIZED", "unauthorized");
    if (user.startsWith("robot$")) return no(403, "FORBIDDEN", "forbidden");
    const { project_name: name, metadata } = JSON.parse(Buffer.concat(parts));
    if (!/^[a-z0-9]+(?:[._-][a-z0-9]+)*$/.test(name)) return no(400, "BAD_REQUEST", "project name is not in the correct format");
    if (projects.some((one) => one.name === name)) return no(409, "CONFLICT", `The project named ${name} already exists`);
    projects.push({ project_id: projects.length + 1, name, owner_id: 3, repo_count: 0, metadata });
    response.writeHead(201, { location: `/api/v2.0/projects/${projects.length}` });
    response.end();
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  atExit(() => server.close());
  return { host: `127.0.0.1:${server.address().port}`, projects };
}
