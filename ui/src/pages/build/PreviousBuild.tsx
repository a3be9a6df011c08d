import { List, Stack, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";

import type { BuildDetailView, BuildView } from "../../host/bindings";
import { useRead } from "../../host/reads";
import { PageLink } from "../../parts/Page";
import { foreignText, plainText } from "../../words/ansi";
import { shortCommit } from "../../words/format";
import { compareBuilds, type Comparison } from "./comparison";

/** What differs from the build of the same rule before this one: the cache, the first step that ran, and what was changed. */
export function PreviousBuild({ build }: { build: BuildDetailView }) {
  const { t } = useTranslation();
  const found = useRead(
    "builds.list",
    { repository: build.repository, states: ["succeeded", "failed"], before: build.id, limit: 1, ...(build.rule === null ? {} : { rule: build.rule }) },
    { enabled: build.rule !== null },
  ).data?.items[0];
  const before = useRead("builds.get", { id: found?.id ?? 0 }, { enabled: found !== undefined }).data;
  const texts = [found?.id ?? 0, build.id] as const;
  const withCode = before !== undefined && before.code !== null && build.code !== null;
  const textBefore = useRead("builds.dockerfile", { id: texts[0] }, { enabled: withCode }).data?.text;
  const textAfter = useRead("builds.dockerfile", { id: texts[1] }, { enabled: withCode }).data?.text;
  if (!before || build.steps.length === 0) return null;
  const comparison = compareBuilds(before, build);
  const otherDockerfile = textBefore !== undefined && textAfter !== undefined && textBefore !== textAfter;
  return (
    <Stack className="panel" p="md" gap="xs" component="section" aria-label={t("comparison.title")}>
      <Text size="sm" fw={600}>
        {t("comparison.with")}{" "}
        <PageLink to="/builds/$build/$tab" params={{ build: String(before.id), tab: "timeline" }} underline="always">
          {t("builds.title", { number: before.number })}
        </PageLink>
      </Text>
      {/* The engine does not tell the steps of every build. */}
      {comparison.cached.of > 0 && comparison.cachedBefore.of > 0 && (
        <Text size="sm">
          {t("comparison.cached", { steps: comparison.cached.steps, of: comparison.cached.of, before: comparison.cachedBefore.steps, ofBefore: comparison.cachedBefore.of })}
        </Text>
      )}
      <FirstRun comparison={comparison} />
      <Changes before={before} after={build} comparison={comparison} otherDockerfile={otherDockerfile} />
    </Stack>
  );
}

function FirstRun({ comparison: { firstRun, firstRunWasThere } }: { comparison: Comparison }) {
  const { t } = useTranslation();
  if (!firstRun) return null;
  return (
    <Text size="sm">
      {t("comparison.first_run")} <span className="mono foreign">{plainText(firstRun.name)}</span>
      {!firstRunWasThere && ` ${t("comparison.first_run_new")}`}
    </Text>
  );
}

interface ChangesProps {
  before: BuildView;
  after: BuildView;
  comparison: Comparison;
  otherDockerfile: boolean;
}

function Changes({ before, after, comparison, otherDockerfile }: ChangesProps) {
  const { t } = useTranslation();
  const { differences, otherCommit, cacheOff } = comparison;
  if (differences.length === 0 && !otherCommit && !cacheOff && !otherDockerfile) {
    return (
      <Text size="sm" c="dimmed">
        {t("comparison.nothing")}
      </Text>
    );
  }
  return (
    <>
      <Text size="sm">{t("comparison.changed")}</Text>
      <List size="sm" spacing={2}>
        {cacheOff && <List.Item>{t("comparison.cache_off")}</List.Item>}
        {otherCommit && before.commit && after.commit && (
          <List.Item className="foreign">
            {t("builds.commit")} <span className="mono">{shortCommit(before.commit.id)}</span> → <span className="mono">{shortCommit(after.commit.id)}</span>{" "}
            {foreignText(after.commit.summary)}
          </List.Item>
        )}
        {otherDockerfile && <List.Item>{t("comparison.dockerfile_text")}</List.Item>}
        {differences.map(({ field, name, before: old, after: now }) => (
          <List.Item key={`${field} ${name ?? ""}`} className="foreign">
            {t(`comparison.${field}`)} {name && <span className="mono">{name} </span>}
            <span className="mono">{old ?? t("common.none")}</span> → <span className="mono">{now ?? t("common.none")}</span>
          </List.Item>
        ))}
      </List>
    </>
  );
}
