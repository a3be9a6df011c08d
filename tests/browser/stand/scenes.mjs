/** Three products to look at: an empty one, one in full use, and one whose surroundings are broken; and every place in them. */
import { addAccount, startCodeHost } from "./code_host.mjs";
import { dialogs, pages } from "./console_tables.mjs";
import { addBuilds } from "./database.mjs";
import { addClone, addRegistry, addRepository, addRule, build } from "./prepare.mjs";
import { eventually, temporaryFolder } from "./processes.mjs";
import { Product } from "./product.mjs";
import { Clone, dockerfile, LABEL, PASSWORD, removeOwnContainers, servicesName, startRegistry, talking } from "./surroundings.mjs";

const RED = "\u001b[31m";
const GREEN = "\u001b[1;32m";
const PLAIN = "\u001b[0m";

/** A product in full use: good and failing sources and registries, rules, and builds in every state. */
export async function fullProduct() {
  const registry = await startRegistry({ password: PASSWORD });
  const product = await Product.start({ keychain: true });
  const clone = await Clone.make("helloworld", {
    Dockerfile: dockerfile(`RUN : ${LABEL} && printf '${GREEN}compiled${PLAIN} 214 files\\n${RED}warning:${PLAIN} two are old\\n'\nADD ./ /usr/share/nginx/html\nEXPOSE 80\nSTOPSIGNAL SIGKILL\nCMD ["httpd", "-f", "-p", "80", "-h", "/usr/share/nginx/html"]\n`),
    "index.html": "hello world\n",
    "fails/Dockerfile": dockerfile(`RUN : ${LABEL} && echo installing && seq 40 | sed 's/^/package /'\nRUN : ${LABEL} && echo 'cannot find libdoor.so' && exit 3\n`),
    "slow/Dockerfile": dockerfile(talking("still compiling", 3600)),
  });
  await clone.git("branch", "release/1.2");
  await clone.git("tag", "v1.4.2");
  const docs = await Clone.make("docs", { Dockerfile: dockerfile("ADD ./ /docs\n"), "readme.md": "read me\n" });
  const code = await addClone(product, clone);
  const docsCode = await addClone(product, docs);
  await product.call("code_repositories.add", {
    form: { name: "legacy", location: { kind: "git_url", url: "http://127.0.0.1:9/team/legacy.git", allow_plain_http: true } },
  });

  const login = await addRegistry(product, registry.host, { password: PASSWORD });
  const robot = await product.call("registries.add_credential", {
    registry: login.registry,
    name: "robot",
    form: { kind: "password", username: "robot", password: "out of date" },
  });
  for (const credential of [login.credential, robot.id]) {
    await product.call("registries.test", { registry: login.registry, repository: "team/helloworld", credential });
  }
  await product.call("registries.add", { form: { name: "ccr", host: "ccr.ccs.tencentyun.com" } });

  const codeHost = await startCodeHost();
  const account = await addAccount(product, codeHost);
  await product.call("accounts.save_application", { host: { provider: "gitea", base_url: codeHost.base, allow_plain_http: true }, client_id: "slipway-of-ann" });
  await product.call("accounts.save_application", { host: { provider: "gitee" }, client_id: "5f3c9a1e", client_secret: "kept" });
  const { id: accountCode } = await product.call("code_repositories.add", {
    form: { name: "acme/web", location: { kind: "account", account, path: "acme/web" } },
  });
  await product.call("webhooks.save_listener", { enabled: true, address: "127.0.0.1:0" });
  await product.call("webhooks.switch_on", { code: accountCode });

  const repository = await addRepository(product, "team/helloworld", { ...login, summary: "The page that says hello", description: "Everybody starts here." });
  const other = await addRepository(product, "team/docs");
  const untouched = await addRepository(product, "tools/by-hand", { source: "pushed_locally" });
  const rule = await addRule(product, repository, code, { overwrite_tag: "latest" });
  const slow = await addRule(product, repository, code, { name: "nightly", triggers: { branches: ["release/1.2"], new_tag: true }, dockerfile_path: "slow/Dockerfile", overwrite_tag: null, auto_trigger: false });
  const broken = await addRule(product, repository, code, { name: "broken", triggers: {}, dockerfile_path: "fails/Dockerfile" });
  const docsRule = await addRule(product, other, docsCode, { name: "docs" });

  const good = await build(product, rule);
  if (good.state !== "succeeded") throw new Error(`the scene's build ${good.state}: ${JSON.stringify(good.failure)}`);
  await build(product, docsRule);
  const failed = await build(product, broken);
  const cancelled = await product.call("builds.start", { rule: slow, target: { kind: "ref", name: "refs/heads/main" } });
  await product.call("builds.cancel", { id: cancelled.id });
  // Its image serves, and a trigger keeps the service up to date.
  const target = { kind: "container", engine: "local", name: servicesName("hello") };
  const gate = { stay_up_seconds: 1, deadline_seconds: 60 };
  const { firing } = await product.call("targets.run_image", {
    name: target.name,
    image: { kind: "tag", repository, tag: good.tags[0] },
    run_as: { kind: "container", restart: false },
    ports: [{ container_port: 80, host_port: null, only_local: true, protocol: "tcp" }],
    gate,
  });
  const over = (id) =>
    eventually(
      "an update is over",
      async () => !["waiting", "running"].includes((await product.call("firings.get", { id })).firing.state),
      60_000,
    );
  await over(firing);
  const trigger = await product.call("triggers.add", { repository, spec: { name: "on-the-page", condition: { kind: "all" }, target, gate } });
  const elsewhere = { kind: "webhook", url: "https://hooks.example.com/slipway", headers: [], signing_secret: null, allow_private: false };
  await product.call("triggers.add", {
    repository,
    spec: { name: "tell-the-team", condition: { kind: "tags", list: "release, stable" }, target: elsewhere, gate, enabled: false },
  });
  await clone.commit("Say hello in every language", { "index.html": "hello 你好 bonjour\n" });
  const pushed = await eventually(
    "the push is built",
    async () => {
      const { items } = await product.call("builds.list", { repository, kind: "push", states: ["succeeded"] });
      return items[0];
    },
    90_000,
  );
  const fired = await eventually("the push fires", async () => (await product.call("firings.list", { trigger: trigger.id })).items[0], 60_000);
  await over(fired.id);
  const running = await product.call("builds.start", { rule: slow, target: { kind: "ref", name: "refs/heads/release/1.2" } });
  const queued = await product.call("builds.start", { rule: slow, target: { kind: "ref", name: "refs/heads/release/1.2" } });
  await eventually("the slow build prints", async () => (await product.call("builds.log", { id: running.id, from: 0, count: 100 })).total > 8, 60_000);
  await eventually("the unreachable source was asked", async () => (await product.call("code_repositories.list")).some(({ last_failure }) => last_failure));

  const form = { name: "builds", kind: "ntfy", address: "https://ntfy.example.com/team-builds", events: ["attention"], enabled: true };
  const channel = (await product.call("channels.add", form)).id;
  const ids = { image_repository: repository, rule, build: pushed.id, code_repository: code, registry: login.registry, credential: login.credential, version: "latest", trigger: trigger.id, firing, deploy_target: `container/local/${target.name}`, source_account: account, account_code: accountCode, oauth_application: `gitea ${codeHost.base}`, channel };
  return {
    product,
    ids,
    codeHost,
    /** An image repository without rules, versions and triggers. */
    untouched,
    builds: { good: good.id, failed: failed.id, cancelled: cancelled.id, running: running.id, queued: queued.id },
    async end() {
      for (const { id } of [queued, running]) await product.call("builds.cancel", { id }).catch(() => undefined);
      await eventually("nothing runs any more", async () => (await product.call("builds.queue")).length === 0, 30_000).catch(() => undefined);
      await product.stop();
      await codeHost.stop();
      await removeOwnContainers();
    },
  };
}

/** A product with a list of builds as years leave it. */
export async function crowdedProduct(count) {
  const product = await Product.start();
  const clone = await Clone.make("helloworld", { Dockerfile: dockerfile("ADD ./ /site\n"), "index.html": "hello\n" });
  const code = await addClone(product, clone);
  const repository = await addRepository(product, "team/helloworld");
  await build(product, await addRule(product, repository, code, { auto_trigger: false }));
  await product.kill();
  addBuilds(product.dataFolder, repository, count);
  await product.launch();
  return { product, repository };
}

/** A product whose engine does not answer. */
export const productWithoutEngine = () => Product.start({ env: { DOCKER_HOST: `unix://${temporaryFolder()}/nobody.sock` } });

/** States of the accounts page and its dialogs that no address names: `{ name, state, path, act, leave }`. */
export function accountStates({ ids, codeHost, product }) {
  const { image_repository: repository, rule } = ids;
  const top = (window) => window.dialog.last();
  const select = (window, key) => top(window).getByRole("combobox", { name: window.t(key) });
  const click = (window, key) => window.button(key, {}, top(window)).click();
  const typeHost = async (window, base) => {
    await window.choose(select(window, "accounts.provider"), window.t("accounts.product_gitea"));
    await window.field("accounts.base_url", {}, top(window)).fill(base);
    await click(window, "common.more");
    await top(window).getByRole("checkbox", { name: window.t("accounts.plain_http") }).check();
    await window.see(window.field("accounts.token", {}, top(window)));
  };
  const waiting = async (window) => {
    codeHost.answer("later");
    const [page] = await Promise.all([window.context.waitForEvent("page"), click(window, "accounts.authorize_browser")]);
    await page.close();
    await window.see(window.text("accounts.waiting_there", {}, top(window)));
  };
  const connect = "/sources?dialog=connect";
  const editor = `/repositories/${repository}/build?dialog=new-rule`;
  const check = () => product.call("accounts.check", { id: ids.source_account }).catch(() => undefined);
  return [
    { name: "accounts-connect-address", state: "empty", path: connect, act: (window) => window.choose(select(window, "accounts.provider"), window.t("accounts.product_gitlab_own")) },
    { name: "accounts-connect-own", state: "normal", path: connect, act: (window) => typeHost(window, codeHost.base) },
    {
      name: "accounts-connect-wrong-address",
      state: "error",
      path: connect,
      act: async (window) => {
        await typeHost(window, `${codeHost.base}/acme/web`);
        await click(window, "accounts.probe");
        await window.see(window.button("accounts.use_suggestion", { address: codeHost.base }, top(window)));
      },
    },
    {
      name: "accounts-connect-refused",
      state: "error",
      path: connect,
      act: async (window) => {
        await typeHost(window, codeHost.base);
        await window.field("accounts.token", {}, top(window)).fill("out-of-date");
        await click(window, "accounts.connect_submit");
        await window.see(window.text("accounts.refused_again", {}, top(window)));
      },
    },
    { name: "accounts-connect-waiting", state: "normal", path: connect, act: (window) => typeHost(window, codeHost.base).then(() => waiting(window)), leave: () => codeHost.answer("yes") },
    {
      name: "accounts-connect-denied",
      state: "error",
      path: connect,
      act: async (window) => {
        await typeHost(window, codeHost.base);
        codeHost.answer("no");
        await click(window, "accounts.authorize_browser");
        await window.see(window.text("failure.authorization_denied.what", {}, top(window)));
      },
      leave: () => codeHost.answer("yes"),
    },
    { name: "accounts-register", state: "normal", path: connect, act: (window) => click(window, "accounts.register") },
    { name: "accounts-github-app", state: "normal", path: connect, act: (window) => click(window, "accounts.make_app") },
    {
      name: "accounts-choose-in-rule",
      state: "full",
      path: editor,
      act: async (window) => {
        await click(window, "accounts.choose");
        await window.choose(select(window, "accounts.owner"), "Acme");
        await top(window).getByRole("radio", { name: /^acme\/web/ }).check();
        await window.see(select(window, "accounts.branch"));
      },
    },
    {
      name: "accounts-choose-nothing-found",
      state: "empty",
      path: editor,
      act: async (window) => {
        await click(window, "accounts.choose");
        await window.field("accounts.repository", {}, top(window)).fill("nobody wrote this");
        await window.see(window.text("accounts.not_listed", {}, top(window)));
      },
    },
    {
      name: "rule-files",
      state: "full",
      path: `/repositories/${repository}/build?dialog=rule.${rule}`,
      act: async (window) => {
        await top(window).getByRole("button", { name: `${window.t("rules.browse")}: ${window.t("rules.dockerfile")}` }).click();
        await window.see(window.page.getByRole("option", { name: "fails" }));
      },
    },
    {
      name: "sources-paused",
      state: "error",
      path: "/sources",
      act: async (window) => {
        codeHost.refuse(true);
        await check();
        await window.see(window.page.getByText(window.t("accounts.paused", { count: 0 })));
      },
      leave: () => {
        codeHost.refuse(false);
        return check();
      },
    },
  ];
}

/** The path of a page with ids put in; `tab` is left to the caller where the page has tabs. */
function fill(path, ids, tab) {
  return path.replace(/\$(\w+)/g, (_, name) => {
    const id = name === "tab" ? tab : ids[name === "repository" ? "image_repository" : name];
    if (id === undefined) throw new Error(`${path}: the scene has no example of ${name}; add one in scenes.mjs`);
    return String(id);
  });
}

/** The first tab of each page that has tabs; the others are read from the page itself. */
const firstTab = { "/repositories/$repository/$tab": "build", "/builds/$build/$tab": "log" };

/** The tab over which dialogs about a thing open. */
const tabOf = { version: "versions", trigger: "triggers", firing: "triggers" };

/** Every page of the route table, as `{ name, path, page }`; with tabs where `tabsOf` finds them. */
export async function everyPage(ids, tabsOf) {
  const places = [];
  for (const page of pages) {
    const name = page.replace(/\/\$\w+/g, "").slice(1).replaceAll("/", "-") || "overview";
    if (!page.includes("$tab")) {
      places.push({ name: page.includes("$") ? `${name}-one` : name, page, path: fill(page, ids) });
      continue;
    }
    const first = firstTab[page];
    if (!first) throw new Error(`${page}: say its first tab in scenes.mjs`);
    for (const tab of await tabsOf(fill(page, ids, first))) places.push({ name: `${name}-${tab}`, page, path: fill(page, ids, tab) });
  }
  return places;
}

/** Every dialog of the registry, as `{ name, path, page, dialog }`. */
export function everyDialog(ids) {
  return dialogs.map(({ page, dialog, needs }) => {
    if (needs !== null && ids[needs] === undefined) throw new Error(`the scene has no example of ${needs}; add one in scenes.mjs`);
    const name = `${page.replace(/\/\$\w+/g, "").slice(1) || "overview"}-${page.includes("$") ? "one-" : ""}${dialog}`;
    return { name, page, dialog, path: `${fill(page, ids, tabOf[needs] ?? firstTab[page] ?? "")}?dialog=${dialog}${needs === null ? "" : `.${ids[needs]}`}` };
  });
}

/** Reads a page's tabs from the addresses that they lead to. */
export const tabsOn = (window) => async (path) => {
  await window.go(path);
  const tabs = window.page.getByRole("main").getByRole("tab");
  await window.see(tabs);
  const found = [];
  for (const tab of await tabs.all()) {
    await tab.click();
    await window.see(tab.and(window.page.locator("[aria-selected=true]")));
    found.push(new URL(window.page.url()).pathname.split("/").pop());
  }
  return found;
};
