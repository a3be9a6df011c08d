import { ActionIcon, Anchor, Badge, Button, Group, Menu, Select, Stack, Table, Text, Title, VisuallyHidden } from "@mantine/core";
import { IconDots, IconInfoCircle, IconPin, IconPlayerPlay, IconRefresh } from "@tabler/icons-react";
import { useSearch } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { readDialog } from "../../dialogs";
import type { DeployTargetView } from "../../host/bindings";
import { useRead } from "../../host/reads";
import { useDialog, useFilters } from "../../parts/dialog";
import { failureKeys } from "../../host/failures";
import { FailureNotice } from "../../parts/FailureNotice";
import { Empty, Filters, Listing, SearchField } from "../../parts/Listing";
import { Page, PageLink } from "../../parts/Page";
import { SortHead } from "../../parts/Sorting";
import { When } from "../../parts/Time";
import type { TargetsSearch } from "../../routes";
import { type SortColumns, sortRows } from "../../words/sort";
import { groupName, groupOf, placeKey, placeName, placeOf, serviceName, targetName, targetOf, targetPath } from "../../words/targets";
import { FiringDrawer } from "../triggers/FiringDrawer";
import { DeleteFiring } from "../triggers/TriggerDialogs";
import { Addresses } from "./Addresses";
import { FiringStateMark, HealthMark } from "./marks";
import { RollBackDialog } from "./RollBackDialog";
import { RunImageDialog } from "./RunImageDialog";
import { TargetDrawer } from "./TargetDrawer";
import { TargetIcon } from "./TargetIcon";
import { RunningImageText } from "./TargetVersionText";
import { UpdateNowDialog } from "./UpdateNowDialog";

/** Health changes without an event of ours. */
const LOOK_EVERY_MS = 15_000;

const kinds = ["container", "compose_service", "swarm_service", "kubernetes_container", "webhook"] as const;

const columns: SortColumns<DeployTargetView> = {
  name: ({ target }) => serviceName({ target }),
  image: ({ state }) => state?.image?.reference ?? null,
  health: ({ state }) => state?.health ?? null,
  last: ({ last_firing }) => last_firing?.id ?? null,
};

/** Deploy targets (部署目标): what runs where, and which trigger owns it. */
export function Targets() {
  const { t } = useTranslation();
  const { search = "", kind: wantedKind, sort, dialog } = useSearch({ from: "/targets" });
  const filter = useFilters<TargetsSearch>();
  const { open, close } = useDialog();
  const read = useRead("targets.list", {}, { every: LOOK_EVERY_MS });
  const wanted = readDialog("/targets", dialog);
  const kind = kinds.find((one) => one === wantedKind);
  const text = search.trim().toLowerCase();
  const fits = ({ target, state, triggers }: DeployTargetView) =>
    (!kind || target.kind === kind) &&
    [targetName(target), state?.image?.reference ?? "", ...triggers.map(({ name }) => name)].some((word) => word.toLowerCase().includes(text));
  const named = wanted ? targetOf(wanted.subject) : null;
  const found = named && read.data?.items.find(({ target }) => targetPath(target) === targetPath(named));
  const target = found?.target ?? named;
  const run = (
    <Button leftSection={<IconPlayerPlay size={14} aria-hidden />} onClick={() => open("run-image")}>
      {t("targets.run_image")}
    </Button>
  );
  return (
    <Page title={t("page.targets")} name={t("page.targets")} lead={t("targets.lead")} action={run}>
      <Filters>
        <SearchField label={t("targets.search")} value={search} onChange={(value) => filter({ search: value })} />
        <Select
          aria-label={t("targets.kind")}
          data={[{ value: "", label: t("targets.all_kinds") }, ...kinds.map((value) => ({ value, label: t(`targets.kind_${value}`) }))]}
          value={kind ?? ""}
          onChange={(chosen) => filter({ kind: chosen ?? undefined })}
        />
      </Filters>
      {read.data?.away.map(({ place, failure }) => (
        <section key={placeKey(place)} aria-label={placeName(t, place)}>
          <Title order={2} fz={15} fw={600} mb="sm">
            {placeName(t, place)}
          </Title>
          <FailureNotice failure={failure} onRetry={() => void read.refetch()} />
        </section>
      ))}
      <Listing
        read={read}
        count={({ items, away }) => items.filter(fits).length || (text === "" && !kind ? away.length : 0)}
        filtered={text !== "" || kind !== undefined}
        onClear={() => filter({ search: undefined, kind: undefined })}
        empty={<Empty sentence={t("targets.empty")} action={run} />}
      >
        {({ items }) => (
          <Stack gap="lg">
            {groupsOf(items.filter(fits)).map(({ key, place, group, members }) => (
              <section key={key}>
                <Group gap="sm" mb="sm">
                  <Title order={2} fz={15} fw={600} className="foreign">
                    {groupName(t, group)}
                  </Title>
                  {place && (
                    <Text size="sm" c="dimmed">
                      {placeName(t, place)}
                    </Text>
                  )}
                </Group>
                <TargetsTable targets={sortRows(members, sort, columns)} runs={place !== null} sort={sort} onSort={(next) => filter({ sort: next })} />
              </section>
            ))}
          </Stack>
        )}
      </Listing>
      {wanted?.kind === "run-image" && <RunImageDialog onClose={close} />}
      {wanted?.kind === "target" && target && <TargetDrawer key={wanted.subject} target={target} onClose={close} />}
      {wanted?.kind === "update" && target && <UpdateNowDialog key={wanted.subject} target={target} onClose={close} />}
      {wanted?.kind === "roll-back" && <RollBackDialog key={wanted.subject} firing={wanted.id} before={wanted.rest === "before"} onClose={close} />}
      {wanted?.kind === "record" && <FiringDrawer key={wanted.id} id={wanted.id} onClose={close} />}
      {wanted?.kind === "delete-record" && <DeleteFiring id={wanted.id} onClose={close} />}
    </Page>
  );
}

/** Targets by place and group, in the order in which they came. */
function groupsOf(items: DeployTargetView[]) {
  const groups = new Map<string, { key: string; place: ReturnType<typeof placeOf>; group: string; members: DeployTargetView[] }>();
  for (const item of items) {
    const place = placeOf(item.target);
    const group = groupOf(item.target);
    const key = `${place ? placeKey(place) : ""} ${group}`;
    const known = groups.get(key) ?? { key, place, group, members: [] };
    known.members.push(item);
    groups.set(key, known);
  }
  return [...groups.values()];
}

interface TargetsTableProps {
  targets: DeployTargetView[];
  /** They run somewhere; a webhook does not. */
  runs: boolean;
  sort: string | undefined;
  onSort: (sort: string | undefined) => void;
}

function TargetsTable({ targets, runs, sort, onSort }: TargetsTableProps) {
  const { t } = useTranslation();
  const head = { sort, onSort };
  return (
    <div className="panel">
      <Table>
        <Table.Thead>
          <Table.Tr>
            <SortHead column="name" {...head}>{t("common.name")}</SortHead>
            {runs && (
              <>
                <SortHead column="image" className="room-s" {...head}>{t("targets.image")}</SortHead>
                <SortHead column="health" {...head}>{t("targets.health")}</SortHead>
                <Table.Th>{t("targets.addresses")}</Table.Th>
              </>
            )}
            <Table.Th className="room-m">{t("targets.triggers")}</Table.Th>
            <SortHead column="last" className="room-l" {...head}>{t("targets.last")}</SortHead>
            <Table.Th w={48}>
              <VisuallyHidden>{t("common.actions_column")}</VisuallyHidden>
            </Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {targets.map((one) => (
            <TargetRow key={targetPath(one.target)} view={one} runs={runs} />
          ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}

function TargetRow({ view, runs }: { view: DeployTargetView; runs: boolean }) {
  const { t } = useTranslation();
  const { open } = useDialog();
  const { target, state, failure, triggers, pin, last_firing: last } = view;
  const path = targetPath(target);
  const name = serviceName({ target });
  return (
    <Table.Tr>
      <Table.Td miw={140} maw={260}>
        <Group gap={6} wrap="nowrap">
          <TargetIcon kind={target.kind} />
          <Anchor component="button" type="button" size="sm" fw={500} ta="start" className="foreign" style={{ overflowWrap: "anywhere" }} onClick={() => open(`target.${path}`)}>
            {name}
          </Anchor>
          {pin && (
            <Badge size="sm" variant="light" color="yellow" tt="none" leftSection={<IconPin size={10} aria-hidden />} style={{ flex: "none" }}>
              {t("targets.pinned")}
            </Badge>
          )}
        </Group>
      </Table.Td>
      {runs && (
        <>
          <Table.Td className="room-s" miw={180} maw={320}>
            {state?.image && <RunningImageText image={state.image} />}
          </Table.Td>
          <Table.Td>
            {state && <HealthMark health={state.health} />}
            {failure && (
              <Text fz={12} style={{ color: "var(--state-bad)" }}>
                {t(failureKeys(failure.code).what)}
              </Text>
            )}
          </Table.Td>
          <Table.Td>{state && <Addresses target={target} addresses={state.addresses} />}</Table.Td>
        </>
      )}
      <Table.Td className="room-m">
        {triggers.map((one) => (
          <div key={one.id}>
            <PageLink
              to="/repositories/$repository/$tab"
              params={{ repository: String(one.repository), tab: "triggers" }}
              search={{ dialog: `trigger.${one.id}` }}
              className="foreign"
            >
              {one.name}
            </PageLink>
            {!one.enabled && (
              <Text component="span" fz={12} c="dimmed" ml={6}>
                {t("targets.trigger_off")}
              </Text>
            )}
          </div>
        ))}
      </Table.Td>
      <Table.Td className="room-l">
        {last && (
          <Group gap={6} wrap="nowrap">
            <FiringStateMark state={last.state} quiet />
            <Text size="sm" c="dimmed" component="span">
              <When at={last.ended_at ?? last.created_at} />
            </Text>
          </Group>
        )}
      </Table.Td>
      <Table.Td>
        <Menu position="bottom-end">
          <Menu.Target>
            <ActionIcon aria-label={t("common.actions", { name })}>
              <IconDots size={16} aria-hidden />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item leftSection={<IconInfoCircle size={14} aria-hidden />} onClick={() => open(`target.${path}`)}>
              {t("targets.history")}
            </Menu.Item>
            <Menu.Item
              leftSection={<IconRefresh size={14} aria-hidden />}
              disabled={pin !== null || (state?.problems.length ?? 0) > 0}
              onClick={() => open(`update.${path}`)}
            >
              {t("targets.update_now")}
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      </Table.Td>
    </Table.Tr>
  );
}
