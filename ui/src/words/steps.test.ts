import { expect, test } from "vitest";

import type { StepView } from "../host/bindings";
import { orderedSteps } from "./steps";

const step = (ordinal: number, name: string, stage: string | null, position: [number, number] | null): StepView => ({
  ordinal,
  name,
  stage,
  position,
  key: `sha256:${ordinal}`,
  clipped: false,
  warning: null,
  internal: position === null,
  started: null,
  completed: null,
  cached: true,
  error: null,
  lines: null,
});

test("steps of a stage stand by their number, all others where they were", () => {
  const told = [
    step(0, "load", null, null),
    step(1, "[2/3] COPY", null, [2, 3]),
    step(2, "[build 1/2] FROM", "build", [1, 2]),
    step(3, "[3/3] RUN", null, [3, 3]),
    step(4, "[1/3] FROM", null, [1, 3]),
    step(5, "[build 2/2] RUN", "build", [2, 2]),
    step(6, "export", null, null),
  ];
  expect(orderedSteps(told).map(({ name }) => name)).toEqual([
    "load",
    "[1/3] FROM",
    "[build 1/2] FROM",
    "[2/3] COPY",
    "[3/3] RUN",
    "[build 2/2] RUN",
    "export",
  ]);
});
