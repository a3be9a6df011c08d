import { ActionIcon, Box, Button, Group, Menu, Skeleton, Table, Text, Tooltip, VisuallyHidden } from "@mantine/core";
import {
  IconCertificate,
  IconCirclePause,
  IconDots,
  IconFolderPlus,
  IconPlugConnected,
  IconRefresh,
  IconUnlink,
} from "@tabler/icons-react";
import { useSearch } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { readDialog } from "../../../dialogs";
import type { AccountView } from "../../../host/bindings";
import { failureOf } from "../../../host/host";
import { useCall, useRead } from "../../../host/reads";
import { useNow, useSecondsSince } from "../../../parts/clock";
import { useDialog } from "../../../parts/dialog";
import { FailureNotice } from "../../../parts/FailureNotice";
import { Mark } from "../../../parts/StateMark";
import { When } from "../../../parts/Time";
import { relativeWords, spanWords } from "../../../words/format";
import { CertificateDialog } from "./CertificateDialog";
import { ChooseCodeDialog } from "./ChooseCodeDialog";
import { ConnectDialog } from "./ConnectDialog";
import { hostName, productOf, providerIcons } from "./products";
import { ReconnectDialog } from "./ReconnectDialog";
import { UnbindDialog } from "./UnbindDialog";

/** Source accounts: who is signed in where, whether the host still takes the token, and what hangs on it. */
export function Accounts() {
  const { t } = useTranslation();
  const { dialog } = useSearch({ from: "/sources" });
  const { open, close } = useDialog();
  const read = useRead("accounts.list", {});
  const wanted = readDialog("/sources", dialog);
  const subject = read.data?.find(({ id }) => id === wanted?.id);
  const none = read.data?.length === 0;
  return (
    <section className="panel" aria-labelledby="accounts-title">
      <Group justify="space-between" px="md" py="sm" wrap="nowrap">
        <div>
          <Text component="h2" id="accounts-title" fw={600} fz={14} m={0}>
            {t("accounts.title")}
          </Text>
          <Text size="sm" c="dimmed">
            {t(none ? "accounts.empty" : "accounts.lead")}
          </Text>
        </div>
        <Button variant="default" leftSection={<IconPlugConnected size={14} aria-hidden />} onClick={() => open("connect")}>
          {t("accounts.connect")}
        </Button>
      </Group>
      {read.error && (
        <Box px="md" pb="md">
          <FailureNotice failure={failureOf(read.error)} onRetry={() => void read.refetch()} />
        </Box>
      )}
      {read.isPending && (
        <Box px="md" pb="sm" role="status" aria-label={t("common.loading")}>
          <Skeleton height={22} radius="sm" />
        </Box>
      )}
      {read.data && !none && (
        <Table style={{ borderTop: "1px solid var(--line)" }}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t("accounts.account")}</Table.Th>
              <Table.Th>{t("sources.health")}</Table.Th>
              <Table.Th className="room-m">{t("accounts.rights")}</Table.Th>
              <Table.Th>{t("accounts.expires")}</Table.Th>
              <Table.Th className="room-m">{t("accounts.used_by")}</Table.Th>
              <Table.Th w={80}>
                <VisuallyHidden>{t("common.actions_column")}</VisuallyHidden>
              </Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {read.data.map((account) => (
              <AccountRow key={account.id} account={account} readAt={read.dataUpdatedAt} />
            ))}
          </Table.Tbody>
        </Table>
      )}
      {wanted?.kind === "choose-code" && <ChooseCodeDialog {...(wanted.id ? { account: wanted.id } : {})} onClose={close} onChosen={close} />}
      {wanted?.kind === "connect" && <ConnectDialog onClose={close} onConnected={(id) => open(`choose-code.${id}`)} />}
      {wanted?.kind === "reconnect" && subject && <ReconnectDialog account={subject} onClose={close} />}
      {wanted?.kind === "certificate" && subject && <CertificateDialog account={subject} onClose={close} />}
      {wanted?.kind === "unbind" && subject && <UnbindDialog account={subject} onClose={close} />}
    </section>
  );
}

function AccountRow({ account, readAt }: { account: AccountView; readAt: number }) {
  const { t } = useTranslation();
  const { open } = useDialog();
  const check = useCall("accounts.check");
  const Icon = providerIcons[account.provider];
  const failure = account.paused ?? account.last_failure;
  return (
    <>
      <Table.Tr>
        <Table.Td>
          <Group gap={6} wrap="nowrap">
            <Icon size={16} aria-hidden style={{ flex: "none" }} />
            <div style={{ minWidth: 0 }}>
              <span className="foreign">{account.login}</span>
              <Text fz={12} c="dimmed" className="foreign">
                {t(`accounts.product_${productOf(account.provider, account.base_url)}`)} · {hostName(account.base_url)}
              </Text>
            </div>
          </Group>
        </Table.Td>
        <Table.Td>
          <AccountHealth account={account} readAt={readAt} />
        </Table.Td>
        <Table.Td className="room-m">
          <Rights account={account} />
        </Table.Td>
        <Table.Td>
          {account.expires_at ? (
            <When at={account.expires_at} />
          ) : (
            <Text size="sm" c="dimmed">
              {t(account.token_kind === "oauth" ? "accounts.renewed" : "accounts.no_end")}
            </Text>
          )}
        </Table.Td>
        <Table.Td className="room-m">
          <Text size="sm">{t("accounts.used_code", { count: account.code.length })}
            {account.rules.length > 0 && ` · ${t("accounts.used_rules", { count: account.rules.length })}`}</Text>
        </Table.Td>
        <Table.Td>
          <Group gap={4} wrap="nowrap" justify="flex-end">
            <Tooltip label={t("accounts.check")}>
              <ActionIcon aria-label={t("accounts.check")} loading={check.isPending} onClick={() => check.mutate({ id: account.id })}>
                <IconRefresh size={16} aria-hidden />
              </ActionIcon>
            </Tooltip>
            <Menu position="bottom-end">
              <Menu.Target>
                <ActionIcon aria-label={t("common.actions", { name: account.login })}>
                  <IconDots size={16} aria-hidden />
                </ActionIcon>
              </Menu.Target>
              <Menu.Dropdown>
                <Menu.Item leftSection={<IconFolderPlus size={14} aria-hidden />} onClick={() => open(`choose-code.${account.id}`)}>
                  {t("accounts.choose")}
                </Menu.Item>
                <Menu.Item leftSection={<IconPlugConnected size={14} aria-hidden />} onClick={() => open(`reconnect.${account.id}`)}>
                  {t("accounts.reconnect")}
                </Menu.Item>
                <Menu.Item leftSection={<IconCertificate size={14} aria-hidden />} onClick={() => open(`certificate.${account.id}`)}>
                  {t("accounts.certificate")}
                </Menu.Item>
                <Menu.Item c="red" leftSection={<IconUnlink size={14} aria-hidden />} onClick={() => open(`unbind.${account.id}`)}>
                  {t("accounts.unbind")}
                </Menu.Item>
              </Menu.Dropdown>
            </Menu>
          </Group>
        </Table.Td>
      </Table.Tr>
      {failure && (
        <Table.Tr>
          <Table.Td colSpan={6}>
            <FailureNotice failure={failure} warning={account.paused !== null} onRetry={() => check.mutate({ id: account.id })}>
              <Button
                variant="default"
                leftSection={<IconPlugConnected size={14} aria-hidden />}
                onClick={() => open(`reconnect.${account.id}`)}
              >
                {t("accounts.reconnect")}
              </Button>
            </FailureNotice>
          </Table.Td>
        </Table.Tr>
      )}
    </>
  );
}

/** A token that ends within so many days is told of. */
const SOON_DAYS = 7;

function AccountHealth({ account, readAt }: { account: AccountView; readAt: number }) {
  const { t } = useTranslation();
  const now = useNow();
  const passed = useSecondsSince(readAt);
  const { paused, last_failure, last_ok_at, expires_at, missing, rate } = account;
  const left = account.next_in_seconds === null ? null : account.next_in_seconds - passed;
  const days = expires_at ? (Date.parse(expires_at) - now) / 86_400_000 : Number.POSITIVE_INFINITY;
  const mark = paused ? (
    <Mark tone="warn" icon={IconCirclePause} word={t("accounts.paused", { count: account.rules.length })} />
  ) : last_failure ? (
    <Mark tone="bad" word={t("sources.failing")} />
  ) : missing.length > 0 ? (
    <Mark tone="warn" word={t("accounts.rights_missing")} />
  ) : days < SOON_DAYS ? (
    <Mark tone="warn" word={t(days > 0 ? "accounts.ends_soon" : "accounts.ended")} />
  ) : last_ok_at ? (
    <Mark tone="good" word={t("accounts.connected")} />
  ) : (
    <Mark tone="still" word={t("sources.unchecked")} />
  );
  const unwell = paused || last_failure;
  return (
    <>
      {mark}
      {account.checked_seconds_ago !== null && (
        <Text fz={12} c="dimmed" style={{ fontVariantNumeric: "tabular-nums" }}>
          {t("sources.checked", { ago: t("time.ago", { span: spanWords(t, account.checked_seconds_ago + passed) }) })}
          {!paused && " · "}
          {paused ? null : left === null ? t("accounts.next_none") : t("sources.next", { when: left < 1 ? t("time.now") : t("time.in", { span: spanWords(t, left) }) })}
        </Text>
      )}
      {unwell && last_ok_at && (
        <Text fz={12} c="dimmed">
          {t("sources.last_ok")} <When at={last_ok_at} />
        </Text>
      )}
      {rate?.limit != null && rate.remaining != null && (
        <Text fz={12} c="dimmed">
          {t("accounts.rate", { remaining: rate.remaining, limit: rate.limit })}
          {rate.resets_at && Date.parse(rate.resets_at) > now && (
            <> · {t("accounts.resets", { when: relativeWords(t, Date.parse(rate.resets_at), now) })}</>
          )}
        </Text>
      )}
      {paused && account.rules.length > 0 && (
        <Text fz={12} c="dimmed" className="foreign">
          {t("accounts.paused_rules", { names: account.rules.map((rule) => `${rule.repository_name} · ${rule.rule_name}`).join(", ") })}
        </Text>
      )}
    </>
  );
}

function Rights({ account: { granted, missing } }: { account: AccountView }) {
  const { t } = useTranslation();
  return (
    <>
      {granted.kind === "known" ? (
        <span className="mono foreign">{granted.scopes.join(", ") || t("common.none")}</span>
      ) : (
        <Text size="sm" c="dimmed">
          {t("accounts.rights_unknown")}
        </Text>
      )}
      {missing.length > 0 && (
        <Text fz={12} c="var(--state-warn)" className="foreign">
          {t("accounts.lacks", { names: missing.join(", ") })}
        </Text>
      )}
    </>
  );
}
