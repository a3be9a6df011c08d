import { Tooltip } from "@mantine/core";
import { useTranslation } from "react-i18next";

import { durationWords, relativeWords } from "../words/format";
import { useNow } from "./clock";

/** A moment, relative to now, with the exact one on hover. */
export function When({ at }: { at: string }) {
  const { t, i18n } = useTranslation();
  const now = useNow();
  const exact = new Date(at).toLocaleString(i18n.language === "zh" ? "zh-CN" : undefined);
  return (
    <Tooltip label={exact}>
      <time dateTime={at}>{relativeWords(t, Date.parse(at), now)}</time>
    </Tooltip>
  );
}

/** How long something took, or takes until now. */
export function Took({ from, to }: { from: string | null; to: string | null }) {
  const { t } = useTranslation();
  const now = useNow();
  if (!from) return null;
  const until = to ? Date.parse(to) : now;
  return <span style={{ whiteSpace: "nowrap" }}>{durationWords(t, until - Date.parse(from))}</span>;
}
