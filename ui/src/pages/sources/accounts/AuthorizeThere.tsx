import { Button, Group, Stack, Text } from "@mantine/core";
import { IconBrowser, IconDeviceMobile } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

import type { AccountGuideView, AuthorizedAccount } from "../../../host/bindings";
import { FailureNotice } from "../../../parts/FailureNotice";
import { OutsideLink } from "./OutsideLink";
import { useAuthorization, type Wanted } from "./useAuthorization";
import { Waiting } from "./Waiting";

interface AuthorizeThereProps {
  guide: AccountGuideView;
  wanted: Wanted;
  onDone: (account: AuthorizedAccount) => void;
}

/** Whether an application is known for the host, so that authorizing there can begin. */
export const hasClient = ({ client_id, guide }: AccountGuideView) => client_id !== null || guide.built_in_client;

/** Authorizing in the system browser or with a code, where the host has an application for it. */
export function AuthorizeThere({ guide: view, wanted, onDone }: AuthorizeThereProps) {
  const { t } = useTranslation();
  const { guide, install_page } = view;
  const authorization = useAuthorization((state) => state.kind === "done" && onDone(state.account));
  const { failure, isBeginning, isWaiting, start } = authorization;
  const byBrowser = hasClient(view) && guide.code_flow !== "unavailable";
  const byDevice = hasClient(view) && guide.device_flow;
  if (!byBrowser && !byDevice) return null;
  return (
    <Stack gap="sm" className="panel" p="sm" aria-live="polite">
      {isWaiting ? (
        <Waiting at={authorization} sentence={t("accounts.waiting_there")} />
      ) : (
        <>
          {install_page && (
            <Stack gap={6}>
              <Text size="sm">{t("accounts.install_first")}</Text>
              <OutsideLink to={install_page}>{t("accounts.install_app")}</OutsideLink>
            </Stack>
          )}
          <Group gap="sm">
            {byBrowser && (
              <Button
                loading={isBeginning}
                leftSection={<IconBrowser size={14} aria-hidden />}
                onClick={() => start(wanted, { kind: "browser" })}
              >
                {t("accounts.authorize_browser")}
              </Button>
            )}
            {byDevice && (
              <Button
                variant="default"
                disabled={isBeginning}
                leftSection={<IconDeviceMobile size={14} aria-hidden />}
                onClick={() => start(wanted, { kind: "device" })}
              >
                {t("accounts.authorize_device")}
              </Button>
            )}
          </Group>
        </>
      )}
      {failure && (
        <FailureNotice failure={failure}>
          <OutsideLink to={guide.revoke_page}>{t("accounts.revoke_page")}</OutsideLink>
        </FailureNotice>
      )}
      <Text size="sm" c="dimmed">
        {t("accounts.or_token")}
      </Text>
    </Stack>
  );
}
