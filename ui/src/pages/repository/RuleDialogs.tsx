import { Checkbox, TextInput } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import type { RuleView } from "../../host/bindings";
import { failureOf } from "../../host/host";
import { useCall } from "../../host/reads";
import { ConfirmDialog, FormDialog } from "../../parts/Dialogs";
import { useDialog } from "../../parts/dialog";
import { useFieldError } from "../../parts/FailureNotice";
import { useRequired } from "../../parts/required";

/** Asks before a rule goes; its running builds are asked about. */
export function DeleteRule({ rule, onClose }: { rule: RuleView; onClose: () => void }) {
  const { t } = useTranslation();
  const [cancelRunning, setCancelRunning] = useState(false);
  const remove = useCall("rules.delete");
  return (
    <ConfirmDialog
      title={t("rules.delete_title", { name: rule.spec.name })}
      text={t("rules.delete_text")}
      confirmLabel={t("common.delete")}
      onClose={onClose}
      onConfirm={() => remove.mutate({ id: rule.id, cancel_running: cancelRunning }, { onSuccess: onClose })}
      busy={remove.isPending}
      error={remove.error}
    >
      <Checkbox
        label={t("rules.delete_running")}
        checked={cancelRunning}
        onChange={(event) => setCancelRunning(event.currentTarget.checked)}
      />
    </ConfirmDialog>
  );
}

/** Copies a rule under another name and opens the copy. */
export function DuplicateRule({ rule, onClose }: { rule: RuleView; onClose: () => void }) {
  const { t } = useTranslation();
  const { open } = useDialog();
  const [name, setName] = useState(`${rule.spec.name}-2`);
  const copy = useCall("rules.duplicate");
  const failure = copy.error && failureOf(copy.error);
  const { complete, missingAt } = useRequired({ name });
  const errorOf = useFieldError(failure);
  return (
    <FormDialog
      title={t("rules.duplicate_title", { name: rule.spec.name })}
      onClose={onClose}
      onSubmit={() => complete() && copy.mutate({ id: rule.id, name: name.trim() }, { onSuccess: ({ id }) => open(`rule.${id}`) })}
      submitLabel={t("common.duplicate")}
      busy={copy.isPending}
      failure={failure}
    >
      <TextInput
        label={t("common.name")}
        description={t("rules.name_hint")}
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
        error={missingAt("name") ?? errorOf("name")}
        data-autofocus
        required
      />
    </FormDialog>
  );
}
