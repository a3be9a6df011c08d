import { Alert, SimpleGrid, Stack, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { useRead } from "../host/reads";
import { BuildsTable } from "../parts/BuildsTable";
import { FailureNotice } from "../parts/FailureNotice";
import { Empty, Listing } from "../parts/Listing";
import { Page, PageButton, PageLink } from "../parts/Page";
import { QueueRows } from "../parts/QueueRows";
import { Mark } from "../parts/StateMark";
import { useSystem } from "../shell/EngineChip";
import { bytesWords } from "../words/format";
import { AwayNotice } from "./overview/AwayNotice";
import { Checklist } from "./overview/Checklist";
import { ClosedSecrets } from "./overview/ClosedSecrets";
import { EngineGuide } from "./overview/EngineGuide";

const RECENT = 8;

/** Is it watching, what is it doing, what went wrong; and the first steps until the first good build. */
export function Overview() {
  const { t } = useTranslation();
  const system = useSystem();
  const sources = useRead("code_repositories.list", {}).data;
  const queue = useRead("builds.queue", {}).data ?? [];
  const recent = useRead("builds.list", { limit: RECENT });
  const checklist = useRead("overview.checklist", {}).data;
  const firstSteps = checklist !== undefined && !checklist.dismissed && !checklist.complete;
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
      <ClosedSecrets />
      <AwayNotice />
      {engine?.kind === "away" && !firstSteps && (
        <>
          <FailureNotice failure={engine.failure} onRetry={() => void system.refetch()}>
            <Text size="sm">{t("overview.engine_guide")}</Text>
          </FailureNotice>
          <section className="panel" style={{ padding: 16 }} aria-label={t("guide.title")}>
            <EngineGuide failure={engine.failure} />
          </section>
        </>
      )}
      {firstSteps && checklist && <Checklist checklist={checklist} engine={engine} />}
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
      <Title order={2} fz={15} fw={600}>
        {t("overview.recent")}
      </Title>
      <Listing
        read={recent}
        count={({ items }) => items.length}
        empty={
          <Empty
            sentence={t("overview.recent_none")}
            action={
              <PageButton variant="default" to="/repositories">
                {t("page.repositories")}
              </PageButton>
            }
          />
        }
      >
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
        {to ? <PageLink to={to} fw="inherit">{title}</PageLink> : title}
      </Text>
      {children}
    </Stack>
  );
}
