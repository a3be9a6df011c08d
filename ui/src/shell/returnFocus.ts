import { useSearch } from "@tanstack/react-router";
import { useEffect, useRef } from "react";

/** What opens over the page and goes away again. */
const PASSING = "[role=dialog], [role=menu], [role=listbox]";
/** A closed dialog has left the page after so long. */
const GONE_MS = 50;

/** When the dialog of the address closes, the focus goes back to where it was, or to the content when that is gone. */
export function useReturnFocus() {
  const { dialog } = useSearch({ strict: false });
  const last = useRef<HTMLElement | null>(null);
  useEffect(() => {
    const remember = ({ target }: FocusEvent) => {
      if (target instanceof HTMLElement && !target.closest(PASSING)) last.current = target;
    };
    document.addEventListener("focusin", remember);
    return () => document.removeEventListener("focusin", remember);
  }, []);
  const before = useRef(dialog);
  useEffect(() => {
    const closed = before.current !== undefined && dialog === undefined;
    before.current = dialog;
    if (!closed) return undefined;
    const timer = setTimeout(() => {
      if (document.activeElement !== document.body) return;
      const place = last.current?.isConnected ? last.current : document.getElementById("content");
      place?.focus({ preventScroll: true });
    }, GONE_MS);
    return () => clearTimeout(timer);
  }, [dialog]);
}
