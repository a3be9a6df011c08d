import { Group, Stack, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";

import type { BuildDetailView } from "../../host/bindings";
import { useRead } from "../../host/reads";
import { PageLink } from "../../parts/Page";
import { Took } from "../../parts/Time";
import { foreignText } from "../../words/ansi";
import { FiringStateMark } from "../targets/marks";
import { versionName } from "../targets/TargetVersionText";
import { TargetLink } from "./TargetLink";

/** The triggers that a build's image fired, each with what it updates and how that goes. */
export function FiredByBuild({ build }: { build: Pick<BuildDetailView, "id" | "repository"> }) {
  const { t } = useTranslation();
  const firings = useRead("firings.list", { build: build.id }).data?.items ?? [];
  if (firings.length === 0) return null;
  return (
    <Stack className="panel" px="md" py="sm" gap="xs" component="section" aria-label={t("firings.fired")}>
      <Text size="sm" fw={600}>
        {t("firings.fired")}
      </Text>
      {firings.map((firing) => (
        <Group key={firing.id} gap="md">
          <FiringStateMark state={firing.state} />
          <PageLink
            to="/repositories/$repository/$tab"
            params={{ repository: String(build.repository), tab: "triggers" }}
            search={{ dialog: `record.${firing.id}` }}
            className="foreign"
          >
            {foreignText(firing.trigger_name ?? versionName(firing.version))}
          </PageLink>
          <TargetLink target={firing.target} />
          <Text size="sm" c="dimmed" component="span">
            <Took from={firing.started_at} to={firing.ended_at} />
          </Text>
        </Group>
      ))}
    </Stack>
  );
}
