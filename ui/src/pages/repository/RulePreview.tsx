import { Button, Group, List, Stack, Text, Title } from "@mantine/core";
import { IconAlertTriangle, IconCircleCheck, IconLoader2 } from "@tabler/icons-react";
import type { UseQueryResult } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import type { Failure, ImageRepositoryView, PreflightView, RulePreviewView } from "../../host/bindings";
import { failureKeys } from "../../host/failures";
import { type CallFailed, failureOf } from "../../host/host";
import { useRead } from "../../host/reads";
import { findingWords, suggestionsOf } from "../../host/warnings";
import { FailureNotice } from "../../parts/FailureNotice";
import { referenceOf } from "../../parts/names";
import { Mark } from "../../parts/StateMark";
import { shortRef } from "../../words/format";

const SHOWN_REFS = 6;

interface RulePreviewProps {
  hasCode: boolean;
  preview: UseQueryResult<RulePreviewView, CallFailed>;
  preflight: UseQueryResult<PreflightView, CallFailed>;
  /** The checks of what stands in the form are not back yet. */
  checking: boolean;
  /** Enough is filled in to be checked. */
  checkable: boolean;
  overwriteTag: string | null;
  repository: ImageRepositoryView;
  /** Takes a path that is there instead of one that is not. */
  onDockerfile: (path: string) => void;
  /** Offers starters for code without a Dockerfile. */
  onStarters: () => void;
}

/** What a rule would do now: the refs it matches, the tags it would make, and the checks before saving. */
export function RulePreview({ hasCode, preview, preflight, checking, checkable, overwriteTag, repository, onDockerfile, onStarters }: RulePreviewProps) {
  const { t } = useTranslation();
  const registries = useRead("registries.list", {}).data ?? [];
  if (!hasCode) {
    return (
      <Text className="panel" p="md" size="sm" c="dimmed">
        {t("rules.live_pick")}
      </Text>
    );
  }
  const matching = preview.data?.matching ?? [];
  const hidden = matching.length - SHOWN_REFS;
  return (
    <>
      <Stack gap="sm" className="panel" p="md" component="section" aria-live="polite">
        <Title order={3} fz={14} fw={600}>
          {t("rules.live_matches")}
          {preview.data && (
            <Text component="span" size="sm" c="dimmed" ml="sm">
              {t("rules.live_count", { matching: matching.length, of: preview.data.of })}
            </Text>
          )}
        </Title>
        {preview.error && <FailureNotice failure={failureOf(preview.error)} />}
        {preview.data && matching.length === 0 && (
          <Text size="sm" c="dimmed">
            {t("rules.live_none")}
          </Text>
        )}
        {matching.length > 0 && (
          <>
            <Text size="sm" className="foreign">
              {matching.slice(0, SHOWN_REFS).map(({ name }) => shortRef(name)).join(", ")}
              {hidden > 0 && ` ${t("rules.live_more", { count: hidden })}`}
            </Text>
            <Text size="sm" fw={600}>
              {t("rules.live_would")}
            </Text>
            <List listStyleType="none" spacing={2}>
              {matching.slice(0, SHOWN_REFS).flatMap(({ name, tags, failure }) =>
                failure
                  ? [
                      <List.Item key={name}>
                        <Mark tone="warn" word={`${shortRef(name)}: ${t(failureKeys(failure.code).what)}`} />
                      </List.Item>,
                    ]
                  : tags.map((tag) => (
                      <List.Item key={`${name} ${tag}`} className="mono foreign">
                        {referenceOf(repository, registries)}:{tag}
                      </List.Item>
                    )),
              )}
              {overwriteTag && (
                <List.Item className="mono foreign">
                  {referenceOf(repository, registries)}:{overwriteTag}
                </List.Item>
              )}
            </List>
          </>
        )}
        {preview.data?.collisions.map(({ tag, refs }) => (
          <Text key={tag} size="sm" className="foreign" style={{ color: "var(--state-warn)" }}>
            {t("rules.live_collision", { tag, refs: refs.map(shortRef).join(", ") })}
          </Text>
        ))}
      </Stack>
      <Stack gap="sm" className="panel" p="md" component="section" aria-live="polite" aria-busy={checking}>
        <Title order={3} fz={14} fw={600}>
          {t("rules.preflight")}
        </Title>
        {!checking && !checkable && (
          <Text size="sm" c="dimmed">
            {t("rules.preflight_waits")}
          </Text>
        )}
        {checking && (
          <Text size="sm" c="dimmed" style={{ display: "flex", gap: 6 }}>
            <IconLoader2 size={16} className="turning" aria-hidden style={{ flex: "none" }} />
            {t("rules.preflight_running")}
          </Text>
        )}
        {checkable && preflight.error && <FailureNotice failure={failureOf(preflight.error)} onRetry={() => void preflight.refetch()} />}
        {checkable && preflight.data && !preflight.error && <Findings found={preflight.data} checking={checking} onDockerfile={onDockerfile} onStarters={onStarters} />}
      </Stack>
    </>
  );
}

function Findings({ found, checking, onDockerfile, onStarters }: { found: PreflightView; checking: boolean } & Pick<RulePreviewProps, "onDockerfile" | "onStarters">) {
  const { t } = useTranslation();
  const all = [
    ...found.errors.map((failure) => ({ failure, tone: "bad" as const, word: t("rules.preflight_error") })),
    // Tags that collide stand with the matches already.
    ...found.warnings.filter(({ details }) => details?.warning !== "collision").map((failure) => ({ failure, tone: "warn" as const, word: t("rules.preflight_warning") })),
  ];
  return (
    <>
      {all.length === 0 && !checking && (
        <Text size="sm" style={{ color: "var(--state-good)", display: "flex", gap: 6 }}>
          <IconCircleCheck size={16} aria-hidden style={{ flex: "none" }} />
          {t("rules.preflight_ok")}
        </Text>
      )}
      {all.map(({ failure, tone, word }, index) => (
        <div key={index}>
          <Mark tone={tone} word={word} {...(tone === "bad" ? {} : { icon: IconAlertTriangle })} />
          <Finding failure={failure} />
          {failure.code === "dockerfile_missing" && (
            <Group gap="xs" mt={4}>
              {suggestionsOf(failure).map((path) => (
                <Button key={path} size="compact-xs" variant="default" className="foreign" onClick={() => onDockerfile(path)}>
                  {t("rules.use_suggestion", { path })}
                </Button>
              ))}
              <Button size="compact-xs" variant="default" onClick={onStarters}>
                {t("rules.add_dockerfile")}
              </Button>
            </Group>
          )}
        </div>
      ))}
      {found.on_ref && (
        <Text fz={12} c="dimmed" className="foreign">
          {t("rules.preflight_on", { ref: shortRef(found.on_ref) })}
        </Text>
      )}
    </>
  );
}

/** One finding in words; what the core said stands below when the words do not hold it already. */
function Finding({ failure }: { failure: Failure }) {
  const { t } = useTranslation();
  const { what, next } = findingWords(t, failure);
  return (
    <>
      <Text size="sm" className="foreign">
        {what} {next}
      </Text>
      {!failure.details?.warning && (
        <Text className="mono foreign" c="dimmed">
          {failure.message}
        </Text>
      )}
    </>
  );
}
