import { ActionIcon, Button, Group, Menu, Table, Text, Tooltip, VisuallyHidden } from "@mantine/core";
import { IconDots, IconFolder, IconGitBranch, IconKey, IconPencil, IconPlus, IconRefresh, IconTrash, IconWebhook, IconPlugConnected } from "@tabler/icons-react";
import { useSearch } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { readDialog } from "../../dialogs";
import type { CodeRepositoryView } from "../../host/bindings";
import { useCall, useRead } from "../../host/reads";
import { useDialog, useFilters } from "../../parts/dialog";
import { ConfirmDialog } from "../../parts/Dialogs";
import { FailureNotice } from "../../parts/FailureNotice";
import { Empty, Filters, Listing, SearchField } from "../../parts/Listing";
import { Page } from "../../parts/Page";
import { Mark } from "../../parts/StateMark";
import { SortHead } from "../../parts/Sorting";
import { When } from "../../parts/Time";
import type { ListSearch } from "../../routes";
import { shortRef, spanWords } from "../../words/format";
import { type SortColumns, sortRows } from "../../words/sort";
import { useSecondsSince } from "../../parts/clock";
import { Accounts } from "./accounts/Accounts";
import { SourceDialog } from "./SourceDialog";
import { WebhookDialog } from "./WebhookDialog";
import { LeftBehindWebhooks, WebhookStatus } from "./WebhookStatus";

const placeOf = ({ location }: CodeRepositoryView) => (location.kind === "local_clone" ? location.path : location.url);

/** Everything of a code source that a search looks at. */
const textOf = (source: CodeRepositoryView) => `${source.name} ${placeOf(source)}`.toLowerCase();

const kindWords = { git_url: "sources.kind_url", ssh: "sources.kind_ssh", local_clone: "sources.kind_local" } as const;

const columns: SortColumns<CodeRepositoryView> = {
  name: ({ name }) => name,
  place: placeOf,
  // What needs a look comes first.
  health: ({ last_failure, last_ok_at }) => (last_failure ? 0 : last_ok_at ? 2 : 1),
};

/** Code sources: what is watched, whether it answers, and when it is looked at next. */
export function Sources() {
  const { t } = useTranslation();
  const { search = "", sort, dialog } = useSearch({ from: "/sources" });
  const filter = useFilters<ListSearch>();
  const { open, close } = useDialog();
  const read = useRead("code_repositories.list", {});
  const found = read.data?.filter((source) => textOf(source).includes(search.toLowerCase())) ?? [];
  const shown = sortRows(found, sort, columns);
  const head = { sort, onSort: (next: string | undefined) => filter({ sort: next }) };
  const wanted = readDialog("/sources", dialog);
  const subject = read.data?.find(({ id }) => id === wanted?.id);
  const add = (
    <Button leftSection={<IconPlus size={14} aria-hidden />} onClick={() => open("add")}>
      {t("sources.add")}
    </Button>
  );
  return (
    <Page title={t("page.sources")} name={t("page.sources")} lead={t("sources.lead")} action={read.isPending || read.data?.length === 0 ? null : add}>
      <Accounts />
      <LeftBehindWebhooks />
      {(read.data?.length ?? 0) > 0 && (
        <Filters>
          <SearchField label={t("sources.search")} value={search} onChange={(text) => filter({ search: text })} />
        </Filters>
      )}
      <Listing
        read={read}
        count={() => shown.length}
        filtered={search !== ""}
        onClear={() => filter({ search: undefined })}
        empty={<Empty sentence={t("sources.empty")} action={add} />}
      >
        {() => (
          <div className="panel">
            <Table>
              <Table.Thead>
                <Table.Tr>
                  <SortHead column="name" {...head}>{t("common.name")}</SortHead>
                  <SortHead column="place" {...head}>{t("sources.place")}</SortHead>
                  <Table.Th className="room-m">{t("sources.branch")}</Table.Th>
                  <SortHead column="health" {...head}>{t("sources.health")}</SortHead>
                  <Table.Th w={80}>
                    <VisuallyHidden>{t("common.actions_column")}</VisuallyHidden>
                  </Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {shown.map((source) => (
                  <SourceRow key={source.id} source={source} readAt={read.dataUpdatedAt} />
                ))}
              </Table.Tbody>
            </Table>
          </div>
        )}
      </Listing>
      {wanted?.kind === "add" && <SourceDialog onClose={close} />}
      {wanted?.kind === "edit" && subject && <SourceDialog source={subject} onClose={close} />}
      {wanted?.kind === "webhook" && subject && <WebhookDialog source={subject} onClose={close} />}
      {wanted?.kind === "delete" && subject && <DeleteSource source={subject} onClose={close} />}
    </Page>
  );
}

function SourceRow({ source, readAt }: { source: CodeRepositoryView; readAt: number }) {
  const { t } = useTranslation();
  const { open } = useDialog();
  const check = useCall("code_repositories.check");
  const accounts = useRead("accounts.list", {}, { enabled: source.account !== undefined });
  const account = accounts.data?.find(({ id }) => id === source.account?.id);
  const login = account?.login;
  const Icon = source.location.kind === "local_clone" ? IconFolder : IconGitBranch;
  return (
    <>
      <Table.Tr>
        <Table.Td className="foreign">{source.name}</Table.Td>
        <Table.Td>
          <Group gap={6} wrap="nowrap">
            <Tooltip label={t(kindWords[source.location.kind])}>
              <Icon size={15} aria-hidden style={{ flex: "none" }} />
            </Tooltip>
            <span className="mono foreign">{placeOf(source)}</span>
          </Group>
          {source.account && (
            <Text fz={12} c="dimmed" className="foreign">
              {source.account.id === null ? t("accounts.unbound") : login !== undefined && t("accounts.through", { name: login })}
            </Text>
          )}
        </Table.Td>
        <Table.Td className="room-m foreign">{source.default_branch && shortRef(source.default_branch)}</Table.Td>
        <Table.Td>
          <SourceHealth source={source} readAt={readAt} />
          <WebhookStatus source={source} />
        </Table.Td>
        <Table.Td>
          <Group gap={4} wrap="nowrap" justify="flex-end">
            <Tooltip label={t("sources.check_now")}>
              <ActionIcon
                aria-label={t("sources.check_now")}
                loading={check.isPending || source.checking}
                onClick={() => check.mutate({ id: source.id })}
              >
                <IconRefresh size={16} aria-hidden />
              </ActionIcon>
            </Tooltip>
            <Menu position="bottom-end">
              <Menu.Target>
                <ActionIcon aria-label={t("common.actions", { name: source.name })}>
                  <IconDots size={16} aria-hidden />
                </ActionIcon>
              </Menu.Target>
              <Menu.Dropdown>
                <Menu.Item leftSection={<IconPencil size={14} aria-hidden />} onClick={() => open(`edit.${source.id}`)}>
                  {t("common.edit")}
                </Menu.Item>
                {source.account?.id != null && (
                  <Menu.Item leftSection={<IconWebhook size={14} aria-hidden />} onClick={() => open(`webhook.${source.id}`)}>
                    {t("webhooks.webhook")}
                  </Menu.Item>
                )}
                <Menu.Item c="red" leftSection={<IconTrash size={14} aria-hidden />} onClick={() => open(`delete.${source.id}`)}>
                  {t("common.delete")}
                </Menu.Item>
              </Menu.Dropdown>
            </Menu>
          </Group>
        </Table.Td>
      </Table.Tr>
      {/* Why a paused account's code is not reached stands above, once. */}
      {source.last_failure && !account?.paused && (
        <Table.Tr>
          <Table.Td colSpan={5}>
            <FailureNotice failure={source.last_failure} onRetry={() => check.mutate({ id: source.id })}>
              {source.last_failure.code === "ssh_host_key_unknown" && (
                <Button variant="default" leftSection={<IconKey size={14} aria-hidden />} onClick={() => open(`edit.${source.id}`)}>
                  {t("sources.host_key_look")}
                </Button>
              )}
              {source.account && source.last_failure.code === "source_unauthorized" && (
                <Button
                  variant="default"
                  leftSection={<IconPlugConnected size={14} aria-hidden />}
                  onClick={() => open(source.account?.id == null ? "connect" : `reconnect.${source.account.id}`)}
                >
                  {t(source.account.id === null ? "accounts.connect" : "accounts.reconnect")}
                </Button>
              )}
            </FailureNotice>
          </Table.Td>
        </Table.Tr>
      )}
    </>
  );
}

/** "checked 12 s ago, next in 48 s": the core's seconds, counted on by the window's clock. */
function SourceHealth({ source, readAt }: { source: CodeRepositoryView; readAt: number }) {
  const { t } = useTranslation();
  const passed = useSecondsSince(readAt);
  const left = source.next_in_seconds - passed;
  const checked =
    source.checked_seconds_ago === null
      ? t("sources.never")
      : t("sources.checked", { ago: t("time.ago", { span: spanWords(t, source.checked_seconds_ago + passed) }) });
  const next = source.checking
    ? t("sources.checking")
    : t("sources.next", { when: left < 1 ? t("time.now") : t("time.in", { span: spanWords(t, left) }) });
  const tone = source.last_failure ? "bad" : source.last_ok_at ? "good" : "still";
  const word = source.last_failure ? "sources.failing" : source.last_ok_at ? "sources.healthy" : "sources.unchecked";
  return (
    <>
      <Mark tone={tone} word={t(word)} />
      <Text fz={12} c="dimmed" style={{ whiteSpace: "nowrap", fontVariantNumeric: "tabular-nums" }}>
        {checked} · {next}
      </Text>
      {source.last_failure && source.last_ok_at && (
        <Text fz={12} c="dimmed">
          {t("sources.last_ok")} <When at={source.last_ok_at} />
        </Text>
      )}
    </>
  );
}

function DeleteSource({ source, onClose }: { source: CodeRepositoryView; onClose: () => void }) {
  const { t } = useTranslation();
  const remove = useCall("code_repositories.delete");
  return (
    <ConfirmDialog
      title={t("sources.delete_title", { name: source.name })}
      text={t("sources.delete_text")}
      confirmLabel={t("common.delete")}
      onClose={onClose}
      onConfirm={() => remove.mutate({ id: source.id }, { onSuccess: onClose })}
      busy={remove.isPending}
      error={remove.error}
    />
  );
}
