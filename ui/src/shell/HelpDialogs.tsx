import { useSearch } from "@tanstack/react-router";
import { lazy, Suspense } from "react";

import { readDialog } from "../dialogs";
import { useDialog } from "../parts/dialog";

const DockerfileHelp = lazy(() => import("./help/DockerfileHelp").then(({ DockerfileHelp }) => ({ default: DockerfileHelp })));
const Starters = lazy(() => import("./help/Starters").then(({ Starters }) => ({ default: Starters })));
const Keys = lazy(() => import("./help/Keys").then(({ Keys }) => ({ default: Keys })));

/** The dialogs that open over every page; the dialog that one was opened from comes back when it is closed. */
export function HelpDialogs() {
  const { dialog } = useSearch({ strict: false });
  const { close, open } = useDialog();
  const wanted = readDialog("/", dialog);
  if (!wanted) return null;
  const back = () => (wanted.rest ? open(wanted.rest) : close());
  return (
    <Suspense>
      {wanted?.kind === "help" && <DockerfileHelp onClose={back} />}
      {wanted?.kind === "starters" && <Starters code={wanted.id} onClose={back} />}
      {wanted?.kind === "keys" && <Keys onClose={back} />}
    </Suspense>
  );
}
