import { List, Stack, Table, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";

import type { HostGuide, HostProvider } from "../../../host/bindings";
import { Copyable } from "../../../parts/Copyable";
import { OutsideLink } from "./OutsideLink";

/** Hosts whose form has boxes for the rights. */
const ticksScopes: readonly HostProvider[] = ["gitlab", "gitee", "bitbucket"];
/** Hosts whose form wants a home page; any address is taken. */
const wantsHomepage: readonly HostProvider[] = ["github", "gitee"];

/** The redirect address with another port, for hosts that compare it. */
export const redirectWith = (guide: HostGuide, port: number | string) =>
  typeof port === "number" ? guide.redirect_uri.replace(/^(http:\/\/127\.0\.0\.1):\d+/, `$1:${port}`) : guide.redirect_uri;

/** The port of the redirect address, where the host compares it. */
export const fixedPort = ({ redirect_uri }: HostGuide) => {
  const { port } = new URL(redirect_uri);
  return port === "" ? null : Number(port);
};

/** How an application is registered at a host: the page, what to fill in there, what to tick. */
export function RegistrationSteps({ guide, redirect }: { guide: HostGuide; redirect: string }) {
  const { t } = useTranslation();
  const { provider } = guide;
  const fields = [
    { name: t("accounts.app_name"), text: "Slipway" },
    ...(wantsHomepage.includes(provider) ? [{ name: t("accounts.app_homepage"), text: "http://127.0.0.1" }] : []),
    { name: t("accounts.app_redirect"), text: redirect },
  ];
  return (
    <List type="ordered" size="sm" spacing="sm">
      <List.Item>
        <Stack gap={6}>
          {t("accounts.register_open")}
          <Text size="sm" c="dimmed">
            {provider !== "coding" && t(`accounts.where_${provider}`)}
          </Text>
          {guide.register_page && <OutsideLink to={guide.register_page}>{t("accounts.register_page")}</OutsideLink>}
        </Stack>
      </List.Item>
      <List.Item>
        {t("accounts.register_fill")}
        <Table variant="vertical" mt={6} highlightOnHover={false}>
          <Table.Tbody>
            {fields.map(({ name, text }) => (
              <Table.Tr key={name}>
                <Table.Th style={{ whiteSpace: "nowrap" }}>{name}</Table.Th>
                <Table.Td>
                  <Copyable text={text} />
                </Table.Td>
              </Table.Tr>
            ))}
            {ticksScopes.includes(provider) && (
              <Table.Tr>
                <Table.Th>{t("accounts.rights")}</Table.Th>
                <Table.Td>
                  {guide.oauth_scopes.map(({ name, reason }) => (
                    <div key={`${name} ${reason}`}>
                      <span className="mono">{name}</span> · {t(`accounts.reason_${reason}`)}
                    </div>
                  ))}
                </Table.Td>
              </Table.Tr>
            )}
          </Table.Tbody>
        </Table>
        {guide.clear_confidential && <Text size="sm" mt={6}>{t("accounts.clear_confidential")}</Text>}
        {provider === "github" && <Text size="sm" mt={6}>{t("accounts.enable_device")}</Text>}
      </List.Item>
      <List.Item>{t("accounts.register_paste")}</List.Item>
    </List>
  );
}
