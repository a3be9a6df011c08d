import { Button, Group, Loader, Stack, Text } from "@mantine/core";
import { IconBrowser, IconDeviceMobile } from "@tabler/icons-react";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";

import type { AccountGuideView, AuthorizationStateView, AuthorizedAccount, BeginAuthorization } from "../../../host/bindings";
import { useHost } from "../../../host/context";
import { failureOf, type ShownFailure } from "../../../host/host";
import { useCall, useRead } from "../../../host/reads";
import { Copyable } from "../../../parts/Copyable";
import { FailureNotice } from "../../../parts/FailureNotice";
import { OutsideLink } from "./OutsideLink";

interface AuthorizeThereProps {
  guide: AccountGuideView;
  /** What is authorized: where, for what, and again for which account. */
  wanted: Omit<BeginAuthorization, "way" | "language">;
  onDone: (account: AuthorizedAccount) => void;
}

/** The event that ends a session says so at once; asking makes up for one that was missed. */
const ASK_EVERY_MS = 2000;

/** Authorizing in the system browser or with a code, where the host has an application for it. Leaving cancels what waits. */
export function AuthorizeThere({ guide: { guide, client_id }, wanted, onDone }: AuthorizeThereProps) {
  const { t, i18n } = useTranslation();
  const { host } = useHost();
  const begin = useCall("accounts.authorize_begin");
  const cancel = useCall("accounts.authorize_cancel");
  const session = begin.data?.session;
  const waits = useRef<number | null>(null);
  const read = useRead("accounts.authorize_state", { session: session ?? 0 }, { enabled: session !== undefined, every: ASK_EVERY_MS });
  const state = session === undefined ? undefined : read.data;
  const waiting = session !== undefined && (state === undefined || state.kind === "waiting");
  const done = state?.kind === "done" ? state.account : null;
  const told = useRef(false);
  useEffect(() => {
    if (state && state.kind !== "waiting") waits.current = null;
    if (!done || told.current) return;
    told.current = true;
    onDone(done);
  }, [state, done, onDone]);
  useEffect(
    () => () => {
      if (waits.current !== null) void host.call("accounts.authorize_cancel", { session: waits.current }).catch(() => undefined);
    },
    [host],
  );
  const start = (kind: "browser" | "device") => {
    told.current = false;
    begin.mutate(
      { ...wanted, way: { kind }, language: i18n.language === "zh" ? "zh" : "en" },
      {
        onSuccess: (begun) => {
          waits.current = begun.session;
          void host.openLink(begun.page);
        },
      },
    );
  };

  const hasClient = client_id !== null || guide.built_in_client;
  const byBrowser = hasClient && guide.code_flow !== "unavailable";
  const byDevice = hasClient && guide.device_flow;
  if (!byBrowser && !byDevice) return null;
  const failure = begin.error ? failureOf(begin.error) : state && endOf(state);
  return (
    <Stack gap="sm" className="panel" p="sm" aria-live="polite">
      {waiting ? (
        <>
          <Group gap="sm">
            <Loader size={16} aria-hidden />
            <Text size="sm">{t("accounts.waiting_there")}</Text>
          </Group>
          {begin.data?.device && (
            <Group gap="sm">
              <Text size="sm">{t("accounts.device_code")}</Text>
              <Copyable text={begin.data.device.user_code} />
            </Group>
          )}
          <Group gap="sm">
            {begin.data && <OutsideLink to={begin.data.page}>{t("accounts.open_again")}</OutsideLink>}
            <Button
              variant="default"
              size="compact-sm"
              loading={cancel.isPending}
              onClick={() => cancel.mutate({ session }, { onSettled: () => begin.reset() })}
            >
              {t("accounts.stop_waiting")}
            </Button>
          </Group>
        </>
      ) : (
        <Group gap="sm">
          {byBrowser && (
            <Button loading={begin.isPending} leftSection={<IconBrowser size={14} aria-hidden />} onClick={() => start("browser")}>
              {t("accounts.authorize_browser")}
            </Button>
          )}
          {byDevice && (
            <Button
              variant="default"
              disabled={begin.isPending}
              leftSection={<IconDeviceMobile size={14} aria-hidden />}
              onClick={() => start("device")}
            >
              {t("accounts.authorize_device")}
            </Button>
          )}
        </Group>
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

/** How a session ended that brought no account; none when it was cancelled here. */
function endOf(state: AuthorizationStateView): ShownFailure | null {
  switch (state.kind) {
    case "denied":
      return { code: "authorization_denied", message: "" };
    case "expired":
      return { code: "authorization_expired", message: "" };
    case "failed":
      return state.failure;
    default:
      return null;
  }
}
