import { Text } from "@mantine/core";
import { useTranslation } from "react-i18next";

import { useCall, useRead } from "../../host/reads";
import { ConfirmDialog } from "../../parts/Dialogs";
import { useDialog } from "../../parts/dialog";
import { targetName } from "../../words/targets";
import { versionName } from "./TargetVersionText";

interface RollBackDialogProps {
  /** The firing that brought the image … */
  firing: number;
  /** … or, when this is set, the one that replaced it. */
  before: boolean;
  onClose: () => void;
}

/** Says what going back means, and does it: the target is pinned and its triggers are paused. */
export function RollBackDialog({ firing: id, before, onClose }: RollBackDialogProps) {
  const { t } = useTranslation();
  const { open } = useDialog();
  const firing = useRead("firings.get", { id });
  const target = firing.data?.firing.target;
  const detail = useRead("targets.get", { target: target ?? { kind: "container", engine: "local", name: "-" } }, { enabled: target !== undefined });
  const version = detail.data?.versions.find((one) => one.firing === id && one.before === before)?.version ?? (before ? null : firing.data?.firing.version);
  const triggers = detail.data?.target.triggers ?? [];
  const back = useCall("targets.roll_back");
  const name = target ? targetName(target) : "";
  return (
    <ConfirmDialog
      title={t("targets.roll_back_title", { name })}
      text={version ? t("targets.roll_back_text", { name, version: versionName(version) }) : t("common.loading")}
      confirmLabel={t("targets.roll_back")}
      onClose={onClose}
      onConfirm={() => back.mutate({ firing: id, before }, { onSuccess: ({ firing: started }) => open(`record.${started}`) })}
      busy={back.isPending}
      error={back.error ?? firing.error}
      blocked={!version}
    >
      {triggers.length > 0 && (
        <Text size="sm" className="foreign">
          {t("targets.roll_back_pauses", { names: triggers.map((one) => one.name).join(", ") })}
        </Text>
      )}
    </ConfirmDialog>
  );
}
