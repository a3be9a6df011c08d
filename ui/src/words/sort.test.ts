import { describe, expect, test } from "vitest";

import { nextSort, readSort, sortRows } from "./sort";

const rows = [
  { name: "api-10", size: 3 },
  { name: "API-2", size: null },
  { name: "web", size: 1 },
];
const columns = { name: (row: (typeof rows)[number]) => row.name, size: (row: (typeof rows)[number]) => row.size };
const names = (sort: string | undefined) => sortRows(rows, sort, columns).map(({ name }) => name);

describe("sortRows", () => {
  test.each([
    [undefined, ["api-10", "API-2", "web"]],
    ["name", ["API-2", "api-10", "web"]],
    ["-name", ["web", "api-10", "API-2"]],
    ["size", ["web", "api-10", "API-2"]],
    ["-size", ["api-10", "web", "API-2"]],
    ["constructor", ["api-10", "API-2", "web"]],
  ])("%s", (sort, expected) => expect(names(sort)).toEqual(expected));
});

test("a header goes ascending, descending, and back to how the list came", () => {
  expect([nextSort(undefined, "name"), nextSort("name", "name"), nextSort("-name", "name"), nextSort("size", "name")]).toEqual([
    "name",
    "-name",
    undefined,
    "name",
  ]);
  expect(readSort("-size", columns)).toEqual({ column: "size", down: true });
});
