import { ActionIcon, Popover, Stack, Text, Tooltip } from "@mantine/core";
import { IconTerminal2 } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

import type { ImageRepositoryView, RegistryView } from "../../host/bindings";
import { Copyable } from "../../parts/Copyable";
import { shortcutCommands } from "./commands";

interface CommandListProps {
  repository: ImageRepositoryView;
  registries: RegistryView[];
  tag: string;
}

/** Each command with its name and a button that copies it. */
export function CommandList({ repository, registries, tag }: CommandListProps) {
  const { t } = useTranslation();
  return (
    <Stack gap="sm">
      {shortcutCommands(repository, registries, tag).map(({ name, text }) => (
        <div key={name}>
          <Text size="sm" c="dimmed" mb={2}>
            {t(`repositories.command_${name}`)}
          </Text>
          <Copyable text={text} block />
        </div>
      ))}
    </Stack>
  );
}

/** The commands behind a button, for a row of a list. */
export function ShortcutCommands({ repository, registries }: Omit<CommandListProps, "tag">) {
  const { t } = useTranslation();
  const label = t("repositories.commands_of", { name: repository.spec.name });
  return (
    <Popover position="bottom-end" withArrow shadow="md" width={460} trapFocus returnFocus>
      <Popover.Target>
        <Tooltip label={t("repositories.commands")}>
          <ActionIcon aria-label={label}>
            <IconTerminal2 size={16} aria-hidden />
          </ActionIcon>
        </Tooltip>
      </Popover.Target>
      <Popover.Dropdown aria-label={label}>
        <CommandList repository={repository} registries={registries} tag="latest" />
      </Popover.Dropdown>
    </Popover>
  );
}
