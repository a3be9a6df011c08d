import { Button, Group, Loader, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";

import { Copyable } from "../../../parts/Copyable";
import { OutsideLink } from "./OutsideLink";
import type { useAuthorization } from "./useAuthorization";

/** Somebody has to act in the browser: what, the code to type there, the page once more, and the way out. */
export function Waiting({ at: { begun, stop, isStopping }, sentence }: { at: ReturnType<typeof useAuthorization>; sentence: string }) {
  const { t } = useTranslation();
  return (
    <>
      <Group gap="sm" wrap="nowrap">
        <Loader size={16} aria-hidden style={{ flex: "none" }} />
        <Text size="sm">{sentence}</Text>
      </Group>
      {begun?.device && (
        <Group gap="sm">
          <Text size="sm">{t("accounts.device_code")}</Text>
          <Copyable text={begun.device.user_code} />
        </Group>
      )}
      <Group gap="sm">
        {begun && <OutsideLink to={begun.page}>{t("accounts.open_again")}</OutsideLink>}
        <Button variant="default" size="compact-sm" loading={isStopping} onClick={stop}>
          {t("accounts.stop_waiting")}
        </Button>
      </Group>
    </>
  );
}
