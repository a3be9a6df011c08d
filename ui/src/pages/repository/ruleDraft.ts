import type { CodeRepositoryView, Platform, RuleSecret, RuleSpec, RuleView, Strategy } from "../../host/bindings";
import { platformText, shortRef } from "../../words/format";
import { pairText, readPairs } from "../../words/pairs";

/** What is typed into the rule editor. Lists of name=value are text until they are sent. */
export interface RuleDraft {
  name: string;
  code: string;
  branches: string[];
  byBranch: boolean;
  anyBranch: boolean;
  newTag: boolean;
  byPattern: boolean;
  pattern: string;
  include: string[];
  exclude: string[];
  skipWords: boolean;
  strategy: Strategy;
  autoTrigger: boolean;
  reportStatus: boolean;
  dockerfile: string;
  context: string;
  args: string;
  labels: string;
  secrets: RuleSecret[];
  target: string;
  platforms: string[];
  noCache: boolean;
  alwaysPull: boolean;
  noStandardLabels: boolean;
  network: RuleSpec["options"]["network"];
  timeoutMinutes: number | string;
  engine: string;
  versionKind: "parts" | "templates";
  prefix: string;
  partRef: boolean;
  partTime: boolean;
  partCommit: boolean;
  templates: string[];
  overwriteTag: string;
}

function readPlatform(text: string): Platform {
  const [os = "", architecture = "", variant] = text.trim().split("/");
  return { os, architecture, ...(variant ? { variant } : {}) };
}

/** The editor's first values: the rule's, or the defaults of product.md section 4. */
export function draftOf(rule: RuleView | undefined, source: CodeRepositoryView | undefined): RuleDraft {
  const spec = rule?.spec;
  const version = spec?.version;
  const parts = version?.kind === "parts" ? version : null;
  const branches = spec?.triggers.branches ?? (source?.default_branch ? [shortRef(source.default_branch)] : []);
  return {
    name: spec?.name ?? source?.name.split("/").pop() ?? "",
    code: spec ? String(spec.code) : source ? String(source.id) : "",
    branches,
    byBranch: branches.length > 0,
    anyBranch: spec?.triggers.any_branch ?? false,
    newTag: spec?.triggers.new_tag ?? false,
    byPattern: Boolean(spec?.triggers.pattern),
    pattern: spec?.triggers.pattern ?? "",
    include: spec?.paths.include ?? [],
    exclude: spec?.paths.exclude ?? [],
    skipWords: spec?.skip_words ?? true,
    strategy: spec?.strategy ?? "newest_per_ref",
    autoTrigger: spec?.auto_trigger ?? true,
    reportStatus: spec?.report_status ?? false,
    dockerfile: spec?.dockerfile_path ?? "Dockerfile",
    context: spec?.context_dir ?? "",
    args: pairText(spec?.options.args ?? []),
    labels: pairText(spec?.options.labels ?? []),
    secrets: spec?.options.secrets ?? [],
    target: spec?.options.target ?? "",
    platforms: spec?.options.platforms.map(platformText) ?? [],
    noCache: spec?.options.no_cache ?? false,
    alwaysPull: spec?.options.always_pull ?? false,
    noStandardLabels: spec?.options.no_standard_labels ?? false,
    network: spec?.options.network ?? "default",
    timeoutMinutes: spec?.options.timeout_seconds ? spec.options.timeout_seconds / 60 : "",
    engine: spec?.options.engine ?? "",
    versionKind: version?.kind ?? "parts",
    prefix: parts?.prefix ?? "",
    partRef: parts?.ref_name ?? true,
    partTime: parts?.update_time ?? false,
    partCommit: parts?.commit ?? true,
    templates: version?.kind === "templates" ? version.templates : ["{branch}-{short_sha}"],
    overwriteTag: spec?.overwrite_tag ?? "",
  };
}

/** What the draft says, as the core takes it. */
export function specOf(draft: RuleDraft): RuleSpec {
  return {
    name: draft.name.trim(),
    code: Number(draft.code),
    triggers: {
      branches: draft.byBranch ? draft.branches : [],
      any_branch: draft.anyBranch,
      new_tag: draft.newTag,
      pattern: draft.byPattern && draft.pattern ? draft.pattern : null,
    },
    paths: { include: draft.include, exclude: draft.exclude },
    skip_words: draft.skipWords,
    dockerfile_path: draft.dockerfile.trim(),
    context_dir: draft.context.trim(),
    version:
      draft.versionKind === "parts"
        ? { kind: "parts", prefix: draft.prefix, ref_name: draft.partRef, update_time: draft.partTime, commit: draft.partCommit }
        : { kind: "templates", templates: draft.templates },
    overwrite_tag: draft.overwriteTag.trim() || null,
    options: {
      platforms: draft.platforms.map(readPlatform),
      args: readPairs(draft.args).pairs,
      secrets: draft.secrets,
      target: draft.target.trim() || null,
      labels: readPairs(draft.labels).pairs,
      no_standard_labels: draft.noStandardLabels,
      no_cache: draft.noCache,
      always_pull: draft.alwaysPull,
      network: draft.network,
      timeout_seconds: typeof draft.timeoutMinutes === "number" ? Math.round(draft.timeoutMinutes * 60) : null,
      engine: draft.engine.trim() || null,
    },
    strategy: draft.strategy,
    auto_trigger: draft.autoTrigger,
    report_status: draft.reportStatus,
  };
}
