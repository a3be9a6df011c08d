import { Button, Popover, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { useRead } from "../host/reads";
import { PageLink } from "../parts/Page";
import { QueueRows } from "../parts/QueueRows";
import { Mark } from "../parts/StateMark";

/** What builds and what waits, its details on click. */
export function QueueChip() {
  const { t } = useTranslation();
  const rows = useRead("builds.queue", {}).data ?? [];
  const [open, setOpen] = useState(false);
  const running = rows.filter(({ build }) => build.state === "running").length;
  return (
    <Popover opened={open} onChange={setOpen} position="bottom-end" withArrow shadow="md" width={420}>
      <Popover.Target>
        <Button variant="subtle" color="gray" fw={400} aria-live="polite" onClick={() => setOpen(!open)}>
          {rows.length === 0 ? (
            <Mark tone="still" word={t("shell.queue_idle")} />
          ) : (
            <Mark tone={running > 0 ? "busy" : "still"} word={t("shell.queue_count", { running, waiting: rows.length - running })} />
          )}
        </Button>
      </Popover.Target>
      {/* A link leads away from what was open here. */}
      <Popover.Dropdown onClick={(event) => (event.target as Element).closest("a") && setOpen(false)}>
        <Stack gap="sm">
          <Text fw={600}>{t("shell.queue_title")}</Text>
          {rows.length === 0 ? <Text c="dimmed">{t("overview.running_none")}</Text> : <QueueRows rows={rows} />}
          <PageLink to="/builds">{t("shell.queue_all")}</PageLink>
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}
