import { Center, Stack, Text, Title } from "@mantine/core";
import { useTranslation } from "react-i18next";

/** What a browser shows that came without the token. */
export function NoToken() {
  const { t } = useTranslation();
  return (
    <Center component="main" h="100%">
      <Stack gap="sm" maw={480} p="xl">
        <Title order={1} fz={20}>
          {t("shell.no_token")}
        </Title>
        <Text>{t("shell.no_token_why")}</Text>
      </Stack>
    </Center>
  );
}
