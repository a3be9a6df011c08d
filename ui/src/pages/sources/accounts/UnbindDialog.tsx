import { Box, Button, List, Stack, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useTranslation } from "react-i18next";

import type { AccountView } from "../../../host/bindings";
import { useHost } from "../../../host/context";
import { failureOf } from "../../../host/host";
import { useCall, useRead } from "../../../host/reads";
import { ConfirmDialog } from "../../../parts/Dialogs";
import { FailureNotice } from "../../../parts/FailureNotice";
import { ListSkeleton } from "../../../parts/Listing";
import { hostName } from "./products";
import { OutsideLink } from "./OutsideLink";

/** Asks before an account is unbound: what stops, and where the token is taken back. */
export function UnbindDialog({ account, onClose }: { account: AccountView; onClose: () => void }) {
  const { t } = useTranslation();
  const removal = useRead("accounts.removal", { id: account.id });
  const unbind = useCall("accounts.delete");
  const { host: outside } = useHost();
  const host = hostName(account.base_url);
  const confirm = async () => {
    const revocation = await unbind.mutateAsync({ id: account.id }).catch(() => null);
    if (!revocation) return;
    onClose();
    if (revocation.kind === "revoked") notifications.show({ message: t("accounts.unbound_revoked", { host }) });
    else
      notifications.show({
        autoClose: false,
        message: (
          <Stack gap={6}>
            {t("accounts.unbound_by_hand", { host })}
            <Button variant="default" size="compact-sm" onClick={() => void outside.openLink(revocation.page)}>
              {t("accounts.revoke_page")}
            </Button>
          </Stack>
        ),
      });
  };
  const { code = [], rules = [] } = removal.data ?? {};
  return (
    <ConfirmDialog
      title={t("accounts.unbind_title", { name: account.login, host })}
      text={t("accounts.unbind_text")}
      confirmLabel={t("accounts.unbind")}
      onClose={onClose}
      onConfirm={() => void confirm()}
      busy={unbind.isPending}
      error={unbind.error}
      blocked={!removal.data}
    >
      {removal.data ? (
        <>
          {code.length === 0 ? (
            <Text size="sm">{t("accounts.stops_nothing")}</Text>
          ) : (
            <Box mah={220} style={{ overflow: "auto" }} tabIndex={0} role="group" aria-label={t("accounts.stops")}>
              <Text size="sm" fw={600}>
                {t("accounts.stops")}
              </Text>
              <List size="sm">
                {code.map(({ id, name }) => (
                  <List.Item key={`code ${id}`} className="foreign">
                    {t("accounts.stops_code", { name })}
                  </List.Item>
                ))}
                {rules.map((rule) => (
                  <List.Item key={`rule ${rule.rule}`} className="foreign">
                    {t("accounts.stops_rule", { name: rule.rule_name, repository: rule.repository_name })}
                  </List.Item>
                ))}
              </List>
            </Box>
          )}
          <Text size="sm">{t(removal.data.can_revoke ? "accounts.will_revoke" : "accounts.revoke_by_hand", { host })}</Text>
          <OutsideLink to={removal.data.revoke_page}>{t("accounts.revoke_page")}</OutsideLink>
        </>
      ) : removal.error ? (
        <FailureNotice failure={failureOf(removal.error)} onRetry={() => void removal.refetch()} />
      ) : (
        <ListSkeleton rows={2} />
      )}
    </ConfirmDialog>
  );
}
