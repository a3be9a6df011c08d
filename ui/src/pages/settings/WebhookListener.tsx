import { Button, Fieldset, Group, Stack, Switch, Text, TextInput } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useTranslation } from "react-i18next";

import type { WebhookListenerView } from "../../host/bindings";
import { failureOf } from "../../host/host";
import { useCall, useRead } from "../../host/reads";
import { Copyable } from "../../parts/Copyable";
import { useDraft } from "../../parts/draft";
import { FailureNotice, useFieldError } from "../../parts/FailureNotice";
import { Mark } from "../../parts/StateMark";
import { When } from "../../parts/Time";

/** Where code hosts call when something is pushed; off until somebody wants it. */
export function WebhookListener() {
  const { t } = useTranslation();
  const { data, error, refetch } = useRead("webhooks.listener", {});
  if (error) return <FailureNotice failure={failureOf(error)} onRetry={() => void refetch()} />;
  if (!data) return null;
  return (
    <Fieldset legend={t("webhooks.listener")}>
      <Stack gap="sm">
        <Text size="sm" c="dimmed">
          {t("webhooks.listener_lead")}
        </Text>
        <ListenerForm listener={data} />
        <ListenerNow listener={data} />
      </Stack>
    </Fieldset>
  );
}

function ListenerForm({ listener }: { listener: WebhookListenerView }) {
  const { t } = useTranslation();
  const { draft, change, forget } = useDraft("webhook-listener", () => ({
    enabled: listener.enabled,
    address: listener.address,
    publicUrl: listener.public_url ?? "",
  }));
  const save = useCall("webhooks.save_listener");
  const failure = save.error && failureOf(save.error);
  const errorOf = useFieldError(failure);
  const typed = draft.publicUrl.trim();
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate(
          { enabled: draft.enabled, address: draft.address, ...(typed ? { public_url: typed } : {}) },
          {
            onSuccess: () => {
              forget();
              notifications.show({ message: t("common.saved") });
            },
          },
        );
      }}
    >
      <Stack gap="sm">
        <Switch label={t("webhooks.listen")} checked={draft.enabled} onChange={(event) => change({ enabled: event.currentTarget.checked })} />
        <Group gap="sm" align="flex-start">
          <TextInput
            label={t("webhooks.address")}
            description={t("webhooks.address_hint")}
            inputWrapperOrder={["label", "input", "description", "error"]}
            w={220}
            value={draft.address}
            onChange={(event) => change({ address: event.currentTarget.value })}
            error={errorOf("address")}
            spellCheck={false}
          />
          <TextInput
            label={t("webhooks.public_url")}
            description={t("webhooks.public_url_hint")}
            inputWrapperOrder={["label", "input", "description", "error"]}
            style={{ flex: 1 }}
            value={draft.publicUrl}
            onChange={(event) => change({ publicUrl: event.currentTarget.value })}
            error={errorOf("public_url")}
            spellCheck={false}
          />
        </Group>
        {failure && <FailureNotice failure={failure} />}
        <Group>
          <Button type="submit" variant="default" loading={save.isPending}>
            {t("webhooks.save_listener")}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function ListenerNow({ listener }: { listener: WebhookListenerView }) {
  const { t } = useTranslation();
  const { state, reached_at: reachedAt, refused, last_refusal: why, last_refused_at: at } = listener;
  if (state.kind === "failed") return <FailureNotice failure={state.failure} warning />;
  if (state.kind === "off") return <Mark tone="still" word={t("webhooks.listener_off")} />;
  return (
    <Stack gap={4}>
      <Mark tone="good" word={t("webhooks.listening", { address: state.address })} />
      {reachedAt === null ? (
        <Text size="sm" c="var(--state-warn)">
          {t("webhooks.say_public")}
        </Text>
      ) : (
        <Text size="sm" component="div">
          {t("webhooks.hosts_call")} <Copyable text={reachedAt} />
        </Text>
      )}
      {listener.only_this_machine && (
        <Text fz={12} c="dimmed">
          {t("webhooks.only_this_machine_here")}
        </Text>
      )}
      {refused > 0 && why && at && (
        <Text fz={12} c="dimmed">
          {t("webhooks.refused", { count: refused })} {t(`webhooks.refusal_${why}`)} · <When at={at} />
        </Text>
      )}
    </Stack>
  );
}
