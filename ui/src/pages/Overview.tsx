import { Stack, Text, Title } from "@mantine/core";
import { useTranslation } from "react-i18next";

/** What is being watched, what runs and what went wrong. */
export function Overview() {
  const { t } = useTranslation();
  return (
    <Stack gap="md">
      <Title order={1} size="h3">
        {t("page.overview")}
      </Title>
      <Text c="dimmed">{t("overview.empty")}</Text>
    </Stack>
  );
}
