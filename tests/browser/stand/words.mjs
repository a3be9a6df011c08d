/** The console's own texts, so that tests name things as a person reads them, in each language. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

const folder = join(import.meta.dirname, "../../../ui/src/i18n");

/** Returns what gives the text of a key, with its values filled in; a key without a text is a mistake of the test. */
export function wordsOf(language) {
  const all = JSON.parse(readFileSync(join(folder, `${language}.json`), "utf8"));
  const find = (key) => key.split(".").reduce((part, name) => part?.[name], all);
  return (key, values = {}) => {
    const plural = "count" in values && new Intl.PluralRules(language).select(values.count);
    const text = find(key) ?? (values.count === 0 ? find(`${key}_zero`) : undefined) ?? (plural && (find(`${key}_${plural}`) ?? find(`${key}_other`)));
    if (typeof text !== "string") throw new Error(`${language}.json has no text ${key}`);
    return text.replace(/\{\{(\w+)(, number)?\}\}/g, (_, name, number) =>
      number && typeof values[name] === "number" ? new Intl.NumberFormat(language).format(values[name]) : String(values[name] ?? ""),
    );
  };
}
