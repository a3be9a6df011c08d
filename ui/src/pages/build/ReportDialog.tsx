import { Button, Code, Group, Modal, Stack, Text } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

import type { BuildDetailView } from "../../host/bindings";
import { useHost } from "../../host/context";
import { useRead } from "../../host/reads";
import { ListSkeleton } from "../../parts/Listing";
import { CopyIcon } from "../../parts/Copyable";
import { useSystem } from "../../shell/EngineChip";
import { problemReport } from "./problemReport";

/** So many of the log's last lines go into a report. */
const LAST_LINES = 40;

/** What is given to somebody who helps with a build: seen before it goes anywhere, copied or saved by the person. */
export function ReportDialog({ build, name, onClose }: { build: BuildDetailView; name: string; onClose: () => void }) {
  const { t } = useTranslation();
  const { host } = useHost();
  const system = useSystem().data;
  const total = useRead("builds.log", { id: build.id, from: 0, count: 1 }).data?.total;
  const log = useRead(
    "builds.log",
    { id: build.id, from: Math.max(0, (total ?? 0) - LAST_LINES), count: LAST_LINES },
    { enabled: total !== undefined },
  ).data;
  const text = system && log && problemReport(build, name, system, log.lines);
  return (
    <Modal opened onClose={onClose} title={t("builds.report_title", { number: build.number })} size="lg">
      <Stack gap="md">
        <Text size="sm">{t("builds.report_text")}</Text>
        {text ? (
          <Code block className="foreign" mah={360} style={{ overflow: "auto", whiteSpace: "pre-wrap" }} tabIndex={0} role="region" aria-label={t("builds.report")}>
            {text}
          </Code>
        ) : (
          <ListSkeleton rows={4} />
        )}
        <Group justify="flex-end" gap="sm" className="dialog-foot">
          {text && (
            <>
              <CopyIcon text={text} label={t("builds.report_copy")} />
              <Button variant="default" leftSection={<IconDownload size={14} aria-hidden />} onClick={() => void host.saveText(`slipway-build-${build.number}.txt`, text)}>
                {t("help.save_file")}
              </Button>
            </>
          )}
          <Button onClick={onClose} data-autofocus>
            {t("common.close")}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
