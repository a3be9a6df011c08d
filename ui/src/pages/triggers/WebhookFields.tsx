import { ActionIcon, Button, Checkbox, Group, Input, PasswordInput, Stack, Text, TextInput } from "@mantine/core";
import { IconTrash } from "@tabler/icons-react";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";

import { failureOf } from "../../host/host";
import { useCall } from "../../host/reads";
import { FailureNotice } from "../../parts/FailureNotice";
import type { TriggerDraft } from "./triggerDraft";

interface WebhookFieldsProps {
  draft: TriggerDraft;
  change: (part: Partial<TriggerDraft>) => void;
  errorOf: (field: string) => ReactNode;
}

/** The address that is told about a new tag, with what goes along. Values are sealed at once; only their ids come back. */
export function WebhookFields({ draft, change, errorOf }: WebhookFieldsProps) {
  const { t } = useTranslation();
  const [name, setName] = useState("");
  const [value, setValue] = useState("");
  const [key, setKey] = useState("");
  const keepHeader = useCall("triggers.keep_secret");
  const keepKey = useCall("triggers.keep_secret");
  const header = name.trim();
  const failed = keepHeader.error ?? keepKey.error;
  return (
    <Stack gap="sm">
      <TextInput
        label={t("image_triggers.url")}
        description={t("image_triggers.url_hint")}
        type="url"
        value={draft.url}
        onChange={(event) => change({ url: event.currentTarget.value })}
        error={errorOf("target.url") ?? errorOf("target")}
        data-field="target"
        spellCheck={false}
        required
      />
      <Checkbox
        label={t("image_triggers.allow_private")}
        description={t("image_triggers.allow_private_hint")}
        checked={draft.allowPrivate}
        onChange={(event) => change({ allowPrivate: event.currentTarget.checked })}
      />
      <Input.Wrapper label={t("image_triggers.headers")} description={t("image_triggers.sealed_hint")} size="xs" labelElement="div">
        <Stack gap="xs" mt={4}>
          {draft.headers.map((one) => (
            <Group key={one.name} gap="sm">
              <span className="mono foreign">{one.name}</span>
              <ActionIcon
                size="sm"
                aria-label={t("image_triggers.header_remove", { name: one.name })}
                onClick={() => change({ headers: draft.headers.filter((other) => other.name !== one.name) })}
              >
                <IconTrash size={14} aria-hidden />
              </ActionIcon>
            </Group>
          ))}
          <Group gap="sm" wrap="nowrap">
            <TextInput
              aria-label={t("image_triggers.header_name")}
              placeholder={t("image_triggers.header_name")}
              value={name}
              onChange={(event) => setName(event.currentTarget.value)}
              spellCheck={false}
            />
            <PasswordInput
              aria-label={t("image_triggers.header_value")}
              placeholder={t("image_triggers.header_value")}
              autoComplete="new-password"
              style={{ flex: 1 }}
              value={value}
              onChange={(event) => setValue(event.currentTarget.value)}
            />
            <Button
              variant="default"
              loading={keepHeader.isPending}
              disabled={header === "" || value === ""}
              aria-label={t("image_triggers.header_add")}
              onClick={() =>
                keepHeader.mutate(
                  { purpose: `header ${header}`, value },
                  {
                    onSuccess: ({ secret }) => {
                      change({ headers: [...draft.headers.filter((one) => one.name !== header), { name: header, value: secret }] });
                      setName("");
                      setValue("");
                    },
                  },
                )
              }
            >
              {t("common.add")}
            </Button>
          </Group>
        </Stack>
      </Input.Wrapper>
      <Input.Wrapper label={t("image_triggers.signing")} description={t("image_triggers.signing_hint")} size="xs" labelElement="div">
        {draft.signingSecret !== null ? (
          <Group gap="sm" mt={4}>
            <Text size="sm">{t("image_triggers.signing_kept")}</Text>
            <Button size="compact-xs" variant="default" onClick={() => change({ signingSecret: null })}>
              {t("image_triggers.signing_remove")}
            </Button>
          </Group>
        ) : (
          <Group gap="sm" wrap="nowrap" mt={4}>
            <PasswordInput
              aria-label={t("image_triggers.signing")}
              autoComplete="new-password"
              style={{ flex: 1 }}
              value={key}
              onChange={(event) => setKey(event.currentTarget.value)}
            />
            <Button
              variant="default"
              loading={keepKey.isPending}
              disabled={key === ""}
              onClick={() =>
                keepKey.mutate(
                  { purpose: "signing key", value: key },
                  {
                    onSuccess: ({ secret }) => {
                      change({ signingSecret: secret });
                      setKey("");
                    },
                  },
                )
              }
            >
              {t("image_triggers.signing_keep")}
            </Button>
          </Group>
        )}
      </Input.Wrapper>
      {failed && <FailureNotice failure={failureOf(failed)} />}
    </Stack>
  );
}
