import { Button, Group, Tabs } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconDownload } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

import type { StarterFileView } from "../../host/bindings";
import { useHost } from "../../host/context";
import { failureKeys } from "../../host/failures";
import { failureOf } from "../../host/host";
import { CopyIcon } from "../../parts/Copyable";

/** The files of a starter, one at a time, to copy or to save. */
export function StarterFiles({ files }: { files: StarterFileView[] }) {
  const { t } = useTranslation();
  const { host } = useHost();
  const save = ({ name, text }: StarterFileView) =>
    host.saveText(name, text).catch((thrown: unknown) => {
      notifications.show({ color: "red", message: t(failureKeys(failureOf(thrown).code).what) });
    });
  return (
    <Tabs className="panel" defaultValue={files[0]?.name ?? ""} keepMounted={false}>
      <Tabs.List>
        {files.map(({ name }) => (
          <Tabs.Tab key={name} value={name}>
            <span className="mono">{name}</span>
          </Tabs.Tab>
        ))}
      </Tabs.List>
      {files.map((file) => (
        <Tabs.Panel key={file.name} value={file.name}>
          <pre className="mono code" tabIndex={0} aria-label={file.name}>
            {file.text}
          </pre>
          <Group gap="xs" px="sm" pb="sm" justify="flex-end">
            <CopyIcon text={file.text} />
            <Button size="compact-xs" variant="default" leftSection={<IconDownload size={14} aria-hidden />} onClick={() => void save(file)}>
              {t("help.save_file")}
            </Button>
          </Group>
        </Tabs.Panel>
      ))}
    </Tabs>
  );
}
