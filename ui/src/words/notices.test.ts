import { createInstance, type TFunction } from "i18next";
import { beforeAll, describe, expect, test } from "vitest";

import type { NoticeFacts } from "../host/bindings";
import en from "../i18n/en.json";
import zh from "../i18n/zh.json";
import { noticeWords } from "./notices";

const build = { build: 7, number: 12, repository: 2, repository_name: "team/site", rule_name: "site", ref_name: "refs/heads/main" };
const account = { account: 3, login: "ann", host: "git.example.com", rules: 2 };
const update = { firing: 9, target_name: "web", version: "main-1234567", trigger_name: "page" };
const facts: NoticeFacts[] = [
  { kind: "build_failed", build, code: "step_failed" },
  { kind: "build_recovered", build },
  { kind: "update_failed", update, code: "target_unhealthy", state: "rolled_back" },
  { kind: "update_failed", update, code: "target_unhealthy", state: "broken" },
  { kind: "update_failed", update, code: "target_gone", state: "failed" },
  { kind: "update_recovered", update },
  { kind: "account_paused", account, code: "source_unauthorized" },
  { kind: "account_resumed", account },
  { kind: "code_unreachable", code_repository: 1, name: "team/code", code: "source_unreachable", since: "2026-01-02T03:04:05Z" },
  { kind: "code_reachable", code_repository: 1, name: "team/code" },
  { kind: "credential_refused", registry: 1, registry_name: "company", credential: 4, credential_name: "ann", code: "registry_unauthorized" },
  { kind: "retention_failed", repository: 2, repository_name: "team/site", code: "registry_unsupported" },
  { kind: "database_damaged" },
  { kind: "database_recovered", kept_aside: "/data/aside", restored_from: null },
  { kind: "away", from: "2026-01-02T03:00:00Z", to: "2026-01-02T05:00:00Z", caught_up: 3 },
];

describe.each(["en", "zh"])("notices in %s", (language) => {
  let t: TFunction;
  beforeAll(async () => {
    const instance = createInstance();
    await instance.init({ lng: language, resources: { en: { translation: en }, zh: { translation: zh } }, interpolation: { escapeValue: false } });
    t = instance.t;
  });

  test.each(facts)("$kind is a whole sentence", (one) => {
    const { title, more } = noticeWords(t, one, language);
    expect(title).not.toMatch(/inbox\.|\{\{/);
    expect(more).not.toMatch(/inbox\.|failure\.|\{\{/);
  });

  test("t07_a_name_cannot_turn_the_sentence", () => {
    const { title } = noticeWords(t, { kind: "code_reachable", code_repository: 1, name: "a\u202eb" }, language);
    expect(title).toContain("a\ufffdb");
  });
});
