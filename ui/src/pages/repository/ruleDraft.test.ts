import { expect, test } from "vitest";

import type { RuleSpec, RuleView } from "../../host/bindings";
import { readPairs } from "../../words/pairs";
import { draftOf, specOf } from "./ruleDraft";

const spec: RuleSpec = {
  name: "site",
  code: 3,
  triggers: { branches: ["main"], any_branch: false, new_tag: true, pattern: "^v(\\d+)" },
  paths: { include: ["src/**"], exclude: ["*.md"] },
  skip_words: false,
  dockerfile_path: "docker/Dockerfile",
  context_dir: "web",
  version: { kind: "templates", templates: ["{branch}", "{1}"] },
  overwrite_tag: "latest",
  options: {
    platforms: [{ os: "linux", architecture: "arm", variant: "v7" }],
    args: [{ name: "A", value: "x=y" }],
    secrets: [{ id: "npm", secret: 4 }],
    target: "run",
    labels: [{ name: "team", value: "web" }],
    no_standard_labels: true,
    no_cache: true,
    always_pull: true,
    network: "none",
    timeout_seconds: 600,
    engine: "context:far",
  },
  strategy: "every_push",
  auto_trigger: false,
  report_status: true,
};

test("a rule that is opened and saved untouched stays as it was", () => {
  const rule: RuleView = { id: 1, repository: 1, spec, created_at: "", updated_at: "" };
  expect(specOf(draftOf(rule, undefined))).toEqual(spec);
});

test("an unticked trigger is not sent, though its text is kept", () => {
  const draft = { ...draftOf(undefined, undefined), byBranch: false, branches: ["main"], byPattern: false, pattern: "^x" };
  expect(specOf(draft).triggers).toEqual({ branches: [], any_branch: false, new_tag: false, pattern: null });
});

test("name=value lines: values keep their equals signs, the first bad line is named", () => {
  expect(readPairs("A=1\n\nB=x=y\n")).toEqual({ pairs: [{ name: "A", value: "1" }, { name: "B", value: "x=y" }], bad: null });
  expect(readPairs("A=1\nnothing\n=2").bad).toBe(2);
});
