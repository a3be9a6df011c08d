import { AppShell, Group, NavLink, Text } from "@mantine/core";
import { IconLayoutDashboard } from "@tabler/icons-react";
import { Link, Outlet } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import icon from "../../../icons/icon.svg";

/** The frame around every page: navigation on the left, the page on the right. */
export function Shell() {
  const { t } = useTranslation();
  return (
    <AppShell navbar={{ width: 208, breakpoint: 0 }} padding="xl">
      <AppShell.Navbar p="sm" aria-label={t("shell.navigation")}>
        <Group gap="sm" px="sm" py="md">
          <img src={icon} alt="" width={24} height={24} />
          <Text fw={600}>{t("product.name")}</Text>
        </Group>
        <NavLink
          component={Link}
          to="/"
          label={t("page.overview")}
          leftSection={<IconLayoutDashboard size={16} aria-hidden />}
        />
      </AppShell.Navbar>
      <AppShell.Main>
        <Outlet />
      </AppShell.Main>
    </AppShell>
  );
}
