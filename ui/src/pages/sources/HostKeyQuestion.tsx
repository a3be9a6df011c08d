import { Alert, Button, Stack, Text } from "@mantine/core";
import { IconKey, IconShieldQuestion } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

import type { ShownFailure } from "../../host/host";

interface HostKeyQuestionProps {
  /** The failure that carries host, type and fingerprint. */
  failure: ShownFailure;
  busy: boolean;
  onTrust: (fingerprint: string) => void;
}

/** Shows the key of an SSH host that nobody knows, and asks whether it is the right one. */
export function HostKeyQuestion({ failure, busy, onTrust }: HostKeyQuestionProps) {
  const { t } = useTranslation();
  const { host = "", known_as = host, key_type = "", fingerprint = "" } = failure.details ?? {};
  return (
    <Alert
      variant="default"
      className="notice-warn"
      role="alert"
      icon={<IconShieldQuestion aria-hidden />}
      title={t("sources.host_key_title")}
      p="sm"
    >
      <Stack gap="xs">
        <Text size="sm" className="foreign">
          {t("sources.host_key_text", { host: host === known_as ? host : `${host} (${known_as})` })}
        </Text>
        <Text size="sm">
          {t("sources.host_key_type")}: <span className="mono">{key_type}</span>
        </Text>
        <Text size="sm">
          {t("sources.host_key_fingerprint")}: <span className="mono foreign">{fingerprint}</span>
        </Text>
        <Text size="sm" c="dimmed">
          {t("sources.host_key_kept")}
        </Text>
        <Button
          variant="default"
          leftSection={<IconKey size={14} aria-hidden />}
          loading={busy}
          style={{ alignSelf: "flex-start" }}
          onClick={() => onTrust(fingerprint)}
        >
          {t("sources.host_key_trust")}
        </Button>
      </Stack>
    </Alert>
  );
}
