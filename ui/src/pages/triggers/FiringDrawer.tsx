import { Alert, Button, Drawer, Group, List, Stack, Table, Text, Title } from "@mantine/core";
import { IconAlertTriangle, IconArrowBackUp, IconPlayerStop, IconTrash } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

import type { FiringDetailView, FiringStepView, FiringView, PlanStep } from "../../host/bindings";
import { failureOf } from "../../host/host";
import { useCall, useRead } from "../../host/reads";
import { useNow } from "../../parts/clock";
import { Copyable } from "../../parts/Copyable";
import { useDialog } from "../../parts/dialog";
import { FailureNotice } from "../../parts/FailureNotice";
import { ListSkeleton } from "../../parts/Listing";
import { useRepositoryNames } from "../../parts/names";
import { PageButton, PageLink } from "../../parts/Page";
import { Mark } from "../../parts/StateMark";
import { Took, When } from "../../parts/Time";
import { foreignText } from "../../words/ansi";
import { noteWords, reasonWords, refusalsOf, refusalWords } from "../../words/deploy";
import { shortDigest } from "../../words/format";
import { conditionWords } from "../../words/targets";
import { Facts } from "../repository/versions/VersionDrawer";
import { Addresses } from "../targets/Addresses";
import { FiringStateMark } from "../targets/marks";
import { shortReference, versionName } from "../targets/TargetVersionText";
import { TargetLink } from "./TargetLink";

/** While it runs, the log grows without an event for each line. */
const LOG_EVERY_MS = 1000;

/** Returns whether nothing follows. */
export const isOver = ({ state }: Pick<FiringView, "state">) => state !== "waiting" && state !== "running";

/** One record: what fired, what was planned and done, how it ended, and its log. */
export function FiringDrawer({ id, onClose }: { id: number; onClose: () => void }) {
  const { t } = useTranslation();
  const read = useRead("firings.get", { id });
  const title = read.data ? t("firings.record_of", { version: versionName(read.data.firing.version) }) : t("firings.record");
  return (
    <Drawer opened onClose={onClose} size="min(860px, 100vw)" title={<span className="foreign">{title}</span>}>
      {read.data ? (
        <Detail detail={read.data} />
      ) : read.error ? (
        <FailureNotice failure={failureOf(read.error)} onRetry={() => void read.refetch()} />
      ) : (
        <ListSkeleton rows={8} />
      )}
    </Drawer>
  );
}

function Detail({ detail }: { detail: FiringDetailView }) {
  const { t } = useTranslation();
  const { open } = useDialog();
  const now = useNow();
  const nameOf = useRepositoryNames();
  const cancel = useCall("firings.cancel");
  const { firing, plan, outcome } = detail;
  const { version, repository } = firing;
  const over = isOver(firing);
  const refusals = refusalsOf(plan, outcome);
  const after = outcome && "after" in outcome ? outcome.after : null;
  const gap = outcome?.kind === "deployed" ? outcome.gap_ms : null;
  const notes = plan?.kind === "ready" ? plan.plan.notes : [];
  return (
    <Stack gap="lg">
      <Group justify="space-between">
        <span aria-live="polite">
          <FiringStateMark state={firing.state} />
          {firing.cancel_requested && !over && (
            <Text size="sm" c="dimmed" component="span" ml="sm">
              {t("firings.cancelling")}
            </Text>
          )}
        </span>
        <Group gap="sm">
          {!over && (
            <Button
              variant="default"
              leftSection={<IconPlayerStop size={14} aria-hidden />}
              loading={cancel.isPending}
              disabled={firing.cancel_requested}
              onClick={() => cancel.mutate({ id: firing.id })}
            >
              {t("firings.cancel")}
            </Button>
          )}
          {firing.state === "succeeded" && firing.target.kind !== "webhook" && (
            <PageButton
              variant="default"
              leftSection={<IconArrowBackUp size={14} aria-hidden />}
              to="/targets"
              search={{ dialog: `roll-back.${firing.id}` }}
            >
              {t("targets.roll_back_to_this")}
            </PageButton>
          )}
          {over && (
            <Button variant="default" c="red" leftSection={<IconTrash size={14} aria-hidden />} onClick={() => open(`delete-record.${firing.id}`)}>
              {t("firings.delete")}
            </Button>
          )}
        </Group>
      </Group>
      {cancel.error && <FailureNotice failure={failureOf(cancel.error)} />}
      {firing.reason && <Text size="sm">{reasonWords(t, firing.reason, now)}</Text>}
      {firing.failure && firing.state !== "cancelled" && <FailureNotice failure={firing.failure} warning={!over} />}
      {outcome?.kind === "broken" && (
        <>
          <Text size="sm">{t("firings.undo_failed")}</Text>
          <FailureNotice failure={outcome.undo} />
        </>
      )}
      {refusals.length > 0 && (
        <Alert variant="default" className="notice-warn" icon={<IconAlertTriangle aria-hidden />} title={t("firings.refused")} p="sm">
          <List size="sm">
            {refusals.map((refusal, at) => (
              <List.Item key={at}>{refusalWords(t, refusal)}</List.Item>
            ))}
          </List>
        </Alert>
      )}
      <Facts
        facts={[
          [t("firings.by"), firing.trigger_name !== null ? foreignText(firing.trigger_name) : t(`firings.kind_${firing.kind}`)],
          [t("image_triggers.condition"), firing.condition && conditionWords(t, firing.condition)],
          [t("firings.tag"), version.tag && <span className="mono">{version.tag}</span>],
          [t("firings.image"), <Copyable key="image" text={version.image.reference} shown={shortReference(version.image.reference)} />],
          [t("versions.digest"), version.image.digest && <Copyable text={version.image.digest} shown={shortDigest(version.image.digest)} />],
          [t("versions.image"), version.image.id && <Copyable text={version.image.id} shown={shortDigest(version.image.id)} />],
          [t("firings.source"), t(`firings.source_${firing.source}`)],
          [
            t("versions.build"),
            firing.build !== null && (
              <PageLink to="/builds/$build" params={{ build: String(firing.build) }}>
                {t("firings.open_build")}
              </PageLink>
            ),
          ],
          [
            t("builds.repository"),
            repository !== null && (
              <PageLink to="/repositories/$repository/$tab" params={{ repository: String(repository), tab: "triggers" }} className="foreign">
                {nameOf(repository)}
              </PageLink>
            ),
          ],
          [t("image_triggers.target"), <TargetLink key="target" target={firing.target} />],
          [
            t("targets.addresses"),
            firing.state === "succeeded" && after && after.addresses.length > 0 && <Addresses target={firing.target} addresses={after.addresses} />,
          ],
          [t("firings.gap"), gap !== null && t("firings.gap_ms", { ms: gap })],
          [t("builds.duration"), firing.started_at && <Took from={firing.started_at} to={firing.ended_at} />],
          [t("firings.attempt"), firing.attempt > 1 && firing.attempt],
          [t("firings.observed"), <When key="observed" at={firing.observed_at} />],
          [t("firings.ended"), firing.ended_at && <When at={firing.ended_at} />],
        ]}
      />
      <Steps detail={detail} />
      {notes.length > 0 && (
        <List size="sm" c="dimmed">
          {notes.map((note, at) => (
            <List.Item key={at}>{noteWords(t, note)}</List.Item>
          ))}
        </List>
      )}
      <FiringLog firing={firing} />
    </Stack>
  );
}

/** What was done, and what the plan had left when it ended. */
function Steps({ detail: { steps, plan, firing } }: { detail: FiringDetailView }) {
  const { t } = useTranslation();
  const planned = plan?.kind === "ready" ? plan.plan.steps : [];
  // What is made gets its name only when it is made: steps of a kind come in the plan's order.
  const ahead = planned.filter(
    ({ kind }, at) => planned.slice(0, at).filter((step) => step.kind === kind).length >= steps.filter((step) => step.kind === kind).length,
  );
  if (steps.length + ahead.length === 0) return null;
  return (
    <section>
      <Title order={3} fz={14} fw={600} mb="sm">
        {t("firings.steps")}
      </Title>
      <div className="panel">
        <Table>
          <Table.Tbody>
            {steps.map((step, at) => (
              <Table.Tr key={at}>
                <Table.Td>
                  <Mark tone={stepTone(step, firing)} word={t(`deploy.step_${step.kind}`)} />
                </Table.Td>
                <Table.Td className="mono foreign">{shortReference(foreignText(step.subject))}</Table.Td>
                <Table.Td ta="end">
                  <Took from={step.started_at} to={step.ended_at ?? (isOver(firing) ? step.started_at : null)} />
                </Table.Td>
              </Table.Tr>
            ))}
            {ahead.map((step: PlanStep, at) => (
              <Table.Tr key={`ahead ${at}`}>
                <Table.Td>
                  <Mark tone="still" word={t(`deploy.step_${step.kind}`)} />
                </Table.Td>
                <Table.Td className="mono foreign">{shortReference(foreignText(step.subject))}</Table.Td>
                <Table.Td ta="end">
                  <Text size="sm" c="dimmed">
                    {t(isOver(firing) ? "firings.step_not_done" : "firings.step_ahead")}
                  </Text>
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </div>
    </section>
  );
}

function stepTone(step: FiringStepView, firing: FiringView) {
  if (step.failed) return "bad";
  if (step.ended_at !== null) return "good";
  return isOver(firing) ? "still" : "busy";
}

/** The log of a firing, as it grows. */
export function FiringLog({ firing }: { firing: Pick<FiringView, "id" | "state"> }) {
  const { t, i18n } = useTranslation();
  const read = useRead("firings.log", { id: firing.id }, { every: isOver(firing) ? false : LOG_EVERY_MS });
  const lines = read.data ?? [];
  return (
    <section>
      <Title order={3} fz={14} fw={600} mb="sm">
        {t("firings.log")}
      </Title>
      {read.error && <FailureNotice failure={failureOf(read.error)} onRetry={() => void read.refetch()} />}
      {read.data && lines.length === 0 && (
        <Text size="sm" c="dimmed">
          {t(isOver(firing) ? "firings.log_none" : "firings.log_empty")}
        </Text>
      )}
      {lines.length > 0 && (
        <pre className="mono code panel" tabIndex={0} aria-label={t("firings.log")} style={{ whiteSpace: "pre-wrap" }}>
          {lines.map(({ at, text }) => `${new Date(at).toLocaleTimeString(i18n.language === "zh" ? "zh-CN" : undefined)}  ${foreignText(text)}`).join("\n")}
        </pre>
      )}
    </section>
  );
}
