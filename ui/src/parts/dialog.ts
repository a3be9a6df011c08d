import { useNavigate } from "@tanstack/react-router";

/** Opens and closes dialogs by way of the address: `edit.3`. */
export function useDialog() {
  const navigate = useNavigate();
  return {
    open: (dialog: string) => void navigate({ to: ".", search: (before: object) => ({ ...before, dialog }) } as never),
    close: () => void navigate({ to: ".", search: (before: object) => ({ ...before, dialog: undefined }) } as never),
  };
}

/** Changes filters in the address without a new entry in the history; an empty value leaves it. */
export function useFilters<T extends object>() {
  const navigate = useNavigate();
  return (part: Partial<{ [K in keyof T]: T[K] | undefined }>) =>
    void navigate({
      to: ".",
      replace: true,
      search: (before: object) =>
        Object.fromEntries(Object.entries({ ...before, ...part }).filter(([, value]) => value !== undefined && value !== "")),
    } as never);
}
