import { expect, test } from "vitest";

import type { LogLineView } from "../../host/bindings";
import { CHUNK, LogPages, StepPlaces } from "./logPages";

const lines = (from: number, count = CHUNK, text = "0123456789"): LogLineView[] =>
  Array.from({ length: count }, (_, at) => ({ number: from + at, step: 1, stream: "out", at: null, text, clipped: false }));

test("b05_a_long_log_keeps_only_what_was_looked_at_last", () => {
  const pages = new LogPages(3 * CHUNK * 10);
  for (let chunk = 0; chunk < 5000; chunk += 1) {
    pages.put(chunk, lines(chunk * CHUNK));
    pages.touch(0);
  }
  const kept = Array.from({ length: 5000 }, (_, chunk) => chunk).filter((chunk) => pages.lineAt(chunk * CHUNK));
  expect(kept).toEqual([0, 4998, 4999]);
});

test("two chunks stay however long their lines are", () => {
  const pages = new LogPages(10);
  pages.put(0, lines(0));
  pages.put(1, lines(CHUNK));
  expect([pages.lineAt(0)?.number, pages.lineAt(CHUNK)?.number]).toEqual([0, CHUNK]);
});

test("a chunk at the end of a growing log is whole until the log grows", () => {
  const pages = new LogPages();
  pages.put(0, lines(0, 7));
  expect([pages.isWhole(0, 7), pages.isWhole(0, 8)]).toEqual([true, false]);
});

test("a step that wrote alone is reached at once, one among others by way of what is known", () => {
  const alone = new StepPlaces();
  alone.place(40, true);
  expect(alone.nearest(1000)).toEqual({ chunk: 1000, from: 40 + 1000 * CHUNK });

  const among = new StepPlaces();
  among.place(40, false);
  expect(among.nearest(3)).toEqual({ chunk: 0, from: 40 });
  among.learn(0, lines(90));
  expect(among.nearest(3)).toEqual({ chunk: 1, from: 90 + CHUNK });
  // An unfinished chunk says nothing about the next one.
  among.learn(1, lines(900, 3));
  expect(among.nearest(3).chunk).toBe(1);
});
