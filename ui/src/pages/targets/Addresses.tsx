import { Button, Group, Stack, Text } from "@mantine/core";
import { IconExternalLink } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

import type { DeployTarget, PublishedAddress } from "../../host/bindings";
import { useHost } from "../../host/context";
import { addressesOf } from "../../words/targets";

/** Where a target can be reached, each with a button that opens it. */
export function Addresses({ target, addresses }: { target: DeployTarget; addresses: PublishedAddress[] }) {
  const { t } = useTranslation();
  const { host } = useHost();
  const shown = addressesOf(target, addresses);
  if (shown.length === 0) return null;
  return (
    <Stack gap={2}>
      {shown.map((one) => (
        <Group key={one.shown} gap="sm" wrap="nowrap">
          <Text className="mono foreign" component="span">
            {one.shown}
          </Text>
          {one.url && (
            <Button
              size="compact-xs"
              variant="default"
              leftSection={<IconExternalLink size={12} aria-hidden />}
              aria-label={t("targets.open_address", { address: one.shown })}
              onClick={() => void host.openLink(one.url ?? "")}
            >
              {t("targets.open")}
            </Button>
          )}
        </Group>
      ))}
    </Stack>
  );
}
