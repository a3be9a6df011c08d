import type { ImportChoice, ImportItem, ImportReport } from "../../host/bindings";
import type { ShownFailure } from "../../host/host";

/** Longest file that the core takes, in bytes. */
const LONGEST = 10 * 1024 * 1024;

const bad = (message: string): { failure: ShownFailure } => ({ failure: { code: "bad_configuration", message } });

/** Reads a chosen file as text; what is too long or no UTF-8 is refused before anything is sent. */
export async function readConfiguration(file: Blob): Promise<{ text: string } | { failure: ShownFailure }> {
  if (file.size > LONGEST) return bad(`it is longer than ${LONGEST / 1024 / 1024} MB`);
  try {
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(await file.arrayBuffer()) };
  } catch {
    return bad("it is no UTF-8 text");
  }
}

/** Returns whether an import with this choice writes an item. */
export const isWritten = ({ state }: ImportItem, choice: ImportChoice) => state.kind === "new" || (state.kind === "differs" && choice.change);

/** How many things of a file are what. */
export function countsOf({ items }: ImportReport, choice: ImportChoice) {
  const of = (kind: ImportItem["state"]["kind"]) => items.filter(({ state }) => state.kind === kind).length;
  const changed = choice.change ? of("differs") : 0;
  return { added: of("new"), changed, differs: of("differs"), same: of("same"), refused: of("refused"), writes: of("new") + changed };
}
