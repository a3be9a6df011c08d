import { Text } from "@mantine/core";
import { IconArrowRight, IconCircleMinus, IconPlayerSkipForward } from "@tabler/icons-react";
import { Fragment } from "react";
import { useTranslation } from "react-i18next";

import type { BuildDetailView, Stage, StageRecord } from "../../host/bindings";
import { Mark, type Tone } from "../../parts/StateMark";
import { Took } from "../../parts/Time";

const stages: Stage[] = ["checkout", "build", "push", "triggers"];

const iconOf = { succeeded: {}, failed: {}, cancelled: { icon: IconCircleMinus }, skipped: { icon: IconPlayerSkipForward } };

/** How a stage stands: its tone, its word, and an icon where the tone's own would say something else. */
export function standing(record: StageRecord | undefined, over: boolean) {
  if (!record) {
    return over
      ? { tone: "still" as Tone, word: "workflow.not_run" as const, icon: IconCircleMinus }
      : { tone: "still" as Tone, word: "builds.state_queued" as const };
  }
  if (record.outcome === null) return { tone: "busy" as Tone, word: "builds.state_running" as const };
  const tones: Record<typeof record.outcome, Tone> = { succeeded: "good", failed: "bad", cancelled: "still", skipped: "still" };
  return { tone: tones[record.outcome], word: `builds.state_${record.outcome}` as const, ...iconOf[record.outcome] };
}

/** The way of a build as a picture: Checkout → Build → Push → Triggers, each with its outcome and time. */
export function StagePicture({ build }: { build: BuildDetailView }) {
  const { t } = useTranslation();
  return (
    <ol className="stage-picture" aria-label={t("workflow.stages")}>
      {stages.map((stage, at) => {
        const record = build.stages.find((one) => one.stage === stage);
        const { word, ...look } = standing(record, build.ended_at !== null);
        return (
          <Fragment key={stage}>
            {at > 0 && (
              <li aria-hidden className="stage-arrow">
                <IconArrowRight size={18} />
              </li>
            )}
            <li className="stage-box" data-tone={look.tone}>
              <Text size="sm" fw={600}>
                {t(`builds.stage_${stage}`)}
              </Text>
              <Mark word={t(word)} {...look} />
              <Text fz={12} c="dimmed" mih={18}>
                {record && record.outcome !== "skipped" && <Took from={record.started_at} to={record.ended_at} />}
              </Text>
            </li>
          </Fragment>
        );
      })}
    </ol>
  );
}
