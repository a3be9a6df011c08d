import type en from "../i18n/en.json";
import type { FailureCode, ShownFailure } from "./host";

/** What happened and what to do now, for one code. */
export interface FailureWords {
  what: string;
  next: string;
}

/** Fails to compile when a code of the core has no words. */
type EveryCodeHasWords = (typeof en)["failure"] extends Record<FailureCode, FailureWords> ? true : never;
export const everyCodeHasWords: EveryCodeHasWords = true;

/** The translation keys of a failure's two sentences. */
export function failureKeys(code: FailureCode) {
  return { what: `failure.${code}.what`, next: `failure.${code}.next` } as const;
}

/** Forms send their values as `form` or `spec`; a path without that word is the field's own name. */
const bare = (field: string) => field.replace(/^(form|spec)\./, "");

/** Returns whether the failure is about the field or a part of it (`version` also takes `version.templates[1]`). */
export function isAbout(failure: ShownFailure, field: string): boolean {
  if (!failure.field) return false;
  const at = bare(failure.field);
  return at === field || at.startsWith(`${field}.`) || at.startsWith(`${field}[`);
}
