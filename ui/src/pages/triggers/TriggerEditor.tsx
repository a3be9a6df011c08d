import { Box, Button, Drawer, Group, Stack } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { notifications } from "@mantine/notifications";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";

import type { ImageRepositoryView, TriggerView } from "../../host/bindings";
import { failureOf } from "../../host/host";
import { useCall, useRead } from "../../host/reads";
import { useDraft } from "../../parts/draft";
import { FailureNotice, useFieldError } from "../../parts/FailureNotice";
import { targetOf } from "../../words/targets";
import { conditionOf, draftTarget, isTriggerName, triggerDraftOf, triggerSpecOf } from "./triggerDraft";
import { TriggerFields } from "./TriggerFields";
import { TriggerLive } from "./TriggerLive";

const PREVIEW_AFTER_MS = 250;

interface TriggerEditorProps {
  repository: ImageRepositoryView;
  trigger?: TriggerView;
  /** The target that a new trigger is made for, as an address names it. */
  at?: string;
  onClose: () => void;
}

/** A wide drawer (添加触发器): what fires it and what it updates on the left, what it will do on the right. */
export function TriggerEditor({ repository, trigger, at = "", onClose }: TriggerEditorProps) {
  const { t } = useTranslation();
  const { draft, change, forget } = useDraft(`trigger.${repository.id}.${trigger?.id ?? `new.${at}`}`, () =>
    triggerDraftOf(trigger?.spec, targetOf(at)),
  );
  const condition = useMemo(() => conditionOf(draft), [draft]);
  const [previewed] = useDebouncedValue(condition, PREVIEW_AFTER_MS);
  const asked = (previewed.kind !== "tags" || previewed.list.trim() !== "") && (previewed.kind !== "pattern" || previewed.pattern !== "");
  const preview = useRead("triggers.preview", { repository: repository.id, condition: previewed }, { enabled: asked, keep: true });
  const target = draftTarget(draft);

  const add = useCall("triggers.add");
  const edit = useCall("triggers.edit");
  const failed = add.error ?? edit.error;
  const failure = failed && failureOf(failed);
  const errorOfSave = useFieldError(failure);
  const errorOfPreview = useFieldError(asked && preview.error ? failureOf(preview.error) : null);
  const [tried, setTried] = useState(false);
  const errorOf = (field: string) => {
    if (tried) {
      if (field === "name" && draft.name.trim() === "") return t("image_triggers.name_needed");
      if (field === "target" && !target) return t(draft.action === "service" ? "image_triggers.target_needed" : "image_triggers.url_needed");
      if (field === "condition.list" && draft.conditionKind === "tags" && draft.list.trim() === "") return t("image_triggers.tags_needed");
      if (field === "condition.pattern" && draft.conditionKind === "pattern" && draft.pattern === "") return t("image_triggers.pattern_needed");
    }
    return errorOfSave(field) ?? errorOfPreview(field);
  };
  const whole = (condition.kind !== "tags" || condition.list.trim() !== "") && (condition.kind !== "pattern" || condition.pattern !== "");

  const save = () => {
    setTried(true);
    if (!target || !whole || !isTriggerName(draft.name)) return;
    const spec = triggerSpecOf(draft, target);
    const onSuccess = () => {
      forget();
      notifications.show({ message: t("common.saved") });
      onClose();
    };
    if (trigger) edit.mutate({ id: trigger.id, spec }, { onSuccess });
    else add.mutate({ repository: repository.id, spec }, { onSuccess });
  };
  const busy = add.isPending || edit.isPending;
  const title = trigger ? t("image_triggers.edit_title", { name: trigger.spec.name }) : t("image_triggers.new_title");

  return (
    <Drawer opened onClose={onClose} size="min(1100px, 100vw)" title={<span className="foreign">{title}</span>}>
      <form
        className="drawer-form"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (busy) return;
          save();
          const form = event.currentTarget;
          requestAnimationFrame(() => form.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus());
        }}
      >
        <Box className="rule-editor">
          <TriggerFields draft={draft} change={change} errorOf={errorOf} />
          <Stack gap="md" className="rule-editor-live">
            <TriggerLive trigger={trigger?.id ?? null} preview={preview} asked={asked} target={target} />
            {failure && <FailureNotice failure={failure} />}
          </Stack>
        </Box>
        <Group gap="sm" justify="flex-end" className="dialog-foot">
          <Button variant="default" onClick={onClose}>
            {t("common.cancel")}
          </Button>
          <Button type="submit" loading={busy}>
            {t("common.save")}
          </Button>
        </Group>
      </form>
    </Drawer>
  );
}
