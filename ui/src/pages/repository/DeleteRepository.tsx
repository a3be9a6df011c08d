import { Alert } from "@mantine/core";
import { useTranslation } from "react-i18next";

import type { ImageRepositoryView } from "../../host/bindings";
import { useCall, useRead } from "../../host/reads";
import { ConfirmDialog } from "../../parts/Dialogs";

interface DeleteRepositoryProps {
  repository: ImageRepositoryView;
  onClose: () => void;
  onDeleted?: () => void;
}

/** Asks before an image repository goes, and counts what goes with it. */
export function DeleteRepository({ repository, onClose, onDeleted = onClose }: DeleteRepositoryProps) {
  const { t } = useTranslation();
  const removal = useRead("image_repositories.removal", { id: repository.id });
  const remove = useCall("image_repositories.delete");
  const active = removal.data?.active.length ?? 0;
  return (
    <ConfirmDialog
      title={t("repositories.delete_title", { name: repository.spec.name })}
      text={
        removal.data
          ? t("repositories.delete_text", { rules: removal.data.rules.length, triggers: removal.data.triggers.length, builds: removal.data.builds })
          : t("common.loading")
      }
      confirmLabel={t("common.delete")}
      onClose={onClose}
      onConfirm={() => remove.mutate({ id: repository.id }, { onSuccess: onDeleted })}
      busy={remove.isPending}
      error={remove.error ?? removal.error}
      blocked={!removal.data || active > 0}
    >
      {active > 0 && (
        <Alert color="yellow" p="sm">
          {t("repositories.delete_active", { count: active })}
        </Alert>
      )}
    </ConfirmDialog>
  );
}
