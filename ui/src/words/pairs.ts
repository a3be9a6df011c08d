import type { NameValue } from "../host/bindings";

/** Pairs as `name=value` lines. */
export const pairText = (pairs: NameValue[]) => pairs.map(({ name, value }) => `${name}=${value}`).join("\n");

/** Reads `name=value` lines; an empty line counts for nothing. `bad` is the first line (from 1) that is none. */
export function readPairs(text: string): { pairs: NameValue[]; bad: number | null } {
  const pairs: NameValue[] = [];
  let bad: number | null = null;
  text.split("\n").forEach((line, index) => {
    if (line.trim() === "") return;
    const at = line.indexOf("=");
    if (at > 0) pairs.push({ name: line.slice(0, at).trim(), value: line.slice(at + 1) });
    else bad ??= index + 1;
  });
  return { pairs, bad };
}
