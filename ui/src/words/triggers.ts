import type { TFunction } from "i18next";

import type { PushTriggers } from "../host/bindings";

/** A rule's triggers in words: "push to main; new tag". */
export function triggerWords(t: TFunction, triggers: PushTriggers): string {
  const parts: string[] = [];
  if (triggers.any_branch) parts.push(t("triggers.any_branch"));
  else if (triggers.branches.length > 0) parts.push(t("triggers.push_to", { branches: triggers.branches.join(", ") }));
  if (triggers.new_tag) parts.push(t("triggers.new_tag"));
  if (triggers.pattern) parts.push(t("triggers.pattern", { pattern: triggers.pattern }));
  if (parts.length === 0) return t("triggers.manual");
  return parts.reduce((first, rest) => t("triggers.joined", { first, rest }));
}
