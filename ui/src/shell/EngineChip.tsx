import { Button, Popover, Stack, Table, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";

import { useRead } from "../host/reads";
import { FailureNotice } from "../parts/FailureNotice";
import { Mark } from "../parts/StateMark";
import { bytesWords } from "../words/format";

const READY_EVERY_MS = 20_000;
const AWAY_EVERY_MS = 3_000;

/** The engine's state, asked again by itself: often while it is away, so that everything goes on when it comes. */
export function useSystem() {
  const first = useRead("system.status", {});
  const away = first.data?.engine.kind !== "ready";
  return useRead("system.status", {}, { every: away ? AWAY_EVERY_MS : READY_EVERY_MS });
}

/** The engine in one glance, its details on click. */
export function EngineChip({ narrow }: { narrow: boolean }) {
  const { t } = useTranslation();
  const system = useSystem();
  const engine = system.data?.engine;
  const mark = !engine ? (
    <Mark tone="still" word={t("shell.engine_asking")} quiet={narrow} />
  ) : engine.kind === "ready" ? (
    <Mark tone="good" word={t("shell.engine_ready", { version: engine.version })} quiet={narrow} />
  ) : (
    <Mark tone="bad" word={t("shell.engine_away")} quiet={narrow} />
  );
  return (
    <Popover position="right-end" withArrow shadow="md" width={400}>
      <Popover.Target>
        <Button variant="subtle" color="gray" justify={narrow ? "center" : "flex-start"} fullWidth fw={400} px={narrow ? 4 : "sm"} {...(narrow ? {} : { className: "chip" })}>
          {mark}
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <Stack gap="sm">
          <Text fw={600}>{t("shell.engine_title")}</Text>
          {engine?.kind === "away" && <FailureNotice failure={engine.failure} onRetry={() => void system.refetch()} />}
          {engine?.kind === "ready" && (
            <Table variant="vertical" layout="fixed" highlightOnHover={false}>
              <Table.Tbody>
                {(
                  [
                    ["shell.engine_endpoint", engine.endpoint],
                    ["shell.engine_context", engine.context ?? t("common.none")],
                    ["shell.engine_api", engine.api_version],
                    ["shell.engine_platform", engine.platform],
                    ["shell.engine_store", engine.several_platforms ? t("common.yes") : t("common.no")],
                    ["shell.engine_disk", engine.disk_bytes === null ? t("common.unknown") : bytesWords(engine.disk_bytes)],
                  ] as const
                ).map(([label, value]) => (
                  <Table.Tr key={label}>
                    <Table.Th w={140}>{t(label)}</Table.Th>
                    <Table.Td className="foreign">{value}</Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          )}
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}
