import { ActionIcon, Badge, Button, Group, Menu, Stack, Table, Text, VisuallyHidden } from "@mantine/core";
import { IconDots, IconFolders, IconKey, IconPencil, IconPlugConnected, IconPlus, IconTrash } from "@tabler/icons-react";
import { useSearch } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { readDialog } from "../../dialogs";
import type { CredentialView, RegistryView } from "../../host/bindings";
import { useCall, useRead } from "../../host/reads";
import { useDialog, useFilters } from "../../parts/dialog";
import { ConfirmDialog } from "../../parts/Dialogs";
import { Empty, Filters, Listing, SearchField } from "../../parts/Listing";
import { Page } from "../../parts/Page";
import { SortHead } from "../../parts/Sorting";
import { Mark } from "../../parts/StateMark";
import { When } from "../../parts/Time";
import type { ListSearch } from "../../routes";
import { type SortColumns, sortRows } from "../../words/sort";
import { CredentialDialog } from "./CredentialDialog";
import { NamespacesDialog } from "./NamespacesDialog";
import { RegistryDialog } from "./RegistryDialog";
import { TestDialog } from "./TestDialog";

/** Registries with their credentials, and whether these were last seen to work. */
export function Registries() {
  const { t } = useTranslation();
  const { search = "", sort, dialog } = useSearch({ from: "/registries" });
  const filter = useFilters<ListSearch>();
  const { open, close } = useDialog();
  const read = useRead("registries.list", {});
  const wanted = readDialog("/registries", dialog);
  const registry = read.data?.find(({ id }) => id === wanted?.id);
  const owner = read.data?.find(({ credentials }) => credentials.some(({ id }) => id === wanted?.id));
  const credential = owner?.credentials.find(({ id }) => id === wanted?.id);
  const shown =
    read.data?.filter(({ name, host }) => `${name} ${host ?? ""}`.toLowerCase().includes(search.toLowerCase())) ?? [];
  const onlyLocal = read.data?.every(({ kind }) => kind === "local_engine") ?? false;
  const add = (
    <Button leftSection={<IconPlus size={14} aria-hidden />} onClick={() => open("add")}>
      {t("registries.add")}
    </Button>
  );
  return (
    <Page title={t("page.registries")} name={t("page.registries")} lead={t("registries.lead")} action={read.isPending || onlyLocal ? null : add}>
      {(read.data?.length ?? 0) > 2 && (
        <Filters>
          <SearchField label={t("registries.search")} value={search} onChange={(text) => filter({ search: text })} />
        </Filters>
      )}
      <Listing
        read={read}
        count={() => shown.length}
        filtered={search !== ""}
        onClear={() => filter({ search: undefined })}
        empty={<Empty sentence={t("registries.only_local")} action={add} />}
      >
        {() => (
          <Stack gap="lg">
            {shown.map((one) => (
              <RegistryPanel key={one.id} registry={one} sort={sort} onSort={(next) => filter({ sort: next })} />
            ))}
            {onlyLocal && (
              <Empty sentence={t("registries.only_local")} action={add} />
            )}
          </Stack>
        )}
      </Listing>
      {wanted?.kind === "add" && <RegistryDialog onClose={close} />}
      {wanted?.kind === "edit" && registry && <RegistryDialog registry={registry} onClose={close} />}
      {wanted?.kind === "delete" && registry && <DeleteRegistry registry={registry} onClose={close} />}
      {wanted?.kind === "test" && registry && <TestDialog registry={registry} onClose={close} />}
      {wanted?.kind === "namespaces" && registry && <NamespacesDialog registry={registry} onClose={close} />}
      {wanted?.kind === "credential" && registry && <CredentialDialog registry={registry} onClose={close} />}
      {wanted?.kind === "edit-credential" && owner && credential && (
        <CredentialDialog registry={owner} credential={credential} onClose={close} />
      )}
      {wanted?.kind === "test-credential" && owner && credential && (
        <TestDialog registry={owner} credential={credential} onClose={close} />
      )}
      {wanted?.kind === "delete-credential" && credential && <DeleteCredential credential={credential} onClose={close} />}
    </Page>
  );
}

interface RegistryPanelProps {
  registry: RegistryView;
  /** How the credentials of every registry are sorted. */
  sort: string | undefined;
  onSort: (sort: string | undefined) => void;
}

function RegistryPanel({ registry, ...head }: RegistryPanelProps) {
  const { t } = useTranslation();
  const { open } = useDialog();
  const columns: SortColumns<CredentialView> = {
    name: ({ name: own }) => own,
    source: ({ source }) => t(`registries.kind_${source.kind}`),
    user: ({ source }) => userOf(source) || null,
    test: ({ last_test_at }) => last_test_at,
  };
  const local = registry.kind === "local_engine";
  const name = local ? t("registries.local") : registry.name;
  return (
    <section className="panel" aria-label={name}>
      <Group justify="space-between" px="md" py="sm" wrap="nowrap">
        <div>
          <Group gap="sm">
            <Text component="h2" fw={600} fz={14} m={0} className="foreign">
              {name}
            </Text>
            {registry.plain_http && (
              <Badge color="yellow" variant="light" size="sm" tt="none">
                {t("registries.plain_http_mark")}
              </Badge>
            )}
          </Group>
          <Text size="sm" c="dimmed" {...(local ? {} : { className: "mono foreign" })}>
            {local ? t("registries.local_hint") : registry.host}
          </Text>
        </div>
        {!local && (
          <Group gap={4} wrap="nowrap">
            <Button
              variant="default"
              leftSection={<IconPlugConnected size={14} aria-hidden />}
              onClick={() => open(`test.${registry.id}`)}
            >
              {t("common.test")}
            </Button>
            <Button
              variant="default"
              leftSection={<IconKey size={14} aria-hidden />}
              onClick={() => open(`credential.${registry.id}`)}
            >
              {t("registries.add_credential")}
            </Button>
            <Menu position="bottom-end">
              <Menu.Target>
                <ActionIcon aria-label={t("common.actions", { name })}>
                  <IconDots size={16} aria-hidden />
                </ActionIcon>
              </Menu.Target>
              <Menu.Dropdown>
                <Menu.Item leftSection={<IconFolders size={14} aria-hidden />} onClick={() => open(`namespaces.${registry.id}`)}>
                  {t("registries.namespaces")}
                </Menu.Item>
                <Menu.Item leftSection={<IconPencil size={14} aria-hidden />} onClick={() => open(`edit.${registry.id}`)}>
                  {t("common.edit")}
                </Menu.Item>
                <Menu.Item c="red" leftSection={<IconTrash size={14} aria-hidden />} onClick={() => open(`delete.${registry.id}`)}>
                  {t("common.delete")}
                </Menu.Item>
              </Menu.Dropdown>
            </Menu>
          </Group>
        )}
      </Group>
      {!local &&
        (registry.credentials.length === 0 ? (
          <Text size="sm" c="dimmed" px="md" pb="md">
            {t("registries.no_credentials")}
          </Text>
        ) : (
          <Table style={{ borderTop: "1px solid var(--line)" }}>
            <Table.Thead>
              <Table.Tr>
                <SortHead column="name" {...head}>{t("registries.credentials")}</SortHead>
                <SortHead column="source" {...head}>{t("registries.source")}</SortHead>
                <SortHead column="user" className="room-m" {...head}>{t("registries.username")}</SortHead>
                <SortHead column="test" {...head}>{t("registries.last_test")}</SortHead>
                <Table.Th w={60}>
                  <VisuallyHidden>{t("common.actions_column")}</VisuallyHidden>
                </Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {sortRows(registry.credentials, head.sort, columns).map((credential) => (
                <CredentialRow key={credential.id} credential={credential} />
              ))}
            </Table.Tbody>
          </Table>
        ))}
    </section>
  );
}

const userOf = (source: CredentialView["source"]) => ("username" in source ? source.username : "");

function CredentialRow({ credential }: { credential: CredentialView }) {
  const { t } = useTranslation();
  const { open } = useDialog();
  const { source, last_test, last_test_at } = credential;
  const failed = last_test.find(({ failure }) => failure);
  return (
    <Table.Tr>
      <Table.Td className="foreign">{credential.name}</Table.Td>
      <Table.Td>{t(`registries.kind_${source.kind}`)}</Table.Td>
      <Table.Td className="room-m foreign">{userOf(source)}</Table.Td>
      <Table.Td>
        {last_test_at ? (
          <Group gap="sm">
            {failed ? (
              <Mark tone="bad" word={t("registries.hop_failed", { hop: t(`registries.hop_${failed.hop}`) })} />
            ) : (
              <Mark tone="good" word={t("registries.hop_ok")} />
            )}
            <Text size="sm" c="dimmed">
              <When at={last_test_at} />
            </Text>
          </Group>
        ) : (
          <Mark tone="still" word={t("registries.never_tested")} />
        )}
      </Table.Td>
      <Table.Td>
        <Menu position="bottom-end">
          <Menu.Target>
            <ActionIcon aria-label={t("common.actions", { name: credential.name })}>
              <IconDots size={16} aria-hidden />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item leftSection={<IconPlugConnected size={14} aria-hidden />} onClick={() => open(`test-credential.${credential.id}`)}>
              {t("common.test")}
            </Menu.Item>
            <Menu.Item leftSection={<IconPencil size={14} aria-hidden />} onClick={() => open(`edit-credential.${credential.id}`)}>
              {t("common.edit")}
            </Menu.Item>
            <Menu.Item c="red" leftSection={<IconTrash size={14} aria-hidden />} onClick={() => open(`delete-credential.${credential.id}`)}>
              {t("common.delete")}
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      </Table.Td>
    </Table.Tr>
  );
}

function DeleteRegistry({ registry, onClose }: { registry: RegistryView; onClose: () => void }) {
  const { t } = useTranslation();
  const remove = useCall("registries.delete");
  return (
    <ConfirmDialog
      title={t("registries.delete_title", { name: registry.name })}
      text={t("registries.delete_text")}
      confirmLabel={t("common.delete")}
      onClose={onClose}
      onConfirm={() => remove.mutate({ id: registry.id }, { onSuccess: onClose })}
      busy={remove.isPending}
      error={remove.error}
    />
  );
}

function DeleteCredential({ credential, onClose }: { credential: CredentialView; onClose: () => void }) {
  const { t } = useTranslation();
  const remove = useCall("registries.delete_credential");
  return (
    <ConfirmDialog
      title={t("registries.delete_credential_title", { name: credential.name })}
      text={t("registries.delete_credential_text")}
      confirmLabel={t("common.delete")}
      onClose={onClose}
      onConfirm={() => remove.mutate({ id: credential.id }, { onSuccess: onClose })}
      busy={remove.isPending}
      error={remove.error}
    />
  );
}
