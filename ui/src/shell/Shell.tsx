import { Alert, Anchor, AppShell, Group, ScrollArea, Text, Tooltip } from "@mantine/core";
import { useHotkeys, useMediaQuery } from "@mantine/hooks";
import {
  IconBox,
  IconCode,
  IconDatabase,
  IconHammer,
  IconLayoutDashboard,
  IconPlugConnectedX,
  IconServer2,
  IconSettings,
} from "@tabler/icons-react";
import { Outlet, useNavigate } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import icon from "../../../icons/icon.svg";
import { useHost } from "../host/context";
import { useDialog } from "../parts/dialog";
import { PageNavLink } from "../parts/Page";
import { LanguageButton, ThemeButton } from "./Appearance";
import { Breadcrumbs } from "./Breadcrumbs";
import { EngineChip } from "./EngineChip";
import { HelpDialogs } from "./HelpDialogs";
import { HelpMenu } from "./HelpMenu";
import { InboxButton } from "./InboxButton";
import { pageKeys } from "./keys";
import { Palette, PaletteButton } from "./Palette";
import { QueueChip } from "./QueueChip";
import { RoomBanner } from "./RoomBanner";
import { useReturnFocus } from "./returnFocus";

const pages = [
  { to: "/", text: "page.overview", Icon: IconLayoutDashboard },
  { to: "/repositories", text: "page.repositories", Icon: IconBox },
  { to: "/builds", text: "page.builds", Icon: IconHammer },
  { to: "/sources", text: "page.sources", Icon: IconCode },
  { to: "/registries", text: "page.registries", Icon: IconDatabase },
  { to: "/targets", text: "page.targets", Icon: IconServer2 },
  { to: "/settings", text: "page.settings", Icon: IconSettings },
] as const;

/** Below this width the navigation keeps its icons only. */
const NARROW = "(max-width: 58em)";
const RAIL_PX = 52;

/** The frame around every page: navigation and the engine on the left, where you are and the queue above. */
export function Shell() {
  const { t } = useTranslation();
  const { connected } = useHost();
  useReturnFocus();
  const navigate = useNavigate();
  const { open } = useDialog();
  useHotkeys(
    pageKeys.map((to, index) => [`alt+Digit${index + 1}`, () => void navigate({ to }), { usePhysicalKeys: true }]),
    [],
  );
  useHotkeys([["shift+?", () => open("keys")]]);
  const narrow = useMediaQuery(NARROW, undefined, { getInitialValueInEffect: false });
  return (
    <AppShell
      navbar={{ width: narrow ? RAIL_PX : { base: 176, md: 200 }, breakpoint: 0 }}
      header={{ height: 44 }}
      layout="alt"
      padding={{ base: "md", md: "xl" }}
      transitionDuration={0}
    >
      <Anchor href="#content" className="skip-link">
        {t("shell.skip")}
      </Anchor>
      <Palette />
      <HelpDialogs />
      <AppShell.Navbar p={narrow ? 6 : "sm"} bg="var(--panel)">
        <Group gap="sm" px="sm" py="sm" mb="sm" wrap="nowrap" justify={narrow ? "center" : "flex-start"}>
          <img src={icon} alt={narrow ? t("product.name") : ""} width={24} height={24} />
          {!narrow && <Text fw={600}>{t("product.name")}</Text>}
        </Group>
        <ScrollArea component="nav" style={{ flex: 1 }} aria-label={t("shell.navigation")}>
          {pages.map(({ to, text, Icon }) => (
            <Tooltip key={to} label={t(text)} position="right" disabled={!narrow}>
              <PageNavLink
                to={to}
                {...(narrow ? { "aria-label": t(text) } : { label: t(text) })}
                leftSection={<Icon size={narrow ? 18 : 16} aria-hidden />}
                activeOptions={{ exact: to === "/", includeSearch: false }}
                activeProps={{ active: true, "aria-current": "page" }}
                py={narrow ? 8 : 6}
                className={narrow ? "rail-link" : undefined}
                style={{ borderRadius: "var(--mantine-radius-sm)" }}
              />
            </Tooltip>
          ))}
        </ScrollArea>
        <EngineChip narrow={narrow} />
      </AppShell.Navbar>
      <AppShell.Header px="lg" bg="var(--panel)">
        <Group h="100%" justify="space-between" wrap="nowrap">
          <Breadcrumbs />
          <Group gap={4} wrap="nowrap" style={{ flex: "none" }}>
            <PaletteButton narrow={narrow} />
            <QueueChip />
            <InboxButton />
            <HelpMenu />
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
        <RoomBanner />
        <Outlet />
      </AppShell.Main>
    </AppShell>
  );
}
