import { Checkbox } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import type { TriggerView } from "../../host/bindings";
import { useCall } from "../../host/reads";
import { ConfirmDialog } from "../../parts/Dialogs";

/** Asks before a trigger goes; what it runs is asked about. */
export function DeleteTrigger({ trigger, onClose }: { trigger: TriggerView; onClose: () => void }) {
  const { t } = useTranslation();
  const [cancelRunning, setCancelRunning] = useState(false);
  const remove = useCall("triggers.delete");
  return (
    <ConfirmDialog
      title={t("image_triggers.delete_title", { name: trigger.spec.name })}
      text={t("image_triggers.delete_text")}
      confirmLabel={t("common.delete")}
      onClose={onClose}
      onConfirm={() => remove.mutate({ id: trigger.id, cancel_running: cancelRunning }, { onSuccess: onClose })}
      busy={remove.isPending}
      error={remove.error}
    >
      <Checkbox
        label={t("image_triggers.delete_running")}
        checked={cancelRunning}
        onChange={(event) => setCancelRunning(event.currentTarget.checked)}
      />
    </ConfirmDialog>
  );
}

/** Asks before a record goes with its log. */
export function DeleteFiring({ id, onClose }: { id: number; onClose: () => void }) {
  const { t } = useTranslation();
  const remove = useCall("firings.delete");
  return (
    <ConfirmDialog
      title={t("firings.delete_title")}
      text={t("firings.delete_text")}
      confirmLabel={t("common.delete")}
      onClose={onClose}
      onConfirm={() => remove.mutate({ id }, { onSuccess: onClose })}
      busy={remove.isPending}
      error={remove.error}
    />
  );
}
