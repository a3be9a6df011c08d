import { expect, test } from "vitest";

import { dialogs, readDialog } from "./dialogs";
import routes from "./routes.tsx?raw";

const sources = Object.values(import.meta.glob("./{pages,parts,shell}/**/*.tsx", { query: "?raw", import: "default", eager: true })) as string[];

/** The dialogs that the code of a page draws: its file reads the address for that page and asks for the word. */
const drawn = sources.flatMap((source) => {
  const page = /readDialog\("([^"]+)"/.exec(source)?.[1];
  return page === undefined ? [] : [...source.matchAll(/wanted\?\.kind === "([a-z-]+)"/g)].map((match) => `${page} ${match[1]}`);
});

test("every dialog that a page draws is listed, and every listed one is drawn", () => {
  expect(new Set(drawn)).toEqual(new Set(dialogs.map(({ page, dialog }) => `${page} ${dialog}`)));
});

test("what opens over every page has words of its own", () => {
  const everywhere = dialogs.filter(({ page }) => page === "/").map(({ dialog }) => dialog as string);
  expect(dialogs.filter(({ page, dialog }) => page !== "/" && everywhere.includes(dialog))).toEqual([]);
});

test("a dialog stands on a page of the route table", () => {
  for (const { page } of dialogs) expect(routes).toContain(`path: "${page}"`);
});

test("an address opens only what the page has", () => {
  expect(readDialog("/registries", "edit.3")).toEqual({ kind: "edit", id: 3, rest: "", subject: "3" });
  expect(readDialog("/sources", "add")).toEqual({ kind: "add", id: 0, rest: "", subject: "" });
  expect(readDialog("/repositories/$repository/$tab", "rule.3.options.target")?.rest).toBe("options.target");
  expect(readDialog("/repositories/$repository/$tab", "compare.v1.2,v1.3")?.subject).toBe("v1.2,v1.3");
  expect(readDialog("/sources", "credential.3")).toBeNull();
  expect(readDialog("/sources", undefined)).toBeNull();
});
