import { Button, Code, Fieldset, Group, Modal, Stack, Tabs, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconDownload, IconReportMedical } from "@tabler/icons-react";
import { useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { readDialog } from "../../dialogs";
import type { DiagnosticPartView } from "../../host/bindings";
import { useHost } from "../../host/context";
import { failureOf, type ShownFailure } from "../../host/host";
import { useRead } from "../../host/reads";
import { CopyIcon } from "../../parts/Copyable";
import { useDialog } from "../../parts/dialog";
import { FailureNotice } from "../../parts/FailureNotice";
import { ListSkeleton } from "../../parts/Listing";

/** One text to keep or to hand on: the parts in order, each under its name. */
export const bundleText = (parts: DiagnosticPartView[]) => parts.map(({ name, text }) => `===== ${name} =====\n${text.trimEnd()}\n`).join("\n");

/** The way to the diagnostics. */
export function Diagnostics() {
  const { t } = useTranslation();
  const { dialog } = useSearch({ from: "/settings" });
  const { open, close } = useDialog();
  const wanted = readDialog("/settings", dialog);
  return (
    <Fieldset legend={t("diagnostics.title")}>
      <Group justify="space-between" align="flex-start" wrap="nowrap">
        <Text size="sm" c="dimmed">
          {t("diagnostics.lead")}
        </Text>
        <Button variant="default" leftSection={<IconReportMedical size={14} aria-hidden />} onClick={() => open("diagnostics")} style={{ flex: "none" }}>
          {t("diagnostics.open")}
        </Button>
      </Group>
      {wanted?.kind === "diagnostics" && <DiagnosticsDialog onClose={close} />}
    </Fieldset>
  );
}

/** Every part is read before anything is saved, and what is saved is what was read. */
function DiagnosticsDialog({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const { host } = useHost();
  const read = useRead("diagnostics.get", {});
  const [failure, setFailure] = useState<ShownFailure | null>(null);
  const parts = read.data;
  const save = async (text: string) => {
    try {
      setFailure(null);
      const day = new Date().toISOString().slice(0, 10);
      if (await host.saveText(`slipway-diagnostics-${day}.txt`, text)) notifications.show({ message: t("diagnostics.saved") });
    } catch (thrown) {
      setFailure(failureOf(thrown));
    }
  };
  return (
    <Modal opened onClose={onClose} title={t("diagnostics.title")} size="xl">
      <Stack gap="md">
        <Text size="sm">{t("diagnostics.text")}</Text>
        {read.error && <FailureNotice failure={failureOf(read.error)} onRetry={() => void read.refetch()} />}
        {read.isPending && <ListSkeleton rows={4} />}
        {parts && (
          <Tabs defaultValue={parts[0]?.name ?? null} keepMounted={false}>
            <Tabs.List aria-label={t("diagnostics.parts")}>
              {parts.map(({ name }) => (
                <Tabs.Tab key={name} value={name} className="mono">
                  {name}
                </Tabs.Tab>
              ))}
            </Tabs.List>
            {parts.map(({ name, text }) => (
              <Tabs.Panel key={name} value={name} pt="sm">
                <Code block className="foreign" mah={340} style={{ overflow: "auto", whiteSpace: "pre-wrap" }} tabIndex={0} role="region" aria-label={name}>
                  {text || t("diagnostics.empty")}
                </Code>
              </Tabs.Panel>
            ))}
          </Tabs>
        )}
        {failure && <FailureNotice failure={failure} />}
        <Group justify="flex-end" gap="sm" className="dialog-foot">
          {parts && (
            <>
              <CopyIcon text={bundleText(parts)} label={t("diagnostics.copy")} />
              <Button variant="default" leftSection={<IconDownload size={14} aria-hidden />} onClick={() => void save(bundleText(parts))}>
                {t("diagnostics.save")}
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
