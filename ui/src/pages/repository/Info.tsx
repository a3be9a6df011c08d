import { Button, Group, Stack, Table, Text } from "@mantine/core";
import { IconPencil, IconTrash } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

import type { ImageRepositoryView } from "../../host/bindings";
import { useRead } from "../../host/reads";
import { useDialog } from "../../parts/dialog";
import { When } from "../../parts/Time";
import { CommandList } from "./ShortcutCommands";

/** What a repository is, and the commands to use it. */
export function Info({ repository }: { repository: ImageRepositoryView }) {
  const { t } = useTranslation();
  const { open } = useDialog();
  const registries = useRead("registries.list", {}).data ?? [];
  const newest = useRead("builds.list", { repository: repository.id, states: ["succeeded"], limit: 1 }).data?.items[0];
  const { spec } = repository;
  const registry = registries.find(({ id }) => id === spec.registry);
  const tag = newest?.tags[0] ?? "latest";
  const local = registry?.kind === "local_engine";
  const facts = [
    [t("repositories.registry"), local ? t("registries.local") : registry?.name],
    [t("repositories.source"), t(`repositories.source_${spec.source}`)],
    [t("repositories.credential"), registry?.credentials.find(({ id }) => id === spec.credential)?.name ?? t("repositories.credential_none")],
    [t("repositories.summary"), spec.summary || t("common.none")],
    [t("repositories.write_once"), spec.write_once.join(", ") || t("common.none")],
    [t("repositories.created"), <When key="created" at={repository.created_at} />],
  ] as const;
  return (
    <Stack gap="lg" maw={900}>
      <div className="panel">
        <Table variant="vertical" highlightOnHover={false}>
          <Table.Tbody>
            {facts.map(([label, value]) => (
              <Table.Tr key={label}>
                <Table.Th w={180}>{label}</Table.Th>
                <Table.Td className="foreign">{value}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </div>
      <Stack gap="sm" component="section" className="panel" p="md">
        <Text fw={600}>{t("repositories.commands")}</Text>
        {local && (
          <Text size="sm" c="dimmed">
            {t("repositories.local_only")}
          </Text>
        )}
        <CommandList repository={repository} registries={registries} tag={tag} />
      </Stack>
      <Stack gap="sm" component="section" className="panel" p="md">
        <Text fw={600}>{t("repositories.description")}</Text>
        <Text size="sm" className="foreign" style={{ whiteSpace: "pre-wrap" }} {...(spec.description ? {} : { c: "dimmed" })}>
          {spec.description || t("repositories.no_description")}
        </Text>
      </Stack>
      <Group gap="sm">
        <Button variant="default" leftSection={<IconPencil size={14} aria-hidden />} onClick={() => open("edit")}>
          {t("common.edit")}
        </Button>
        <Button variant="default" c="red" leftSection={<IconTrash size={14} aria-hidden />} onClick={() => open("delete")}>
          {t("common.delete")}
        </Button>
      </Group>
    </Stack>
  );
}
