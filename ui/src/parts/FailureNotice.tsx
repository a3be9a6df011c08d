import { Alert, Button, Group, Stack, Text } from "@mantine/core";
import { IconAlertTriangle, IconCircleX, IconExternalLink, IconRefresh } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { useHost } from "../host/context";
import { failureKeys, isAbout } from "../host/failures";
import type { ShownFailure } from "../host/host";

interface FailureNoticeProps {
  failure: ShownFailure;
  /** A warning can be lived with. */
  warning?: boolean;
  onRetry?: () => void;
  children?: ReactNode;
}

/** What happened, what to do now, and the details as the core told them. */
export function FailureNotice({ failure, warning = false, onRetry, children }: FailureNoticeProps) {
  const { t } = useTranslation();
  const words = failureKeys(failure.code);
  const { host } = useHost();
  const { line, url } = failure.details ?? {};
  const signOn = failure.code === "source_sso_required" && url;
  return (
    <Alert
      variant="default"
      className={warning ? "notice-warn" : "notice-bad"}
      role={warning ? "status" : "alert"}
      icon={warning ? <IconAlertTriangle aria-hidden /> : <IconCircleX aria-hidden />}
      title={t(words.what)}
      p="sm"
    >
      <Stack gap="xs">
        <Text size="sm">
          {t(words.next)}
          {line && ` ${t("common.at_line", { line })}`}
        </Text>
        {failure.message && (
          <Text className="foreign mono" c="dimmed" style={{ whiteSpace: "pre-wrap" }}>
            {failure.message}
          </Text>
        )}
        {(onRetry || children || signOn) && (
          <Group gap="sm">
            {onRetry && (
              <Button variant="default" leftSection={<IconRefresh size={14} aria-hidden />} onClick={onRetry}>
                {t("common.retry")}
              </Button>
            )}
            {signOn && (
              <Button variant="default" rightSection={<IconExternalLink size={14} aria-hidden />} onClick={() => void host.openLink(signOn)}>
                {t("accounts.open_sso")}
              </Button>
            )}
            {children}
          </Group>
        )}
      </Stack>
    </Alert>
  );
}

/** Gives each field of a form its own sentence when the failure is about it. */
export function useFieldError(failure: ShownFailure | null | undefined) {
  const { t } = useTranslation();
  return (field: string): ReactNode => {
    if (!failure || !isAbout(failure, field)) return null;
    const { code, message } = failure;
    // The core's own sentence is English, and says more than the code does.
    return (
      <>
        {t(code === "invalid_field" ? "common.field_bad" : failureKeys(code).what)}{" "}
        <span className="foreign mono field-detail" lang="en">
          {message}
        </span>
      </>
    );
  };
}
