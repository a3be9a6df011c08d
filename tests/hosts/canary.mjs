/** Inside every made-up secret of the tests: what looks for leaks after a run looks for this (testkit's `CANARY_MARK`). */
export const CANARY_MARK = "slipwayCanary7Qx";

const suffix = `_${CANARY_MARK}`;

/** Makes a secret of a word. */
export const marked = (word) => word + suffix;

/** The words that secrets in a text were made of, for a program that gives out its own. */
export const unmarked = (text) => text.replaceAll(suffix, "");
