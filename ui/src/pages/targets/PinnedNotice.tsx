import { Alert, Button, Group, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconPin, IconPlayerPlay } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

import type { DeployTarget, TargetId, TargetPin } from "../../host/bindings";
import { failureOf } from "../../host/host";
import { useCall } from "../../host/reads";
import { FailureNotice } from "../../parts/FailureNotice";
import { When } from "../../parts/Time";
import { targetName } from "../../words/targets";
import { versionName } from "./TargetVersionText";

interface PinnedNoticeProps {
  id: TargetId;
  target: DeployTarget;
  pin: TargetPin;
}

/** A target was rolled back: its triggers are paused until a person says otherwise. */
export function PinnedNotice({ id, target, pin }: PinnedNoticeProps) {
  const { t } = useTranslation();
  const resume = useCall("targets.resume");
  return (
    <>
      <Alert variant="default" className="notice-warn" icon={<IconPin aria-hidden />} role="status" p="sm">
        <Group justify="space-between" wrap="nowrap">
          <Text size="sm" className="foreign">
            {t("targets.pinned_text", { name: targetName(target), version: versionName(pin.version) })} <When at={pin.since} />
          </Text>
          <Button
            variant="default"
            style={{ flex: "none" }}
            leftSection={<IconPlayerPlay size={14} aria-hidden />}
            loading={resume.isPending}
            aria-label={t("targets.resume_name", { name: targetName(target) })}
            onClick={() =>
              resume.mutate(
                { id },
                { onSuccess: ({ firing }) => void notifications.show({ message: t(firing === null ? "targets.resumed" : "targets.resumed_catching_up") }) },
              )
            }
          >
            {t("targets.resume")}
          </Button>
        </Group>
      </Alert>
      {resume.error && <FailureNotice failure={failureOf(resume.error)} />}
    </>
  );
}
