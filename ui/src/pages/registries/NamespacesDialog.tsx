import { Modal, Select, Stack, Table, Text } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import type { RegistryView } from "../../host/bindings";
import { failureOf } from "../../host/host";
import { useRead } from "../../host/reads";
import { FailureNotice } from "../../parts/FailureNotice";
import { ListSkeleton } from "../../parts/Listing";
import { PageButton, PageLink } from "../../parts/Page";

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
                {found.namespaces.map(({ name, listed, known }) => (
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
        <div>
          <PageButton variant="default" to="/repositories" search={{ dialog: "add" }}>
            {t("repositories.add")}
          </PageButton>
        </div>
      </Stack>
    </Modal>
  );
}
