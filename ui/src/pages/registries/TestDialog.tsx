import { Group, List, Select, Stack, Text, TextInput } from "@mantine/core";
import { useTranslation } from "react-i18next";

import type { CredentialView, HopView, RegistryView } from "../../host/bindings";
import { failureOf } from "../../host/host";
import { useCall } from "../../host/reads";
import { FormDialog } from "../../parts/Dialogs";
import { useDraft } from "../../parts/draft";
import { FailureNotice, useFieldError } from "../../parts/FailureNotice";
import { useRequired } from "../../parts/required";
import { Mark } from "../../parts/StateMark";

interface TestDialogProps {
  registry: RegistryView;
  credential?: CredentialView;
  onClose: () => void;
}

/** Tests read and push rights hop by hop, and names the one that fails. */
export function TestDialog({ registry, credential, onClose }: TestDialogProps) {
  const { t } = useTranslation();
  const { draft, change } = useDraft(`registry-test.${registry.id}.${credential?.id ?? ""}`, () => ({
    repository: "",
    credential: credential ? String(credential.id) : (registry.credentials[0]?.id.toString() ?? ""),
  }));
  const test = useCall("registries.test");
  const failure = test.error && failureOf(test.error);
  const { complete, missingAt } = useRequired({ repository: draft.repository });
  const errorOfCall = useFieldError(failure);
  const errorOf = (field: string) => missingAt(field) ?? errorOfCall(field);
  return (
    <FormDialog
      title={t("registries.test_title", { name: registry.name })}
      onClose={onClose}
      onSubmit={() =>
        complete() &&
        test.mutate({
          registry: registry.id,
          repository: draft.repository.trim(),
          ...(draft.credential ? { credential: Number(draft.credential) } : {}),
        })
      }
      submitLabel={t("registries.test_run")}
      busy={test.isPending}
      failure={failure}
    >
      <Text size="sm">{t("registries.test_text")}</Text>
      <Select
        label={t("registries.test_with")}
        data={[
          { value: "", label: t("registries.kind_anonymous") },
          ...registry.credentials.map(({ id, name }) => ({ value: String(id), label: name })),
        ]}
        value={draft.credential}
        onChange={(chosen) => change({ credential: chosen ?? "" })}
      />
      <TextInput
        label={t("registries.test_repository")}
        description={t("registries.test_repository_hint")}
        value={draft.repository}
        onChange={(event) => change({ repository: event.currentTarget.value })}
        error={errorOf("repository")}
        spellCheck={false}
        required
        data-autofocus
      />
      <div aria-live="polite">
        {test.isPending && (
          <Text size="sm" c="dimmed">
            {t("registries.test_running")}
          </Text>
        )}
        {test.data && <Hops hops={test.data} unprotected={registry.plain_http} />}
      </div>
    </FormDialog>
  );
}

/** Each hop with what was found there; the failing one with its next step. */
function Hops({ hops, unprotected }: { hops: HopView[]; unprotected: boolean }) {
  const { t } = useTranslation();
  return (
    <Stack gap="sm">
      <List listStyleType="none" spacing={4} size="sm">
        {hops.map(({ hop, found, failure }) => (
          <List.Item key={hop}>
            <Group gap="sm">
              <Mark tone={failure ? "bad" : hop === "tls" && unprotected ? "warn" : "good"} word={t(`registries.hop_${hop}`)} />
              {found && (
                <Text size="sm" c="dimmed" className="foreign">
                  {found}
                </Text>
              )}
            </Group>
          </List.Item>
        ))}
      </List>
      {hops.map(({ hop, failure }) => failure && <FailureNotice key={hop} failure={failure} />)}
    </Stack>
  );
}
