import { Button, Group, List, SegmentedControl, Stack, Text } from "@mantine/core";
import { useOs } from "@mantine/hooks";
import { IconExternalLink, IconLoader2 } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import type { Failure } from "../../host/bindings";
import { useHost } from "../../host/context";
import { Copyable } from "../../parts/Copyable";

const systems = ["linux", "macos", "windows"] as const;
type System = (typeof systems)[number];

const PAGES: Record<System, string> = {
  linux: "https://docs.docker.com/engine/install/",
  macos: "https://docs.docker.com/desktop/setup/install/mac-install/",
  windows: "https://docs.docker.com/desktop/setup/install/windows-install/",
};

/** A step of the guide: the key of its words, and the command that does it. */
interface GuideStep {
  text: "install_debian" | "install_fedora" | "install_desktop" | "start" | "start_desktop" | "group" | "again";
  command?: string;
}

const START: GuideStep = { text: "start", command: "sudo systemctl enable --now docker" };
const GROUP: GuideStep[] = [{ text: "group", command: "sudo usermod -aG docker $USER" }, { text: "again" }];

/** What has to be done on a system until an engine answers. */
function stepsOf(system: System, failure: Failure): GuideStep[] {
  if (system === "linux" && failure.code === "engine_forbidden") return GROUP;
  switch (system) {
    case "linux":
      return [
        { text: "install_debian", command: "sudo apt-get install -y docker.io" },
        { text: "install_fedora", command: "sudo dnf install -y moby-engine" },
        START,
        ...GROUP,
      ];
    case "macos":
      return [{ text: "install_desktop", command: "brew install --cask docker-desktop" }, { text: "start_desktop", command: "open -a Docker" }];
    case "windows":
      return [{ text: "install_desktop", command: "winget install Docker.DockerDesktop" }, { text: "start_desktop" }];
  }
}

/** How to come by an engine on this system. It waits and goes away by itself when one answers. */
export function EngineGuide({ failure }: { failure: Failure }) {
  const { t } = useTranslation();
  const { host } = useHost();
  const os = useOs({ getValueInEffect: false });
  const [system, setSystem] = useState<System>(systems.find((one) => one === os) ?? "linux");
  return (
    <Stack gap="md">
      <SegmentedControl
        aria-label={t("guide.system")}
        value={system}
        onChange={(chosen) => setSystem(chosen as System)}
        data={systems.map((value) => ({ value, label: t(`guide.${value}`) }))}
        style={{ alignSelf: "flex-start" }}
      />
      <List type="ordered" size="sm" spacing="sm" styles={{ itemWrapper: { width: "100%" }, itemLabel: { width: "100%" } }}>
        {stepsOf(system, failure).map(({ text, command }) => (
          <List.Item key={text}>
            {t(`guide.${text}`)}
            {command && <Copyable text={command} block />}
          </List.Item>
        ))}
      </List>
      <Group gap="md" justify="space-between">
        <Text size="sm" c="dimmed" role="status" style={{ display: "flex", gap: 6 }}>
          <IconLoader2 size={16} className="turning" aria-hidden style={{ flex: "none", marginTop: 2 }} />
          {t("guide.waiting")}
        </Text>
        <Button
          variant="default"
          rightSection={<IconExternalLink size={14} aria-hidden />}
          onClick={() => void host.openLink(PAGES[system])}
        >
          {t("guide.page")}
        </Button>
      </Group>
    </Stack>
  );
}
