import { Button, Group, Stack, Text } from "@mantine/core";
import { IconBolt } from "@tabler/icons-react";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";

import { failureOf, type ShownFailure } from "../../host/host";
import { useCall, useRead } from "../../host/reads";
import { useNow } from "../../parts/clock";
import { FailureNotice } from "../../parts/FailureNotice";
import { PageButton } from "../../parts/Page";
import { reasonWords, refusalsOf, refusalWords } from "../../words/deploy";
import { targetName, targetPath } from "../../words/targets";
import { FiringLog, isOver } from "../triggers/FiringDrawer";
import { Addresses } from "./Addresses";
import { FiringStateMark } from "./marks";

interface RunProgressProps {
  id: number;
  /** Whose image it is, when it is one of ours: a trigger can be made for it. */
  repository: number | null;
  /** Back to the form, with what went wrong. */
  onBack: (failure: ShownFailure | null) => void;
  /** It runs. */
  onDone: () => void;
  onClose: () => void;
}

/** How starting an image goes; at the end its address, and the offer to keep it up to date. */
export function RunProgress({ id, repository, onBack, onDone, onClose }: RunProgressProps) {
  const { t } = useTranslation();
  const now = useNow();
  const read = useRead("firings.get", { id });
  const cancel = useCall("firings.cancel");
  const firing = read.data?.firing;
  const done = firing?.state === "succeeded";
  const target = useRead("targets.get", { target: firing?.target ?? { kind: "container", engine: "local", name: "-" } }, { enabled: done });
  const told = useRef(false);
  useEffect(() => {
    if (done && !told.current) {
      told.current = true;
      onDone();
    }
  }, [done, onDone]);
  if (!firing) return read.error ? <FailureNotice failure={failureOf(read.error)} onRetry={() => void read.refetch()} /> : <Text size="sm">{t("common.loading")}</Text>;
  const over = isOver(firing);
  const outcome = read.data?.outcome;
  const state = target.data?.target.state ?? (outcome && "after" in outcome ? outcome.after : null);
  const refusals = refusalsOf(read.data?.plan ?? null, outcome ?? null);
  return (
    <Stack gap="md">
      <Group gap="sm" aria-live="polite">
        <FiringStateMark state={firing.state} />
        <Text size="sm" className="foreign">
          {done ? t("run.runs", { name: targetName(firing.target) }) : targetName(firing.target)}
        </Text>
      </Group>
      {firing.reason && !done && <Text size="sm">{reasonWords(t, firing.reason, now)}</Text>}
      {firing.failure && !done && <FailureNotice failure={firing.failure} warning={!over} />}
      {refusals.map((refusal, at) => (
        <Text key={at} size="sm">
          {refusalWords(t, refusal)}
        </Text>
      ))}
      {done && state && (state.addresses.length > 0 ? <Addresses target={firing.target} addresses={state.addresses} /> : <Text size="sm" c="dimmed">{t("run.no_address")}</Text>)}
      {done && repository !== null && <Text size="sm">{t("run.trigger_offer")}</Text>}
      {!done && <FiringLog firing={firing} />}
      {cancel.error && <FailureNotice failure={failureOf(cancel.error)} />}
      <Group gap="sm" justify="flex-end">
        {!over && (
          <Button variant="default" loading={cancel.isPending || firing.cancel_requested} onClick={() => cancel.mutate({ id })}>
            {t("firings.cancel")}
          </Button>
        )}
        {over && !done && (
          <Button variant="default" onClick={() => onBack(firing.failure)}>
            {t("run.back")}
          </Button>
        )}
        {done && (
          <PageButton variant="default" to="/targets" search={{ dialog: `target.${targetPath(firing.target)}` }}>
            {t("run.show_target")}
          </PageButton>
        )}
        {done && repository !== null ? (
          <PageButton
            leftSection={<IconBolt size={14} aria-hidden />}
            to="/repositories/$repository/$tab"
            params={{ repository: String(repository), tab: "triggers" }}
            search={{ dialog: `new-trigger.${targetPath(firing.target)}` }}
          >
            {t("run.make_trigger")}
          </PageButton>
        ) : (
          <Button variant={over ? "filled" : "default"} onClick={onClose}>
            {t("common.close")}
          </Button>
        )}
      </Group>
    </Stack>
  );
}
