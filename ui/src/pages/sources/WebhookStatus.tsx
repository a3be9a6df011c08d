import { Button, Group, Stack, Text, UnstyledButton } from "@mantine/core";
import { useTranslation } from "react-i18next";

import type { CodeRepositoryView, WebhookView } from "../../host/bindings";
import { useCall, useRead } from "../../host/reads";
import { useDialog } from "../../parts/dialog";
import { FailureNotice } from "../../parts/FailureNotice";
import { Mark, type Tone } from "../../parts/StateMark";
import { hostName } from "./accounts/products";

const tones: Record<WebhookView["state"]["kind"], Tone> = {
  registering: "busy",
  registered: "good",
  inactive: "warn",
  vanished: "warn",
  failing: "bad",
  removing: "still",
  left_behind: "warn",
};

/** How a webhook stands, in a word. */
export function WebhookMark({ webhook }: { webhook: WebhookView }) {
  const { t } = useTranslation();
  return <Mark tone={tones[webhook.state.kind]} word={t(`webhooks.state_${webhook.state.kind}`)} />;
}

/** The webhook of one code repository among all: the one that is wanted, else one on its way out. */
export function webhookOf(webhooks: WebhookView[] | undefined, code: number): WebhookView | undefined {
  return webhooks?.findLast((one) => one.code === code);
}

/** One line in a code source's health: the webhook's state, which opens everything about it. */
export function WebhookStatus({ source }: { source: CodeRepositoryView }) {
  const { t } = useTranslation();
  const { open } = useDialog();
  const webhook = webhookOf(useRead("webhooks.list", {}).data, source.id);
  if (!webhook) return null;
  return (
    <UnstyledButton fz={12} onClick={() => open(`webhook.${source.id}`)} aria-description={t("webhooks.of", { name: source.name })}>
      {t("webhooks.webhook")}: <WebhookMark webhook={webhook} />
    </UnstyledButton>
  );
}

/** Webhooks that are still at a host and belong to nothing here any more. */
export function LeftBehindWebhooks() {
  const { t } = useTranslation();
  const forget = useCall("webhooks.forget");
  const check = useCall("webhooks.check");
  const read = useRead("webhooks.list", {});
  const left = read.data?.filter(({ code, state }) => state.kind === "left_behind" || (code === null && state.kind === "removing" && state.failure));
  if (!left || left.length === 0) return null;
  return (
    <Stack gap="xs" component="section" aria-label={t("webhooks.left_title")}>
      {left.map((webhook) => {
        const { state } = webhook;
        const facts = { host: hostName(webhook.base_url), repository: webhook.repository, address: webhook.address ?? "" };
        return (
          <Stack key={webhook.id} gap={6} className="panel" p="sm">
            <Mark tone="warn" word={t("webhooks.left_title")} />
            <Text size="sm" className="foreign">
              {t("webhooks.left_text", facts)}
            </Text>
            {state.kind === "removing" && state.failure && <FailureNotice failure={state.failure} warning />}
            <Group gap="sm">
              {state.kind === "removing" && (
                <Button variant="default" size="compact-sm" loading={check.isPending} onClick={() => check.mutate({ id: webhook.id })}>
                  {t("common.retry")}
                </Button>
              )}
              <Button variant="default" size="compact-sm" loading={forget.isPending} onClick={() => forget.mutate({ id: webhook.id })}>
                {t("webhooks.forget")}
              </Button>
            </Group>
          </Stack>
        );
      })}
    </Stack>
  );
}
