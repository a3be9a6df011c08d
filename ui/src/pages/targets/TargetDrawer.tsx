import { Alert, Badge, Button, Drawer, Group, List, Stack, Table, Text, Title, Tooltip } from "@mantine/core";
import { IconAlertTriangle, IconArrowBackUp, IconRefresh } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

import type { DeployTarget, DeployTargetDetail, EarlierVersionView, TargetId } from "../../host/bindings";
import { failureOf } from "../../host/host";
import { useRead } from "../../host/reads";
import { Copyable } from "../../parts/Copyable";
import { useDialog } from "../../parts/dialog";
import { FailureNotice } from "../../parts/FailureNotice";
import { ListSkeleton } from "../../parts/Listing";
import { useRepositoryNames } from "../../parts/names";
import { PageLink } from "../../parts/Page";
import { When } from "../../parts/Time";
import { managedWords, refusalWords } from "../../words/deploy";
import { shortDigest } from "../../words/format";
import { groupName, groupOf, placeName, placeOf, targetName, targetPath } from "../../words/targets";
import { Facts } from "../repository/versions/VersionDrawer";
import { FiringsTable } from "../triggers/FiringsTable";
import { Addresses } from "./Addresses";
import { HealthMark } from "./marks";
import { PinnedNotice } from "./PinnedNotice";
import { RunningImageText, shortReference, versionName } from "./TargetVersionText";

const FIRINGS = 20;
const LOOK_EVERY_MS = 10_000;

/** One target: what it runs, which triggers own it, what it can go back to, and what was done to it. */
export function TargetDrawer({ target, onClose }: { target: DeployTarget; onClose: () => void }) {
  const read = useRead("targets.get", { target }, { every: LOOK_EVERY_MS });
  return (
    <Drawer opened onClose={onClose} size="min(900px, 100vw)" title={<span className="foreign">{targetName(target)}</span>}>
      {read.data ? (
        <Detail detail={read.data} onRetry={() => void read.refetch()} />
      ) : read.error ? (
        <FailureNotice failure={failureOf(read.error)} onRetry={() => void read.refetch()} />
      ) : (
        <ListSkeleton rows={8} />
      )}
    </Drawer>
  );
}

function Detail({ detail, onRetry }: { detail: DeployTargetDetail; onRetry: () => void }) {
  const { t } = useTranslation();
  const { open } = useDialog();
  const { id, target, state, failure, triggers, pin } = detail.target;
  const place = placeOf(target);
  const problems = state?.problems ?? [];
  const update = (
    <Button leftSection={<IconRefresh size={14} aria-hidden />} disabled={pin !== null || problems.length > 0} onClick={() => open(`update.${targetPath(target)}`)}>
      {t("targets.update_now")}
    </Button>
  );
  return (
    <Stack gap="lg">
      <Group justify="space-between">
        {state ? <HealthMark health={state.health} /> : <span />}
        {pin ? (
          <Tooltip label={t("targets.update_pinned")}>
            <span>{update}</span>
          </Tooltip>
        ) : (
          update
        )}
      </Group>
      {id !== null && pin && <PinnedNotice id={id} target={target} pin={pin} />}
      {failure && <FailureNotice failure={failure} onRetry={onRetry} />}
      {problems.length > 0 && (
        <Alert variant="default" className="notice-warn" icon={<IconAlertTriangle aria-hidden />} title={t("targets.problems")} p="sm">
          <List size="sm">
            {problems.map((problem, at) => (
              <List.Item key={at}>{refusalWords(t, problem)}</List.Item>
            ))}
          </List>
        </Alert>
      )}
      <Facts
        facts={[
          [t("targets.kind"), t(`targets.kind_${target.kind}`)],
          [t("targets.place"), place && `${placeName(t, place)} · ${groupName(t, groupOf(target))}`],
          [t("targets.image"), state?.image && <RunningImageText image={state.image} />],
          [t("targets.mixed"), state?.mixed && t("targets.mixed_why")],
          [t("targets.replicas"), state && state.replicas.wanted > 1 && t("targets.replicas_of", { ...state.replicas })],
          [t("targets.addresses"), state && state.addresses.length > 0 && <Addresses target={target} addresses={state.addresses} />],
          [t("targets.managed_by"), state?.managed_by && managedWords(t, state.managed_by)],
          [
            t("targets.triggers"),
            triggers.length > 0 && (
              <Stack gap={2}>
                {triggers.map((one) => (
                  <span key={one.id}>
                    <PageLink
                      to="/repositories/$repository/$tab"
                      params={{ repository: String(one.repository), tab: "triggers" }}
                      search={{ dialog: `trigger.${one.id}` }}
                      className="foreign"
                    >
                      {one.name}
                    </PageLink>{" "}
                    {!one.enabled && t("targets.trigger_off")}
                  </span>
                ))}
              </Stack>
            ),
          ],
        ]}
      />
      {target.kind !== "webhook" && <Versions versions={detail.versions} />}
      {id !== null && <History id={id} />}
    </Stack>
  );
}

/** What a target can be rolled back to. */
function Versions({ versions }: { versions: EarlierVersionView[] }) {
  const { t } = useTranslation();
  const { open } = useDialog();
  const nameOf = useRepositoryNames();
  return (
    <section>
      <Title order={3} fz={14} fw={600} mb="sm">
        {t("targets.versions")}
      </Title>
      {versions.length === 0 ? (
        <Text size="sm" c="dimmed">
          {t("targets.versions_none")}
        </Text>
      ) : (
        <div className="panel">
          <Table>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>{t("firings.tag")}</Table.Th>
                <Table.Th className="room-s">{t("firings.image")}</Table.Th>
                <Table.Th className="room-m">{t("versions.digest")}</Table.Th>
                <Table.Th>{t("builds.when")}</Table.Th>
                <Table.Th w={120} />
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {versions.map(({ firing, before, version, repository, at, current }) => {
                const identity = version.image.digest ?? version.image.id;
                const name = versionName(version);
                return (
                  <Table.Tr key={`${firing} ${before}`}>
                    <Table.Td className="mono foreign">{name}</Table.Td>
                    <Table.Td className="room-s foreign" maw={260}>
                      {repository === null ? <span className="mono">{shortReference(version.image.reference)}</span> : nameOf(repository)}
                    </Table.Td>
                    <Table.Td className="room-m">{identity && <Copyable text={identity} shown={shortDigest(identity)} />}</Table.Td>
                    <Table.Td style={{ whiteSpace: "nowrap" }}>
                      <When at={at} />
                    </Table.Td>
                    <Table.Td ta="end">
                      {current ? (
                        <Badge variant="light" color="green" tt="none">
                          {t("targets.current")}
                        </Badge>
                      ) : (
                        <Button
                          size="compact-xs"
                          variant="default"
                          leftSection={<IconArrowBackUp size={12} aria-hidden />}
                          aria-label={t("targets.roll_back_to", { version: name })}
                          onClick={() => open(`roll-back.${firing}${before ? ".before" : ""}`)}
                        >
                          {t("targets.roll_back")}
                        </Button>
                      )}
                    </Table.Td>
                  </Table.Tr>
                );
              })}
            </Table.Tbody>
          </Table>
        </div>
      )}
    </section>
  );
}

function History({ id }: { id: TargetId }) {
  const { t } = useTranslation();
  const read = useRead("firings.list", { target: id, limit: FIRINGS });
  if (!read.data) return read.error ? <FailureNotice failure={failureOf(read.error)} onRetry={() => void read.refetch()} /> : <ListSkeleton rows={3} />;
  if (read.data.items.length === 0) return null;
  return (
    <section>
      <Title order={3} fz={14} fw={600} mb="sm">
        {t("targets.history")}
      </Title>
      <FiringsTable firings={read.data.items} withTarget={false} />
    </section>
  );
}
