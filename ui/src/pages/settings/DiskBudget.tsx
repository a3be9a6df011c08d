import { Alert, Button, Fieldset, Group, NumberInput, SegmentedControl, Skeleton, Stack, Switch, Table, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconTrash } from "@tabler/icons-react";
import { useSearch } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";

import { readDialog } from "../../dialogs";
import type { DiskBudgetView, DiskPreviewView, DiskRemovalView, TidiedView } from "../../host/bindings";
import { failureOf } from "../../host/host";
import { useCall, useRead } from "../../host/reads";
import { useDialog } from "../../parts/dialog";
import { ConfirmDialog } from "../../parts/Dialogs";
import { useDraft } from "../../parts/draft";
import { FailureNotice, useFieldError } from "../../parts/FailureNotice";
import { When } from "../../parts/Time";
import { bytesWords, shortDigest } from "../../words/format";

/** What the person is offered when no limit is set yet, in gigabytes. */
const OFFERED = 20;

/** How much of the engine's disk Slipway's images may take, what they take now, and the ways to make room. */
export function DiskBudget() {
  const { t } = useTranslation();
  const { dialog } = useSearch({ from: "/settings" });
  const { open, close } = useDialog();
  const { data, error, refetch } = useRead("disk.budget", {});
  const wanted = readDialog("/settings", dialog);
  return (
    <Fieldset legend={t("disk.title")}>
      <Stack gap="sm">
        <Text size="sm" c="dimmed">
          {t("disk.lead")}
        </Text>
        {error && <FailureNotice failure={failureOf(error)} onRetry={() => void refetch()} />}
        {data && <BudgetForm budget={data} />}
        <UsedNow last={data?.last ?? null} />
        <Group gap="sm">
          <Button variant="default" leftSection={<IconTrash size={14} aria-hidden />} onClick={() => open("tidy")}>
            {t("disk.tidy")}
          </Button>
          <Button variant="default" onClick={() => open("shrink-cache")}>
            {t("disk.shrink")}
          </Button>
        </Group>
      </Stack>
      {wanted?.kind === "tidy" && <TidyDialog limited={data?.disk_budget_gb !== null} onClose={close} />}
      {wanted?.kind === "shrink-cache" && <ShrinkDialog onClose={close} />}
    </Fieldset>
  );
}

function BudgetForm({ budget }: { budget: DiskBudgetView }) {
  const { t } = useTranslation();
  const { draft, change, forget } = useDraft("disk-budget", () => ({
    limited: budget.disk_budget_gb !== null,
    gigabytes: (budget.disk_budget_gb ?? OFFERED) as number | string,
  }));
  const save = useCall("disk.save_budget");
  const failure = save.error && failureOf(save.error);
  const errorOf = useFieldError(failure);
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        const said = () => {
          forget();
          notifications.show({ message: t("common.saved") });
        };
        save.mutate(draft.limited ? { disk_budget_gb: Number(draft.gigabytes) } : {}, { onSuccess: said });
      }}
    >
      <Stack gap="sm">
        <Switch label={t("disk.limit")} checked={draft.limited} onChange={(event) => change({ limited: event.currentTarget.checked })} />
        <NumberInput
          label={t("disk.gigabytes")}
          description={t("disk.gigabytes_hint")}
          min={1}
          max={100_000}
          allowDecimal={false}
          w={320}
          disabled={!draft.limited}
          value={draft.gigabytes}
          onChange={(gigabytes) => change({ gigabytes })}
          error={errorOf("disk_budget_gb")}
        />
        {failure && <FailureNotice failure={failure} />}
        <Group>
          <Button type="submit" variant="default" loading={save.isPending}>
            {t("disk.save")}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function UsedNow({ last }: { last: DiskBudgetView["last"] }) {
  const { t } = useTranslation();
  const { data, error, refetch, isFetching } = useRead("disk.usage", {});
  // Builds fill the disk without a word: what was counted when the page was open before is old.
  useEffect(() => void refetch(), [refetch]);
  if (error) return <FailureNotice failure={failureOf(error)} warning onRetry={() => void refetch()} />;
  return (
    <Table variant="vertical" highlightOnHover={false} aria-busy={isFetching}>
      <Table.Tbody>
        <Table.Tr>
          <Table.Th w={200}>{t("disk.images")}</Table.Th>
          <Table.Td>{data ? t("disk.images_now", { count: data.images, size: bytesWords(data.bytes) }) : <Counting />}</Table.Td>
        </Table.Tr>
        <Table.Tr>
          <Table.Th>{t("disk.cache")}</Table.Th>
          <Table.Td>
            {data ? data.cache_bytes === null ? t("disk.cache_unknown") : bytesWords(data.cache_bytes) : <Counting />}
            <Text fz={12} c="dimmed">
              {t("disk.cache_hint")}
            </Text>
          </Table.Td>
        </Table.Tr>
        <Table.Tr>
          <Table.Th>{t("disk.last")}</Table.Th>
          <Table.Td>
            {last ? (
              <>
                <When at={last.at} /> · {t("disk.removed", { count: last.removed, size: bytesWords(last.freed) })} ·{" "}
                {t(last.by_person ? "disk.by_person" : "disk.by_itself")}
              </>
            ) : (
              t("disk.never")
            )}
          </Table.Td>
        </Table.Tr>
      </Table.Tbody>
    </Table>
  );
}

function Counting() {
  const { t } = useTranslation();
  return <Skeleton height={14} w={120} radius="sm" role="status" aria-label={t("common.loading")} />;
}

/** Says what would go before anything goes; what is removed is what was shown. */
function TidyDialog({ limited, onClose }: { limited: boolean; onClose: () => void }) {
  const { t } = useTranslation();
  const [reach, setReach] = useState<"budget" | "everything">("budget");
  const everything = reach === "everything";
  const preview = useRead("disk.preview", { everything });
  useEffect(() => void preview.refetch(), [preview.refetch]);
  const tidy = useCall("disk.tidy");
  const found = preview.data;
  const rows = found?.remove ?? [];
  const freed = rows.reduce((sum, { frees }) => sum + frees, 0);
  const ended = (tidied: TidiedView) => {
    notifications.show({ message: t("disk.removed", { count: tidied.removed, size: bytesWords(tidied.freed) }) });
    if (tidied.kept.length === 0 && !tidied.broken_off) onClose();
  };
  return (
    <ConfirmDialog
      title={t("disk.tidy_title")}
      text={t("disk.tidy_text")}
      confirmLabel={t("disk.tidy_count", { count: rows.length })}
      onClose={onClose}
      onConfirm={() => tidy.mutate({ images: rows.map(({ image }) => image), everything }, { onSuccess: ended })}
      busy={tidy.isPending}
      error={tidy.error ?? preview.error}
      blocked={rows.length === 0 || (found?.busy ?? true)}
    >
      <SegmentedControl
        aria-label={t("disk.reach")}
        value={reach}
        onChange={(value) => setReach(value as typeof reach)}
        data={(["budget", "everything"] as const).map((value) => ({ value, label: t(`disk.reach_${value}`) }))}
      />
      {!found && !preview.error && (
        <Text size="sm" c="dimmed" role="status">
          {t("disk.looking")}
        </Text>
      )}
      {found?.busy && (
        <Alert variant="default" className="notice-warn" p="sm" role="status">
          <Text size="sm">{t("disk.busy")}</Text>
        </Alert>
      )}
      {found && rows.length === 0 && <Text size="sm">{t(everything ? "disk.nothing" : limited ? "disk.nothing_over" : "disk.no_limit")}</Text>}
      {rows.length > 0 && (
        <>
          <Text size="sm">{t("disk.would_go", { count: rows.length, size: bytesWords(freed) })}</Text>
          <RemovalRows rows={rows} />
        </>
      )}
      {found && found.needed.length > 0 && <Needed needed={found.needed} />}
      {tidy.data && <Kept tidied={tidy.data} />}
    </ConfirmDialog>
  );
}

function RemovalRows({ rows }: { rows: DiskRemovalView[] }) {
  const { t } = useTranslation();
  return (
    <div style={{ maxHeight: 280, overflow: "auto" }} tabIndex={0} role="region" aria-label={t("disk.rows")}>
      <Table>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t("disk.image")}</Table.Th>
            <Table.Th>{t("disk.made")}</Table.Th>
            <Table.Th>{t("disk.frees")}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map(({ image, names, made_at, frees }) => (
            <Table.Tr key={image}>
              <Table.Td>
                {names.map((name) => (
                  <div key={name} className="mono foreign">
                    {name}
                  </div>
                ))}
                {names.length === 0 && t("disk.nameless")}
                <Text className="mono" fz={12} c="dimmed">
                  {shortDigest(image)}
                </Text>
              </Table.Td>
              <Table.Td>
                <When at={made_at} />
              </Table.Td>
              <Table.Td style={{ whiteSpace: "nowrap" }}>{bytesWords(frees)}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}

function Needed({ needed }: { needed: DiskPreviewView["needed"] }) {
  const { t } = useTranslation();
  return (
    <Stack gap={2}>
      <Text size="sm">{t("disk.stays")}</Text>
      {needed.map(({ why, images }) => (
        <Text key={why} size="sm" c="dimmed">
          {t(`disk.need_${why}`, { count: images })}
        </Text>
      ))}
    </Stack>
  );
}

function Kept({ tidied }: { tidied: TidiedView }) {
  const { t } = useTranslation();
  if (tidied.kept.length === 0 && !tidied.broken_off) return null;
  return (
    <Alert variant="default" className="notice-warn" p="sm" role="status">
      <Stack gap={4}>
        {tidied.broken_off && <Text size="sm">{t("disk.broken_off")}</Text>}
        {tidied.kept.map(({ image, failure }) => (
          <Text key={image} size="sm" className="foreign">
            {t("disk.kept", { image: shortDigest(image), why: failure.message })}
          </Text>
        ))}
      </Stack>
    </Alert>
  );
}

/** The cache belongs to every build on the engine, so a person decides, and reads that first. */
function ShrinkDialog({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const [keep, setKeep] = useState<number | string>(10);
  const usage = useRead("disk.usage", {}).data;
  const shrink = useCall("disk.shrink_cache");
  const ended = (freed: number) => {
    notifications.show({ message: t("disk.shrunk", { size: bytesWords(freed) }) });
    onClose();
  };
  return (
    <ConfirmDialog
      title={t("disk.shrink_title")}
      text={t("disk.shrink_text")}
      confirmLabel={t("disk.shrink_confirm")}
      onClose={onClose}
      onConfirm={() => shrink.mutate({ keep_gb: Number(keep) }, { onSuccess: ({ freed }) => ended(freed) })}
      busy={shrink.isPending}
      error={shrink.error}
      blocked={keep === ""}
    >
      {typeof usage?.cache_bytes === "number" && <Text size="sm">{t("disk.cache_now", { size: bytesWords(usage.cache_bytes) })}</Text>}
      <NumberInput
        label={t("disk.keep")}
        description={t("disk.keep_hint")}
        min={0}
        max={100_000}
        allowDecimal={false}
        allowNegative={false}
        value={keep}
        onChange={setKeep}
      />
    </ConfirmDialog>
  );
}
