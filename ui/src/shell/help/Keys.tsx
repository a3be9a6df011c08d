import { Group, Kbd, Modal, Stack, Text } from "@mantine/core";
import { useOs } from "@mantine/hooks";
import { useTranslation } from "react-i18next";

import { shortcuts } from "../keys";

/** The keys of the console. */
export function Keys({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const os = useOs({ getValueInEffect: false });
  return (
    <Modal opened onClose={onClose} title={t("help.keys")} size="md">
      <Stack gap="sm">
        {shortcuts.map(({ text, keys }) => (
          <Group key={text} justify="space-between" wrap="nowrap">
            <Text size="sm">{t(text)}</Text>
            <Group gap={4} wrap="nowrap">
              {keys(os === "macos").map((key) => (
                <Kbd key={key} size="xs">
                  {key}
                </Kbd>
              ))}
            </Group>
          </Group>
        ))}
      </Stack>
    </Modal>
  );
}
