import { describe, expect, test } from "vitest";

import { ansiSpans, foreignText, plainText, splitHits } from "./ansi";

const ESC = "\u001b";

describe("ansiSpans", () => {
  test.each([
    ["plain text stays", "hello", [{ text: "hello", class: "" }]],
    ["colours become classes", `${ESC}[31mred${ESC}[0m rest`, [{ text: "red", class: "ansi-red" }, { text: " rest", class: "" }]],
    ["bold and colour together", `${ESC}[1;32mok${ESC}[22m!`, [{ text: "ok", class: "ansi-green ansi-bold" }, { text: "!", class: "ansi-green" }]],
    ["an empty code resets", `${ESC}[33my${ESC}[mz`, [{ text: "y", class: "ansi-yellow" }, { text: "z", class: "" }]],
    ["256 and true colours take their arguments with them", `${ESC}[38;5;196ma${ESC}[38;2;1;2;3mb`, [{ text: "ab", class: "" }]],
    ["markup is text", "<script>alert(1)</script>", [{ text: "<script>alert(1)</script>", class: "" }]],
  ])("%s", (_, line, spans) => expect(ansiSpans(line)).toEqual(spans));
});

test("t07_a_commit_message_cannot_turn_the_text_around_it", () => {
  expect(foreignText("fix \u202egnp.exe\u2066 构建")).toBe("fix \ufffdgnp.exe\ufffd 构建");
});

describe("plainText", () => {
  test.each([
    ["cursor moves and erasing are dropped", `a${ESC}[2K${ESC}[1Ab`, "ab"],
    ["a title is dropped", `${ESC}]0;evil\u0007text`, "text"],
    ["a link keeps its words", `${ESC}]8;;http://evil${ESC}\\words${ESC}]8;;${ESC}\\`, "words"],
    ["an unfinished sequence ends with the line", `text${ESC}[31`, "text"],
    ["a progress line shows its last state", "10%\r50%\r100%", "100%"],
    ["a carriage return at the end is no progress", "done\r", "done"],
    ["control characters vanish, tabs stay", "a\u0000\u0008b\tc\u009b", "ab\tc"],
    ["turning and hiding marks are seen", "a\u202eb\u200bc", "a\ufffdb\ufffdc"],
    ["Chinese stays", "构建成功", "构建成功"],
  ])("%s", (_, line, text) => expect(plainText(line)).toBe(text));

  test("t08_a_bomb_of_sequences_takes_no_time", () => {
    const started = performance.now();
    expect(plainText(`${ESC}[`.repeat(50_000))).toBe("");
    plainText(`${ESC}]`.repeat(50_000));
    expect(performance.now() - started).toBeLessThan(500);
  });
});

test("t08_a_line_of_nothing_but_colours_is_drawn_in_few_pieces", () => {
  const spans = ansiSpans(`${ESC}[31ma${ESC}[32mb`.repeat(2000));
  expect(spans.length).toBeLessThanOrEqual(400);
  expect(spans.map(({ text }) => text).join("")).toBe("ab".repeat(2000));
});

test("t07_marks_that_hide_are_seen_wherever_unicode_has_them", () => {
  expect(plainText("a\u00adb\u061cc\u2028d\u3164e\u{e0041}f")).toBe("a\ufffdb\ufffdc\ufffdd\ufffde\ufffdf");
});

test("what is searched is marked, whatever its case, and nothing is lost", () => {
  const parts = splitHits([{ text: "Error: an ERROR", class: "" }, { text: " error", class: "ansi-red" }], "error");
  expect(parts.map(({ text, hit }) => (hit ? `[${text}]` : text)).join("")).toBe("[Error]: an [ERROR] [error]");
  expect(splitHits([{ text: "abc", class: "" }], "")).toEqual([{ text: "abc", class: "" }]);
});
