import { describe, expect, test } from "vitest";

import { LINE_PX, placeOf, scrollOf, tallest } from "./logScroll";

const HEIGHT = 540;

describe.each([10, 1_300_000, 50_000_000])("a log of %d lines", (total) => {
  test("begins at its first line", () => expect(placeOf(0, total, HEIGHT)).toEqual({ first: 0, offset: 0 }));

  test("its end is the last line, at the bottom", () => {
    const scroll = scrollOf(total - 1, "end", total, HEIGHT);
    const { first, offset } = placeOf(scroll, total, HEIGHT);
    const bottom = offset + (total - first) * LINE_PX;
    expect(bottom).toBeCloseTo(Math.min(scroll + HEIGHT, total * LINE_PX), 3);
    expect(scroll).toBeLessThanOrEqual(Math.max(0, tallest(total) - HEIGHT) + 0.001);
  });

  test("a line in the middle is seen", () => {
    const index = Math.floor(total / 2);
    const scroll = scrollOf(index, "center", total, HEIGHT);
    const { first, offset } = placeOf(scroll, total, HEIGHT);
    const y = offset + (index - first) * LINE_PX - scroll;
    expect(y).toBeGreaterThanOrEqual(0);
    expect(y).toBeLessThan(HEIGHT);
  });
});

test("the scrolled area stays below what browsers can do", () => expect(tallest(50_000_000)).toBe(30_000_000));
