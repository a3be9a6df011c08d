import { Button, Group, Modal, Stack, Switch, Table, Text } from "@mantine/core";
import { IconPlugConnected, IconRefresh } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

import type { CodeRepositoryView, WebhookView } from "../../host/bindings";
import { failureOf } from "../../host/host";
import { useCall, useRead } from "../../host/reads";
import { Copyable } from "../../parts/Copyable";
import { useDialog } from "../../parts/dialog";
import { FailureNotice } from "../../parts/FailureNotice";
import { ListSkeleton } from "../../parts/Listing";
import { PageLink } from "../../parts/Page";
import { When } from "../../parts/Time";
import { WebhookMark, webhookOf } from "./WebhookStatus";

/** The webhook of a code repository: the switch, how it stands at the host, and what came in. */
export function WebhookDialog({ source, onClose }: { source: CodeRepositoryView; onClose: () => void }) {
  const { t } = useTranslation();
  const { open } = useDialog();
  const listener = useRead("webhooks.listener", {});
  const webhooks = useRead("webhooks.list", {});
  const [on, off, check] = [useCall("webhooks.switch_on"), useCall("webhooks.switch_off"), useCall("webhooks.check")];
  const webhook = webhookOf(webhooks.data, source.id);
  const isOn = webhook !== undefined && webhook.state.kind !== "removing" && webhook.state.kind !== "left_behind";
  const busy = on.isPending || off.isPending;
  const error = on.error ?? off.error ?? check.error ?? listener.error ?? webhooks.error;
  const reachable = listener.data?.reached_at != null;
  const account = source.account?.id;
  const failure = webhook && (webhook.state.kind === "failing" || webhook.state.kind === "removing") ? webhook.state.failure : null;
  return (
    <Modal opened onClose={onClose} title={<span className="foreign">{t("webhooks.of", { name: source.name })}</span>}>
      <Stack gap="md">
        <Text size="sm">{t("webhooks.text")}</Text>
        {!listener.data || !webhooks.data ? (
          !error && <ListSkeleton rows={2} />
        ) : (
          <>
            <Switch
              label={t("webhooks.switch")}
              checked={isOn}
              disabled={busy || (!isOn && (!reachable || account == null))}
              onChange={() => (isOn ? off : on).mutate({ code: source.id })}
              data-autofocus
            />
            {!reachable && (
              <Stack gap={4}>
                <Text size="sm" c="var(--state-warn)">
                  {t(isOn ? "webhooks.nothing_arrives" : "webhooks.listener_first")}
                </Text>
                <PageLink to="/settings">{t("webhooks.to_settings")}</PageLink>
              </Stack>
            )}
            {reachable && !isOn && (
              <Text size="sm" c="dimmed" className="foreign">
                {t("webhooks.will_call", { address: listener.data.reached_at })}
              </Text>
            )}
            {listener.data.only_this_machine && reachable && (
              <Text size="sm" c="dimmed">
                {t("webhooks.only_this_machine")}
              </Text>
            )}
            {webhook && <WebhookFacts webhook={webhook} />}
            {failure && (
              <FailureNotice failure={failure} warning>
                {failure.code === "source_scopes_missing" && account != null && (
                  <Button
                    variant="default"
                    leftSection={<IconPlugConnected size={14} aria-hidden />}
                    onClick={() => open(`reconnect.${account}`)}
                  >
                    {t("accounts.reconnect")}
                  </Button>
                )}
              </FailureNotice>
            )}
            {webhook && (
              <Group>
                <Button
                  variant="default"
                  leftSection={<IconRefresh size={14} aria-hidden />}
                  loading={check.isPending}
                  onClick={() => check.mutate({ id: webhook.id })}
                >
                  {t(webhook.state.kind === "vanished" || webhook.state.kind === "inactive" ? "webhooks.make_again" : "webhooks.check")}
                </Button>
              </Group>
            )}
          </>
        )}
        {error && <FailureNotice failure={failureOf(error)} />}
        <Group justify="flex-end" className="dialog-foot">
          <Button variant="default" onClick={onClose}>
            {t("common.close")}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

function WebhookFacts({ webhook }: { webhook: WebhookView }) {
  const { t } = useTranslation();
  return (
    <Table variant="vertical" highlightOnHover={false}>
      <Table.Tbody>
        <Table.Tr>
          <Table.Th w={150}>{t("webhooks.state")}</Table.Th>
          <Table.Td>
            <WebhookMark webhook={webhook} />
            {webhook.state.kind === "vanished" || webhook.state.kind === "inactive" ? (
              <Text fz={12} c="dimmed">
                {t(`webhooks.${webhook.state.kind}_text`)}
              </Text>
            ) : null}
          </Table.Td>
        </Table.Tr>
        {webhook.address && (
          <Table.Tr>
            <Table.Th>{t("webhooks.calls")}</Table.Th>
            <Table.Td>
              <Copyable text={webhook.address} />
            </Table.Td>
          </Table.Tr>
        )}
        {webhook.checked_at && (
          <Table.Tr>
            <Table.Th>{t("webhooks.checked")}</Table.Th>
            <Table.Td>
              <When at={webhook.checked_at} />
            </Table.Td>
          </Table.Tr>
        )}
        <Table.Tr>
          <Table.Th>{t("webhooks.last_delivery")}</Table.Th>
          <Table.Td>
            {webhook.last_delivery_at ? (
              <>
                <When at={webhook.last_delivery_at} /> · {t("webhooks.delivered", { count: webhook.delivered })}
              </>
            ) : (
              t("webhooks.none_yet")
            )}
          </Table.Td>
        </Table.Tr>
        {webhook.last_refusal && webhook.last_refused_at && (
          <Table.Tr>
            <Table.Th>{t("webhooks.refused_title")}</Table.Th>
            <Table.Td>
              {t("webhooks.refused", { count: webhook.refused })} {t(`webhooks.refusal_${webhook.last_refusal}`)} ·{" "}
              <When at={webhook.last_refused_at} />
            </Table.Td>
          </Table.Tr>
        )}
      </Table.Tbody>
    </Table>
  );
}
