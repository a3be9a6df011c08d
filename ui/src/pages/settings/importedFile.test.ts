import { expect, test } from "vitest";

import type { ImportItem, ImportState } from "../../host/bindings";
import { countsOf, readConfiguration } from "./importedFile";

test("a file that is no UTF-8 or too long is refused before anything is sent", async () => {
  expect(await readConfiguration(new Blob(['\ufeff{"slipway": 1}']))).toEqual({ text: '{"slipway": 1}' });
  expect(await readConfiguration(new Blob([new Uint8Array([0x7b, 0xff])]))).toMatchObject({ failure: { code: "bad_configuration" } });
  const long = { size: 10 * 1024 * 1024 + 1, arrayBuffer: () => Promise.reject(new Error("it was read")) };
  expect(await readConfiguration(long as unknown as Blob)).toMatchObject({ failure: { code: "bad_configuration" } });
});

test("what differs is written only when that was chosen", () => {
  const place = "repositories[0].rules[0]";
  const item = (state: ImportState): ImportItem => ({ object: "rule", name: "a", of: null, detail: null, place, state, needs: [] });
  const failure = { code: "name_taken", message: "taken" } as const;
  const items = [item({ kind: "new" }), item({ kind: "differs", fields: ["name"] }), item({ kind: "same" }), item({ kind: "refused", failure })];
  const report = { items, asks_plain_http: false };
  expect(countsOf(report, { change: false, allow_plain_http: false })).toEqual({ added: 1, changed: 0, differs: 1, same: 1, refused: 1, writes: 1 });
  expect(countsOf(report, { change: true, allow_plain_http: false })).toMatchObject({ changed: 1, writes: 2 });
});
