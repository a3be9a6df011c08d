import { ActionIcon, Button, Group, Indicator, Popover, ScrollArea, Stack, Text, Tooltip, UnstyledButton, VisuallyHidden } from "@mantine/core";
import { IconAlertTriangle, IconBell, IconCircleCheck, IconCircleX, IconInfoCircle } from "@tabler/icons-react";
import { useRouter } from "@tanstack/react-router";
import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import type { NoticeView, Severity } from "../host/bindings";
import { failureOf } from "../host/host";
import { useCall, useRead } from "../host/reads";
import { FailureNotice } from "../parts/FailureNotice";
import { When } from "../parts/Time";
import { noticeWords } from "../words/notices";

const SHOWN = 50;
const MOST_COUNTED = 99;

const looks: Record<Severity, { Icon: typeof IconBell; tone: string }> = {
  info: { Icon: IconInfoCircle, tone: "still" },
  success: { Icon: IconCircleCheck, tone: "good" },
  warning: { Icon: IconAlertTriangle, tone: "warn" },
  error: { Icon: IconCircleX, tone: "bad" },
};

/** What changed while nobody looked: each notice leads to its page. */
export function InboxButton() {
  const { t, i18n } = useTranslation();
  const router = useRouter();
  const [open, setOpen] = useState(false);
  const inbox = useRead("inbox.list", { limit: SHOWN });
  const read = useCall("inbox.mark_read");
  const clear = useCall("inbox.clear");
  const unread = inbox.data?.unread ?? 0;
  const newest = inbox.data?.items[0];
  // What was there when the window opened is no news.
  const known = useRef<number>(undefined);
  if (inbox.data) known.current ??= newest?.id ?? 0;
  const news = newest && known.current !== undefined && newest.id > known.current ? noticeWords(t, newest.facts, i18n.language) : null;
  const count = unread <= MOST_COUNTED ? unread : `${MOST_COUNTED}+`;
  const label = unread > 0 ? t("inbox.open_unread", { count: unread }) : t("inbox.open");
  const go = (notice: NoticeView) => {
    if (!notice.read) read.mutate({ id: notice.id });
    setOpen(false);
    router.history.push(notice.route);
  };
  return (
    <>
      <VisuallyHidden role="status">{news && `${news.title} ${news.more}`}</VisuallyHidden>
      <Popover opened={open} onChange={setOpen} position="bottom-end" withArrow shadow="md" width={400} trapFocus returnFocus>
        <Popover.Target>
          <Tooltip label={label} disabled={open}>
            <Indicator
              disabled={unread === 0}
              label={count}
              size={15}
              offset={5}
              color="red.8"
              zIndex={1}
              styles={{ indicator: { fontSize: 10, padding: "0 3px", pointerEvents: "none" } }}
            >
              <ActionIcon aria-label={label} aria-expanded={open} aria-haspopup="dialog" onClick={() => setOpen(!open)}>
                <IconBell size={18} aria-hidden />
              </ActionIcon>
            </Indicator>
          </Tooltip>
        </Popover.Target>
        <Popover.Dropdown p={0} aria-label={t("inbox.title")}>
          <Group justify="space-between" px="md" py="sm" style={{ borderBottom: "1px solid var(--line)" }}>
            <Text fw={600}>{t("inbox.title")}</Text>
            {newest && (
              <Group gap={4}>
                <Button
                  size="compact-xs"
                  variant="subtle"
                  disabled={unread === 0}
                  loading={read.isPending}
                  onClick={() => read.mutate({ id: newest.id, and_older: true })}
                >
                  {t("inbox.read_all")}
                </Button>
                <Button size="compact-xs" variant="subtle" color="gray" loading={clear.isPending} onClick={() => clear.mutate({ id: newest.id })}>
                  {t("inbox.clear")}
                </Button>
              </Group>
            )}
          </Group>
          {inbox.error && <FailureNotice failure={failureOf(inbox.error)} onRetry={() => void inbox.refetch()} />}
          {inbox.data && !newest && (
            <Text c="dimmed" ta="center" p="xl">
              {t("inbox.empty")}
            </Text>
          )}
          <ScrollArea.Autosize mah="min(440px, 60dvh)">
            <Stack gap={0} component="ul" m={0} p={0} style={{ listStyle: "none" }}>
              {inbox.data?.items.map((notice) => (
                <li key={notice.id}>
                  <Notice notice={notice} onGo={() => go(notice)} />
                </li>
              ))}
            </Stack>
          </ScrollArea.Autosize>
        </Popover.Dropdown>
      </Popover>
    </>
  );
}

function Notice({ notice, onGo }: { notice: NoticeView; onGo: () => void }) {
  const { t, i18n } = useTranslation();
  const { Icon, tone } = looks[notice.severity];
  const { title, more } = noticeWords(t, notice.facts, i18n.language);
  return (
    <UnstyledButton className="notice-row" data-unread={!notice.read} onClick={onGo}>
      <Icon
        size={16}
        role="img"
        aria-label={t(`inbox.severity_${notice.severity}`)}
        style={{ flex: "none", marginTop: 2, color: `var(--state-${tone})` }}
      />
      <div style={{ minWidth: 0, flex: 1 }}>
        <Text size="sm" fw={notice.read ? 400 : 600} className="foreign">
          {title}
        </Text>
        {more && (
          <Text fz={12} c="dimmed" className="foreign">
            {more}
          </Text>
        )}
        <Text fz={12} c="dimmed" component="div">
          <When at={notice.at} />
        </Text>
      </div>
      {!notice.read && <span className="notice-dot" role="img" aria-label={t("inbox.unread")} />}
    </UnstyledButton>
  );
}
