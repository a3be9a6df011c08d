import type { TFunction } from "i18next";

import type { Failure } from "./bindings";
import { failureKeys } from "./failures";

/** The warnings that have words of their own; others speak with the words of their code. */
const kinds = ["collision", "write_once", "newest_platform", "platform", "credential_argument", "fixed_tags"] as const;

/** What a finding of the checks says: what is the matter, and what can be done. */
export function findingWords(t: TFunction, { code, details }: Failure): { what: string; next: string } {
  const kind = kinds.find((one) => one === details?.warning);
  if (!kind) return { what: t(failureKeys(code).what), next: t(failureKeys(code).next) };
  const { tag = "", refs = "", newest = "", wanted = "", engine = "", name = "" } = details ?? {};
  const values = { tag, refs, newest, wanted, engine, name };
  return { what: t(`warning.${kind}.what`, values), next: t(`warning.${kind}.next`, values) };
}

/** Paths that a failure offers instead of the one that is not there. */
export const suggestionsOf = ({ details }: { details?: Failure["details"] }): string[] =>
  details?.suggestions?.split("\n").filter(Boolean) ?? [];

const fieldOf: Partial<Record<Failure["code"], string>> = {
  dockerfile_missing: "dockerfile_path",
  dockerfile_syntax: "dockerfile_path",
  copy_source_missing: "context_dir",
  context_missing: "context_dir",
  bad_ignore_file: "context_dir",
  target_missing: "options.target",
  secret_missing: "options.secrets",
  entitlement_refused: "options.network",
  base_image_platform: "options.platforms",
  engine_platforms: "options.platforms",
  engine_unsupported: "options.engine",
  bad_tag_template: "version",
  tag_immutable: "version",
  timed_out: "options.timeout_seconds",
  source_not_found: "code",
  ref_not_found: "triggers",
  bad_regex: "triggers",
};

/** The field of the rule that a failed build points at; none when the rule is not at fault. */
export function fieldAtFault({ code, field }: Pick<Failure, "code"> & { field?: string | null }): string | null {
  const named = field?.replace(/^(spec|form|inputs)\./, "").replace(/\[.*$/, "");
  return named || fieldOf[code] || null;
}
