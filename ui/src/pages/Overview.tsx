import { Alert, Group, SimpleGrid, Stack, Text, Title } from "@mantine/core";
import { IconCircle, IconCircleCheck } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { useRead } from "../host/reads";
import { BuildsTable } from "../parts/BuildsTable";
import { FailureNotice } from "../parts/FailureNotice";
import { Empty, Listing } from "../parts/Listing";
import { useRepositories } from "../parts/names";
import { Page, PageButton, PageLink } from "../parts/Page";
import { QueueRows } from "../parts/QueueRows";
import { Mark } from "../parts/StateMark";
import { useSystem } from "../shell/EngineChip";
import { bytesWords } from "../words/format";

const RECENT = 8;

/** Is it watching, what is it doing, what went wrong; and the first steps until the first good build. */
export function Overview() {
  const { t } = useTranslation();
  const system = useSystem();
  const sources = useRead("code_repositories.list", {}).data;
  const queue = useRead("builds.queue", {}).data ?? [];
  const recent = useRead("builds.list", { limit: RECENT });
  const good = useRead("builds.list", { states: ["succeeded"], limit: 1 }).data;
  const engine = system.data?.engine;
  const recovery = system.data?.database_recovery;
  const failing = sources?.filter(({ last_failure }) => last_failure !== null) ?? [];
  return (
    <Page title={t("page.overview")} name={t("page.overview")} lead={t("overview.lead")}>
      {recovery && (
        <Alert color="yellow" title={t("overview.recovered")} p="sm">
          {recovery.restored_from
            ? t("overview.recovered_from", { backup: recovery.restored_from, kept: recovery.kept_aside })
            : t("overview.recovered_empty", { kept: recovery.kept_aside })}
        </Alert>
      )}
      {engine?.kind === "away" && (
        <FailureNotice failure={engine.failure} onRetry={() => void system.refetch()}>
          <Text size="sm">{t("overview.engine_guide")}</Text>
        </FailureNotice>
      )}
      <SimpleGrid cols={{ base: 1, sm: 3 }} spacing="md">
        <Card title={t("overview.engine")}>
          {!engine ? (
            <Mark tone="still" word={t("shell.engine_asking")} />
          ) : engine.kind === "ready" ? (
            <>
              <Mark tone="good" word={t("shell.engine_ready", { version: engine.version })} />
              <Text size="sm" c="dimmed">
                {engine.platform}
                {engine.disk_bytes !== null && ` · ${t("overview.disk", { size: bytesWords(engine.disk_bytes) })}`}
              </Text>
            </>
          ) : (
            <Mark tone="bad" word={t("shell.engine_away")} />
          )}
        </Card>
        <Card title={t("overview.watch")} to="/sources">
          {sources === undefined || sources.length === 0 ? (
            <Mark tone="still" word={t("overview.watch_none")} />
          ) : (
            <>
              <Mark
                tone={failing.length > 0 ? "bad" : "good"}
                word={t("overview.watch_count", { ok: sources.length - failing.length, total: sources.length })}
              />
              {failing.length > 0 && (
                <Text size="sm" c="dimmed" className="foreign">
                  {t("overview.watch_failing", { names: failing.map(({ name }) => name).join(", ") })}
                </Text>
              )}
            </>
          )}
        </Card>
        <Card title={t("overview.running")} to="/builds">
          {queue.length === 0 ? (
            <Text size="sm" c="dimmed">
              {t("overview.running_none")}
            </Text>
          ) : (
            <QueueRows rows={queue.slice(0, 4)} />
          )}
        </Card>
      </SimpleGrid>
      {good && good.items.length === 0 && <FirstSteps engineReady={engine?.kind === "ready"} />}
      <Title order={2} fz={15} fw={600}>
        {t("overview.recent")}
      </Title>
      <Listing read={recent} count={({ items }) => items.length} empty={<Empty sentence={t("overview.recent_none")} />}>
        {({ items, next }) => (
          <>
            <BuildsTable builds={items} />
            {next !== null && (
              <div>
                <PageLink to="/builds">{t("overview.all_builds")}</PageLink>
              </div>
            )}
          </>
        )}
      </Listing>
    </Page>
  );
}

function Card({ title, to, children }: { title: string; to?: "/sources" | "/builds"; children: ReactNode }) {
  return (
    <Stack gap="xs" className="panel" p="md" component="section" aria-label={title}>
      <Text size="sm" fw={600}>
        {to ? <PageLink to={to}>{title}</PageLink> : title}
      </Text>
      {children}
    </Stack>
  );
}

/** What is still to do until the first good build; each open step has its button. */
function FirstSteps({ engineReady }: { engineReady: boolean }) {
  const { t } = useTranslation();
  const sources = useRead("code_repositories.list", {}).data?.length ?? 0;
  const registries = useRead("registries.list", {}).data?.length ?? 0;
  const rows = useRepositories().data?.items ?? [];
  const withoutRule = rows.find(({ rules }) => rules === 0)?.repository;
  const withRule = rows.find(({ rules }) => rules > 0)?.repository;
  const steps: { text: string; done: boolean; action?: ReactNode }[] = [
    { text: t("overview.step_engine"), done: engineReady },
    {
      text: t("overview.step_source"),
      done: sources > 0,
      action: (
        <PageButton variant="default" to="/sources" search={{ dialog: "add" }}>
          {t("sources.add")}
        </PageButton>
      ),
    },
    {
      text: t("overview.step_repository"),
      done: rows.length > 0,
      action: (
        <PageButton variant="default" to="/repositories" search={{ dialog: "add" }}>
          {t("repositories.add")}
        </PageButton>
      ),
    },
    {
      text: t("overview.step_rule"),
      done: withRule !== undefined,
      action: withoutRule && (
        <PageButton
          variant="default"
          to="/repositories/$repository/$tab"
          params={{ repository: String(withoutRule.id), tab: "build" }}
          search={{ dialog: "new-rule" }}
        >
          {t("rules.add")}
        </PageButton>
      ),
    },
    {
      text: t("overview.step_build"),
      done: false,
      action: withRule && (
        <PageButton
          variant="default"
          to="/repositories/$repository/$tab"
          params={{ repository: String(withRule.id), tab: "build" }}
          search={{ dialog: "now" }}
        >
          {t("rules.build_now")}
        </PageButton>
      ),
    },
    {
      text: t("overview.step_registry"),
      done: registries > 1,
      action: (
        <PageButton variant="default" to="/registries" search={{ dialog: "add" }}>
          {t("registries.add")}
        </PageButton>
      ),
    },
  ];
  return (
    <section className="panel" style={{ padding: 12 }} aria-label={t("overview.first_steps")}>
      <Title order={2} fz={15} fw={600} mb="sm">
        {t("overview.first_steps")}
      </Title>
      <Stack gap="xs" component="ol" m={0} p={0} style={{ listStyle: "none" }}>
        {steps.map(({ text, done, action }) => (
          <Group key={text} gap="sm" component="li" mih={30} style={{ color: done ? "var(--state-good)" : undefined }}>
            {done ? (
              <IconCircleCheck size={18} role="img" aria-label={t("overview.step_done")} />
            ) : (
              <IconCircle size={18} role="img" aria-label={t("overview.step_open")} />
            )}
            <Text size="sm" style={{ flex: 1 }}>
              {text}
            </Text>
            {!done && action}
          </Group>
        ))}
      </Stack>
    </section>
  );
}
