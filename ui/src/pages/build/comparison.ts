import type { BuildDetailView, BuildInputs, NameValue, StepView } from "../../host/bindings";
import { platformText } from "../../words/format";
import { orderedSteps } from "../../words/steps";

/** A value that two builds of a rule do not share; null stands for nothing. */
export interface Difference {
  /** What differs; a build argument carries its name. */
  field: "argument" | "dockerfile_path" | "context_dir" | "target" | "platforms" | "network" | "engine";
  name: string | null;
  before: string | null;
  after: string | null;
}

/** What two builds of a rule say about each other. */
export interface Comparison {
  /** Steps of the Dockerfile: how many came from the cache, of how many. */
  cached: { steps: number; of: number };
  cachedBefore: { steps: number; of: number };
  /** The first step of the Dockerfile that was run; null when none was. */
  firstRun: StepView | null;
  /** That step stood there in the build before as well. */
  firstRunWasThere: boolean;
  differences: Difference[];
  /** The builds are of different commits. */
  otherCommit: boolean;
  /** The cache was switched off. */
  cacheOff: boolean;
}

const ofDockerfile = (build: BuildDetailView) => orderedSteps(build.steps).filter(({ position }) => position !== null);
const tally = (steps: StepView[]) => ({ steps: steps.filter(({ cached }) => cached).length, of: steps.length });
/** An instruction without its number, which moves when a step is added before it. */
const instruction = ({ name }: Pick<StepView, "name">) => name.replace(/^\[[^\]]*\]\s*/, "");

function pairs(before: NameValue[], after: NameValue[]): Difference[] {
  const names = [...new Set([...before, ...after].map(({ name }) => name))];
  const valueOf = (list: NameValue[], name: string) => list.find((one) => one.name === name)?.value ?? null;
  return names
    .map((name): Difference => ({ field: "argument", name, before: valueOf(before, name), after: valueOf(after, name) }))
    .filter((one) => one.before !== one.after);
}

function plain(build: BuildDetailView): [Exclude<Difference["field"], "argument">, string | null][] {
  const { dockerfile_path, context_dir, options }: BuildInputs = build.inputs;
  return [
    ["dockerfile_path", dockerfile_path],
    ["context_dir", context_dir || null],
    ["target", options.target],
    ["platforms", options.platforms.map(platformText).join(", ") || null],
    ["network", options.network],
    ["engine", build.engine || null],
  ];
}

/** Returns which of the files a step copies from the build directory; `null` when it copies nothing from there. */
export function copiedBy({ name }: Pick<StepView, "name">, files: string[]): string[] | null {
  const [, rest] = /^(?:COPY|ADD)\s+(.*)$/is.exec(instruction({ name })) ?? [];
  if (rest === undefined) return null;
  const words = wordsOf(rest);
  const named = words.filter((word) => word !== "" && !word.startsWith("--"));
  if (words.some((word) => word.startsWith("--from="))) return null;
  const sources = named.slice(0, -1).map((source) => new RegExp(`^${patternOf(source.replace(/^(\.?\/)+|\/+$/g, ""))}(/|$)`));
  return files.filter((file) => sources.some((source) => source.test(file)));
}

function wordsOf(text: string): string[] {
  const list = /\[.*\]\s*$/s.exec(text);
  try {
    if (list) return [...text.slice(0, list.index).trim().split(/\s+/), ...(JSON.parse(list[0]) as string[])];
  } catch {
    // A name in brackets, not a list.
  }
  return text.trim().split(/\s+/);
}

/** A source as the engine reads it: `*` and `?` stay within a folder; nothing, or a dot, is all of it. */
function patternOf(source: string): string {
  if (source === "" || source === ".") return ".*";
  return source.replace(/[.+^${}()|\\]/g, "\\$&").replaceAll("*", "[^/]*").replaceAll("?", "[^/]");
}

/** Compares a build with the one before it, from what both records hold. */
export function compareBuilds(before: BuildDetailView, after: BuildDetailView): Comparison {
  const steps = ofDockerfile(after);
  // A FROM is looked up, not run: it says nothing about the cache.
  const firstRun = steps.find((step) => step.started !== null && !step.cached && !/^FROM\b/i.test(instruction(step))) ?? null;
  const plainBefore = new Map(plain(before));
  return {
    cached: tally(steps),
    cachedBefore: tally(ofDockerfile(before)),
    firstRun,
    firstRunWasThere: firstRun !== null && ofDockerfile(before).some((step) => instruction(step) === instruction(firstRun)),
    differences: [
      ...pairs(before.inputs.options.args, after.inputs.options.args),
      ...plain(after).flatMap(([field, value]) => {
        const old = plainBefore.get(field) ?? null;
        return old === value ? [] : [{ field, name: null, before: old, after: value }];
      }),
    ],
    otherCommit: before.inputs.commit !== after.inputs.commit,
    cacheOff: after.inputs.options.no_cache,
  };
}
