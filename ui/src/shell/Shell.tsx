import { Alert, Anchor, AppShell, Group, ScrollArea, Text } from "@mantine/core";
import {
  IconBox,
  IconCode,
  IconDatabase,
  IconHammer,
  IconLayoutDashboard,
  IconPlugConnectedX,
  IconSettings,
} from "@tabler/icons-react";
import { Outlet } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import icon from "../../../icons/icon.svg";
import { useHost } from "../host/context";
import { PageNavLink } from "../parts/Page";
import { LanguageButton, ThemeButton } from "./Appearance";
import { Breadcrumbs } from "./Breadcrumbs";
import { EngineChip } from "./EngineChip";
import { Palette, PaletteButton } from "./Palette";
import { QueueChip } from "./QueueChip";

const pages = [
  { to: "/", text: "page.overview", Icon: IconLayoutDashboard },
  { to: "/repositories", text: "page.repositories", Icon: IconBox },
  { to: "/builds", text: "page.builds", Icon: IconHammer },
  { to: "/sources", text: "page.sources", Icon: IconCode },
  { to: "/registries", text: "page.registries", Icon: IconDatabase },
  { to: "/settings", text: "page.settings", Icon: IconSettings },
] as const;

/** The frame around every page: navigation and the engine on the left, where you are and the queue above. */
export function Shell() {
  const { t } = useTranslation();
  const { connected } = useHost();
  return (
    <AppShell navbar={{ width: { base: 172, md: 200 }, breakpoint: 0 }} header={{ height: 44 }} layout="alt" padding={{ base: "md", md: "xl" }}>
      <Anchor href="#content" className="skip-link">
        {t("shell.skip")}
      </Anchor>
      <Palette />
      <AppShell.Navbar p="sm" bg="var(--panel)">
        <Group gap="sm" px="sm" py="sm" mb="sm">
          <img src={icon} alt="" width={24} height={24} />
          <Text fw={600}>{t("product.name")}</Text>
        </Group>
        <ScrollArea component="nav" style={{ flex: 1 }} aria-label={t("shell.navigation")}>
          {pages.map(({ to, text, Icon }) => (
            <PageNavLink
              key={to}
              to={to}
              label={t(text)}
              leftSection={<Icon size={16} aria-hidden />}
              activeOptions={{ exact: to === "/", includeSearch: false }}
              activeProps={{ active: true, "aria-current": "page" }}
              py={6}
              style={{ borderRadius: "var(--mantine-radius-sm)" }}
            />
          ))}
        </ScrollArea>
        <EngineChip />
      </AppShell.Navbar>
      <AppShell.Header px="lg" bg="var(--panel)">
        <Group h="100%" justify="space-between" wrap="nowrap">
          <Breadcrumbs />
          <Group gap="xs" wrap="nowrap">
            <PaletteButton />
            <QueueChip />
            <ThemeButton />
            <LanguageButton />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Main id="content" tabIndex={-1}>
        {!connected && (
          <Alert color="yellow" mb="lg" p="sm" role="status" icon={<IconPlugConnectedX aria-hidden />}>
            {t("shell.offline")}
          </Alert>
        )}
        <Outlet />
      </AppShell.Main>
    </AppShell>
  );
}
