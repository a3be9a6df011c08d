import { ActionIcon, Button, Group, Menu, Select, Stack, Switch, Table, Text, Title, Tooltip, VisuallyHidden } from "@mantine/core";
import { IconDots, IconHistory, IconPencil, IconPin, IconPlus, IconRefresh, IconTrash } from "@tabler/icons-react";
import { useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import type { FiringState, ImageRepositoryView, ListFirings, TriggerView } from "../../host/bindings";
import { failureOf } from "../../host/host";
import { useCall, useRead } from "../../host/reads";
import { useDialog, useFilters } from "../../parts/dialog";
import { FailureNotice } from "../../parts/FailureNotice";
import { Empty, Filters, Listing, SearchField } from "../../parts/Listing";
import { SortHead } from "../../parts/Sorting";
import { When } from "../../parts/Time";
import type { RepositorySearch } from "../../routes";
import { type SortColumns, sortRows } from "../../words/sort";
import { conditionWords, targetName } from "../../words/targets";
import { FiringStateMark } from "../targets/marks";
import { PinnedNotice } from "../targets/PinnedNotice";
import { versionName } from "../targets/TargetVersionText";
import { firingStates, FiringsTable } from "./FiringsTable";
import { TargetLink } from "./TargetLink";

const PAGE = 20;
/** The core gives no more at once. */
const MOST = 200;

/** Triggers (触发器) of a repository, and what they did (触发日志). */
export function Triggers({ repository }: { repository: ImageRepositoryView }) {
  const { t } = useTranslation();
  const { open } = useDialog();
  const { sort } = useSearch({ from: "/repositories/$repository/$tab" });
  const filter = useFilters<RepositorySearch>();
  const read = useRead("triggers.list", { repository: repository.id });
  const check = useCall("triggers.check");
  const triggers = read.data ?? [];
  const head = { sort, onSort: (next: string | undefined) => filter({ sort: next }) };
  const columns: SortColumns<TriggerView> = {
    name: ({ spec }) => spec.name,
    target: ({ spec }) => targetName(spec.target),
    enabled: ({ spec }) => Number(spec.enabled),
    last: ({ last_firing }) => last_firing?.id ?? null,
  };
  const add = (
    <Button variant={triggers.length > 0 ? "default" : "filled"} leftSection={<IconPlus size={14} aria-hidden />} onClick={() => open("new-trigger")}>
      {t("image_triggers.add")}
    </Button>
  );
  const pinned = triggers.filter(({ pin, target }, at) => pin !== null && triggers.findIndex((one) => one.target === target) === at);
  const watch = triggers.find(({ watch: { last_failure } }) => last_failure !== null)?.watch;
  const looked = triggers[0]?.watch.last_ok_at;
  return (
    <Stack gap="lg">
      <Group justify="space-between">
        <Title order={2} fz={15} fw={600}>
          {t("image_triggers.title")}
        </Title>
        {triggers.length > 0 && (
          <Group gap="sm">
            {looked && (
              <Text size="sm" c="dimmed">
                {t("image_triggers.looked")} <When at={looked} />
              </Text>
            )}
            <Tooltip label={t("image_triggers.look_now")}>
              <ActionIcon aria-label={t("image_triggers.look_now")} loading={check.isPending} onClick={() => check.mutate({ repository: repository.id })}>
                <IconRefresh size={16} aria-hidden />
              </ActionIcon>
            </Tooltip>
            {add}
          </Group>
        )}
      </Group>
      {pinned.map(({ target, spec, pin }) => pin && <PinnedNotice key={target} id={target} target={spec.target} pin={pin} />)}
      {check.error && <FailureNotice failure={failureOf(check.error)} />}
      {watch?.last_failure && !check.error && (
        <FailureNotice failure={watch.last_failure} warning onRetry={() => check.mutate({ repository: repository.id })} />
      )}
      <Listing read={read} count={(list) => list.length} empty={<Empty sentence={t("image_triggers.empty")} action={add} />}>
        {(list) => (
          <div className="panel">
            <Table>
              <Table.Thead>
                <Table.Tr>
                  <SortHead column="name" {...head}>{t("common.name")}</SortHead>
                  <Table.Th className="room-s">{t("image_triggers.condition")}</Table.Th>
                  <Table.Th className="room-l">{t("image_triggers.action")}</Table.Th>
                  <SortHead column="target" {...head}>{t("image_triggers.target")}</SortHead>
                  <SortHead column="enabled" {...head}>{t("image_triggers.on")}</SortHead>
                  <SortHead column="last" {...head}>{t("image_triggers.last")}</SortHead>
                  <Table.Th w={48}>
                    <VisuallyHidden>{t("common.actions_column")}</VisuallyHidden>
                  </Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {sortRows(list, sort, columns).map((trigger) => (
                  <TriggerRow key={trigger.id} trigger={trigger} />
                ))}
              </Table.Tbody>
            </Table>
          </div>
        )}
      </Listing>
      <Records repository={repository} triggers={triggers} />
    </Stack>
  );
}

function TriggerRow({ trigger }: { trigger: TriggerView }) {
  const { t } = useTranslation();
  const { open } = useDialog();
  const filter = useFilters<RepositorySearch>();
  const turn = useCall("triggers.set_enabled");
  const { spec, last_firing: last, pin } = trigger;
  return (
    <>
      <Table.Tr>
        <Table.Td className="foreign">
          {spec.name}
          {pin && (
            <Tooltip label={t("targets.pinned_short")}>
              <IconPin size={14} role="img" aria-label={t("targets.pinned_short")} style={{ marginInlineStart: 6, verticalAlign: "-2px", color: "var(--state-warn)" }} />
            </Tooltip>
          )}
        </Table.Td>
        <Table.Td className="room-s foreign">{conditionWords(t, spec.condition)}</Table.Td>
        <Table.Td className="room-l">{t(`image_triggers.does_${spec.target.kind}`)}</Table.Td>
        <Table.Td maw={240}>
          <TargetLink target={spec.target} />
        </Table.Td>
        <Table.Td>
          <Switch
            aria-label={t("image_triggers.on_for", { name: spec.name })}
            checked={turn.isPending ? turn.variables.enabled : spec.enabled}
            onChange={(event) => turn.mutate({ id: trigger.id, enabled: event.currentTarget.checked })}
          />
        </Table.Td>
        <Table.Td>
          {last && (
            <Group gap="sm" wrap="nowrap">
              <FiringStateMark state={last.state} quiet />
              <Button variant="transparent" size="compact-sm" px={0} className="mono foreign version-tag" onClick={() => open(`record.${last.id}`)}>
                {versionName(last.version)}
              </Button>
              <Text size="sm" c="dimmed" component="span">
                <When at={last.ended_at ?? last.created_at} />
              </Text>
            </Group>
          )}
        </Table.Td>
        <Table.Td>
          <Menu position="bottom-end">
            <Menu.Target>
              <ActionIcon aria-label={t("common.actions", { name: spec.name })}>
                <IconDots size={16} aria-hidden />
              </ActionIcon>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item leftSection={<IconPencil size={14} aria-hidden />} onClick={() => open(`trigger.${trigger.id}`)}>
                {t("common.edit")}
              </Menu.Item>
              <Menu.Item leftSection={<IconHistory size={14} aria-hidden />} onClick={() => filter({ trigger: trigger.id })}>
                {t("firings.only_these")}
              </Menu.Item>
              <Menu.Item c="red" leftSection={<IconTrash size={14} aria-hidden />} onClick={() => open(`delete-trigger.${trigger.id}`)}>
                {t("common.delete")}
              </Menu.Item>
            </Menu.Dropdown>
          </Menu>
        </Table.Td>
      </Table.Tr>
      {turn.error && (
        <Table.Tr>
          <Table.Td colSpan={7}>
            <FailureNotice failure={failureOf(turn.error)} />
          </Table.Td>
        </Table.Tr>
      )}
    </>
  );
}

/** What the triggers of a repository did, filtered by the address. */
function Records({ repository, triggers }: { repository: ImageRepositoryView; triggers: TriggerView[] }) {
  const { t } = useTranslation();
  const wanted = useSearch({ from: "/repositories/$repository/$tab" });
  const filter = useFilters<RepositorySearch>();
  const [limit, setLimit] = useState(PAGE);
  const state = firingStates.find((one) => one === wanted.state);
  const request: ListFirings = {
    repository: repository.id,
    limit,
    ...(wanted.trigger === undefined ? {} : { trigger: wanted.trigger }),
    ...(state ? { state } : {}),
    ...(wanted.search ? { search: wanted.search } : {}),
  };
  const read = useRead("firings.list", request, { keep: true });
  const filtered = wanted.trigger !== undefined || state !== undefined || Boolean(wanted.search);
  const clear = () => filter({ trigger: undefined, state: undefined, search: undefined });
  if (!filtered && triggers.length === 0 && (read.data?.total ?? 0) === 0) return null;
  return (
    <>
      <Title order={2} fz={15} fw={600}>
        {t("firings.title")}
      </Title>
      <Filters>
        <SearchField label={t("firings.search")} value={wanted.search ?? ""} onChange={(search) => filter({ search })} />
        <Select
          aria-label={t("firings.trigger")}
          data={[{ value: "", label: t("firings.all_triggers") }, ...triggers.map(({ id, spec }) => ({ value: String(id), label: spec.name }))]}
          value={wanted.trigger?.toString() ?? ""}
          onChange={(chosen) => filter({ trigger: chosen ? Number(chosen) : undefined })}
        />
        <Select
          aria-label={t("firings.state")}
          w={240}
          data={[{ value: "", label: t("firings.all_states") }, ...firingStates.map((value: FiringState) => ({ value, label: t(`firings.state_${value}`) }))]}
          value={state ?? ""}
          onChange={(chosen) => filter({ state: chosen ?? undefined })}
        />
      </Filters>
      <Listing
        read={read}
        count={({ items }) => items.length}
        filtered={filtered}
        onClear={clear}
        empty={<Empty sentence={t("firings.empty")} />}
      >
        {({ items, total, more }) => (
          <>
            <FiringsTable firings={items} />
            <Text size="sm" c="dimmed" aria-live="polite">
              {t("firings.total", { count: total })}
            </Text>
            {more && limit < MOST && (
              <Button variant="default" loading={read.isFetching} onClick={() => setLimit(Math.min(limit + PAGE, MOST))}>
                {t("firings.more")}
              </Button>
            )}
          </>
        )}
      </Listing>
    </>
  );
}
