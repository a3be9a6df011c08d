import { expect, test } from "vitest";

import type { ImageRepositoryView, RegistryView } from "../../host/bindings";
import { shortcutCommands } from "./commands";

const registry = {
  id: 2,
  kind: "oci",
  host: "ccr.example.com",
  credentials: [{ id: 5, source: { kind: "password", username: "ann" } }],
} as unknown as RegistryView;
const local = { id: 1, kind: "local_engine", host: null, credentials: [] } as unknown as RegistryView;
const repository = (of: number, credential: number | null) =>
  ({ spec: { registry: of, name: "team/site", credential } }) as unknown as ImageRepositoryView;

test("commands carry the real host, account, name and tag", () => {
  expect(shortcutCommands(repository(2, 5), [local, registry], "v1").map(({ text }) => text)).toEqual([
    "docker login -u ann ccr.example.com",
    "docker tag IMAGE ccr.example.com/team/site:v1",
    "docker push ccr.example.com/team/site:v1",
    "docker pull ccr.example.com/team/site:v1",
  ]);
});

test("an account that a shell could misread is left out", () => {
  const odd = { ...registry, credentials: [{ id: 5, source: { kind: "password", username: "a; rm" } }] } as unknown as RegistryView;
  expect(shortcutCommands(repository(2, 5), [odd], "v1")[0]?.text).toBe("docker login ccr.example.com");
});

test("the local engine needs no login and no push", () => {
  expect(shortcutCommands(repository(1, null), [local], "v1")).toEqual([{ name: "run", text: "docker run --rm team/site:v1" }]);
});
