import { expect, test } from "vitest";

import type { TriggerSpec } from "../../host/bindings";
import { draftTarget, isTriggerName, triggerDraftOf, triggerSpecOf } from "./triggerDraft";

const gate = { stay_up_seconds: 3, deadline_seconds: 60 };
const specs: TriggerSpec[] = [
  { name: "web", condition: { kind: "all" }, target: { kind: "container", engine: "local", name: "web" }, gate, enabled: true },
  {
    name: "shop",
    condition: { kind: "tags", list: "latest; v1" },
    target: { kind: "compose_service", engine: "local", project: "shop", service: "page" },
    gate,
    enabled: false,
  },
  {
    name: "hook",
    condition: { kind: "pattern", pattern: "^v\\d+" },
    target: { kind: "webhook", url: "https://x.example/", headers: [{ name: "X-Token", value: 3 }], signing_secret: 4, allow_private: true },
    gate,
    enabled: true,
  },
];

test("a trigger goes through the editor unchanged", () => {
  for (const spec of specs) {
    const draft = triggerDraftOf(spec, null);
    const target = draftTarget(draft);
    expect(target && triggerSpecOf(draft, target)).toEqual(spec);
  }
});

test("a new trigger stands on the target that it is made for", () => {
  const draft = triggerDraftOf(undefined, specs[1]?.target ?? null);
  expect(draft).toMatchObject({ conditionKind: "all", group: "compose_project/shop", place: { kind: "engine", engine: "local" } });
  expect(draftTarget(triggerDraftOf(undefined, null))).toBeNull();
});

test("a name begins with a letter and has 2 to 64 letters, digits and signs", () => {
  for (const name of ["ab", "A-1._", `a${"b".repeat(63)}`]) expect(isTriggerName(name)).toBe(true);
  for (const name of ["", "a", "1a", "a b", "ä1", `a${"b".repeat(64)}`]) expect(isTriggerName(name)).toBe(false);
});
