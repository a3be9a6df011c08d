import { Group, Stack, Text, Title } from "@mantine/core";
import type { UseQueryResult } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import type { DeployTarget, TriggerId, TriggerPreviewView } from "../../host/bindings";
import { type CallFailed, failureOf } from "../../host/host";
import { useRead } from "../../host/reads";
import { FailureNotice } from "../../parts/FailureNotice";
import { Mark } from "../../parts/StateMark";
import { refusalWords } from "../../words/deploy";
import { Addresses } from "../targets/Addresses";
import { HealthMark } from "../targets/marks";
import { RunningImageText } from "../targets/TargetVersionText";

const SHOWN_TAGS = 8;

interface TriggerLiveProps {
  /** Which trigger is edited; none while one is made. */
  trigger: TriggerId | null;
  preview: UseQueryResult<TriggerPreviewView, CallFailed>;
  /** The condition is whole enough to be asked about. */
  asked: boolean;
  target: DeployTarget | null;
}

/** What a trigger would do: which tags fire it, what its target runs now, and what happens when the new image fails. */
export function TriggerLive({ trigger, preview, asked, target }: TriggerLiveProps) {
  const { t } = useTranslation();
  const matching = preview.data?.matching ?? [];
  const hidden = matching.length - SHOWN_TAGS;
  return (
    <>
      <Stack gap="sm" className="panel" p="md" component="section" aria-live="polite" aria-label={t("image_triggers.live_tags")}>
        {preview.error && asked ? (
          <FailureNotice failure={failureOf(preview.error)} />
        ) : !asked || !preview.data ? (
          <Text size="sm" c="dimmed">
            {t(asked ? "common.loading" : "image_triggers.live_type")}
          </Text>
        ) : (
          <>
            <Title order={3} fz={14} fw={600}>
              {t(preview.data.of === 0 ? "image_triggers.live_no_tags" : "image_triggers.live_count", { matching: matching.length, count: preview.data.of })}
            </Title>
            {matching.length > 0 && (
              <Text className="mono foreign">
                {matching.slice(0, SHOWN_TAGS).join(", ")}
                {hidden > 0 && ` ${t("rules.live_more", { count: hidden })}`}
              </Text>
            )}
            <Text size="sm" c="dimmed">
              {t("image_triggers.live_from_now")}
            </Text>
          </>
        )}
      </Stack>
      {target && target.kind !== "webhook" && <TargetNow target={target} trigger={trigger} />}
      {target && (
        <Stack gap="xs" className="panel" p="md" component="section">
          <Title order={3} fz={14} fw={600}>
            {t("image_triggers.on_failure")}
          </Title>
          <Text size="sm">{t(`image_triggers.on_failure_${target.kind}`)}</Text>
          {target.kind === "compose_service" && (
            <Text size="sm" c="dimmed">
              {t("deploy.note_compose_up_returns")}
            </Text>
          )}
        </Stack>
      )}
    </>
  );
}

/** What a target runs now, and what stands against updating it. */
export function TargetNow({ target, trigger = null }: { target: DeployTarget; trigger?: TriggerId | null }) {
  const { t } = useTranslation();
  const read = useRead("targets.get", { target });
  const view = read.data?.target;
  const failure = view?.failure ?? (read.error && failureOf(read.error));
  const others = view?.triggers.filter(({ id, enabled }) => enabled && id !== trigger) ?? [];
  return (
    <Stack gap="sm" className="panel" p="md" component="section" aria-label={t("image_triggers.runs_now")}>
      <Group justify="space-between">
        <Title order={3} fz={14} fw={600}>
          {t("image_triggers.runs_now")}
        </Title>
        {view?.state && <HealthMark health={view.state.health} />}
      </Group>
      {failure && <FailureNotice failure={failure} warning />}
      {!view && !failure && (
        <Text size="sm" c="dimmed">
          {t("common.loading")}
        </Text>
      )}
      {view?.state?.image && (
        <div>
          <RunningImageText image={view.state.image} />
        </div>
      )}
      {view?.state && <Addresses target={target} addresses={view.state.addresses} />}
      {view?.state?.problems.map((problem, at) => <Mark key={at} tone="warn" word={refusalWords(t, problem)} />)}
      {view?.pin && <Mark tone="warn" word={t("targets.pinned_short")} />}
      {others.map(({ id, name }) => (
        <Mark key={id} tone="warn" word={t("image_triggers.also_updated_by", { name })} />
      ))}
    </Stack>
  );
}
