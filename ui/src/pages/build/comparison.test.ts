import { expect, test } from "vitest";

import type { BuildDetailView, NameValue, StepView } from "../../host/bindings";
import { compareBuilds, copiedBy } from "./comparison";

const step = (name: string, at: number, cached: boolean): StepView => ({
  ordinal: at,
  name,
  stage: null,
  position: [at, 3],
  key: `sha256:${at}`,
  clipped: false,
  warning: null,
  internal: false,
  started: "2026-01-01T00:00:00Z",
  completed: "2026-01-01T00:00:01Z",
  cached,
  error: null,
  lines: null,
});

/** Only what the comparison looks at. */
function build(steps: StepView[], args: NameValue[] = [], commit = "a".repeat(40), no_cache = false): BuildDetailView {
  const options = { args, target: null, platforms: [], network: "default", no_cache };
  return { steps, engine: "local", inputs: { commit, dockerfile_path: "Dockerfile", context_dir: "", options } } as unknown as BuildDetailView;
}

const from = (cached = false) => step("[1/3] FROM busybox", 1, cached);

test("the first step that ran is named; a FROM is no such step", () => {
  const before = build([from(), step("[2/3] COPY . /", 2, true), step("[3/3] RUN make", 3, true)]);
  const after = build([from(), step("[2/3] COPY . /", 2, true), step("[3/3] RUN make", 3, false)], [], "b".repeat(40));
  const { cached, cachedBefore, firstRun, firstRunWasThere, otherCommit, differences } = compareBuilds(before, after);
  expect([cached, cachedBefore]).toEqual([{ steps: 1, of: 3 }, { steps: 2, of: 3 }]);
  expect([firstRun?.name, firstRunWasThere, otherCommit, differences]).toEqual(["[3/3] RUN make", true, true, []]);
});

test("an instruction that is new is told from one whose files changed, also when its number moved", () => {
  const before = build([from(), step("[2/2] RUN make", 2, false)]);
  const moved = compareBuilds(before, build([from(), step("[2/3] RUN make", 2, false)]));
  expect(moved.firstRunWasThere).toBe(true);
  const fresh = compareBuilds(before, build([from(), step("[2/3] RUN make all", 2, false)]));
  expect(fresh.firstRunWasThere).toBe(false);
});

test("arguments that were added, changed and removed", () => {
  const one = build([], [{ name: "SAME", value: "1" }, { name: "GONE", value: "x" }, { name: "WHO", value: "nobody" }]);
  const two = build([], [{ name: "SAME", value: "1" }, { name: "WHO", value: "world" }, { name: "NEW", value: "" }], undefined, true);
  const { differences, cacheOff, firstRun, otherCommit } = compareBuilds(one, two);
  expect(differences.map(({ name, before, after }) => [name, before, after])).toEqual([
    ["GONE", "x", null],
    ["WHO", "nobody", "world"],
    ["NEW", null, ""],
  ]);
  expect([cacheOff, firstRun, otherCommit]).toEqual([true, null, false]);
});

test("a step names the files that it copies from the build directory", () => {
  const files = ["index.html", "web/a.css", "web/deep/b.css", "website/c.css", "a(b).txt"];
  const copied = (name: string) => copiedBy({ name }, files);
  expect(copied("[2/3] ADD ./ /page")).toEqual(files);
  expect(copied("[build 2/3] COPY --chown=1:1 web /page/")).toEqual(["web/a.css", "web/deep/b.css"]);
  expect(copied("COPY *.html web/*.css /page/")).toEqual(["index.html", "web/a.css"]);
  expect(copied('COPY ["a(b).txt", "/page/"]')).toEqual(["a(b).txt"]);
  expect(copied("COPY nothing /page")).toEqual([]);
  expect(copied("COPY --from=build /out /page")).toBeNull();
  expect(copied("RUN make")).toBeNull();
});
