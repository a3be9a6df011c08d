import { createInstance, type TFunction } from "i18next";
import { beforeAll, describe, expect, test } from "vitest";

import en from "../i18n/en.json";
import zh from "../i18n/zh.json";
import { bytesWords, durationWords, platformText, relativeWords, shortDigest, shortRef } from "./format";
import { triggerWords } from "./triggers";

let t: TFunction;
beforeAll(async () => {
  const instance = createInstance();
  await instance.init({ lng: "en", resources: { en: { translation: en }, zh: { translation: zh } }, interpolation: { escapeValue: false } });
  t = instance.t;
});

const none = { branches: [], any_branch: false, new_tag: false, pattern: null };

describe("triggerWords", () => {
  test.each([
    ["none", none, "by hand only"],
    ["branches", { ...none, branches: ["main", "dev"] }, "push to main, dev"],
    ["any branch says more than single ones", { ...none, branches: ["main"], any_branch: true }, "push to any branch"],
    ["several", { ...none, branches: ["main"], new_tag: true, pattern: "^v" }, "push to main; new tag; ref matches ^v"],
  ])("%s", (_, triggers, words) => expect(triggerWords(t, triggers)).toBe(words));
});

describe("durationWords", () => {
  test.each([
    [0, "0 s"],
    [12, "<0.1 s"],
    [240, "0.2 s"],
    [9_940, "9.9 s"],
    [9_960, "10 s"],
    [72_000, "1 min 12 s"],
    [120_000, "2 min"],
    [3_600_000, "1 h"],
    [93_600_000, "1 day 2 h"],
    [-5, "0 s"],
  ])("%d ms", (milliseconds, words) => expect(durationWords(t, milliseconds)).toBe(words));
});

test("moments are relative, and what just happened is now", () => {
  expect(relativeWords(t, 0, 120_000)).toBe("2 min ago");
  expect(relativeWords(t, 5_000, 0)).toBe("in 5 s");
  expect(relativeWords(t, 1_000, 0)).toBe("now");
});

test("names are cut to what people know them by", () => {
  expect(shortRef("refs/heads/release/1.2")).toBe("release/1.2");
  expect(shortDigest(`sha256:${"9c1f".repeat(16)}`)).toBe("sha256:9c1f9c1f9c1f");
  expect(platformText({ os: "linux", architecture: "arm", variant: "v7" })).toBe("linux/arm/v7");
  expect([bytesWords(999), bytesWords(41_300_000), bytesWords(778_000_000)]).toEqual(["999 B", "41.3 MB", "778 MB"]);
});

test("Chinese has the keys of English, and no text is empty", () => {
  const keys = (tree: object, path = ""): string[] =>
    Object.entries(tree).flatMap(([name, value]) => {
      expect(value, path + name).not.toBe("");
      return typeof value === "string" ? [path + name] : keys(value as object, `${path}${name}.`);
    });
  expect(keys(zh)).toEqual(keys(en));
});

test("a text names the same values in both languages", () => {
  const values = (text: string) => [...text.matchAll(/\{\{(\w+)\}\}/g)].map((match) => match[1]).sort();
  const compare = (english: object, chinese: object) => {
    for (const [name, value] of Object.entries(english)) {
      const other = (chinese as Record<string, unknown>)[name];
      if (typeof value === "string") expect(values(other as string), name).toEqual(values(value));
      else compare(value as object, other as object);
    }
  };
  compare(en, zh);
});
