import { ActionIcon, Button, Group, Input, PasswordInput, Stack, TextInput } from "@mantine/core";
import { IconTrash } from "@tabler/icons-react";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";

import type { RuleSecret } from "../../host/bindings";
import { failureOf } from "../../host/host";
import { useCall } from "../../host/reads";
import { FailureNotice } from "../../parts/FailureNotice";

interface SecretsFieldProps {
  secrets: RuleSecret[];
  onChange: (secrets: RuleSecret[]) => void;
  error: ReactNode;
}

/** Secrets of a rule: each is sealed at once; only its id comes back. */
export function SecretsField({ secrets, onChange, error }: SecretsFieldProps) {
  const { t } = useTranslation();
  const [id, setId] = useState("");
  const [value, setValue] = useState("");
  const keep = useCall("rules.keep_secret");
  const add = () =>
    keep.mutate(
      { id: id.trim(), value },
      {
        onSuccess: ({ secret }) => {
          onChange([...secrets.filter((one) => one.id !== id.trim()), { id: id.trim(), secret }]);
          setId("");
          setValue("");
        },
      },
    );
  return (
    <Input.Wrapper label={t("rules.secrets")} description={t("rules.secrets_hint")} error={error} size="xs" labelElement="div">
      <Stack gap="sm" mt={4}>
        {secrets.map((one) => (
          <Group key={one.id} gap="sm">
            <span className="mono foreign">{one.id}</span>
            <ActionIcon
              size="sm"
              aria-label={t("rules.secret_remove", { name: one.id })}
              onClick={() => onChange(secrets.filter(({ id: other }) => other !== one.id))}
            >
              <IconTrash size={14} aria-hidden />
            </ActionIcon>
          </Group>
        ))}
        <Group gap="sm" wrap="nowrap">
          <TextInput
            aria-label={t("rules.secret_id")}
            placeholder={t("rules.secret_id")}
            value={id}
            onChange={(event) => setId(event.currentTarget.value)}
            spellCheck={false}
          />
          <PasswordInput
            aria-label={t("rules.secret_value")}
            placeholder={t("rules.secret_value")}
            autoComplete="new-password"
            style={{ flex: 1 }}
            value={value}
            onChange={(event) => setValue(event.currentTarget.value)}
          />
          <Button variant="default" loading={keep.isPending} disabled={id.trim() === "" || value === ""} onClick={add}>
            {t("rules.secret_add")}
          </Button>
        </Group>
        {keep.error && <FailureNotice failure={failureOf(keep.error)} />}
      </Stack>
    </Input.Wrapper>
  );
}
