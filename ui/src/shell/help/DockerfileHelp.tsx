import { Button, Drawer, Group, List, Stack, Text, Title } from "@mantine/core";
import { IconFileCode } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

import { failureOf } from "../../host/host";
import { useRead } from "../../host/reads";
import { useDialog } from "../../parts/dialog";
import { FailureNotice } from "../../parts/FailureNotice";
import { StarterFiles } from "./StarterFiles";

const instructions = ["from", "copy", "run", "env", "expose", "cmd"] as const;
const advice = ["order", "ignore", "pin", "secrets"] as const;

/** How to write a Dockerfile: the sample files, what each instruction does, and what makes builds quick. */
export function DockerfileHelp({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const { open } = useDialog();
  const starters = useRead("starters.list", {});
  const sample = starters.data?.find(({ id }) => id === "hello_nginx");
  return (
    <Drawer opened onClose={onClose} size="min(640px, 100vw)" title={t("help.dockerfile")}>
      <Stack gap="lg">
        <Text size="sm">{t("help.what")}</Text>
        <section>
          <Title order={3} fz={14} fw={600} mb="sm">
            {t("help.sample")}
          </Title>
          <Text size="sm" mb="sm">
            {t("help.sample_why")}
          </Text>
          {sample && <StarterFiles files={sample.files} />}
          {starters.error && <FailureNotice failure={failureOf(starters.error)} onRetry={() => void starters.refetch()} />}
        </section>
        <section>
          <Title order={3} fz={14} fw={600} mb="sm">
            {t("help.instructions")}
          </Title>
          <List size="sm" spacing="xs" listStyleType="none">
            {instructions.map((name) => (
              <List.Item key={name}>
                <b className="mono">{name.toUpperCase()}</b> — {t(`help.instruction_${name}`)}
              </List.Item>
            ))}
          </List>
        </section>
        <section>
          <Title order={3} fz={14} fw={600} mb="sm">
            {t("help.advice")}
          </Title>
          <List size="sm" spacing="xs">
            {advice.map((name) => (
              <List.Item key={name}>{t(`help.advice_${name}`)}</List.Item>
            ))}
          </List>
        </section>
        <Group>
          <Button leftSection={<IconFileCode size={14} aria-hidden />} onClick={() => open("starters")}>
            {t("help.starters")}
          </Button>
        </Group>
      </Stack>
    </Drawer>
  );
}
