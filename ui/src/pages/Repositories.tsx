import { ActionIcon, Button, Group, Menu, Select, Table, Text, VisuallyHidden } from "@mantine/core";
import { IconDots, IconPencil, IconPlus, IconTrash } from "@tabler/icons-react";
import { useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { readDialog } from "../dialogs";
import type { ImageRepositoryRow, RegistryView } from "../host/bindings";
import { useRead } from "../host/reads";
import { useDialog, useFilters } from "../parts/dialog";
import { Empty, Filters, Listing, SearchField } from "../parts/Listing";
import { Page, PageLink } from "../parts/Page";
import { BuildStateMark, Mark } from "../parts/StateMark";
import { SortHead } from "../parts/Sorting";
import { When } from "../parts/Time";
import type { ListSearch } from "../routes";
import { type SortColumns, sortRows } from "../words/sort";
import { DeleteRepository } from "./repository/DeleteRepository";
import { RepositoryDrawer } from "./repository/RepositoryDrawer";
import { ShortcutCommands } from "./repository/ShortcutCommands";

/** Rows that are drawn at first. */
const PAGE = 50;
/** Rows that are read at once; a longer list keeps the order of the core, by name. */
const READ = 500;

const columns: SortColumns<ImageRepositoryRow> = {
  name: ({ repository }) => repository.spec.name,
  source: ({ repository }) => repository.spec.source,
  rules: ({ rules }) => rules,
  builds: ({ builds }) => builds,
  last: ({ last_build }) => last_build,
};

/** Image repositories: what is built, from how many rules, and how the last build went. */
export function Repositories() {
  const { t } = useTranslation();
  const { search = "", registry, sort, dialog } = useSearch({ from: "/repositories" });
  const filter = useFilters<ListSearch>();
  const { open, close } = useDialog();
  const [limit, setLimit] = useState(PAGE);
  const registries = useRead("registries.list", {}).data ?? [];
  const read = useRead(
    "image_repositories.list",
    { limit: Math.max(limit, READ), ...(search ? { search } : {}), ...(registry === undefined ? {} : { registry }) },
    { keep: true },
  );
  const wanted = readDialog("/repositories", dialog);
  const subject = read.data?.items.find(({ repository }) => repository.id === wanted?.id)?.repository;
  const filtered = search !== "" || registry !== undefined;
  const add = (
    <Button leftSection={<IconPlus size={14} aria-hidden />} onClick={() => open("add")}>
      {t("repositories.add")}
    </Button>
  );
  return (
    <Page title={t("page.repositories")} name={t("page.repositories")} lead={t("repositories.lead")} action={read.isPending || (!filtered && read.data?.items.length === 0) ? null : add}>
      {(filtered || (read.data?.total ?? 0) > 0) && (
        <Filters>
          <SearchField label={t("repositories.search")} value={search} onChange={(text) => filter({ search: text })} />
          <Select
            aria-label={t("repositories.registry")}
            data={[
              { value: "", label: t("repositories.all_registries") },
              ...registries.map(({ id, name, kind }) => ({
                value: String(id),
                label: kind === "local_engine" ? t("registries.local") : name,
              })),
            ]}
            value={registry === undefined ? "" : String(registry)}
            onChange={(chosen) => filter({ registry: chosen ? Number(chosen) : undefined })}
          />
        </Filters>
      )}
      <Listing
        read={read}
        count={({ items }) => items.length}
        filtered={filtered}
        onClear={() => filter({ search: undefined, registry: undefined })}
        empty={<Empty sentence={t("repositories.empty")} action={add} />}
      >
        {({ items, total }) => {
          const rows = total <= items.length ? sortRows(items, sort, columns) : items;
          const head = (column: string, label: string, right = false, className = "") =>
            total <= items.length ? (
              <SortHead column={column} sort={sort} onSort={(next) => filter({ sort: next })} className={className} {...(right ? { ta: "end" } : {})}>
                {label}
              </SortHead>
            ) : (
              <Table.Th className={className} {...(right ? { ta: "end" } : {})}>{label}</Table.Th>
            );
          return (
            <>
              <div className="panel">
                <Table>
                  <Table.Thead>
                    <Table.Tr>
                      {head("name", t("common.name"))}
                      <Table.Th className="room-s">{t("repositories.registry")}</Table.Th>
                      {head("source", t("repositories.source"), false, "room-l")}
                      {head("rules", t("repositories.rules"), true, "room-m")}
                      {head("builds", t("repositories.builds"), true, "room-m")}
                      {head("last", t("repositories.last_build"))}
                      <Table.Th w={80}>
                        <VisuallyHidden>{t("common.actions_column")}</VisuallyHidden>
                      </Table.Th>
                    </Table.Tr>
                  </Table.Thead>
                  <Table.Tbody>
                    {rows.slice(0, limit).map((row) => (
                      <RepositoryRow key={row.repository.id} row={row} registries={registries} />
                    ))}
                  </Table.Tbody>
                </Table>
              </div>
              {limit < total && (
                <Button variant="default" loading={read.isFetching} onClick={() => setLimit(limit + PAGE)}>
                  {t("repositories.show_more")}
                </Button>
              )}
            </>
          );
        }}
      </Listing>
      {wanted?.kind === "add" && <RepositoryDrawer onClose={close} />}
      {wanted?.kind === "edit" && subject && <RepositoryDrawer repository={subject} onClose={close} />}
      {wanted?.kind === "delete" && subject && <DeleteRepository repository={subject} onClose={close} />}
    </Page>
  );
}

function RepositoryRow({ row, registries }: { row: ImageRepositoryRow; registries: RegistryView[] }) {
  const { t } = useTranslation();
  const { open } = useDialog();
  const { id, spec, read_only_reason } = row.repository;
  const registry = registries.find((one) => one.id === spec.registry);
  return (
    <Table.Tr>
      <Table.Td>
        <PageLink
          to="/repositories/$repository/$tab"
          params={{ repository: String(id), tab: "versions" }}
          className="foreign"
        >
          {spec.name}
        </PageLink>
        {spec.summary && (
          <Text fz={12} c="dimmed" className="foreign">
            {spec.summary}
          </Text>
        )}
      </Table.Td>
      <Table.Td className="room-s foreign" style={{ whiteSpace: "nowrap" }}>
        {registry && (registry.kind === "local_engine" ? t("registries.local") : registry.name)}
        {read_only_reason && <Mark tone="warn" word={t("repositories.read_only")} />}
      </Table.Td>
      <Table.Td className="room-l" style={{ whiteSpace: "nowrap" }}>{t(`repositories.source_${spec.source}`)}</Table.Td>
      <Table.Td className="room-m" ta="end">{row.rules}</Table.Td>
      <Table.Td className="room-m" ta="end">{row.builds}</Table.Td>
      <Table.Td>{row.last_build === null ? <Text c="dimmed" size="sm">{t("repositories.no_build")}</Text> : <LastBuild id={row.last_build} />}</Table.Td>
      <Table.Td>
        <Group gap={4} wrap="nowrap" justify="flex-end">
          <ShortcutCommands repository={row.repository} registries={registries} />
          <Menu position="bottom-end">
            <Menu.Target>
              <ActionIcon aria-label={t("common.actions", { name: spec.name })}>
                <IconDots size={16} aria-hidden />
              </ActionIcon>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item leftSection={<IconPencil size={14} aria-hidden />} onClick={() => open(`edit.${id}`)}>
                {t("common.edit")}
              </Menu.Item>
              <Menu.Item c="red" leftSection={<IconTrash size={14} aria-hidden />} onClick={() => open(`delete.${id}`)}>
                {t("common.delete")}
              </Menu.Item>
            </Menu.Dropdown>
          </Menu>
        </Group>
      </Table.Td>
    </Table.Tr>
  );
}

function LastBuild({ id }: { id: number }) {
  const { t } = useTranslation();
  const build = useRead("builds.get", { id }).data;
  if (!build) return null;
  return (
    <span style={{ display: "inline-flex", gap: 8, alignItems: "center", verticalAlign: "middle" }}>
      <BuildStateMark state={build.state} />
      <PageLink to="/builds/$build" params={{ build: String(id) }}>
        {t("builds.title", { number: build.number })}
      </PageLink>
      <Text size="sm" c="dimmed" component="span">
        <When at={build.ended_at ?? build.created_at} />
      </Text>
    </span>
  );
}
