import { Alert, Group, Text } from "@mantine/core";
import { IconMoon } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

import { useCall, useRead } from "../../host/reads";
import { PageLink } from "../../parts/Page";
import { noticeWords } from "../../words/notices";

/** As many unread notices as are looked through for the one about being away. */
const LOOKED_AT = 20;

/** "Off from–to, caught up 3 pushes", until it was read. */
export function AwayNotice() {
  const { t, i18n } = useTranslation();
  const unread = useRead("inbox.list", { unread_only: true, limit: LOOKED_AT }).data?.items ?? [];
  const read = useCall("inbox.mark_read");
  const away = unread.find(({ facts }) => facts.kind === "away");
  if (!away) return null;
  const { title, more } = noticeWords(t, away.facts, i18n.language);
  return (
    <Alert
      variant="default"
      className="notice-still"
      p="sm"
      role="status"
      icon={<IconMoon aria-hidden />}
      withCloseButton
      closeButtonLabel={t("common.close")}
      onClose={() => read.mutate({ id: away.id })}
    >
      <Group gap="sm">
        <Text size="sm">
          {title} {more}
        </Text>
        <PageLink to="/builds">{t("shell.queue_all")}</PageLink>
      </Group>
    </Alert>
  );
}
