import { Group, Stack, Text } from "@mantine/core";
import type { TFunction } from "i18next";
import { useTranslation } from "react-i18next";

import type { QueueRow, WaitReason } from "../host/bindings";
import { failureKeys } from "../host/failures";
import { relativeWords, shortCommit, shortRef } from "../words/format";
import { useNow } from "./clock";
import { PageLink } from "./Page";
import { useRepositoryNames } from "./names";
import { BuildStateMark } from "./StateMark";
import { Took } from "./Time";

function waitWords(t: TFunction, reason: WaitReason, now: number): string {
  switch (reason.kind) {
    case "slots":
      return t("builds.wait_slots", { ahead: reason.ahead });
    case "same_ref":
      return t("builds.wait_same_ref");
    case "backoff":
      return t("builds.wait_backoff", { when: relativeWords(t, Date.parse(reason.until), now) });
    case "outside":
      return t("builds.wait_outside", { what: t(failureKeys(reason.failure.code).what) });
  }
}

/** Unfinished builds, each with the reason why it waits. */
export function QueueRows({ rows }: { rows: QueueRow[] }) {
  const { t } = useTranslation();
  const now = useNow();
  const nameOf = useRepositoryNames();
  return (
    <Stack gap="sm">
      {rows.map(({ build, waits_for }) => (
        <div key={build.id}>
          <Group gap="sm" wrap="nowrap">
            <BuildStateMark state={build.state} />
            <PageLink to="/builds/$build" params={{ build: String(build.id) }} className="clip">
              {nameOf(build.repository)} {t("builds.title", { number: build.number })}
            </PageLink>
            <Text size="sm" c="dimmed" className="clip foreign" style={{ flex: 1 }}>
              {build.ref_name && shortRef(build.ref_name)} {build.commit && shortCommit(build.commit.id)}
            </Text>
            <Text size="sm" c="dimmed">
              <Took from={build.started_at} to={build.ended_at} />
            </Text>
          </Group>
          {waits_for && (
            <Text fz={12} c="dimmed" pl={20}>
              {waitWords(t, waits_for, now)}
            </Text>
          )}
        </div>
      ))}
    </Stack>
  );
}
