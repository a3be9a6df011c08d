import { useCallback, useState } from "react";

/** What was typed into dialogs that were closed before they succeeded. In memory only. */
const kept = new Map<string, unknown>();

/** A dialog's values, kept under a name until they are forgotten: closing by mistake loses nothing. */
export function useDraft<T extends object>(name: string, start: () => T) {
  const [draft, setDraft] = useState<T>(() => (kept.get(name) as T | undefined) ?? start());
  const change = useCallback(
    (part: Partial<T>) =>
      setDraft((before) => {
        const after = { ...before, ...part };
        kept.set(name, after);
        return after;
      }),
    [name],
  );
  const forget = useCallback(() => kept.delete(name), [name]);
  return { draft, change, forget };
}
