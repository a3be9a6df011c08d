import { ActionIcon, Box, Button, Fieldset, Group, Menu, Skeleton, Table, Text, VisuallyHidden } from "@mantine/core";
import { IconDots, IconPencil, IconPlus, IconTrash } from "@tabler/icons-react";
import { useSearch } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { readDialog } from "../../dialogs";
import type { OauthApplicationView } from "../../host/bindings";
import { failureOf } from "../../host/host";
import { useCall, useRead } from "../../host/reads";
import { useDialog } from "../../parts/dialog";
import { ConfirmDialog } from "../../parts/Dialogs";
import { FailureNotice } from "../../parts/FailureNotice";
import { ApplicationDialog } from "../sources/accounts/ApplicationDialog";
import { OutsideLink } from "../sources/accounts/OutsideLink";
import { hostName, placeOf, productOf, providerIcons } from "../sources/accounts/products";

/** How an application is named in the address. */
const keyOf = ({ provider, base_url }: OauthApplicationView) => `${provider} ${base_url}`;

/** The applications of one's own at code hosts: one per host, made by hand or from a manifest. */
export function OauthApplications() {
  const { t } = useTranslation();
  const { dialog } = useSearch({ from: "/settings" });
  const { open, close } = useDialog();
  const read = useRead("accounts.applications", {});
  const wanted = readDialog("/settings", dialog);
  const subject = read.data?.find((one) => keyOf(one) === wanted?.subject);
  return (
    <Fieldset legend={t("accounts.apps_title")}>
      <Group justify="space-between" align="flex-start" wrap="nowrap" mb="sm">
        <Text size="sm" c="dimmed">
          {t("accounts.apps_lead")} {read.data?.length === 0 && t("accounts.apps_empty")}
        </Text>
        <Button variant="default" leftSection={<IconPlus size={14} aria-hidden />} onClick={() => open("add-application")} style={{ flex: "none" }}>
          {t("accounts.app_add")}
        </Button>
      </Group>
      {read.error && <FailureNotice failure={failureOf(read.error)} onRetry={() => void read.refetch()} />}
      {read.isPending && (
        <Box role="status" aria-label={t("common.loading")}>
          <Skeleton height={22} radius="sm" />
        </Box>
      )}
      {(read.data?.length ?? 0) > 0 && (
        <Table>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t("accounts.app_host")}</Table.Th>
              <Table.Th>{t("accounts.client_id")}</Table.Th>
              <Table.Th>{t("accounts.client_secret")}</Table.Th>
              <Table.Th>{t("accounts.app_origin")}</Table.Th>
              <Table.Th w={48}>
                <VisuallyHidden>{t("common.actions_column")}</VisuallyHidden>
              </Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {read.data?.map((application) => (
              <ApplicationRow key={keyOf(application)} application={application} />
            ))}
          </Table.Tbody>
        </Table>
      )}
      {wanted?.kind === "add-application" && <ApplicationDialog onClose={close} onSaved={close} />}
      {wanted?.kind === "edit-application" && subject && (
        <ApplicationDialog host={placeOf(subject.provider, subject.base_url)} application={subject} onClose={close} onSaved={close} />
      )}
      {wanted?.kind === "delete-application" && subject && <DeleteApplication application={subject} onClose={close} />}
    </Fieldset>
  );
}

function ApplicationRow({ application }: { application: OauthApplicationView }) {
  const { t } = useTranslation();
  const { open } = useDialog();
  const { provider, base_url, client_id, has_secret, install_page } = application;
  const Icon = providerIcons[provider];
  return (
    <Table.Tr>
      <Table.Td>
        <Group gap={6} wrap="nowrap">
          <Icon size={16} aria-hidden style={{ flex: "none" }} />
          <div style={{ minWidth: 0 }}>
            <span className="foreign">{hostName(base_url)}</span>
            <Text fz={12} c="dimmed">
              {t(`accounts.product_${productOf(provider, base_url)}`)}
            </Text>
          </div>
        </Group>
      </Table.Td>
      <Table.Td>
        <span className="mono foreign">{client_id}</span>
      </Table.Td>
      <Table.Td>{t(has_secret ? "accounts.secret_stored" : "accounts.secret_missing")}</Table.Td>
      <Table.Td>{t(install_page ? "accounts.app_from_manifest" : "accounts.app_by_hand")}</Table.Td>
      <Table.Td>
        <Menu position="bottom-end">
          <Menu.Target>
            <ActionIcon aria-label={t("common.actions", { name: hostName(base_url) })}>
              <IconDots size={16} aria-hidden />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item leftSection={<IconPencil size={14} aria-hidden />} onClick={() => open(`edit-application.${keyOf(application)}`)}>
              {t("common.edit")}
            </Menu.Item>
            <Menu.Item c="red" leftSection={<IconTrash size={14} aria-hidden />} onClick={() => open(`delete-application.${keyOf(application)}`)}>
              {t("common.delete")}
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      </Table.Td>
    </Table.Tr>
  );
}

/** Asks before an application is forgotten: what stops, and what goes on. */
function DeleteApplication({ application, onClose }: { application: OauthApplicationView; onClose: () => void }) {
  const { t } = useTranslation();
  const { provider, base_url } = application;
  const remove = useCall("accounts.delete_application");
  const guide = useRead("accounts.guide", { host: placeOf(provider, base_url) }).data?.guide;
  const accounts = useRead("accounts.list", {}).data ?? [];
  const names = accounts
    .filter((one) => one.provider === provider && one.base_url === base_url && one.token_kind === "oauth")
    .map(({ login }) => login)
    .join(", ");
  return (
    <ConfirmDialog
      title={t("accounts.app_delete", { host: hostName(base_url) })}
      text={t("accounts.app_delete_text")}
      confirmLabel={t("common.delete")}
      onClose={onClose}
      onConfirm={() => remove.mutate(placeOf(provider, base_url), { onSuccess: onClose })}
      busy={remove.isPending}
      error={remove.error}
    >
      <Text size="sm" className="foreign">
        {names ? t("accounts.app_go_on", { names }) : t("accounts.app_go_on_none")}
      </Text>
      {guide?.register_page && <OutsideLink to={guide.register_page}>{t("accounts.app_page")}</OutsideLink>}
    </ConfirmDialog>
  );
}
