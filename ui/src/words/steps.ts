import type { StepView } from "../host/bindings";

/**
 * Steps in the order of the Dockerfile: those of one stage stand by their number (`[2/5]`), whatever order the engine told them
 * in. Everything else keeps its place.
 */
export function orderedSteps(steps: readonly StepView[]): StepView[] {
  const placesOf = new Map<string, number[]>();
  steps.forEach(({ stage, position }, at) => {
    if (position === null) return;
    const key = `${stage ?? ""}/${position[1]}`;
    placesOf.set(key, [...(placesOf.get(key) ?? []), at]);
  });
  const ordered = [...steps];
  for (const places of placesOf.values()) {
    const sorted = places.flatMap((at) => steps[at] ?? []).sort((a, b) => (a.position?.[0] ?? 0) - (b.position?.[0] ?? 0));
    sorted.forEach((step, index) => {
      const place = places[index];
      if (place !== undefined) ordered[place] = step;
    });
  }
  return ordered;
}
