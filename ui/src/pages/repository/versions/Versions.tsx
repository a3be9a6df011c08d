import { ActionIcon, Badge, Button, Checkbox, Group, Menu, Pagination, Skeleton, Stack, Table, Text, Tooltip, VisuallyHidden } from "@mantine/core";
import { IconArrowsDiff, IconCopy, IconDots, IconInfoCircle, IconRecycle, IconRefresh, IconServer2, IconTags, IconTrash } from "@tabler/icons-react";
import { useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import type { ImageRepositoryView, Version, VersionPage, VersionSort } from "../../../host/bindings";
import { useHost } from "../../../host/context";
import { failureKeys } from "../../../host/failures";
import { useRead } from "../../../host/reads";
import { Copyable, CopyIcon } from "../../../parts/Copyable";
import { useDialog, useFilters } from "../../../parts/dialog";
import { Empty, Filters, Listing, SearchField } from "../../../parts/Listing";
import { PageLink } from "../../../parts/Page";
import { SortHead } from "../../../parts/Sorting";
import { When } from "../../../parts/Time";
import type { RepositorySearch } from "../../../routes";
import { bytesWords, platformText, shortDigest } from "../../../words/format";
import { readSort } from "../../../words/sort";

const PAGE = 50;
/** The columns by which the core can sort; without a wish, the newest pushed come first. */
const columns: Record<VersionSort, () => null> = { name: () => null, size: () => null, created: () => null, pushed: () => null };

/** Versions (镜像版本): every tag with what it holds, when it came, and which build made it. */
export function Versions({ repository }: { repository: ImageRepositoryView }) {
  const { t } = useTranslation();
  const { host } = useHost();
  const { search = "", sort, page = 1 } = useSearch({ from: "/repositories/$repository/$tab" });
  const filter = useFilters<RepositorySearch>();
  const { open } = useDialog();
  const [picked, setPicked] = useState<string[]>([]);
  const [refreshing, setRefreshing] = useState(false);
  const by = readSort(sort, columns);
  const request = {
    repository: repository.id,
    limit: PAGE,
    offset: (page - 1) * PAGE,
    ...(search ? { search } : {}),
    ...(by ? { sort: by.column as VersionSort, ascending: !by.down } : {}),
  };
  const read = useRead("versions.list", request, { keep: true });
  const readOnly = repository.read_only_reason !== null;
  const refresh = async () => {
    setRefreshing(true);
    // What it answers is remembered by the core; reading again shows it, or the failure.
    await host.call("versions.list", { ...request, refresh: true }).catch(() => null);
    await read.refetch();
    setRefreshing(false);
  };
  const shown = read.data?.items.map(({ tag }) => tag as string) ?? [];
  const chosen = picked.filter((tag) => shown.includes(tag));
  const head = { sort, onSort: (next: string | undefined) => filter({ sort: next, page: undefined }) };
  return (
    <Stack gap="md">
      <Group justify="space-between">
        <Filters>
          <SearchField label={t("versions.search")} value={search} onChange={(text) => filter({ search: text, page: undefined })} />
          {read.data && (
            <Text size="sm" c="dimmed" aria-live="polite">
              {t("versions.count", { count: read.data.total })}
            </Text>
          )}
        </Filters>
        <Group gap="sm">
          {chosen.length === 2 && (
            <Button variant="default" leftSection={<IconArrowsDiff size={14} aria-hidden />} onClick={() => open(`compare.${chosen.join(",")}`)}>
              {t("versions.compare")}
            </Button>
          )}
          {chosen.length > 0 && (
            <Button
              variant="default"
              c="red"
              leftSection={<IconTrash size={14} aria-hidden />}
              disabled={readOnly}
              onClick={() => open(`delete-version.${chosen.join(",")}`)}
            >
              {t("versions.delete_count", { count: chosen.length })}
            </Button>
          )}
          <Button variant="default" leftSection={<IconRecycle size={14} aria-hidden />} disabled={readOnly} onClick={() => open("retention")}>
            {t("retention.open")}
          </Button>
          <Tooltip label={t("versions.refresh")}>
            <ActionIcon aria-label={t("versions.refresh")} loading={refreshing} onClick={() => void refresh()}>
              <IconRefresh size={16} aria-hidden />
            </ActionIcon>
          </Tooltip>
        </Group>
      </Group>
      <Listing
        read={read}
        count={({ items }) => items.length}
        filtered={search !== "" || page > 1}
        onClear={() => filter({ search: undefined, page: undefined })}
        empty={<NoVersions repository={repository} />}
      >
        {(answer) => (
          <>
            <div className="panel">
              <Table>
                <Table.Thead>
                  <Table.Tr>
                    <Table.Th w={36}>
                      <Checkbox
                        aria-label={t("versions.pick_all")}
                        checked={chosen.length > 0 && chosen.length === shown.length}
                        indeterminate={chosen.length > 0 && chosen.length < shown.length}
                        onChange={(event) => setPicked(event.currentTarget.checked ? shown : [])}
                      />
                    </Table.Th>
                    <SortHead column="name" {...head}>{t("versions.tag")}</SortHead>
                    <Table.Th className="room-m">{t("versions.digest")}</Table.Th>
                    <SortHead column="size" ta="end" {...head}>{t("versions.size")}</SortHead>
                    <Table.Th className="room-l">{t("versions.platform")}</Table.Th>
                    <SortHead column="created" className="room-l" {...head}>{t("versions.created")}</SortHead>
                    <SortHead column="pushed" className="room-s" {...head}>{t("versions.pushed")}</SortHead>
                    <Table.Th className="room-s">{t("versions.build")}</Table.Th>
                    <Table.Th w={84}>
                      <VisuallyHidden>{t("common.actions_column")}</VisuallyHidden>
                    </Table.Th>
                  </Table.Tr>
                </Table.Thead>
                <Table.Tbody>
                  {answer.items.map((version) => (
                    <VersionRow
                      key={version.tag}
                      version={version}
                      readOnly={readOnly}
                      picked={chosen.includes(version.tag)}
                      onPick={(on) => setPicked(on ? [...chosen, version.tag] : chosen.filter((tag) => tag !== version.tag))}
                    />
                  ))}
                </Table.Tbody>
              </Table>
            </div>
            <Paging answer={answer} page={page} sorted={by?.column === "size" || by?.column === "created"} onPage={(next) => filter({ page: next > 1 ? next : undefined })} />
          </>
        )}
      </Listing>
    </Stack>
  );
}

function Paging({ answer, page, sorted, onPage }: { answer: VersionPage; page: number; sorted: boolean; onPage: (page: number) => void }) {
  const { t } = useTranslation();
  const pages = Math.ceil(answer.total / PAGE);
  return (
    <Group justify="space-between">
      <Text size="sm" c="dimmed" aria-live="polite">
        {answer.pending > 0
          ? t("versions.pending", { count: answer.pending })
          : sorted && answer.sorted < answer.total
            ? t("versions.partly_sorted", { sorted: answer.sorted, total: answer.total })
            : t("versions.checked")}{" "}
        {answer.pending === 0 && !(sorted && answer.sorted < answer.total) && <When at={answer.checked_at} />}
      </Text>
      {pages > 1 && (
        <Pagination
          size="sm"
          total={pages}
          value={page}
          onChange={onPage}
          aria-label={t("versions.pages")}
          getControlProps={(control) => ({ "aria-label": t(`versions.page_${control}`) })}
          getItemProps={(item) => ({ "aria-label": t("versions.page", { page: item }) })}
        />
      )}
    </Group>
  );
}

/** Nothing is there yet: what fills the repository. */
function NoVersions({ repository }: { repository: ImageRepositoryView }) {
  const { t } = useTranslation();
  const { open } = useDialog();
  const platform = repository.spec.source === "platform";
  return (
    <Empty
      sentence={t(platform ? "versions.empty_platform" : "versions.empty")}
      action={
        platform && repository.read_only_reason === null ? (
          <Button onClick={() => open("new-rule")}>{t("rules.add")}</Button>
        ) : (
          <PageLink to="/repositories/$repository/$tab" params={{ repository: String(repository.id), tab: "info" }}>
            {t("repositories.commands")}
          </PageLink>
        )
      }
    />
  );
}

interface VersionRowProps {
  version: Version;
  readOnly: boolean;
  picked: boolean;
  onPick: (on: boolean) => void;
}

function VersionRow({ version, readOnly, picked, onPick }: VersionRowProps) {
  const { t } = useTranslation();
  const { open } = useDialog();
  const { tag, digest, image, size, platforms, created, pushed_at, origin, build, failure } = version;
  const identity = digest ?? image;
  const waiting = size === null && !failure;
  return (
    <Table.Tr {...(picked ? { bg: "var(--mantine-primary-color-light)" } : {})}>
      <Table.Td>
        <Checkbox aria-label={t("versions.pick", { tag })} checked={picked} onChange={(event) => onPick(event.currentTarget.checked)} />
      </Table.Td>
      <Table.Td>
        <Group gap={6} wrap="nowrap">
          <Button variant="transparent" size="compact-sm" px={0} className="mono foreign version-tag" onClick={() => open(`version.${tag}`)}>
            {tag}
          </Button>
          {version.newest && (
            <Badge size="sm" variant="light" color="green" tt="none">
              {t("versions.newest")}
            </Badge>
          )}
          {version.write_once && (
            <Tooltip label={t("repositories.write_once_hint")}>
              <Badge size="sm" variant="light" color="gray" tt="none">
                {t("versions.write_once")}
              </Badge>
            </Tooltip>
          )}
        </Group>
        {failure && (
          <Text fz={12} style={{ color: "var(--state-bad)" }}>
            {t(failureKeys(failure.code).what)}
          </Text>
        )}
      </Table.Td>
      <Table.Td className="room-m">{identity && <Copyable text={identity} shown={shortDigest(identity)} />}</Table.Td>
      <Table.Td ta="end" style={{ whiteSpace: "nowrap" }}>
        {size !== null ? bytesWords(size) : waiting && <Skeleton height={12} width={52} ml="auto" />}
      </Table.Td>
      <Table.Td className="room-l">{waiting ? <Skeleton height={12} width={70} /> : platforms.map(platformText).join(", ")}</Table.Td>
      <Table.Td className="room-l">{created && <When at={created} />}</Table.Td>
      <Table.Td className="room-s">{pushed_at ? <When at={pushed_at} /> : <Text size="sm" c="dimmed">{t("versions.origin_elsewhere")}</Text>}</Table.Td>
      <Table.Td className="room-s">
        {build ? (
          <PageLink to="/builds/$build" params={{ build: String(build.id) }}>
            {t("builds.title", { number: build.number })}
          </PageLink>
        ) : (
          origin !== "elsewhere" && <Text size="sm" c="dimmed">{t(`versions.origin_${origin}`)}</Text>
        )}
      </Table.Td>
      <Table.Td>
        <Group gap={4} wrap="nowrap" justify="flex-end">
          {version.pull && <CopyIcon text={version.pull} label={t("versions.copy_pull")} />}
          <Menu position="bottom-end">
            <Menu.Target>
              <ActionIcon aria-label={t("common.actions", { name: tag })}>
                <IconDots size={16} aria-hidden />
              </ActionIcon>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item leftSection={<IconInfoCircle size={14} aria-hidden />} onClick={() => open(`version.${tag}`)}>
                {t("versions.details")}
              </Menu.Item>
              <Menu.Item leftSection={<IconArrowsDiff size={14} aria-hidden />} onClick={() => open(`compare.${tag}`)}>
                {t("versions.compare_with")}
              </Menu.Item>
              <Menu.Item leftSection={<IconServer2 size={14} aria-hidden />} onClick={() => open(`run-image.${tag}`)}>
                {t("run.title")}
              </Menu.Item>
              {version.pull_by_digest && (
                <Menu.Item
                  leftSection={<IconCopy size={14} aria-hidden />}
                  onClick={() => void navigator.clipboard.writeText(version.pull_by_digest ?? "")}
                >
                  {t("versions.copy_pull_digest")}
                </Menu.Item>
              )}
              <Menu.Item leftSection={<IconTags size={14} aria-hidden />} disabled={readOnly} onClick={() => open(`copy-version.${tag}`)}>
                {t("versions.copy")}
              </Menu.Item>
              <Menu.Item
                c="red"
                leftSection={<IconTrash size={14} aria-hidden />}
                disabled={readOnly}
                onClick={() => open(`delete-version.${tag}`)}
              >
                {t("common.delete")}
              </Menu.Item>
            </Menu.Dropdown>
          </Menu>
        </Group>
      </Table.Td>
    </Table.Tr>
  );
}

