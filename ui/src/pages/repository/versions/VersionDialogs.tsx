import { Alert, Checkbox, List, Select, Stack, Text, TextInput } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useTranslation } from "react-i18next";

import type { ImageRepositoryView, VersionRemovalGroup } from "../../../host/bindings";
import { failureOf } from "../../../host/host";
import { useCall, useRead } from "../../../host/reads";
import { ConfirmDialog, FormDialog } from "../../../parts/Dialogs";
import { useDraft } from "../../../parts/draft";
import { useFieldError } from "../../../parts/FailureNotice";
import { useRepositories } from "../../../parts/names";
import { useRequired } from "../../../parts/required";
import { PageLink } from "../../../parts/Page";
import { foreignText } from "../../../words/ansi";
import { shortDigest } from "../../../words/format";
import { targetName, targetPath } from "../../../words/targets";

interface DeleteVersionsProps {
  repository: ImageRepositoryView;
  tags: string[];
  onClose: () => void;
}

/** Asks before versions go: names every tag that goes with them, the builds that made them, and what still runs on them. */
export function DeleteVersions({ repository, tags, onClose }: DeleteVersionsProps) {
  const { t } = useTranslation();
  const removal = useRead("versions.removal", { repository: repository.id, tags });
  const remove = useCall("versions.delete");
  const found = removal.data;
  const siblings = found?.groups.flatMap((group) => group.siblings) ?? [];
  const used = found?.groups.some(({ containers }) => containers.length > 0) ?? false;
  const needed = found?.groups.some((group) => group.needed.length > 0) ?? false;
  return (
    <ConfirmDialog
      title={t("versions.delete_title", { count: tags.length, tag: tags[0] ?? "" })}
      text={t(found && found.groups.some(({ digest }) => digest !== null) ? "versions.delete_text" : "versions.delete_text_local", { count: found?.tags.length ?? tags.length })}
      confirmLabel={t("versions.delete_count", { count: found?.tags.length ?? tags.length })}
      onClose={onClose}
      onConfirm={() => found && remove.mutate({ repository: repository.id, tags: found.tags }, { onSuccess: onClose })}
      busy={remove.isPending}
      error={remove.error ?? removal.error}
      blocked={!found || used || found.tags.length === 0}
    >
      {!found && !removal.error && (
        <Text size="sm" c="dimmed" role="status">
          {t("versions.delete_looking")}
        </Text>
      )}
      {siblings.length > 0 && (
        <Alert variant="default" className="notice-warn" p="sm" role="status">
          <Text size="sm">{t("versions.delete_siblings", { count: siblings.length })}</Text>
        </Alert>
      )}
      {found?.groups.map((group) => <RemovalGroup key={group.digest ?? group.tags.join()} group={group} />)}
      {found && found.missing.length > 0 && (
        <Text size="sm" c="dimmed" className="foreign">
          {t("versions.delete_missing", { tags: found.missing.join(", ") })}
        </Text>
      )}
      {needed && !used && (
        <Alert variant="default" className="notice-warn" p="sm" role="status">
          <Text size="sm">{t("versions.delete_needed")}</Text>
        </Alert>
      )}
      {used && (
        <Alert variant="default" className="notice-bad" p="sm" role="alert">
          <Text size="sm">{t("versions.delete_used")}</Text>
        </Alert>
      )}
    </ConfirmDialog>
  );
}

function RemovalGroup({ group }: { group: VersionRemovalGroup }) {
  const { t } = useTranslation();
  const identity = group.digest ?? group.image;
  return (
    <Stack gap={2} className="panel" p="sm">
      {identity && (
        <Text className="mono" c="dimmed">
          {shortDigest(identity)}
        </Text>
      )}
      <List size="sm" listStyleType="none" spacing={2}>
        {group.tags.map((tag) => (
          <List.Item key={tag}>
            <span className="mono foreign">{tag}</span>{" "}
            {group.siblings.includes(tag) && (
              <Text component="span" size="sm" style={{ color: "var(--state-warn)" }}>
                {t("versions.delete_sibling")}
              </Text>
            )}
          </List.Item>
        ))}
      </List>
      {group.builds.map((build) => (
        <Text key={build.id} size="sm" c="dimmed">
          {t("versions.delete_build")}{" "}
          <PageLink underline="always" to="/builds/$build" params={{ build: String(build.id) }}>
            {t("builds.title", { number: build.number })}
          </PageLink>
        </Text>
      ))}
      {group.containers.map(({ id, name }) => (
        <Text key={id} size="sm" className="foreign" style={{ color: "var(--state-bad)" }}>
          {t("versions.delete_container", { name })}
        </Text>
      ))}
      {group.needed.map(({ target, why }) => (
        <Text key={targetPath(target)} size="sm" className="foreign" style={{ color: "var(--state-warn)" }}>
          {t(`versions.needed_${why}`, { name: foreignText(targetName(target)) })}
        </Text>
      ))}
    </Stack>
  );
}

/** Puts what a version holds under another tag, here or in another image repository of the same registry. */
export function CopyVersion({ repository, tag, onClose }: { repository: ImageRepositoryView; tag: string; onClose: () => void }) {
  const { t } = useTranslation();
  const { draft, change, forget } = useDraft(`copy-version.${repository.id}.${tag}`, () => ({
    to: "",
    into: String(repository.id),
    overwrite: false,
  }));
  const copy = useCall("versions.copy");
  const failure = copy.error && failureOf(copy.error);
  const { complete, missingAt } = useRequired({ to: draft.to });
  const errorOf = useFieldError(failure);
  const places = (useRepositories().data?.items ?? []).filter(
    (one) => one.repository.spec.registry === repository.spec.registry && one.repository.read_only_reason === null,
  );
  const save = () =>
    complete() &&
    copy.mutate(
      {
        repository: repository.id,
        from: tag,
        to: draft.to.trim(),
        overwrite: draft.overwrite,
        ...(Number(draft.into) === repository.id ? {} : { into: Number(draft.into) }),
      },
      {
        onSuccess: ({ changed }) => {
          forget();
          notifications.show({ message: t(changed ? "versions.copied" : "versions.copied_same", { tag: draft.to.trim() }) });
          onClose();
        },
      },
    );
  return (
    <FormDialog title={t("versions.copy_title", { tag })} onClose={onClose} onSubmit={save} submitLabel={t("versions.copy")} busy={copy.isPending} failure={failure}>
      <TextInput
        label={t("versions.copy_to")}
        classNames={{ input: "mono" }}
        value={draft.to}
        onChange={(event) => change({ to: event.currentTarget.value })}
        error={missingAt("to") ?? errorOf("to")}
        spellCheck={false}
        required
        data-autofocus
      />
      <Select
        label={t("versions.copy_into")}
        searchable
        data={places.map((one) => ({ value: String(one.repository.id), label: one.repository.spec.name }))}
        value={draft.into}
        onChange={(into) => change({ into: into ?? String(repository.id) })}
        error={errorOf("into")}
      />
      <Checkbox
        label={t("versions.copy_overwrite")}
        checked={draft.overwrite}
        onChange={(event) => change({ overwrite: event.currentTarget.checked })}
      />
    </FormDialog>
  );
}
