import { Group, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";

import type { BuildDetailView, Stage } from "../../host/bindings";
import { Mark } from "../../parts/StateMark";
import { Took } from "../../parts/Time";
import { shortDigest } from "../../words/format";
import { standing } from "./StagePicture";

/** Every build has these; triggers follow when there are any. */
const always: Stage[] = ["checkout", "build", "push"];

/** The stages with their times, and where the image went. */
export function StagesBar({ build }: { build: BuildDetailView }) {
  const { t } = useTranslation();
  const stages = build.stages.some(({ stage }) => stage === "triggers") ? [...always, "triggers" as const] : always;
  // The tags of a build that is over and made no image were never set.
  const fruitless = build.ended_at !== null && build.image === null && build.publications.length === 0;
  const digest = build.publications.find((one) => one.digest)?.digest ?? build.image?.id;
  return (
    <Group className="panel" px="md" py="sm" gap="lg">
      {stages.map((stage) => {
        const record = build.stages.find((one) => one.stage === stage);
        const { word, ...look } = standing(record, build.ended_at !== null);
        return (
          <Group key={stage} gap={6} wrap="nowrap" title={t(word)}>
            <Mark word={t(`builds.stage_${stage}`)} {...look} />
            {record && record.outcome !== "skipped" && (
              <Text size="sm" c="dimmed" component="span">
                <Took from={record.started_at} to={record.ended_at} />
              </Text>
            )}
          </Group>
        );
      })}
      {build.tags.length > 0 && !fruitless && (
        <Text size="sm" ml="auto" className="mono foreign">
          → {build.tags.join(", ")} {digest && <span style={{ color: "var(--mantine-color-dimmed)" }}>{shortDigest(digest)}</span>}
        </Text>
      )}
    </Group>
  );
}
