/** Returns whether an address means SSH (`ssh://…`, `user@host:path`); the core decides whether it can be used. */
export function isSsh(address: string): boolean {
  const text = address.trim();
  if (text.includes("://")) return /^(ssh|git\+ssh|ssh\+git):/i.test(text);
  // A word before "::" names a program; a single letter is a drive; a scheme is only half typed.
  return !/^\w+::/.test(text) && /^(?!(?:https?|file|git|ftps?):)[^/:\s]{2,}:./i.test(text);
}
