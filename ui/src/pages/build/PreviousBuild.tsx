import { List, Stack, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";

import type { BuildDetailView, BuildView } from "../../host/bindings";
import { useRead } from "../../host/reads";
import { PageLink } from "../../parts/Page";
import { foreignText, plainText } from "../../words/ansi";
import { shortCommit } from "../../words/format";
import { compareBuilds, type Comparison, copiedBy } from "./comparison";

/** Files that are named; the rest is counted. */
const SHOWN_FILES = 8;

/** What differs from the build of the same rule before this one: the cache, the first step that ran, and what was changed. */
export function PreviousBuild({ build }: { build: BuildDetailView }) {
  const { t } = useTranslation();
  const compared = useRead("builds.compare", { id: build.id }, { enabled: build.rule !== null }).data;
  const found = compared?.before ?? null;
  const before = useRead("builds.get", { id: found ?? 0 }, { enabled: found !== null }).data;
  const texts = [found ?? 0, build.id] as const;
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
      <FirstRun comparison={comparison} files={compared?.files ?? null} more={compared?.more ?? 0} otherDockerfile={otherDockerfile} />
      <Changes before={before} after={build} comparison={comparison} otherDockerfile={otherDockerfile} />
    </Stack>
  );
}

interface FirstRunProps {
  comparison: Comparison;
  /** Files of the build directory that differ; null when that is not known. */
  files: string[] | null;
  /** There are more of them than these. */
  more: number;
  otherDockerfile: boolean;
}

/** The first step that missed the cache, and the files or arguments that changed for it. */
function FirstRun({ comparison, files, more, otherDockerfile }: FirstRunProps) {
  const { t } = useTranslation();
  const { firstRun, firstRunWasThere, differences, cacheOff } = comparison;
  if (!firstRun) return null;
  const copied = files && copiedBy(firstRun, files);
  const args = copied ? [] : differences.filter(({ field }) => field === "argument").map(({ name }) => name);
  const shown = copied?.slice(0, SHOWN_FILES) ?? [];
  const hidden = (copied?.length ?? 0) - shown.length + (shown.length > 0 ? more : 0);
  const unseen = firstRunWasThere && files && more === 0 && !copied?.length && args.length === 0 && !cacheOff && !otherDockerfile;
  return (
    <>
      <Text size="sm">
        {t("comparison.first_run")} <span className="mono foreign">{plainText(firstRun.name)}</span>
        {!firstRunWasThere && ` ${t("comparison.first_run_new")}`}
      </Text>
      {shown.length > 0 && (
        <Text size="sm" className="foreign">
          {t("comparison.changed_files", { count: (copied?.length ?? 0) + more, files: shown.map(foreignText).join(", ") })}
          {hidden > 0 && ` ${t("comparison.changed_more", { count: hidden })}`}
        </Text>
      )}
      {args.length > 0 && (
        <Text size="sm" className="foreign">
          {t("comparison.changed_args", { names: args.join(", ") })}
        </Text>
      )}
      {unseen && <Text size="sm">{t("comparison.unseen")}</Text>}
    </>
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
