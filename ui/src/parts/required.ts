import { useState } from "react";
import { useTranslation } from "react-i18next";

/** Marks required fields that are empty, once the person has tried to send the form. */
export function useRequired(values: Record<string, string | null>) {
  const { t } = useTranslation();
  const [tried, setTried] = useState<true | readonly string[]>([]);
  const empty = (field: string) => values[field] !== undefined && (values[field] ?? "").trim() === "";
  return {
    /** Whether everything is filled in; what is not gets its sentence. `only` looks at one field of the form. */
    complete: (only?: string) => {
      setTried((before) => (only === undefined || before === true ? true : [...before, only]));
      return !Object.keys(values).some((field) => (only === undefined || field === only) && empty(field));
    },
    /** The sentence beside a field that is empty. */
    missingAt: (field: string) => ((tried === true || tried.includes(field)) && empty(field) ? t("common.required") : null),
  };
}
