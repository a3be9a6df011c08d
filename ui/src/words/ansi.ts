/** A piece of a log line with the classes of its look; `class` never holds foreign text. */
export interface Span {
  text: string;
  class: string;
}

const COLOURS = ["gray", "red", "green", "yellow", "blue", "magenta", "cyan", "plain"] as const;
type Colour = (typeof COLOURS)[number];

interface Look {
  colour: Colour;
  bold: boolean;
  dim: boolean;
  italic: boolean;
  underline: boolean;
}
const PLAIN: Look = { colour: "plain", bold: false, dim: false, italic: false, underline: false };

/** Escape sequences: CSI, OSC up to its end, and the short ones. A sequence that never ends takes the rest of the line. */
const SEQUENCE = /\u001b(?:\[([0-9;:?<=>]*)[ -/]*([@-~]|$)|\][^\u0007\u001b]*(?:\u0007|\u001b\\|$)|[PX^_][^\u001b]*(?:\u001b\\|$)|[ -/]*[0-~]?)/g;
/** Control characters without a picture, except the tab. */
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;
/** Marks that turn or hide what stands beside them; shown as a replacement so that a reader sees that something is there. */
const DECEIVING = /[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb]|\udb40[\udc00-\udfff]/g;
/** A line of nothing but colours is drawn in so many pieces; what follows keeps the last look. */
const MOST_SPANS = 400;

function apply(look: Look, codes: number[]): Look {
  let next = look;
  for (let at = 0; at < codes.length; at += 1) {
    const code = codes[at] ?? 0;
    if (code === 0) next = PLAIN;
    else if (code === 1) next = { ...next, bold: true };
    else if (code === 2) next = { ...next, dim: true };
    else if (code === 3) next = { ...next, italic: true };
    else if (code === 4) next = { ...next, underline: true };
    else if (code === 22) next = { ...next, bold: false, dim: false };
    else if (code === 23) next = { ...next, italic: false };
    else if (code === 24) next = { ...next, underline: false };
    else if (code === 39) next = { ...next, colour: "plain" };
    else if (code >= 30 && code <= 37) next = { ...next, colour: COLOURS[code - 30] ?? "plain" };
    else if (code >= 90 && code <= 97) next = { ...next, colour: COLOURS[code - 90] ?? "plain" };
    // 256 and true colours would break the contrast of the theme: their arguments are passed over.
    else if (code === 38 || code === 48) at += codes[at + 1] === 5 ? 2 : 4;
  }
  return next;
}

function classOf({ colour, bold, dim, italic, underline }: Look): string {
  return [
    colour === "plain" ? "" : `ansi-${colour}`,
    bold ? "ansi-bold" : "",
    dim ? "ansi-dim" : "",
    italic ? "ansi-italic" : "",
    underline ? "ansi-underline" : "",
  ]
    .filter(Boolean)
    .join(" ");
}

/** Splits a log line into spans: colours become classes, everything else that steers a terminal is dropped. */
export function ansiSpans(line: string): Span[] {
  // A progress line writes over itself: its last state is what a terminal would show.
  const shown = line.replace(/\r+$/, "").split("\r").pop() ?? "";
  const spans: Span[] = [];
  let look = PLAIN;
  const add = (raw: string) => {
    const text = raw.replace(CONTROLS, "").replace(DECEIVING, "\ufffd");
    if (text === "") return;
    const name = classOf(look);
    const last = spans.at(-1);
    if (last && (last.class === name || spans.length >= MOST_SPANS)) last.text += text;
    else spans.push({ text, class: name });
  };
  let from = 0;
  for (const match of shown.matchAll(SEQUENCE)) {
    add(shown.slice(from, match.index));
    from = match.index + match[0].length;
    if (match[2] === "m") look = apply(look, (match[1] ?? "").split(/[;:]/).map(Number));
  }
  add(shown.slice(from));
  return spans;
}

/** Text that others wrote (commits, authors, refs): marks that turn or hide what stands beside them are shown as such. */
export const foreignText = (text: string) => text.replace(DECEIVING, "\ufffd");

/** The line as text alone, for copying. */
export const plainText = (line: string) =>
  ansiSpans(line)
    .map(({ text }) => text)
    .join("");

/** Cuts spans where the sought text begins and ends, whatever its case; a hit that two looks share is not cut. */
export function splitHits(spans: Span[], sought: string): (Span & { hit?: true })[] {
  const wanted = sought.toLowerCase();
  if (wanted === "") return spans;
  return spans.flatMap((span) => {
    const lower = span.text.toLowerCase();
    // Some letters change their length with their case; then no place fits.
    if (lower.length !== span.text.length) return [span];
    const parts: (Span & { hit?: true })[] = [];
    let from = 0;
    for (let at = lower.indexOf(wanted); at >= 0; at = lower.indexOf(wanted, from)) {
      if (at > from) parts.push({ ...span, text: span.text.slice(from, at) });
      parts.push({ ...span, text: span.text.slice(at, at + wanted.length), hit: true });
      from = at + wanted.length;
    }
    return from < span.text.length ? [...parts, { ...span, text: span.text.slice(from) }] : parts;
  });
}
