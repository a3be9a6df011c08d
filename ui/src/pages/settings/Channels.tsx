import { ActionIcon, Alert, Box, Button, Fieldset, Group, Menu, Skeleton, Stack, Switch, Table, Text, VisuallyHidden } from "@mantine/core";
import { IconDots, IconPencil, IconPlus, IconSend, IconTrash } from "@tabler/icons-react";
import { useSearch } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { readDialog } from "../../dialogs";
import type { ChannelView } from "../../host/bindings";
import { failureOf } from "../../host/host";
import { useCall, useRead } from "../../host/reads";
import { useDialog } from "../../parts/dialog";
import { ConfirmDialog } from "../../parts/Dialogs";
import { FailureNotice } from "../../parts/FailureNotice";
import { Mark } from "../../parts/StateMark";
import { When } from "../../parts/Time";
import { ChannelDialog } from "./ChannelDialog";

/** Chat groups, phones and programs that are told what changed. */
export function Channels() {
  const { t } = useTranslation();
  const { dialog } = useSearch({ from: "/settings" });
  const { open, close } = useDialog();
  const read = useRead("channels.list", {});
  const wanted = readDialog("/settings", dialog);
  const subject = read.data?.find(({ id }) => id === wanted?.id);
  return (
    <Fieldset legend={t("channels.title")}>
      <Group justify="space-between" align="flex-start" wrap="nowrap" mb="sm">
        <Text size="sm" c="dimmed">
          {t("channels.lead")} {read.data?.length === 0 && t("channels.empty")}
        </Text>
        <Button variant="default" leftSection={<IconPlus size={14} aria-hidden />} onClick={() => open("add-channel")} style={{ flex: "none" }}>
          {t("channels.add")}
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
              <Table.Th>{t("channels.name")}</Table.Th>
              <Table.Th>{t("channels.where")}</Table.Th>
              <Table.Th>{t("channels.standing")}</Table.Th>
              <Table.Th w={64}>{t("channels.enabled")}</Table.Th>
              <Table.Th w={48}>
                <VisuallyHidden>{t("common.actions_column")}</VisuallyHidden>
              </Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {read.data?.map((channel) => (
              <ChannelRow key={channel.id} channel={channel} />
            ))}
          </Table.Tbody>
        </Table>
      )}
      {wanted?.kind === "add-channel" && <ChannelDialog onClose={close} />}
      {wanted?.kind === "edit-channel" && subject && <ChannelDialog channel={subject} onClose={close} />}
      {wanted?.kind === "delete-channel" && subject && <DeleteChannel channel={subject} onClose={close} />}
    </Fieldset>
  );
}

function ChannelRow({ channel }: { channel: ChannelView }) {
  const { t } = useTranslation();
  const { open } = useDialog();
  const { id, name, kind, host, enabled } = channel;
  const flip = useCall("channels.switch");
  const test = useCall("channels.test");
  const failure = test.error ?? flip.error;
  const trouble = enabled ? (channel.trouble ?? channel.failure) : null;
  const said = failure ? failureOf(failure) : trouble;
  return (
    <>
      <Table.Tr>
        <Table.Td>
          <span className="foreign">{name}</span>
          <Text fz={12} c="dimmed">
            {t(`channels.kind_${kind}`)}
          </Text>
        </Table.Td>
        <Table.Td>
          <span className="mono foreign">{host}/…</span>
        </Table.Td>
        <Table.Td>
          <Standing channel={channel} />
        </Table.Td>
        <Table.Td>
          <Switch
            aria-label={t("channels.switch", { name })}
            checked={enabled}
            disabled={flip.isPending}
            onChange={(event) => flip.mutate({ id, enabled: event.currentTarget.checked })}
          />
        </Table.Td>
        <Table.Td>
          <Menu position="bottom-end">
            <Menu.Target>
              <ActionIcon aria-label={t("common.actions", { name })} loading={test.isPending}>
                <IconDots size={16} aria-hidden />
              </ActionIcon>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item leftSection={<IconSend size={14} aria-hidden />} onClick={() => test.mutate({ id })}>
                {t("channels.test")}
              </Menu.Item>
              <Menu.Item leftSection={<IconPencil size={14} aria-hidden />} onClick={() => open(`edit-channel.${id}`)}>
                {t("common.edit")}
              </Menu.Item>
              <Menu.Item c="red" leftSection={<IconTrash size={14} aria-hidden />} onClick={() => open(`delete-channel.${id}`)}>
                {t("common.delete")}
              </Menu.Item>
            </Menu.Dropdown>
          </Menu>
        </Table.Td>
      </Table.Tr>
      {(said ?? test.data) && (
        <Table.Tr>
          <Table.Td colSpan={5}>{said ? <FailureNotice failure={said} warning={!failure && channel.trouble !== null} /> : <TestAnswer answer={test.data?.answer ?? ""} />}</Table.Td>
        </Table.Tr>
      )}
    </>
  );
}

/** What the receiver said to a test message. */
export function TestAnswer({ answer }: { answer: string }) {
  const { t } = useTranslation();
  return (
    <Alert role="status" color="green" variant="light">
      {t("channels.test_sent")} {answer !== "" && <span className="mono foreign">{t("channels.test_answer", { answer })}</span>}
    </Alert>
  );
}

function Standing({ channel }: { channel: ChannelView }) {
  const { t } = useTranslation();
  if (!channel.enabled) return <Mark tone="still" word={t("channels.off")} />;
  const sent = channel.sent_at !== null && (
    <Text fz={12} c="dimmed" component="div">
      {t("channels.sent")} <When at={channel.sent_at} />
    </Text>
  );
  if (channel.waiting > 0)
    return (
      <Stack gap={0}>
        <Mark tone={channel.trouble ? "warn" : "busy"} word={t("channels.waits", { count: channel.waiting })} />
        {channel.trouble && channel.next_try_at !== null && (
          <Text fz={12} c="dimmed" component="div">
            {t("channels.next_try")} <When at={channel.next_try_at} />
          </Text>
        )}
        {sent}
      </Stack>
    );
  if (channel.failed_at !== null)
    return (
      <Stack gap={0}>
        <Mark tone="bad" word={t("channels.failed")} />
        <Text fz={12} c="dimmed" component="div">
          <When at={channel.failed_at} />
        </Text>
        {sent}
      </Stack>
    );
  if (channel.sent_at === null) return <Mark tone="still" word={t("channels.never")} />;
  return (
    <Stack gap={0}>
      <Mark tone="good" word={t("channels.sent")} />
      <Text fz={12} c="dimmed" component="div">
        <When at={channel.sent_at} />
      </Text>
    </Stack>
  );
}

function DeleteChannel({ channel, onClose }: { channel: ChannelView; onClose: () => void }) {
  const { t } = useTranslation();
  const remove = useCall("channels.delete");
  return (
    <ConfirmDialog
      title={t("channels.delete", { name: channel.name })}
      text={t("channels.delete_text")}
      confirmLabel={t("common.delete")}
      onClose={onClose}
      onConfirm={() => remove.mutate({ id: channel.id }, { onSuccess: onClose })}
      busy={remove.isPending}
      error={remove.error}
    />
  );
}
