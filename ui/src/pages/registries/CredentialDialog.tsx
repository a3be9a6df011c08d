import { PasswordInput, Select, Text, Textarea, TextInput } from "@mantine/core";
import { useTranslation } from "react-i18next";

import type { CredentialForm, CredentialView, RegistryView } from "../../host/bindings";
import { failureOf } from "../../host/host";
import { useCall } from "../../host/reads";
import { FormDialog } from "../../parts/Dialogs";
import { useDraft } from "../../parts/draft";
import { useFieldError } from "../../parts/FailureNotice";
import { useRequired } from "../../parts/required";

type Kind = CredentialForm["kind"];
const kinds: Kind[] = ["password", "docker_config", "identity_token", "helper", "command", "anonymous"];

interface Draft {
  name: string;
  kind: Kind;
  username: string;
  secret: string;
  helper: string;
  argv: string;
}

function start(credential?: CredentialView): Draft {
  const source = credential?.source;
  return {
    name: credential?.name ?? "",
    kind: source?.kind ?? "password",
    username: source && "username" in source ? source.username : "",
    secret: "",
    helper: source?.kind === "helper" ? source.name : "",
    argv: source?.kind === "command" ? source.argv.join("\n") : "",
  };
}

function formOf(draft: Draft): CredentialForm {
  switch (draft.kind) {
    case "password":
      return { kind: "password", username: draft.username.trim(), ...(draft.secret ? { password: draft.secret } : {}) };
    case "identity_token":
      return { kind: "identity_token", ...(draft.secret ? { token: draft.secret } : {}) };
    case "helper":
      return { kind: "helper", name: draft.helper.trim() };
    case "command":
      return { kind: "command", username: draft.username.trim(), argv: draft.argv.split("\n").filter((part) => part !== "") };
    case "docker_config":
    case "anonymous":
      return { kind: draft.kind };
  }
}

interface CredentialDialogProps {
  registry: RegistryView;
  credential?: CredentialView;
  onClose: () => void;
}

/** Adds a credential to a registry, or changes one; a stored secret stays unless another one is typed. */
export function CredentialDialog({ registry, credential, onClose }: CredentialDialogProps) {
  const { t } = useTranslation();
  const { draft, change, forget } = useDraft(`credential.${registry.id}.${credential?.id ?? "new"}`, () => start(credential));
  const add = useCall("registries.add_credential");
  const edit = useCall("registries.edit_credential");
  const failed = add.error ?? edit.error;
  const failure = failed && failureOf(failed);
  const stored = credential !== undefined && credential.source.kind === draft.kind;
  const withUser = draft.kind === "password" || draft.kind === "command";
  const withSecret = draft.kind === "password" || draft.kind === "identity_token";
  const { complete, missingAt } = useRequired({
    name: draft.name,
    ...(withUser ? { username: draft.username } : {}),
    ...(withSecret && !stored ? { secret: draft.secret } : {}),
    ...(draft.kind === "helper" ? { helper: draft.helper } : {}),
    ...(draft.kind === "command" ? { argv: draft.argv } : {}),
  });
  const errorOfCall = useFieldError(failure);
  const errorOf = (field: string) => missingAt(field) ?? errorOfCall(field);
  const onSuccess = () => {
    forget();
    onClose();
  };
  const save = () => {
    if (!complete()) return;
    const name = draft.name.trim();
    if (credential) edit.mutate({ id: credential.id, name, form: formOf(draft) }, { onSuccess });
    else add.mutate({ registry: registry.id, name, form: formOf(draft) }, { onSuccess });
  };
  return (
    <FormDialog
      title={t(credential ? "registries.edit_credential" : "registries.add_credential")}
      onClose={onClose}
      onSubmit={save}
      submitLabel={t(credential ? "common.save" : "common.add")}
      busy={add.isPending || edit.isPending}
      failure={failure}
    >
      <Text size="sm" c="dimmed" className="foreign">
        {registry.name} · {registry.host}
      </Text>
      <TextInput
        label={t("common.name")}
        value={draft.name}
        onChange={(event) => change({ name: event.currentTarget.value })}
        error={errorOf("name")}
        required
        data-autofocus
      />
      <Select
        label={t("registries.source")}
        data={kinds.map((kind) => ({ value: kind, label: t(`registries.kind_${kind}`) }))}
        value={draft.kind}
        onChange={(kind) => change({ kind: kind as Kind })}
        error={errorOf("kind")}
      />
      {withUser && (
        <TextInput
          label={t("registries.username")}
          autoComplete="off"
          value={draft.username}
          onChange={(event) => change({ username: event.currentTarget.value })}
          error={errorOf("username")}
          required
        />
      )}
      {withSecret && (
        <PasswordInput
          label={t(draft.kind === "password" ? "registries.password" : "registries.token")}
          description={t(stored ? "registries.secret_kept" : "registries.secret_hint")}
          autoComplete="new-password"
          value={draft.secret}
          onChange={(event) => change({ secret: event.currentTarget.value })}
          error={missingAt("secret") ?? errorOf("password") ?? errorOf("token")}
          required={!stored}
        />
      )}
      {draft.kind === "docker_config" && <Text size="sm">{t("registries.docker_config_hint")}</Text>}
      {draft.kind === "helper" && (
        <TextInput
          label={t("registries.helper_name")}
          value={draft.helper}
          onChange={(event) => change({ helper: event.currentTarget.value })}
          error={missingAt("helper") ?? errorOfCall("name")}
          spellCheck={false}
          required
        />
      )}
      {draft.kind === "command" && (
        <Textarea
          label={t("registries.command")}
          description={t("registries.command_hint")}
          autosize
          minRows={2}
          classNames={{ input: "mono" }}
          spellCheck={false}
          value={draft.argv}
          onChange={(event) => change({ argv: event.currentTarget.value })}
          error={errorOf("argv")}
          required
        />
      )}
    </FormDialog>
  );
}
