import { Button, Checkbox, Group, Modal, Select, Stack, Table, Text, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";

import type { RegistryView } from "../../host/bindings";
import { failureOf } from "../../host/host";
import { useCall, useRead } from "../../host/reads";
import { FailureNotice, useFieldError } from "../../parts/FailureNotice";
import { ListSkeleton } from "../../parts/Listing";
import { PageButton, PageLink } from "../../parts/Page";
import { useRequired } from "../../parts/required";

/** The namespaces of a registry (命名空间), and how a new one comes to be. */
export function NamespacesDialog({ registry, onClose }: { registry: RegistryView; onClose: () => void }) {
  const { t } = useTranslation();
  const [credential, setCredential] = useState(registry.credentials[0]?.id.toString() ?? "");
  const read = useRead(
    "registries.namespaces",
    { registry: registry.id, ...(credential ? { credential: Number(credential) } : {}) },
    { keep: true },
  );
  const found = read.data;
  return (
    <Modal opened onClose={onClose} title={<span className="foreign">{t("registries.namespaces_of", { name: registry.name })}</span>}>
      <Stack gap="md">
        {registry.credentials.length > 1 && (
          <Select
            label={t("registries.test_with")}
            data={registry.credentials.map(({ id, name }) => ({ value: String(id), label: name }))}
            value={credential}
            onChange={(chosen) => setCredential(chosen ?? "")}
          />
        )}
        {read.error && <FailureNotice failure={failureOf(read.error)} onRetry={() => void read.refetch()} />}
        {!found && !read.error && <ListSkeleton rows={3} />}
        {found?.catalogue_failure && (
          <>
            <Text size="sm">{t("registries.namespaces_failed")}</Text>
            <FailureNotice failure={found.catalogue_failure} warning />
          </>
        )}
        {found && found.namespaces.length === 0 && <Text c="dimmed">{t("registries.namespaces_none")}</Text>}
        {found && found.namespaces.length > 0 && (
          <div className="panel">
            <Table>
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>{t("registries.namespace")}</Table.Th>
                  <Table.Th ta="end">{t("registries.namespace_listed")}</Table.Th>
                  <Table.Th ta="end">{t("registries.namespace_known")}</Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {found.namespaces.map(({ name, listed, known, public: everybody }) => (
                  <Table.Tr key={name}>
                    <Table.Td>
                      <PageLink
                        to="/repositories"
                        search={{ search: `${name}/`, registry: registry.id }}
                        className="mono foreign"
                        title={t("registries.namespace_show")}
                      >
                        {name}
                      </PageLink>
                      {everybody !== null && (
                        <Text span size="xs" c="dimmed" ml="xs">
                          {t(everybody ? "registries.namespace_public" : "registries.namespace_private")}
                        </Text>
                      )}
                    </Table.Td>
                    <Table.Td ta="end">{listed}</Table.Td>
                    <Table.Td ta="end">{known}</Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </div>
        )}
        {found && <Text size="sm">{t(`registries.creation_${found.creation}`)}</Text>}
        {found?.creation === "here" && (
          <NewNamespace registry={registry.id} {...(credential ? { credential: Number(credential) } : {})} />
        )}
        <div>
          <PageButton variant="default" to="/repositories" search={{ dialog: "add" }}>
            {t("repositories.add")}
          </PageButton>
        </div>
      </Stack>
    </Modal>
  );
}

/** Makes a namespace at a registry that allows it. */
function NewNamespace({ registry, credential }: { registry: number; credential?: number }) {
  const { t } = useTranslation();
  const [name, setName] = useState("");
  const [everybody, setEverybody] = useState(false);
  const create = useCall("registries.create_namespace");
  const failure = create.error && failureOf(create.error);
  const errorOf = useFieldError(failure);
  const { complete, missingAt } = useRequired({ name });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (create.isPending || !complete()) return;
    create.mutate(
      { registry, ...(credential ? { credential } : {}), name: name.trim(), public: everybody },
      {
        onSuccess: () => {
          setName("");
        },
      },
    );
  };
  return (
    <form noValidate onSubmit={submit}>
      <Stack gap="sm">
        <Group align="end" wrap="nowrap">
          <TextInput
            label={t("registries.namespace_new")}
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            error={(create.isSuccess && name === "" ? null : missingAt("name")) ?? errorOf("name")}
            spellCheck={false}
            classNames={{ input: "mono" }}
            style={{ flex: 1 }}
            required
          />
          <Button type="submit" loading={create.isPending}>
            {t("registries.namespace_create")}
          </Button>
        </Group>
        <Checkbox
          label={t("registries.namespace_everybody")}
          checked={everybody}
          onChange={(event) => setEverybody(event.currentTarget.checked)}
        />
        {failure && <FailureNotice failure={failure} />}
        {create.isSuccess && name === "" && (
          <Text size="sm" role="status">
            {t("registries.namespace_made", { name: create.variables.name })}
          </Text>
        )}
      </Stack>
    </form>
  );
}
