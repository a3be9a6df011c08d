import { Group, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";

import type { ReportStanding } from "../../host/bindings";
import { failureKeys } from "../../host/failures";
import { useNow } from "../../parts/clock";
import { Mark, type Tone } from "../../parts/StateMark";
import { When } from "../../parts/Time";
import { relativeWords } from "../../words/format";

const toneOf: Record<ReportStanding["kind"], Tone> = { reported: "good", waiting: "still", refused: "warn", replaced: "still" };

/** What the commit's page at the code host says about a build, and why it does not say more. */
export function CommitReport({ report }: { report: ReportStanding }) {
  const { t } = useTranslation();
  const now = useNow();
  const failure = report.kind === "refused" || report.kind === "waiting" ? report.failure : null;
  const again = report.kind === "waiting" && report.next_try_at;
  return (
    <Group gap={6} component="section" aria-label={t("report.title")} fz="sm">
      <Text span size="sm" fw={600}>
        {t("report.title")}
      </Text>
      <Mark tone={toneOf[report.kind]} word={report.kind === "reported" ? t(`report.state_${report.state}`) : t(`report.${report.kind}`)} />
      {report.kind === "reported" && <When at={report.at} />}
      {failure && (
        <Text span size="sm">
          {t(failureKeys(failure.code).what)}{" "}
          <Text span className="foreign mono" c="dimmed" lang="en">
            {failure.message}
          </Text>
        </Text>
      )}
      {again && (
        <Text span size="sm" c="dimmed">
          {t("result.again", { when: relativeWords(t, Date.parse(again), now) })}
        </Text>
      )}
    </Group>
  );
}
