import { Anchor, Button, Group, Menu, NavLink, Stack, Text, Title } from "@mantine/core";
import { createLink } from "@tanstack/react-router";
import { type ComponentPropsWithRef, type ReactNode, useEffect } from "react";
import { useTranslation } from "react-i18next";

/** A link to another page of the console. */
export const PageLink = createLink((props: Omit<ComponentPropsWithRef<typeof Anchor<"a">>, "href">) => (
  <Anchor size="sm" {...props} />
));
/** A button that leads to another page. */
export const PageButton = createLink((props: Omit<ComponentPropsWithRef<typeof Button<"a">>, "href">) => (
  <Button component="a" {...props} />
));
/** An entry of a menu that leads to another page. */
export const PageMenuItem = createLink((props: Omit<ComponentPropsWithRef<typeof Menu.Item<"a">>, "href">) => (
  <Menu.Item component="a" {...props} />
));
/** An entry of the navigation. */
export const PageNavLink = createLink((props: Omit<ComponentPropsWithRef<typeof NavLink<"a">>, "href">) => (
  <NavLink component="a" {...props} />
));

interface PageProps {
  title: ReactNode;
  /** The plain title, for the window's title. */
  name: string;
  /** One line of state under the title. */
  lead?: ReactNode;
  /** At most one primary button. */
  action?: ReactNode;
  children: ReactNode;
}

/** A page: title, one line of state, at most one primary button, then the content. */
export function Page({ title, name, lead, action, children }: PageProps) {
  const { t } = useTranslation();
  const product = t("product.name");
  useEffect(() => {
    document.title = `${name} · ${product}`;
  }, [name, product]);
  return (
    <Stack gap="lg">
      <Group justify="space-between" align="flex-start" wrap="nowrap">
        <div style={{ minWidth: 0 }}>
          <Title order={1} fz={20} fw={600} className="foreign">
            {title}
          </Title>
          {lead && (
            <Text component="div" size="sm" c="dimmed" mt={2}>
              {lead}
            </Text>
          )}
        </div>
        {action && <Group gap="sm" wrap="nowrap">{action}</Group>}
      </Group>
      {children}
    </Stack>
  );
}
