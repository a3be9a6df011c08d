import type { DeployPlace, DeployTarget, TagCondition, TriggerSpec, TriggerView, WebhookHeader } from "../../host/bindings";
import { groupOf, placeOf } from "../../words/targets";

/** What is typed into the trigger editor. */
export interface TriggerDraft {
  name: string;
  conditionKind: TagCondition["kind"];
  list: string;
  pattern: string;
  action: "service" | "webhook";
  /** Where the service runs; none until one is chosen. */
  place: DeployPlace | null;
  /** The group of the place, by its key. */
  group: string;
  target: DeployTarget | null;
  url: string;
  headers: WebhookHeader[];
  signingSecret: number | null;
  allowPrivate: boolean;
  stayUp: number | string;
  deadline: number | string;
  enabled: boolean;
}

/** The health gate of a new trigger, as the core has it. */
export const GATE = { stay_up_seconds: 5, deadline_seconds: 300 };

/** The editor's first values: the trigger's, or a new one's on this target. */
export function triggerDraftOf(spec: TriggerView["spec"] | undefined, chosen: DeployTarget | null): TriggerDraft {
  const target = spec?.target ?? chosen;
  const webhook = target?.kind === "webhook" ? target : null;
  const condition = spec?.condition;
  return {
    name: spec?.name ?? "",
    conditionKind: condition?.kind ?? "all",
    list: condition?.kind === "tags" ? condition.list : "",
    pattern: condition?.kind === "pattern" ? condition.pattern : "",
    action: webhook ? "webhook" : "service",
    place: target && placeOf(target),
    group: target && !webhook ? groupOf(target) : "",
    target: webhook ? null : target,
    url: webhook?.url ?? "",
    headers: webhook?.headers ?? [],
    signingSecret: webhook?.signing_secret ?? null,
    allowPrivate: webhook?.allow_private ?? false,
    stayUp: spec?.gate.stay_up_seconds ?? GATE.stay_up_seconds,
    deadline: spec?.gate.deadline_seconds ?? GATE.deadline_seconds,
    enabled: spec?.enabled ?? true,
  };
}

/** The condition as the core takes it. */
export function conditionOf(draft: TriggerDraft): TagCondition {
  switch (draft.conditionKind) {
    case "all":
      return { kind: "all" };
    case "tags":
      return { kind: "tags", list: draft.list };
    case "pattern":
      return { kind: "pattern", pattern: draft.pattern };
  }
}

/** What the draft updates; none until it is chosen. */
export function draftTarget(draft: TriggerDraft): DeployTarget | null {
  if (draft.action === "service") return draft.target;
  const url = draft.url.trim();
  if (url === "") return null;
  return { kind: "webhook", url, headers: draft.headers, signing_secret: draft.signingSecret, allow_private: draft.allowPrivate };
}

/** What the draft says, as the core takes it. */
export function triggerSpecOf(draft: TriggerDraft, target: DeployTarget): TriggerSpec {
  return {
    name: draft.name.trim(),
    condition: conditionOf(draft),
    target,
    gate: { stay_up_seconds: Number(draft.stayUp), deadline_seconds: Number(draft.deadline) },
    enabled: draft.enabled,
  };
}

/** A letter first, then letters, digits, `-`, `_` and `.`; 2 to 64 characters. */
export const isTriggerName = (name: string) => /^[A-Za-z][A-Za-z0-9._-]{1,63}$/.test(name.trim());
