import { Alert, Button, Checkbox, Group, List, Modal, NumberInput, Progress, SegmentedControl, Skeleton, Stack, Text, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { notifications } from "@mantine/notifications";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import type { ImageRepositoryView, RetentionPreview, RetentionRule, RetentionRun, RetentionView } from "../../../host/bindings";
import { failureOf } from "../../../host/host";
import { useCall, useRead } from "../../../host/reads";
import { ConfirmDialog, FormDialog } from "../../../parts/Dialogs";
import { useDraft } from "../../../parts/draft";
import { FailureNotice, useFieldError } from "../../../parts/FailureNotice";
import { When } from "../../../parts/Time";
import { foreignText } from "../../../words/ansi";

const TYPED_MS = 400;
/** Tags of a list that are shown at once. */
const SHOWN = 100;
/** While versions go, how far it is. */
const LOOK_MS = 1000;

interface RetentionProps {
  repository: ImageRepositoryView;
  onClose: () => void;
}

/** Retention (版本保留): which old versions go, tried out before anything does. */
export function RetentionDialog(props: RetentionProps) {
  const { t } = useTranslation();
  const [look, setLook] = useState<number | false>(LOOK_MS);
  const read = useRead("retention.get", { repository: props.repository.id }, { every: look });
  // A run ends by itself, and says so with an event; only its progress is asked for.
  const wanted = read.data?.running ? LOOK_MS : false;
  if (read.data && wanted !== look) setLook(wanted);
  // The form begins with what is saved now, not with what was read before the last save.
  const [ready, setReady] = useState(false);
  if (!ready && read.data && !read.isStale) setReady(true);
  if (ready && read.data) return <RetentionForm {...props} standing={read.data} />;
  return (
    <Modal opened onClose={props.onClose} title={t("retention.title")} size="lg">
      {read.error ? <FailureNotice failure={failureOf(read.error)} onRetry={() => void read.refetch()} /> : <Skeleton height={180} />}
    </Modal>
  );
}

const numberOf = (value: string | number) => (value === "" ? null : Number(value));

function RetentionForm({ repository, standing, onClose }: RetentionProps & { standing: RetentionView }) {
  const { t } = useTranslation();
  const { draft, change, forget } = useDraft(`retention.${repository.id}`, () => ({
    on: standing.rule !== null,
    newest: (standing.rule ? standing.rule.keep_newest : 10) as number | null,
    days: (standing.rule ? standing.rule.keep_days : 30) as number | null,
    pattern: standing.rule?.keep_pattern ?? "",
    foreign: standing.rule?.include_foreign ?? false,
  }));
  const rule: RetentionRule = {
    keep_newest: draft.newest,
    keep_days: draft.days,
    keep_pattern: draft.pattern.trim() || null,
    include_foreign: draft.foreign,
  };
  const [tried] = useDebouncedValue(JSON.stringify(rule), TYPED_MS);
  const preview = useRead("retention.preview", { repository: repository.id, rule: JSON.parse(tried) as RetentionRule }, { keep: true });
  const save = useCall("retention.save");
  const [agreed, setAgreed] = useState<RetentionPreview | null>(null);
  const failure = save.error ?? preview.error;
  const errorOf = useFieldError(failure && failureOf(failure));
  const readOnly = repository.read_only_reason !== null;
  const fresh = tried === JSON.stringify(rule) && !preview.isPlaceholderData && !preview.error;
  if (agreed) {
    return <RemoveNow repository={repository} rule={rule} preview={agreed} onBack={() => setAgreed(null)} />;
  }
  const store = () => {
    save.mutate(
      { repository: repository.id, rule: draft.on ? rule : null },
      {
        onSuccess: () => {
          forget();
          notifications.show({ message: t("common.saved") });
          onClose();
        },
      },
    );
  };
  return (
    <FormDialog
      title={t("retention.title")}
      onClose={onClose}
      onSubmit={store}
      submitLabel={t("common.save")}
      busy={save.isPending}
      failure={save.error && failureOf(save.error)}
      beside={
        <Button
          variant="default"
          c="red"
          disabled={readOnly || !fresh || !preview.data || preview.data.removed === 0 || standing.running !== null}
          onClick={() => preview.data && setAgreed(preview.data)}
        >
          {t("retention.remove_now")}
        </Button>
      }
    >
      <Text size="sm">{t("retention.about")}</Text>
      {readOnly && (
        <Alert variant="default" className="notice-warn" p="sm" role="status">
          <Text size="sm">{t("repositories.read_only_why")}</Text>
        </Alert>
      )}
      <Group grow align="flex-start">
        <NumberInput
          label={t("retention.keep_newest")}
          min={1}
          max={100_000}
          allowDecimal={false}
          value={draft.newest ?? ""}
          onChange={(value) => change({ newest: numberOf(value) })}
          error={errorOf("rule.keep_newest")}
          data-autofocus
        />
        <NumberInput
          label={t("retention.keep_days")}
          min={1}
          max={100_000}
          allowDecimal={false}
          value={draft.days ?? ""}
          onChange={(value) => change({ days: numberOf(value) })}
          error={errorOf("rule.keep_days")}
        />
      </Group>
      <TextInput
        label={t("retention.keep_pattern")}
        description={t("retention.keep_pattern_hint")}
        classNames={{ input: "mono" }}
        value={draft.pattern}
        onChange={(event) => change({ pattern: event.currentTarget.value })}
        error={errorOf("rule.keep_pattern")}
        spellCheck={false}
      />
      <Checkbox
        label={t("retention.include_foreign")}
        checked={draft.foreign}
        onChange={(event) => change({ foreign: event.currentTarget.checked })}
      />
      <Checkbox
        label={t("retention.on")}
        description={t("retention.on_hint")}
        checked={draft.on}
        disabled={readOnly && !draft.on}
        onChange={(event) => change({ on: event.currentTarget.checked })}
      />
      <Outcome preview={preview.data} error={preview.error} busy={!fresh && preview.isFetching} />
      <Standing repository={repository} standing={standing} />
    </FormDialog>
  );
}

/** What would go and what would stay, each with the reason. */
function Outcome({ preview, error, busy }: { preview: RetentionPreview | undefined; error: Error | null; busy: boolean }) {
  const { t } = useTranslation();
  const [shown, setShown] = useState<"removed" | "kept">("removed");
  if (error) {
    const failure = failureOf(error);
    return failure.field ? null : <FailureNotice failure={failure} />;
  }
  if (!preview) return <Skeleton height={60} role="status" aria-label={t("common.loading")} />;
  const tags = preview.tags.filter(({ kept }) => (kept === null) === (shown === "removed"));
  return (
    <Stack gap="xs" className="panel" p="sm" role="region" aria-label={t("retention.preview")} aria-busy={busy}>
      <Text size="sm" fw={600} aria-live="polite">
        {t("retention.would_remove", { removed: preview.removed, count: preview.tags.length })}
        {preview.pending > 0 && ` ${t("retention.pending", { count: preview.pending })}`}
      </Text>
      <SegmentedControl
        aria-label={t("retention.preview")}
        size="xs"
        value={shown}
        onChange={(value) => setShown(value as "removed" | "kept")}
        data={[
          { value: "removed", label: t("retention.list_removed", { count: preview.removed }) },
          { value: "kept", label: t("retention.list_kept", { count: preview.tags.length - preview.removed }) },
        ]}
      />
      <div style={{ maxHeight: 200, overflowY: "auto" }} tabIndex={0} role="group" aria-label={t("retention.preview_tags")}>
        <List size="sm" listStyleType="none" spacing={2}>
          {tags.slice(0, SHOWN).map(({ tag, at, kept }) => (
            <List.Item key={tag}>
              <span className="mono foreign">{tag}</span>{" "}
              <Text component="span" size="sm" c="dimmed">
                {kept
                  ? t(`retention.reason_${kept.reason}`, { by: foreignText(kept.by ?? "") })
                  : t("retention.reason_none")}
                {at && (
                  <>
                    {" · "}
                    <When at={at} />
                  </>
                )}
              </Text>
            </List.Item>
          ))}
        </List>
        {tags.length > SHOWN && (
          <Text size="sm" c="dimmed">
            {t("retention.more", { count: tags.length - SHOWN })}
          </Text>
        )}
      </div>
    </Stack>
  );
}

/** The run that is under way, or how the last one went. */
function Standing({ repository, standing }: { repository: ImageRepositoryView; standing: RetentionView }) {
  const { t } = useTranslation();
  const stop = useCall("retention.stop");
  const { running, last_run } = standing;
  if (running) {
    return (
      <Stack gap="xs" role="status">
        <Group justify="space-between">
          <Text size="sm">{running.of > 0 ? t("retention.running", { removed: running.removed, count: running.of }) : t("retention.looking")}</Text>
          <Button variant="default" loading={stop.isPending} onClick={() => stop.mutate({ repository: repository.id })}>
            {t("retention.stop")}
          </Button>
        </Group>
        {running.of > 0 && <Progress value={(100 * running.removed) / running.of} aria-label={t("retention.progress")} />}
      </Stack>
    );
  }
  return last_run && <LastRun run={last_run} />;
}

function LastRun({ run }: { run: RetentionRun }) {
  const { t } = useTranslation();
  const failure = run.failure ?? run.refused;
  return (
    <Stack gap="xs">
      <Text size="sm" c="dimmed" role="status">
        {t(run.by_person ? "retention.last_by_person" : "retention.last_by_itself")} <When at={run.at} />
        {": "}
        {t("retention.last_removed", { count: run.removed })}
        {run.left > 0 && ` ${t("retention.last_left", { count: run.left })}`}
      </Text>
      {failure && <FailureNotice failure={failure} warning />}
    </Stack>
  );
}

interface RemoveNowProps {
  repository: ImageRepositoryView;
  rule: RetentionRule;
  preview: RetentionPreview;
  onBack: () => void;
}

/** Asks before the versions of the preview go: exactly these, and none that came since. */
function RemoveNow({ repository, rule, preview, onBack }: RemoveNowProps) {
  const { t } = useTranslation();
  const run = useCall("retention.run");
  const tags = preview.tags.filter(({ kept }) => kept === null).map(({ tag }) => tag);
  return (
    <ConfirmDialog
      title={t("retention.confirm_title", { count: tags.length })}
      text={t("retention.confirm_text")}
      confirmLabel={t("versions.delete_count", { count: tags.length })}
      onClose={onBack}
      onConfirm={() => run.mutate({ repository: repository.id, rule, tags }, { onSuccess: onBack })}
      busy={run.isPending}
      error={run.error}
    />
  );
}
