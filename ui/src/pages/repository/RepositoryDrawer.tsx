import { Button, Drawer, Group, Radio, Select, Stack, Text, Textarea, TextInput } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import type { ImageRepositorySpec, ImageRepositoryView, ImageSource } from "../../host/bindings";
import { failureOf } from "../../host/host";
import { useCall, useRead } from "../../host/reads";
import { useDraft } from "../../parts/draft";
import { FailureNotice, useFieldError } from "../../parts/FailureNotice";
import { useRequired } from "../../parts/required";

interface Draft {
  registry: string;
  name: string;
  source: ImageSource;
  credential: string;
  summary: string;
  description: string;
  writeOnce: string;
}

const start = (repository?: ImageRepositoryView): Draft => ({
  registry: repository ? String(repository.spec.registry) : "",
  name: repository?.spec.name ?? "",
  source: repository?.spec.source ?? "platform",
  credential: repository?.spec.credential?.toString() ?? "",
  summary: repository?.spec.summary ?? "",
  description: repository?.spec.description ?? "",
  writeOnce: repository?.spec.write_once.join("\n") ?? "",
});

/** Namespaces that are offered below the name. */
const OFFERED = 8;

/** Where an image comes from; the first two are made here, and lead on to Image build. */
const sources = ["platform", "dockerfile", "pushed_locally", "published_by_others"] as const;

/** Creates an image repository and goes on to its rules, or changes one. */
export function RepositoryDrawer({ repository, onClose }: { repository?: ImageRepositoryView; onClose: () => void }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const registries = useRead("registries.list", {});
  const { draft, change, forget } = useDraft(`repository.${repository?.id ?? "new"}`, () => start(repository));
  const add = useCall("image_repositories.add");
  const edit = useCall("image_repositories.edit");
  const failed = add.error ?? edit.error;
  const failure = failed && failureOf(failed);
  const { complete, missingAt } = useRequired({ name: draft.name });
  const errorOfCall = useFieldError(failure);
  const errorOf = (field: string) => missingAt(field) ?? errorOfCall(field);

  const registry =
    registries.data?.find(({ id }) => String(id) === draft.registry) ?? (draft.registry === "" ? registries.data?.[0] : undefined);
  const namespaces = useRead(
    "registries.namespaces",
    { registry: registry?.id ?? 0, ...(draft.credential ? { credential: Number(draft.credential) } : {}) },
    { enabled: registry?.kind === "oci", keep: true },
  ).data?.namespaces;
  // Until the name has its namespace, those that fit are offered.
  const offered = draft.name.includes("/")
    ? []
    : (namespaces ?? []).map(({ name }) => name).filter((name) => name.startsWith(draft.name.trim())).slice(0, OFFERED);
  const save = () => {
    if (!complete() || !registry) return;
    const spec: ImageRepositorySpec = {
      registry: registry.id,
      name: draft.name.trim(),
      source: draft.source,
      credential: draft.credential && registry.kind === "oci" ? Number(draft.credential) : null,
      summary: draft.summary,
      description: draft.description,
      write_once: draft.writeOnce.split("\n").map((line) => line.trim()).filter((line) => line !== ""),
    };
    if (repository) {
      edit.mutate({ id: repository.id, spec }, { onSuccess: () => (forget(), onClose()) });
    } else {
      add.mutate(
        { spec },
        {
          onSuccess: ({ id }) => {
            forget();
            const tab = draft.source === "platform" || draft.source === "dockerfile" ? "build" : "versions";
            void navigate({ to: "/repositories/$repository/$tab", params: { repository: String(id), tab } });
          },
        },
      );
    }
  };

  return (
    <Drawer opened onClose={onClose} size="min(620px, 100vw)" title={t(repository ? "repositories.edit" : "repositories.add")}>
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          save();
        }}
      >
        <Stack gap="md" className="drawer-form">
          {registries.error && <FailureNotice failure={failureOf(registries.error)} onRetry={() => void registries.refetch()} />}
          <Radio.Group
            label={t("repositories.source")}
            value={draft.source}
            onChange={(source) => change({ source: source as ImageSource })}
            error={errorOf("source")}
          >
            <Stack gap="sm" mt="xs">
              {sources.map((source) => (
                <Radio
                  key={source}
                  value={source}
                  label={t(`repositories.source_${source}`)}
                  description={t(`repositories.source_${source}_hint`)}
                />
              ))}
            </Stack>
          </Radio.Group>
          <Select
            label={t("repositories.registry")}
            data={(registries.data ?? []).map(({ id, name, kind, host }) => ({
              value: String(id),
              label: kind === "local_engine" ? t("registries.local") : `${name} (${host ?? ""})`,
            }))}
            value={registry ? String(registry.id) : null}
            onChange={(chosen) => change({ registry: chosen ?? "", credential: "" })}
            error={errorOf("registry")}
          />
          {registry?.kind === "oci" && (
            <Select
              label={t("repositories.credential")}
              data={[
                { value: "", label: t("repositories.credential_none") },
                ...registry.credentials.map(({ id, name }) => ({ value: String(id), label: name })),
              ]}
              value={draft.credential}
              onChange={(chosen) => change({ credential: chosen ?? "" })}
              error={errorOf("credential")}
            />
          )}
          <div>
            <TextInput
              label={t("common.name")}
              description={t("repositories.name_hint")}
              value={draft.name}
              onChange={(event) => change({ name: event.currentTarget.value })}
              error={errorOf("name")}
              spellCheck={false}
              required
              data-autofocus
            />
            {offered.length > 0 && (
              <Group gap={4} mt={6} role="group" aria-label={t("registries.namespaces")}>
                {offered.map((name) => (
                  <Button key={name} size="compact-xs" variant="default" className="mono foreign" onClick={() => change({ name: `${name}/` })}>
                    {name}/
                  </Button>
                ))}
              </Group>
            )}
          </div>
          {draft.name.trim() !== "" && (
            <Text size="sm" c="dimmed">
              {t("repositories.reference_preview")}{" "}
              <span className="mono foreign">
                {registry?.host ? `${registry.host}/` : ""}
                {draft.name.trim()}
              </span>
            </Text>
          )}
          <TextInput
            label={t("repositories.summary")}
            description={t("repositories.summary_hint")}
            value={draft.summary}
            onChange={(event) => change({ summary: event.currentTarget.value })}
            error={errorOf("summary")}
          />
          <Textarea
            label={t("repositories.description")}
            autosize
            minRows={2}
            maxRows={8}
            value={draft.description}
            onChange={(event) => change({ description: event.currentTarget.value })}
            error={errorOf("description")}
          />
          <Textarea
            label={t("repositories.write_once")}
            description={t("repositories.write_once_hint")}
            autosize
            minRows={1}
            maxRows={6}
            classNames={{ input: "mono" }}
            value={draft.writeOnce}
            onChange={(event) => change({ writeOnce: event.currentTarget.value })}
            error={errorOf("write_once")}
          />
          {failure && <FailureNotice failure={failure} />}
          <Group justify="flex-end" gap="sm" className="dialog-foot">
            <Button variant="default" onClick={onClose}>
              {t("common.cancel")}
            </Button>
            <Button type="submit" loading={add.isPending || edit.isPending} disabled={!registry}>
              {t(repository ? "common.save" : "common.add")}
            </Button>
          </Group>
        </Stack>
      </form>
    </Drawer>
  );
}
