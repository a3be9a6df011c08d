import { Button, Fieldset, Group, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconDownload, IconFileUpload } from "@tabler/icons-react";
import { useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { readDialog } from "../../dialogs";
import { useHost } from "../../host/context";
import { failureOf, type ShownFailure } from "../../host/host";
import { useDialog } from "../../parts/dialog";
import { FailureNotice } from "../../parts/FailureNotice";
import { ImportDialog } from "./ImportDialog";

/** The configuration as one file: out of this product, and into it. */
export function Configuration() {
  const { t } = useTranslation();
  const { host } = useHost();
  const { dialog } = useSearch({ from: "/settings" });
  const { open, close } = useDialog();
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<ShownFailure | null>(null);
  const wanted = readDialog("/settings", dialog);
  const save = async () => {
    setBusy(true);
    setFailure(null);
    try {
      const { text } = await host.call("configuration.export", {});
      const day = new Date().toISOString().slice(0, 10);
      if (await host.saveText(`slipway-configuration-${day}.json`, text)) notifications.show({ message: t("configuration.exported") });
    } catch (thrown) {
      setFailure(failureOf(thrown));
    }
    setBusy(false);
  };
  return (
    <Fieldset legend={t("configuration.title")}>
      <Text size="sm" c="dimmed" mb="sm">
        {t("configuration.lead")}
      </Text>
      {failure && <FailureNotice failure={failure} />}
      <Group gap="sm" mt={failure ? "sm" : 0}>
        <Button variant="default" leftSection={<IconDownload size={14} aria-hidden />} loading={busy} onClick={() => void save()}>
          {t("configuration.export")}
        </Button>
        <Button variant="default" leftSection={<IconFileUpload size={14} aria-hidden />} onClick={() => open("import-configuration")}>
          {t("configuration.import")}
        </Button>
      </Group>
      {wanted?.kind === "import-configuration" && <ImportDialog onClose={close} />}
    </Fieldset>
  );
}
