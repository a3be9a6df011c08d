import { expect, test } from "vitest";

import { tarOf } from "./tar";

/** What an archive holds, read apart from how it was written. */
async function inside(archive: Blob) {
  const bytes = new Uint8Array(await archive.arrayBuffer());
  const text = (from: number, length: number) => new TextDecoder().decode(bytes.slice(from, from + length)).replace(/\0.*$/s, "");
  const found: [string, string][] = [];
  let long = "";
  for (let at = 0; bytes[at] !== 0; ) {
    const size = parseInt(text(at + 124, 12), 8);
    const sum = bytes.slice(at, at + 512).reduce((total, byte, index) => total + (index >= 148 && index < 156 ? 32 : byte), 0);
    expect(parseInt(text(at + 148, 8), 8)).toBe(sum);
    const body = text(at + 512, size);
    if (text(at + 156, 1) === "x") {
      expect(body).toMatch(new RegExp(`^${size} `));
      long = /path=(.*)\n$/.exec(body)?.[1] ?? "";
    } else {
      found.push([long || text(at, 100), body]);
      long = "";
    }
    at += 512 + Math.ceil(size / 512) * 512;
  }
  expect(bytes.length % 512).toBe(0);
  return found;
}

test("files come out as they went in, also with long and foreign names", async () => {
  const long = `${"deep/".repeat(30)}页面.html`;
  const files: [string, string][] = [
    ["index.html", "hello"],
    [long, "x".repeat(512)],
    ["empty", ""],
  ];
  expect(await inside(tarOf(files.map(([path, body]) => ({ path, file: new Blob([body]) }))))).toEqual(files);
});
