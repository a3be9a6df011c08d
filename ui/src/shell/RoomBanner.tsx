import { Button, Stack, Text } from "@mantine/core";
import { IconRefresh } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

import { useCall, useRead } from "../host/reads";
import { FailureNotice } from "../parts/FailureNotice";
import { bytesWords } from "../words/format";

/** Over every page while a disk is full: what waits, why, and what to do. It goes by itself when there is room. */
export function RoomBanner() {
  const { t } = useTranslation();
  const health = useRead("health.get", {}).data;
  const check = useCall("health.check");
  if (!health || (!health.room && health.full_engines.length === 0)) return null;
  const { room, full_engines: engines } = health;
  const again = (
    <Button variant="default" leftSection={<IconRefresh size={14} aria-hidden />} loading={check.isPending} onClick={() => check.mutate({})}>
      {t("health.check")}
    </Button>
  );
  return (
    <Stack gap="sm" mb="lg">
      {room && (
        <FailureNotice failure={{ ...room.failure, message: room.failure.details?.path ?? "" }}>
          <Text size="sm">
            {t("health.room_waits")}{" "}
            {room.free_bytes !== null && t("health.room_bytes", { free: bytesWords(room.free_bytes), needed: bytesWords(room.needed_bytes) })}
          </Text>
          {again}
        </FailureNotice>
      )}
      {engines.length > 0 && (
        <FailureNotice warning failure={{ code: "engine_disk_full", message: "" }}>
          <Text size="sm">{t("health.engine_waits", { engines: engines.join(", ") })}</Text>
          {again}
        </FailureNotice>
      )}
    </Stack>
  );
}
