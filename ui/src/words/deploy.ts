import type { TFunction } from "i18next";

import type { DeployOutcome, FiringReason, ManagedBy, Planned, PlanNote, Refusal } from "../host/bindings";
import { failureKeys } from "../host/failures";
import { foreignText } from "./ansi";
import { relativeWords } from "./format";

/** Who looks after a target besides its person. */
export function managedWords(t: TFunction, by: ManagedBy): string {
  switch (by.kind) {
    case "compose":
      return t("deploy.by_compose", { project: foreignText(by.project), service: foreignText(by.service) });
    case "swarm":
      return t("deploy.by_swarm", { service: foreignText(by.service) });
    case "kubernetes":
      return t("deploy.by_kubernetes", { pod: foreignText(by.pod) });
    case "other":
      return t("deploy.by_other", { label: foreignText(by.label) });
    case "slipway":
      return t("deploy.by_slipway");
  }
}

/** Why a target cannot be updated as it is. */
export function refusalWords(t: TFunction, refusal: Refusal): string {
  switch (refusal.kind) {
    case "links":
    case "shared_by":
    case "no_such_container":
      return t(`deploy.refusal_${refusal.kind}`, { names: refusal.names.map(foreignText).join(", ") });
    case "managed":
      return t("deploy.refusal_managed", { by: managedWords(t, refusal.by) });
    case "owned_by":
      return t("deploy.refusal_owned_by", { owner: foreignText(refusal.owner) });
    case "exec_not_allowed":
      return t("deploy.refusal_exec_not_allowed", { command: foreignText(refusal.command) });
    case "private_address":
    case "clear_text":
      return t(`deploy.refusal_${refusal.kind}`, { host: foreignText(refusal.host) });
    case "platform":
      return t("deploy.refusal_platform", { image: refusal.image, target: refusal.target });
    case "unfaithful":
      return t("deploy.refusal_unfaithful", { setting: foreignText(refusal.setting), why: foreignText(refusal.why) });
    default:
      return t(`deploy.refusal_${refusal.kind}`);
  }
}

/** What a person should know about a plan. */
export function noteWords(t: TFunction, note: PlanNote): string {
  switch (note.kind) {
    case "compose_up_returns":
      return note.files ? t("deploy.note_compose_up_returns_files", { files: foreignText(note.files) }) : t("deploy.note_compose_up_returns");
    case "port_kept":
      return t("deploy.note_port_kept", { port: note.port });
    case "no_candidate":
      return t("deploy.note_no_candidate", { why: foreignText(note.why) });
    default:
      return t(`deploy.note_${note.kind}`);
  }
}

/** Why a firing waits or did nothing. */
export function reasonWords(t: TFunction, reason: FiringReason, now: number): string {
  switch (reason.kind) {
    case "outside":
      return t("firings.reason_outside", { what: t(failureKeys(reason.failure.code).what) });
    case "backoff":
      return t("firings.reason_backoff", { when: relativeWords(t, Date.parse(reason.until), now), what: t(failureKeys(reason.failure.code).what) });
    default:
      return t(`firings.reason_${reason.kind}`);
  }
}

/** Every reason why nothing was touched. */
export function refusalsOf(plan: Planned | null, outcome: DeployOutcome | null): Refusal[] {
  if (outcome?.kind === "refused") return outcome.reasons;
  return plan?.kind === "refused" ? plan.reasons : [];
}
