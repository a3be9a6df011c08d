import type { TFunction } from "i18next";

import type { NoticeFacts } from "../host/bindings";
import { failureKeys } from "../host/failures";
import { foreignText } from "./ansi";
import { shortRef, spanWords } from "./format";

/** A moment of today by its time, an older one with its day; in the reader's language. */
function momentWords(at: string, language: string): string {
  const moment = new Date(at);
  const today = new Date().toDateString() === moment.toDateString();
  return moment.toLocaleString(language === "zh" ? "zh-CN" : language, {
    ...(today ? {} : { month: "short", day: "numeric" }),
    hour: "2-digit",
    minute: "2-digit",
  });
}

/** What a notice says: one line, and a second one when there is more to say. */
export function noticeWords(t: TFunction, facts: NoticeFacts, language: string): { title: string; more: string } {
  switch (facts.kind) {
    case "build_failed":
    case "build_recovered": {
      const { repository_name, number, ref_name, rule_name } = facts.build;
      const values = { name: `${foreignText(repository_name)} #${number}` };
      const where = [ref_name && foreignText(shortRef(ref_name)), rule_name && foreignText(rule_name)].filter(Boolean).join(" · ");
      if (facts.kind === "build_recovered") return { title: t("inbox.build_recovered", values), more: where };
      return { title: t("inbox.build_failed", values), more: [where, t(failureKeys(facts.code).what)].filter(Boolean).join(" · ") };
    }
    case "update_failed":
    case "update_recovered": {
      const { target_name, version, trigger_name } = facts.update;
      const values = { name: foreignText(target_name) };
      const what = [foreignText(version), trigger_name && foreignText(trigger_name)].filter(Boolean).join(" · ");
      if (facts.kind === "update_recovered") return { title: t("inbox.update_recovered", values), more: what };
      const key = facts.state === "rolled_back" || facts.state === "broken" ? facts.state : "failed";
      return { title: t(`inbox.update_${key}`, values), more: `${what} · ${t(failureKeys(facts.code).what)}` };
    }
    case "account_paused":
    case "account_resumed": {
      const { login, host, rules } = facts.account;
      const values = { name: foreignText(login), host: foreignText(host) };
      if (facts.kind === "account_resumed") return { title: t("inbox.account_resumed", values), more: "" };
      return { title: t("inbox.account_paused", values), more: `${t("inbox.rules_wait", { count: rules })} · ${t(failureKeys(facts.code).what)}` };
    }
    case "code_unreachable":
      return {
        title: t("inbox.code_unreachable", { name: foreignText(facts.name) }),
        more: `${t("inbox.since", { when: momentWords(facts.since, language) })} · ${t(failureKeys(facts.code).what)}`,
      };
    case "code_reachable":
      return { title: t("inbox.code_reachable", { name: foreignText(facts.name) }), more: "" };
    case "credential_refused":
      return {
        title: t("inbox.credential_refused", { name: foreignText(facts.credential_name), registry: foreignText(facts.registry_name) }),
        more: t(failureKeys(facts.code).what),
      };
    case "retention_failed":
      return {
        title: t("inbox.retention_failed", { name: foreignText(facts.repository_name) }),
        more: t(failureKeys(facts.code).what),
      };
    case "database_damaged":
      return { title: t("inbox.database_damaged"), more: t("inbox.database_damaged_next") };
    case "database_recovered":
      return {
        title: t("inbox.database_recovered"),
        more: facts.restored_from
          ? t("overview.recovered_from", { backup: facts.restored_from, kept: facts.kept_aside })
          : t("overview.recovered_empty", { kept: facts.kept_aside }),
      };
    case "away": {
      const span = spanWords(t, (Date.parse(facts.to) - Date.parse(facts.from)) / 1000);
      return {
        title: t("inbox.away", { from: momentWords(facts.from, language), to: momentWords(facts.to, language), span }),
        more: t("inbox.caught_up", { count: facts.caught_up }),
      };
    }
  }
}
