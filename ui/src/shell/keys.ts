/** The pages that Alt and a digit lead to, in the order of the navigation. */
export const pageKeys = ["/", "/repositories", "/builds", "/sources", "/registries", "/targets", "/settings"] as const;

/** Alt as its keyboard names it, and the digit of a page. */
export const pageKey = (index: number, mac: boolean) => [mac ? "⌥" : "Alt", String(index + 1)];

/** What the keys do, for the help. */
export const shortcuts = [
  { text: "help.key_palette", keys: (mac: boolean) => [mac ? "⌘" : "Ctrl", "K"] },
  { text: "help.key_pages", keys: (mac: boolean) => [mac ? "⌥" : "Alt", "1 – 7"] },
  { text: "help.key_log_search", keys: (mac: boolean) => [mac ? "⌘" : "Ctrl", "F"] },
  { text: "help.key_next_hit", keys: () => ["Enter"] },
  { text: "help.key_previous_hit", keys: (mac: boolean) => [mac ? "⇧" : "Shift", "Enter"] },
  { text: "help.key_save", keys: () => ["Enter"] },
  { text: "help.key_close", keys: () => ["Esc"] },
  { text: "help.key_help", keys: () => ["?"] },
] as const;
