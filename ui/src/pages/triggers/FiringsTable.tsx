import { Button, Table, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";

import type { FiringState, FiringView } from "../../host/bindings";
import { useNow } from "../../parts/clock";
import { useDialog } from "../../parts/dialog";
import { Took, When } from "../../parts/Time";
import { failureKeys } from "../../host/failures";
import { foreignText } from "../../words/ansi";
import { reasonWords } from "../../words/deploy";
import { conditionWords } from "../../words/targets";
import { FiringStateMark } from "../targets/marks";
import { versionName } from "../targets/TargetVersionText";
import { TargetLink } from "./TargetLink";

/** Every state, for filters. */
export const firingStates: FiringState[] = [
  "waiting",
  "running",
  "succeeded",
  "unchanged",
  "failed",
  "rolled_back",
  "broken",
  "superseded",
  "cancelled",
  "skipped",
];

/** Records, newest first. Each opens on the page that it is shown on. */
export function FiringsTable({ firings, withTarget = true }: { firings: FiringView[]; withTarget?: boolean }) {
  const { t } = useTranslation();
  const { open } = useDialog();
  const now = useNow();
  return (
    <div className="panel">
      <Table>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t("firings.tag")}</Table.Th>
            <Table.Th>{t("firings.state")}</Table.Th>
            <Table.Th className="room-s">{t("firings.by")}</Table.Th>
            <Table.Th className="room-l">{t("image_triggers.condition")}</Table.Th>
            {withTarget && <Table.Th className="room-m">{t("image_triggers.target")}</Table.Th>}
            <Table.Th className="room-l">{t("firings.source")}</Table.Th>
            <Table.Th className="room-m">{t("builds.duration")}</Table.Th>
            <Table.Th>{t("builds.when")}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {firings.map((firing) => (
            <Table.Tr key={firing.id}>
              <Table.Td>
                <Button variant="transparent" size="compact-sm" px={0} className="mono foreign version-tag" onClick={() => open(`record.${firing.id}`)}>
                  {versionName(firing.version)}
                </Button>
              </Table.Td>
              <Table.Td maw={320}>
                <FiringStateMark state={firing.state} />
                {(firing.reason || firing.failure) && (
                  <Text fz={12} c="dimmed" className="clip">
                    {firing.reason ? reasonWords(t, firing.reason, now) : firing.failure && t(failureKeys(firing.failure.code).what)}
                  </Text>
                )}
              </Table.Td>
              <Table.Td className="room-s foreign">
                {firing.trigger_name !== null ? foreignText(firing.trigger_name) : t(`firings.kind_${firing.kind}`)}
              </Table.Td>
              <Table.Td className="room-l foreign">{firing.condition && conditionWords(t, firing.condition)}</Table.Td>
              {withTarget && (
                <Table.Td className="room-m" maw={220}>
                  <TargetLink target={firing.target} />
                </Table.Td>
              )}
              <Table.Td className="room-l">{t(`firings.source_${firing.source}`)}</Table.Td>
              <Table.Td className="room-m">
                <Took from={firing.started_at} to={firing.ended_at} />
              </Table.Td>
              <Table.Td style={{ whiteSpace: "nowrap" }}>
                <When at={firing.ended_at ?? firing.created_at} />
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}
