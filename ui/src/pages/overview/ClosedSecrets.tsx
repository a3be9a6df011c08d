import { Anchor, Button, Group, List, Stack, Text } from "@mantine/core";
import { IconKey, IconRefresh } from "@tabler/icons-react";
import { useRouter } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import type { SecretOwner } from "../../host/bindings";
import { failureOf } from "../../host/host";
import { useCall, useRead } from "../../host/reads";
import { FailureNotice } from "../../parts/FailureNotice";
import { ownerPlace, ownerWords } from "../../words/secretOwners";

/** Passwords and tokens that cannot be opened now: what needs them, and the way to each. */
export function ClosedSecrets() {
  const { t } = useTranslation();
  const closed = useRead("health.get", {}).data?.closed;
  const check = useCall("health.check");
  const renew = useCall("health.use_new_key");
  if (!closed) return null;
  const lost = closed.failure.code === "keychain_key_lost";
  const mustEnter = lost || closed.failure.code === "secret_not_entered";
  return (
    <FailureNotice failure={{ ...closed.failure, message: "" }} warning={!lost}>
      <Stack gap="xs">
        <Text size="sm">{t(mustEnter ? "health.enter_again" : "health.wait_for_keychain")}</Text>
        <List size="sm" aria-label={t("health.owners")}>
          {closed.owners.map((owner) => (
            <List.Item key={JSON.stringify(owner)}>
              <OwnerLink owner={owner} />
            </List.Item>
          ))}
        </List>
        {renew.error && <FailureNotice failure={failureOf(renew.error)} />}
        <Group gap="sm">
          <Button variant="default" leftSection={<IconRefresh size={14} aria-hidden />} loading={check.isPending} onClick={() => check.mutate({})}>
            {t("health.check")}
          </Button>
          {lost && (
            <Button variant="default" leftSection={<IconKey size={14} aria-hidden />} loading={renew.isPending} onClick={() => renew.mutate({})}>
              {t("health.new_key")}
            </Button>
          )}
        </Group>
      </Stack>
    </FailureNotice>
  );
}

function OwnerLink({ owner }: { owner: SecretOwner }) {
  const { t } = useTranslation();
  const router = useRouter();
  const place = ownerPlace(owner);
  return (
    <Anchor
      size="sm"
      href={place}
      className="foreign"
      onClick={(event) => {
        event.preventDefault();
        router.history.push(place);
      }}
    >
      {ownerWords(t, owner)}
    </Anchor>
  );
}
