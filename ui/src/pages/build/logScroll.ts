/** The height of a line that does not wrap. */
export const LINE_PX = 18;
/** Browsers cut elements near 33 million pixels; a longer log is scrolled in larger steps. */
const MOST_PX = 30_000_000;

/** The height of the scrolled area. */
export const tallest = (total: number) => Math.min(total * LINE_PX, MOST_PX);

/** How many pixels of the log one pixel of scrolling is. */
function scaleOf(total: number, height: number): number {
  const room = tallest(total) - height;
  return room > 0 ? (total * LINE_PX - height) / room : 1;
}

/** The first line that is seen at a scroll position, and where it is drawn. */
export function placeOf(scrollTop: number, total: number, height: number): { first: number; offset: number } {
  const top = scrollTop * scaleOf(total, height);
  const first = Math.max(0, Math.min(Math.floor(top / LINE_PX), total - 1));
  return { first, offset: scrollTop - (top - first * LINE_PX) };
}

/** Where to scroll so that a line is seen in the middle or at the end. */
export function scrollOf(index: number, align: "center" | "end", total: number, height: number): number {
  const top = index * LINE_PX - (align === "center" ? (height - LINE_PX) / 2 : height - LINE_PX);
  return Math.max(0, Math.min(top, total * LINE_PX - height)) / scaleOf(total, height);
}
