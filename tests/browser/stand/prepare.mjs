/** Puts a product into a state by its api, where a test is not about getting there. */
import { eventually } from "./processes.mjs";

/** The id of the registry that is always there: the engine's own store. */
export async function localRegistry(product) {
  return (await product.call("registries.list")).find(({ kind }) => kind === "local_engine").id;
}

/** Watches a clone; returns its id when it was looked at once. */
export async function addClone(product, clone, name = clone.path.split("/").pop()) {
  const { id } = await product.call("code_repositories.add", { form: { name, location: { kind: "local_clone", path: clone.path } } });
  await eventually("the clone was looked at", async () => {
    const source = (await product.call("code_repositories.list")).find((one) => one.id === id);
    if (source.last_failure) throw new Error(source.last_failure.message);
    return source.last_ok_at !== null;
  });
  return id;
}

/** Adds a registry with a login, or without one. */
export async function addRegistry(product, host, { name = "company", password } = {}) {
  const { id } = await product.call("registries.add", { form: { name, host, plain_http: true } });
  const form = password ? { kind: "password", username: "ann", password } : { kind: "anonymous" };
  const credential = await product.call("registries.add_credential", { registry: id, name: "ann", form });
  return { registry: id, credential: credential.id };
}

/** Adds an image repository that the platform builds, at the local engine unless `registry` names another. */
export async function addRepository(product, name, spec = {}) {
  const registry = spec.registry ?? (await localRegistry(product));
  return (await product.call("image_repositories.add", { spec: { name, source: "platform", ...spec, registry } })).id;
}

/** Adds a rule: push to any branch, tagged branch-commit. */
export async function addRule(product, repository, code, spec = {}) {
  const rule = {
    name: "site",
    code,
    triggers: { any_branch: true },
    version: { kind: "templates", templates: ["{branch}-{short_sha}"] },
    ...spec,
  };
  return (await product.call("rules.add", { repository, spec: rule })).id;
}

/** Builds a rule now and returns the build when it is over. */
export async function build(product, rule, ref = "refs/heads/main", overrides) {
  const { id } = await product.call("builds.start", { rule, target: { kind: "ref", name: ref }, ...(overrides ? { overrides } : {}) });
  return eventually(
    "the build ends",
    async () => {
      const found = await product.call("builds.get", { id });
      return !["queued", "running", "paused"].includes(found.state) && found;
    },
    90_000,
  );
}
