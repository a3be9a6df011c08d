import { TextInput } from "@mantine/core";
import { useTranslation } from "react-i18next";

import type { RegistryView } from "../../host/bindings";
import { failureOf } from "../../host/host";
import { useCall } from "../../host/reads";
import { FormDialog } from "../../parts/Dialogs";
import { useDraft } from "../../parts/draft";
import { useFieldError } from "../../parts/FailureNotice";
import { OwnAuthorityFields } from "../../parts/OwnAuthority";
import { useRequired } from "../../parts/required";

/** Adds an OCI registry, or changes one. */
export function RegistryDialog({ registry, onClose }: { registry?: RegistryView; onClose: () => void }) {
  const { t } = useTranslation();
  const { draft, change, forget } = useDraft(`registry.${registry?.id ?? "new"}`, () => ({
    name: registry?.name ?? "",
    host: registry?.host ?? "",
    plainHttp: registry?.plain_http ?? false,
    ca: registry?.ca_pem ?? "",
  }));
  const add = useCall("registries.add");
  const edit = useCall("registries.edit");
  const failed = add.error ?? edit.error;
  const failure = failed && failureOf(failed);
  const { complete, missingAt } = useRequired({ host: draft.host, name: draft.name });
  const errorOfCall = useFieldError(failure);
  const errorOf = (field: string) => missingAt(field) ?? errorOfCall(field);
  const onSuccess = () => {
    forget();
    onClose();
  };
  const save = () => {
    if (!complete()) return;
    const form = {
      name: draft.name.trim(),
      host: draft.host.trim(),
      plain_http: draft.plainHttp,
      ...(draft.ca ? { ca_pem: draft.ca } : {}),
    };
    if (registry) edit.mutate({ id: registry.id, form }, { onSuccess });
    else add.mutate({ form }, { onSuccess });
  };
  return (
    <FormDialog
      title={t(registry ? "registries.edit" : "registries.add")}
      onClose={onClose}
      onSubmit={save}
      submitLabel={t(registry ? "common.save" : "common.add")}
      busy={add.isPending || edit.isPending}
      failure={failure}
    >
      <TextInput
        label={t("registries.host")}
        description={t("registries.host_hint")}
        value={draft.host}
        onChange={(event) => {
          const host = event.currentTarget.value;
          change({ host, ...(!registry && draft.name === draft.host ? { name: host } : {}) });
        }}
        error={errorOf("host")}
        spellCheck={false}
        required
        data-autofocus
      />
      <TextInput
        label={t("common.name")}
        value={draft.name}
        onChange={(event) => change({ name: event.currentTarget.value })}
        error={errorOf("name")}
        required
      />
      <OwnAuthorityFields draft={draft} change={change} consent={t("registries.plain_http")} errorOf={errorOf} />
    </FormDialog>
  );
}
