import { Group, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";

import type { BuildDetailView, Stage, StageRecord } from "../../host/bindings";
import { Mark, type Tone } from "../../parts/StateMark";
import { Took } from "../../parts/Time";
import { shortDigest } from "../../words/format";

/** Every build has these; triggers follow when there are any. */
const always: Stage[] = ["checkout", "build", "push"];

const toneOf = (record: StageRecord | undefined): Tone =>
  !record ? "still" : record.outcome === null ? "busy" : record.outcome === "succeeded" ? "good" : record.outcome === "failed" ? "bad" : "still";

/** The stages with their times, and where the image went. */
export function StagesBar({ build }: { build: BuildDetailView }) {
  const { t } = useTranslation();
  const stages = build.stages.some(({ stage }) => stage === "triggers") ? [...always, "triggers" as const] : always;
  const digest = build.publications.find((one) => one.digest)?.digest ?? build.image?.id;
  return (
    <Group className="panel" px="md" py="sm" gap="lg">
      {stages.map((stage) => {
        const record = build.stages.find((one) => one.stage === stage);
        return (
          <Group key={stage} gap={6} wrap="nowrap">
            <Mark tone={toneOf(record)} word={t(`builds.stage_${stage}`)} />
            {record && (
              <Text size="sm" c="dimmed" component="span">
                <Took from={record.started_at} to={record.ended_at} />
              </Text>
            )}
          </Group>
        );
      })}
      {build.tags.length > 0 && (
        <Text size="sm" ml="auto" className="mono foreign">
          → {build.tags.join(", ")} {digest && <span style={{ color: "var(--mantine-color-dimmed)" }}>{shortDigest(digest)}</span>}
        </Text>
      )}
    </Group>
  );
}
