import { useTranslation } from "react-i18next";

import type { DeployTarget } from "../../host/bindings";
import { failureOf } from "../../host/host";
import { useCall, useRead } from "../../host/reads";
import { useDialog } from "../../parts/dialog";
import { FormDialog } from "../../parts/Dialogs";
import { useDraft } from "../../parts/draft";
import { useFieldError } from "../../parts/FailureNotice";
import { ListSkeleton } from "../../parts/Listing";
import { useRequired } from "../../parts/required";
import { targetName, targetPath } from "../../words/targets";
import { TargetNow } from "../triggers/TriggerLive";
import { ImageChoiceFields, type ImageDraft, imageOf, neededOf } from "./ImageChoiceFields";

/** Updates a target now, to a chosen image. */
export function UpdateNowDialog({ target, onClose }: { target: DeployTarget; onClose: () => void }) {
  const read = useRead("targets.get", { target });
  const { t } = useTranslation();
  if (!read.data) {
    return (
      <FormDialog title={t("targets.update_title", { name: targetName(target) })} onClose={onClose} onSubmit={onClose} submitLabel={t("common.close")} busy={false} failure={read.error && failureOf(read.error)}>
        {!read.error && <ListSkeleton rows={3} />}
      </FormDialog>
    );
  }
  const owner = read.data.target.triggers[0]?.repository ?? read.data.target.last_firing?.repository ?? null;
  return <UpdateForm target={target} repository={owner} onClose={onClose} />;
}

function UpdateForm({ target, repository, onClose }: { target: DeployTarget; repository: number | null; onClose: () => void }) {
  const { t } = useTranslation();
  const { open } = useDialog();
  const { draft, change, forget } = useDraft<ImageDraft>(`update.${targetPath(target)}`, () => ({
    from: "tag",
    repository: repository === null ? "" : String(repository),
    tag: "",
    imageName: "",
  }));
  const image = imageOf(draft);
  const update = useCall("targets.update_now");
  const failure = update.error && failureOf(update.error);
  const errorOfUpdate = useFieldError(failure);
  const { complete, missingAt } = useRequired(neededOf(draft));
  const errorOf = (field: string) => missingAt(field) ?? errorOfUpdate(field);
  return (
    <FormDialog
      title={t("targets.update_title", { name: targetName(target) })}
      onClose={onClose}
      onSubmit={() => {
        if (!complete() || !image) return;
        update.mutate(
          { target, image },
          {
            onSuccess: ({ firing }) => {
              forget();
              open(`record.${firing}`);
            },
          },
        );
      }}
      submitLabel={t("targets.update_now")}
      busy={update.isPending}
      failure={failure}
    >
      {target.kind !== "webhook" && <TargetNow target={target} />}
      <ImageChoiceFields draft={draft} change={change} errorOf={errorOf} />
    </FormDialog>
  );
}
