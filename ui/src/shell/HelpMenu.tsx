import { ActionIcon, Menu, Tooltip } from "@mantine/core";
import { IconBook2, IconFileCode, IconHelp, IconKeyboard } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

import { useDialog } from "../parts/dialog";

const entries = [
  { dialog: "help", text: "help.dockerfile", Icon: IconBook2 },
  { dialog: "starters", text: "help.starters", Icon: IconFileCode },
  { dialog: "keys", text: "help.keys", Icon: IconKeyboard },
] as const;

/** Help: how to write a Dockerfile, starters, keys. */
export function HelpMenu() {
  const { t } = useTranslation();
  const { open } = useDialog();
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Tooltip label={t("shell.help")}>
          <ActionIcon aria-label={t("shell.help")}>
            <IconHelp size={18} aria-hidden />
          </ActionIcon>
        </Tooltip>
      </Menu.Target>
      <Menu.Dropdown>
        {entries.map(({ dialog, text, Icon }) => (
          <Menu.Item key={dialog} leftSection={<Icon size={16} aria-hidden />} onClick={() => open(dialog)}>
            {t(text)}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
