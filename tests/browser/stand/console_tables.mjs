/** The console's own lists of pages and dialogs, so that a visit to all of them forgets none. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { dialogs } from "../../../ui/src/dialogs.ts";

/** Every dialog that an address can open: its page, its word, and what must exist for it. */
export { dialogs };

const routes = readFileSync(join(import.meta.dirname, "../../../ui/src/routes.tsx"), "utf8");
/** The paths of the route table. */
export const pages = [...routes.matchAll(/createRoute\(\{[^}]*?path: "([^"]+)"/g)].map(([, path]) => path);
if (pages.length < 9) throw new Error(`the route table was not understood: ${pages.join(", ")}`);
