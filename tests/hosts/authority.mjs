// A standards-complete authorization server under the paths of GitLab or Gitea: PKCE enforced, refresh tokens rotated,
// revocation. Its sign-in pages are real pages with forms.
//
//   node authority.mjs gitlab|gitea    prints {"url": "http://127.0.0.1:PORT"} and serves until it is killed
//
// GET <api>/user answers with a good token only. Its clients: `public-app` without a secret.
import { createServer } from "node:http";
import Provider from "oidc-provider";

const product = process.argv[2];
const paths = {
  gitlab: {
    authorization: "/oauth/authorize",
    token: "/oauth/token",
    revocation: "/oauth/revoke",
    device_authorization: "/oauth/authorize_device",
    code_verification: "/oauth/device",
    user: "/api/v4/user",
  },
  gitea: { authorization: "/login/oauth/authorize", token: "/login/oauth/access_token", user: "/api/v1/user" },
}[product];
const { user, ...routes } = paths;

const server = createServer();
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const url = `http://127.0.0.1:${server.address().port}`;

const grants = ["authorization_code", "refresh_token"];
if (product === "gitlab") grants.push("urn:ietf:params:oauth:grant-type:device_code");
const provider = new Provider(url, {
  clients: [
    {
      client_id: "public-app",
      application_type: "native",
      token_endpoint_auth_method: "none",
      grant_types: grants,
      response_types: ["code"],
      // Any port of a loopback address fits a native client.
      redirect_uris: [`http://127.0.0.1/callback/${product}`],
    },
  ],
  scopes: ["api", "read_api", "read_repository", "read:user", "read:organization", "read:repository", "write:repository"],
  pkce: { required: () => true },
  rotateRefreshToken: true,
  issueRefreshToken: async () => true,
  features: { revocation: { enabled: true }, deviceFlow: { enabled: product === "gitlab" }, devInteractions: { enabled: true } },
  findAccount: async (_, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
  ttl: { AccessToken: 7200, AuthorizationCode: 600, RefreshToken: 86400, Interaction: 600, Session: 600, Grant: 86400, DeviceCode: 300 },
  cookies: { keys: ["only for tests"] },
  routes,
});
const handle = provider.callback();
server.on("request", async (request, response) => {
  if (!request.url.startsWith(user)) return handle(request, response);
  const given = (request.headers.authorization ?? "").replace(/^Bearer /, "");
  const token = await provider.AccessToken.find(given);
  const good = token && !token.isExpired;
  response.writeHead(good ? 200 : 401, { "content-type": "application/json" });
  const person = { id: 1, username: "ada", login: "ada", name: "Ada L.", full_name: "Ada L." };
  response.end(JSON.stringify(good ? person : { message: "401 Unauthorized" }));
});
console.log(JSON.stringify({ url }));
