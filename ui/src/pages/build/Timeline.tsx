import { Stack, Table, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";

import type { BuildDetailView } from "../../host/bindings";
import { useNow } from "../../parts/clock";
import { Took } from "../../parts/Time";
import { plainText } from "../../words/ansi";
import { orderedSteps } from "../../words/steps";

interface Bar {
  key: string;
  name: string;
  from: string;
  to: string | null;
  heading: boolean;
  cached: boolean;
}

/** Stages and steps on one axis of time. */
export function Timeline({ build }: { build: BuildDetailView }) {
  const { t } = useTranslation();
  const now = useNow();
  const bars: Bar[] = build.stages.flatMap(({ stage, started_at, ended_at }) => {
    const heading = { key: stage, name: t(`builds.stage_${stage}`), from: started_at, to: ended_at, heading: true, cached: false };
    if (stage !== "build") return [heading];
    const steps = orderedSteps(build.steps)
      // The core's own steps only hold the log lines of the stages.
      .filter((step) => step.started !== null && !step.key.startsWith("slipway:"))
      .map(({ ordinal, name, started, completed, cached }) => ({
        key: String(ordinal),
        name: plainText(name),
        from: started ?? started_at,
        to: completed,
        heading: false,
        cached,
      }));
    return [heading, ...steps];
  });
  if (bars.length === 0) {
    return (
      <Text c="dimmed" size="sm">
        {t(build.ended_at ? "builds.timeline_none" : "builds.timeline_not_yet")}
      </Text>
    );
  }
  const steps = build.steps.filter(({ position }) => position !== null);
  const end = (bar: Bar) => (bar.to ? Date.parse(bar.to) : now);
  const start = Math.min(...bars.map((bar) => Date.parse(bar.from)));
  const whole = Math.max(1, Math.max(...bars.map(end)) - start);
  return (
    <Stack gap="xs">
      <Text size="sm" c="dimmed">
        {t("builds.timeline_waited")} <Took from={build.created_at} to={build.started_at} />
        {build.started_at && (
          <>
            {" · "}
            {t("builds.timeline_ran")} <Took from={build.started_at} to={build.ended_at} />
          </>
        )}
        {steps.length > 0 && ` · ${t("builds.timeline_cached", { steps: steps.filter(({ cached }) => cached).length, of: steps.length })}`}
      </Text>
      <div className="panel">
        <Table layout="fixed">
          <Table.Tbody>
            {bars.map((bar) => (
              <Table.Tr key={bar.key}>
                <Table.Td w="34%">
                  <Text size="sm" className="clip foreign" title={bar.name} pl={bar.heading ? 0 : 16} fw={bar.heading ? 600 : 400}>
                    {bar.name}
                  </Text>
                </Table.Td>
                <Table.Td w={100} ta="end">
                  {bar.cached ? (
                    <Text size="sm" c="dimmed">
                      {t("log.cached")}
                    </Text>
                  ) : (
                    <Took from={bar.from} to={bar.to} />
                  )}
                </Table.Td>
                <Table.Td aria-hidden>
                  <div
                    style={{
                      marginInlineStart: `${((Date.parse(bar.from) - start) / whole) * 100}%`,
                      width: `max(2px, ${((end(bar) - Date.parse(bar.from)) / whole) * 100}%)`,
                      height: 10,
                      borderRadius: 2,
                      background: bar.heading ? "var(--mantine-primary-color-filled)" : "var(--mantine-primary-color-light-hover)",
                      border: "1px solid var(--mantine-primary-color-filled)",
                    }}
                  />
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </div>
    </Stack>
  );
}
