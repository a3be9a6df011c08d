import type { LogLineView } from "../../host/bindings";

/** Lines asked for at once; a screen of a log is drawn from one or two of these. */
export const CHUNK = 250;
/** Characters of log that the window keeps; lines are cut at 16 KB, so that these are at least 500 lines. */
const MOST_CHARACTERS = 8_000_000;

/** The chunks of a log that were looked at last. However long the log is, the window holds no more than these. */
export class LogPages {
  private readonly chunks = new Map<number, LogLineView[]>();
  private readonly most: number;
  private characters = 0;

  constructor(most = MOST_CHARACTERS) {
    this.most = most;
  }

  /** The line at an index, when its chunk is here. */
  lineAt(index: number): LogLineView | undefined {
    return this.chunks.get(Math.floor(index / CHUNK))?.[index % CHUNK];
  }

  /** Whether a chunk has everything that a log of `total` lines has there. */
  isWhole(chunk: number, total: number): boolean {
    return (this.chunks.get(chunk)?.length ?? 0) >= Math.min(CHUNK, total - chunk * CHUNK);
  }

  /** Keeps a chunk, and drops those that were put longest ago until the rest fits; two always stay. */
  put(chunk: number, lines: LogLineView[]) {
    this.drop(chunk);
    this.chunks.set(chunk, lines);
    this.characters += sizeOf(lines);
    for (const oldest of this.chunks.keys()) {
      if (this.characters <= this.most || this.chunks.size <= 2) break;
      this.drop(oldest);
    }
  }

  /** Says that a chunk is on the screen, so that it is dropped last. */
  touch(chunk: number) {
    const lines = this.chunks.get(chunk);
    if (!lines) return;
    this.chunks.delete(chunk);
    this.chunks.set(chunk, lines);
  }

  private drop(chunk: number) {
    const lines = this.chunks.get(chunk);
    if (lines) this.characters -= sizeOf(lines);
    this.chunks.delete(chunk);
  }
}

const sizeOf = (lines: LogLineView[]) => lines.reduce((sum, { text }) => sum + text.length, 0);

/** Where the chunks of one step begin in the whole log. Steps that run side by side write in turns, so this has to be learned. */
export class StepPlaces {
  private readonly starts: number[] = [];
  private solid = false;

  /** The step's first line, and whether nothing else was written between its first line and its last. */
  place(first: number, solid: boolean) {
    this.starts[0] = first;
    this.solid = solid;
  }

  /** The number of the line that a chunk begins with, or of the nearest chunk before it that is known. */
  nearest(chunk: number): { chunk: number; from: number } {
    const first = this.starts[0] ?? 0;
    if (this.solid) return { chunk, from: first + chunk * CHUNK };
    const known = Math.min(chunk, this.starts.length - 1);
    return { chunk: Math.max(0, known), from: this.starts[known] ?? first };
  }

  /** Remembers where the chunk after this one begins. */
  learn(chunk: number, lines: LogLineView[]) {
    const last = lines.at(-1);
    if (last && lines.length === CHUNK && this.starts.length === chunk + 1) this.starts.push(last.number + 1);
  }
}
