import { Button, Checkbox, Fieldset, Group, NumberInput, PasswordInput, SegmentedControl, SimpleGrid, Stack, Switch, Table, Text, Textarea, TextInput, useMantineColorScheme } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useTranslation } from "react-i18next";

import type { NoticeKind, ProxyForm, ProxyView, RegistryMirrors, SettingsView } from "../host/bindings";
import { useHost } from "../host/context";
import { failureOf } from "../host/host";
import { useCall, useRead } from "../host/reads";
import { chooseLanguage, type Language } from "../i18n/translations";
import { Copyable } from "../parts/Copyable";
import { useDraft } from "../parts/draft";
import { FailureNotice, useFieldError } from "../parts/FailureNotice";
import { ListSkeleton } from "../parts/Listing";
import { Page } from "../parts/Page";
import { useSystem } from "../shell/EngineChip";
import { Configuration } from "./settings/Configuration";
import { Channels } from "./settings/Channels";
import { Diagnostics } from "./settings/Diagnostics";
import { DiskBudget } from "./settings/DiskBudget";
import { OauthApplications } from "./settings/OauthApplications";
import { WebhookListener } from "./settings/WebhookListener";

/** Settings of the application. */
export function Settings() {
  const { t, i18n } = useTranslation();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const read = useRead("settings.get", {});
  const system = useSystem().data;
  const checklist = useRead("overview.checklist", {}).data;
  const show = useCall("overview.dismiss_checklist");
  return (
    <Page title={t("page.settings")} name={t("page.settings")}>
      <Stack gap="lg" maw={720}>
        <Fieldset legend={t("settings.appearance")}>
          <Group gap="xl">
            <div>
              <Text size="sm" fw={600} mb={4} id="theme-label">
                {t("shell.theme")}
              </Text>
              <SegmentedControl
                aria-labelledby="theme-label"
                value={colorScheme}
                onChange={(scheme) => setColorScheme(scheme as typeof colorScheme)}
                data={(["light", "dark", "auto"] as const).map((value) => ({ value, label: t(`shell.theme_${value}`) }))}
              />
            </div>
            <div>
              <Text size="sm" fw={600} mb={4} id="language-label">
                {t("shell.language")}
              </Text>
              <SegmentedControl
                aria-labelledby="language-label"
                value={i18n.language}
                onChange={(language) => chooseLanguage(language as Language)}
                data={(["en", "zh"] as const).map((value) => ({ value, label: t(`settings.language_${value}`) }))}
              />
            </div>
          </Group>
        </Fieldset>
        {read.data ? (
          <SettingsForm settings={read.data} />
        ) : read.error ? (
          <FailureNotice failure={failureOf(read.error)} onRetry={() => void read.refetch()} />
        ) : (
          <ListSkeleton />
        )}
        <DiskBudget />
        <Channels />
        <WebhookListener />
        <OauthApplications />
        <Configuration />
        <Diagnostics />
        {system && (
          <Fieldset legend={t("settings.about")}>
            <Table variant="vertical" highlightOnHover={false}>
              <Table.Tbody>
                <Table.Tr>
                  <Table.Th w={160}>{t("settings.version")}</Table.Th>
                  <Table.Td>{system.version}</Table.Td>
                </Table.Tr>
                <Table.Tr>
                  <Table.Th>{t("settings.data_dir")}</Table.Th>
                  <Table.Td>
                    <Copyable text={system.data_dir} />
                  </Table.Td>
                </Table.Tr>
                {checklist?.dismissed && (
                  <Table.Tr>
                    <Table.Th>{t("settings.first_steps")}</Table.Th>
                    <Table.Td>
                      <Button size="compact-xs" variant="default" loading={show.isPending} onClick={() => show.mutate({ dismissed: false })}>
                        {t("overview.show_steps")}
                      </Button>
                    </Table.Td>
                  </Table.Tr>
                )}
              </Table.Tbody>
            </Table>
          </Fieldset>
        )}
      </Stack>
    </Page>
  );
}

const notices: NoticeKind[] = [
  "build_failed",
  "build_recovered",
  "update_failed",
  "update_recovered",
  "account_paused",
  "account_resumed",
  "code_unreachable",
  "code_reachable",
  "credential_refused",
  "retention_failed",
  "database_damaged",
  "database_recovered",
  "away",
];

interface ProxyDraft {
  url: string;
  username: string;
  password: string;
}
const proxyDraft = (proxy: ProxyView | null): ProxyDraft => ({ url: proxy?.url ?? "", username: proxy?.username ?? "", password: "" });
const proxyForm = ({ url, username, password }: ProxyDraft): ProxyForm => ({
  url: url.trim(),
  ...(username ? { username } : {}),
  ...(password ? { password } : {}),
});

/** Reads `docker.io = mirror.example.com, other` lines; `bad` is the first line (from 1) that is none. */
function readMirrors(text: string): { mirrors: RegistryMirrors[]; bad: number | null } {
  const mirrors: RegistryMirrors[] = [];
  let bad: number | null = null;
  text.split("\n").forEach((line, index) => {
    if (line.trim() === "") return;
    const [upstream = "", hosts = ""] = line.split("=").map((part) => part.trim());
    const list = hosts.split(/[\s,]+/).filter(Boolean);
    if (upstream && list.length > 0) mirrors.push({ upstream, mirrors: list });
    else bad ??= index + 1;
  });
  return { mirrors, bad };
}

function SettingsForm({ settings }: { settings: SettingsView }) {
  const { t } = useTranslation();
  const { draft, change, forget } = useDraft("settings", () => ({
    concurrency: settings.concurrency as number | string,
    poll: settings.poll_seconds as number | string,
    code: proxyDraft(settings.code_proxy),
    registry: proxyDraft(settings.registry_proxy),
    mirrors: settings.mirrors.map(({ upstream, mirrors }) => `${upstream} = ${mirrors.join(", ")}`).join("\n"),
    muted: settings.muted_notices,
    closeToTray: settings.close_to_tray,
    startAtLogin: settings.start_at_login,
  }));
  const { host } = useHost();
  const save = useCall("settings.save");
  const failure = save.error && failureOf(save.error);
  const errorOf = useFieldError(failure);
  const { mirrors, bad } = readMirrors(draft.mirrors);
  const proxies = [
    { name: "code", stored: settings.code_proxy?.has_password ?? false },
    { name: "registry", stored: settings.registry_proxy?.has_password ?? false },
  ] as const;
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (bad !== null) return;
        save.mutate(
          {
            concurrency: Number(draft.concurrency),
            poll_seconds: Number(draft.poll),
            ...(draft.code.url.trim() ? { code_proxy: proxyForm(draft.code) } : {}),
            ...(draft.registry.url.trim() ? { registry_proxy: proxyForm(draft.registry) } : {}),
            mirrors,
            muted_notices: draft.muted,
            close_to_tray: draft.closeToTray,
            start_at_login: draft.startAtLogin,
          },
          {
            onSuccess: () => {
              forget();
              notifications.show({ message: t("common.saved") });
            },
          },
        );
      }}
    >
      <Stack gap="lg">
        <Fieldset legend={t("settings.building")}>
          <Stack gap="sm">
            <NumberInput
              label={t("settings.concurrency")}
              description={t("settings.concurrency_hint")}
              min={1}
              max={16}
              w={320}
              value={draft.concurrency}
              onChange={(concurrency) => change({ concurrency })}
              error={errorOf("concurrency")}
            />
            <NumberInput
              label={t("settings.poll")}
              description={t("settings.poll_hint")}
              min={5}
              max={86_400}
              w={320}
              value={draft.poll}
              onChange={(poll) => change({ poll })}
              error={errorOf("poll_seconds")}
            />
          </Stack>
        </Fieldset>
        <Fieldset legend={t("settings.network")}>
          <Stack gap="sm">
            {proxies.map(({ name, stored }) => {
              const proxy = draft[name];
              const set = (part: Partial<ProxyDraft>) => change({ [name]: { ...proxy, ...part } });
              return (
                <Group key={name} gap="sm" align="flex-start">
                  <TextInput
                    label={t(`settings.${name}_proxy`)}
                    description={t("settings.proxy_hint")}
                    inputWrapperOrder={["label", "input", "description", "error"]}
                    style={{ flex: 1 }}
                    value={proxy.url}
                    onChange={(event) => set({ url: event.currentTarget.value })}
                    error={errorOf(`${name}_proxy`)}
                    spellCheck={false}
                  />
                  {proxy.url !== "" && (
                    <>
                      <TextInput
                        label={t("settings.proxy_user")}
                        w={140}
                        value={proxy.username}
                        onChange={(event) => set({ username: event.currentTarget.value })}
                      />
                      <PasswordInput
                        label={t("settings.proxy_password")}
                        placeholder={stored ? t("registries.secret_kept") : ""}
                        autoComplete="new-password"
                        w={180}
                        value={proxy.password}
                        onChange={(event) => set({ password: event.currentTarget.value })}
                      />
                    </>
                  )}
                </Group>
              );
            })}
            <Textarea
              label={t("settings.mirrors")}
              description={t("settings.mirrors_hint")}
              autosize
              minRows={2}
              classNames={{ input: "mono" }}
              spellCheck={false}
              value={draft.mirrors}
              onChange={(event) => change({ mirrors: event.currentTarget.value })}
              error={bad === null ? errorOf("mirrors") : t("settings.mirrors_bad", { line: bad })}
            />
          </Stack>
        </Fieldset>
        <Fieldset legend={t("settings.notices")}>
          <Text size="sm" c="dimmed" mb="sm">
            {t("settings.notices_hint")}
          </Text>
          <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="md" verticalSpacing="sm">
            {notices.map((kind) => (
              <Checkbox
                key={kind}
                label={t(`settings.notice_${kind}`)}
                checked={!draft.muted.includes(kind)}
                onChange={(event) =>
                  change({ muted: event.currentTarget.checked ? draft.muted.filter((one) => one !== kind) : [...draft.muted, kind] })
                }
              />
            ))}
          </SimpleGrid>
        </Fieldset>
        {host.capabilities.window && (
          <Fieldset legend={t("settings.window")}>
            <Stack gap="sm">
              <Switch
                label={t("settings.close_to_tray")}
                checked={draft.closeToTray}
                onChange={(event) => change({ closeToTray: event.currentTarget.checked })}
              />
              <Switch
                label={t("settings.start_at_login")}
                checked={draft.startAtLogin}
                onChange={(event) => change({ startAtLogin: event.currentTarget.checked })}
              />
            </Stack>
          </Fieldset>
        )}
        {failure && <FailureNotice failure={failure} />}
        <Group>
          <Button type="submit" loading={save.isPending} disabled={bad !== null}>
            {t("common.save")}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
