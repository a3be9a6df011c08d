import { Button, Group, Stack, Text } from "@mantine/core";
import { IconBrandGithub, IconForms } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

import type { AccountGuideView } from "../../../host/bindings";
import { hasClient } from "./AuthorizeThere";

interface OwnApplicationProps {
  guide: AccountGuideView;
  onRegister: () => void;
  onMakeApp: () => void;
}

/** Where no application is known for a host: the token comes first, and registering one is one step away. */
export function OwnApplication({ guide: view, onRegister, onMakeApp }: OwnApplicationProps) {
  const { t } = useTranslation();
  const { guide } = view;
  if (hasClient(view) || guide.register_page === null) return null;
  return (
    <Stack gap="sm" className="panel" p="sm">
      <div>
        <Text size="sm" fw={600}>
          {t("accounts.without_token")}
        </Text>
        <Text size="sm" c="dimmed">
          {t("accounts.without_token_text")}
        </Text>
      </div>
      <Group gap="sm">
        {guide.app_manifest && (
          <Button variant="default" leftSection={<IconBrandGithub size={14} aria-hidden />} onClick={onMakeApp}>
            {t("accounts.make_app")}
          </Button>
        )}
        <Button variant="default" leftSection={<IconForms size={14} aria-hidden />} onClick={onRegister}>
          {t("accounts.register")}
        </Button>
      </Group>
    </Stack>
  );
}
