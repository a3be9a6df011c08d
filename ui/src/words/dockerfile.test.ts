import { expect, test } from "vitest";

import { dockerfilePieces } from "./dockerfile";

/** What stands out in a text, as `kind:text`. */
const seen = (text: string) =>
  dockerfilePieces(text)
    .flat()
    .filter(({ kind }) => kind !== "plain")
    .map(({ kind, text: piece }) => `${kind}:${piece}`);

test("instructions, flags, strings and variables stand out", () => {
  expect(seen('FROM --platform=$BUILDPLATFORM node:24 AS build\nRUN echo "hi $NAME" \'$NOT\'\n# done')).toEqual([
    "keyword:FROM",
    "flag:--platform",
    "variable:$BUILDPLATFORM",
    "keyword:AS",
    "keyword:RUN",
    'string:"hi ',
    "variable:$NAME",
    'string:"',
    "string:'$NOT'",
    "comment:# done",
  ]);
});

test("an instruction that goes on holds no other one, and a comment inside it is one", () => {
  expect(seen("RUN apt \\\n  # why\n\n  add x\nADD a b")).toEqual(["keyword:RUN", "comment:  # why", "keyword:ADD"]);
  expect(seen("# escape=`\nRUN dir `\nadd x")).toEqual(["comment:# escape=`", "keyword:RUN"]);
});

test("a document inside it ends with its own name", () => {
  expect(seen("RUN <<END sh\nFROM here\nEND\nUSER me")).toEqual(["keyword:RUN", "string:FROM here", "string:END", "keyword:USER"]);
  expect(seen("COPY <<-A <<B /x/\n\tone\n\tA\ntwo\nB\nCMD x")).toEqual(["keyword:COPY", "string:\tone", "string:\tA", "string:two", "string:B", "keyword:CMD"]);
});

test("what is triggered later is an instruction too", () => {
  expect(seen("ONBUILD RUN x\nHEALTHCHECK --interval=5s CMD true")).toEqual(["keyword:ONBUILD", "keyword:RUN", "keyword:HEALTHCHECK", "flag:--interval"]);
});

test("the pieces are the text, whatever it is", () => {
  for (const text of ["", "\n", "NOT one\r\n\tFROM x", "RUN '\nFROM \"", "FROM a\\\n\\", "ENV A=${B:-\"c\"} $"]) {
    expect(dockerfilePieces(text).map((line) => line.map((piece) => piece.text).join("")).join("\n")).toBe(text);
  }
});
