import { createInstance, type TFunction } from "i18next";
import { beforeAll, describe, expect, test } from "vitest";

import en from "../i18n/en.json";
import { fieldAtFault, findingWords, suggestionsOf } from "./warnings";

let t: TFunction;
beforeAll(async () => {
  const instance = createInstance();
  await instance.init({ lng: "en", resources: { en: { translation: en } }, interpolation: { escapeValue: false } });
  t = instance.t;
});

describe("findingWords", () => {
  test.each([
    ["collision", { tag: "v1", refs: "main, dev" }, "main, dev"],
    ["write_once", { tag: "v1" }, "v1"],
    ["newest_platform", { newest: "linux/amd64", wanted: "linux/arm64" }, "linux/amd64"],
    ["platform", { engine: "linux/amd64" }, "linux/amd64"],
    ["credential_argument", { name: "NPM_TOKEN" }, "NPM_TOKEN"],
    ["fixed_tags", {}, "same tag"],
  ])("the warning %s names what it is about", (warning, details, named) => {
    const { what, next } = findingWords(t, { code: "invalid_field", message: "", details: { warning, ...details } });
    expect(what).toContain(named);
    expect(next).not.toContain("warning.");
  });

  test("an unknown warning speaks with the words of its code", () => {
    const { what } = findingWords(t, { code: "tag_immutable", message: "", details: { warning: "new" } });
    expect(what).toBe(en.failure.tag_immutable.what);
  });
});

test("a near miss is offered", () => {
  expect(suggestionsOf({ details: { suggestions: "docker/Dockerfile.prod\ndockerfile" } })).toEqual(["docker/Dockerfile.prod", "dockerfile"]);
  expect(suggestionsOf({})).toEqual([]);
});

test("a failed build points at the rule's field, by its own word or by its code", () => {
  expect(fieldAtFault({ code: "dockerfile_missing" })).toBe("dockerfile_path");
  expect(fieldAtFault({ code: "invalid_field", field: "spec.options.target" })).toBe("options.target");
  expect(fieldAtFault({ code: "invalid_field", field: "version.templates[0]" })).toBe("version.templates");
  expect(fieldAtFault({ code: "engine_lost" })).toBeNull();
});
