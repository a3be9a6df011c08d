import { Button, Group, Menu, Stack, Tabs, Text } from "@mantine/core";
import { IconAdjustments, IconDots, IconHelp, IconPlayerStop, IconRefresh, IconTrash } from "@tabler/icons-react";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { readDialog } from "../../dialogs";
import type { BuildDetailView, BuildReason, BuildState } from "../../host/bindings";
import { failureOf } from "../../host/host";
import { useCall, useRead } from "../../host/reads";
import { fieldAtFault } from "../../host/warnings";
import { useDialog } from "../../parts/dialog";
import { ConfirmDialog } from "../../parts/Dialogs";
import { FailureNotice } from "../../parts/FailureNotice";
import { ListSkeleton } from "../../parts/Listing";
import { Page, PageButton, PageLink } from "../../parts/Page";
import { useRepositoryNames } from "../../parts/names";
import { BuildStateMark } from "../../parts/StateMark";
import { Took, When } from "../../parts/Time";
import { foreignText } from "../../words/ansi";
import { shortCommit, shortRef } from "../../words/format";
import { FiredByBuild } from "../triggers/FiredByBuild";
import { CommitReport } from "./CommitReport";
import { DockerfileTab } from "./DockerfileTab";
import { LogTab } from "./LogTab";
import { Parameters } from "./Parameters";
import { PreviousBuild } from "./PreviousBuild";
import { ReportDialog } from "./ReportDialog";
import { RerunDialog } from "./RerunDialog";
import { Result } from "./Result";
import { StagesBar } from "./StagesBar";
import { Timeline } from "./Timeline";

const tabs = ["log", "timeline", "dockerfile", "parameters", "result"] as const;
const over: BuildState[] = ["succeeded", "failed", "cancelled", "superseded", "skipped"];

/** One build: what it does now or how it ended, its log, and what can be done about it. */
export function BuildPage() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { build: named, tab: wantedTab } = useParams({ strict: false });
  const { step, dialog } = useSearch({ strict: false });
  const { open, close } = useDialog();
  const id = Number(named);
  const wanted = readDialog("/builds/$build/$tab", dialog);
  const read = useRead("builds.get", { id });
  const nameOf = useRepositoryNames();
  const cancel = useCall("builds.cancel");
  const rerun = useCall("builds.rerun");
  const tab = tabs.find((name) => name === wantedTab) ?? "log";

  if (!read.data) {
    if (!read.error) return <ListSkeleton />;
    return (
      <Page title={t("page.builds")} name={t("page.builds")}>
      <FailureNotice failure={failureOf(read.error)} onRetry={() => void read.refetch()}>
        <PageButton to="/builds" variant="default">
          {t("common.back_to_list")}
        </PageButton>
      </FailureNotice>
      </Page>
    );
  }
  const build = read.data;
  const fault = build.failure && fieldAtFault(build.failure);
  const isOver = over.includes(build.state);
  const title = t("builds.title", { number: build.number });
  const stopping = build.cancel_requested || cancel.isPending;
  const failed = rerun.error ?? cancel.error;
  return (
    <Page
      name={`${title} ${nameOf(build.repository)}`}
      title={
        <Group gap="sm" component="span" display="inline-flex" align="center">
          <span>{title}</span>
          <Text component="span" fw={400} lh={1} aria-live="polite">
            <BuildStateMark state={build.state} />
          </Text>
        </Group>
      }
      lead={<BuildLead build={build} name={nameOf(build.repository)} />}
      action={
        <>
          {isOver ? (
            <Button
              leftSection={<IconRefresh size={14} aria-hidden />}
              loading={rerun.isPending}
              onClick={() =>
                rerun.mutate({ id }, { onSuccess: (next) => void navigate({ to: "/builds/$build", params: { build: String(next.id) } }) })
              }
            >
              {t("builds.rerun")}
            </Button>
          ) : (
            <Button
              variant="default"
              leftSection={<IconPlayerStop size={14} aria-hidden />}
              loading={stopping}
              onClick={() => cancel.mutate({ id })}
            >
              {t("builds.cancel")}
            </Button>
          )}
          {isOver && (
            <Menu position="bottom-end">
              <Menu.Target>
                <Button variant="default" px="xs" aria-label={t("common.actions", { name: title })}>
                  <IconDots size={16} aria-hidden />
                </Button>
              </Menu.Target>
              <Menu.Dropdown>
                {build.kind !== "upload" && (
                  <Menu.Item leftSection={<IconAdjustments size={14} aria-hidden />} onClick={() => open("rerun")}>
                    {t("builds.rerun_changed")}
                  </Menu.Item>
                )}
                <Menu.Item c="red" leftSection={<IconTrash size={14} aria-hidden />} onClick={() => open("delete")}>
                  {t("builds.delete")}
                </Menu.Item>
              </Menu.Dropdown>
            </Menu>
          )}
        </>
      }
    >
      {failed && <FailureNotice failure={failureOf(failed)} />}
      <StagesBar build={build} />
      <FiredByBuild build={build} />
      {build.report && <CommitReport report={build.report} />}
      {build.reason && <Reason reason={build.reason} />}
      {build.failure && build.state !== "cancelled" && (
        <FailureNotice failure={build.failure}>
          {build.rule !== null && (
            <PageButton
              variant="default"
              to="/repositories/$repository/$tab"
              params={{ repository: String(build.repository), tab: "build" }}
              search={{ dialog: fault ? `rule.${build.rule}.${fault}` : `rule.${build.rule}` }}
            >
              {t(fault ? "builds.open_field" : "builds.open_rule")}
            </PageButton>
          )}
          <Button variant="default" leftSection={<IconHelp size={14} aria-hidden />} onClick={() => open("report")}>
            {t("builds.report_open")}
          </Button>
        </FailureNotice>
      )}
      <Tabs
        value={tab}
        keepMounted={false}
        onChange={(name) => void navigate({ to: "/builds/$build/$tab", params: { build: String(id), tab: name ?? "log" }, replace: true })}
      >
        <Tabs.List>
          {tabs.filter((name) => name !== "dockerfile" || build.inputs.code !== null || build.inputs.upload?.kind === "dockerfile").map((name) => (
            <Tabs.Tab key={name} value={name}>
              {t(`builds.tab_${name}`)}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="log" pt="md">
          <LogTab key={id} build={build} step={step} />
        </Tabs.Panel>
        <Tabs.Panel value="timeline" pt="md">
          <Stack gap="md">
            <PreviousBuild build={build} />
            <Timeline build={build} />
          </Stack>
        </Tabs.Panel>
        <Tabs.Panel value="dockerfile" pt="md">
          <DockerfileTab build={build} />
        </Tabs.Panel>
        <Tabs.Panel value="parameters" pt="md">
          <Parameters build={build} />
        </Tabs.Panel>
        <Tabs.Panel value="result" pt="md">
          <Result build={build} />
        </Tabs.Panel>
      </Tabs>
      {wanted?.kind === "rerun" && <RerunDialog key={id} build={build} onClose={close} />}
      {wanted?.kind === "report" && <ReportDialog build={build} name={nameOf(build.repository)} onClose={close} />}
      {wanted?.kind === "delete" && <DeleteBuild build={build} onClose={close} />}
    </Page>
  );
}

function BuildLead({ build, name }: { build: BuildDetailView; name: string }) {
  const { t } = useTranslation();
  return (
    <Group gap={6}>
      <PageLink to="/repositories/$repository/$tab" params={{ repository: String(build.repository), tab: "build" }} className="foreign">
        {name}
      </PageLink>
      {(build.ref_name || build.commit) && (
        <>
          <span aria-hidden>·</span>
          <span className="foreign">
            {build.ref_name && foreignText(shortRef(build.ref_name))} {build.commit && <span className="mono">{shortCommit(build.commit.id)}</span>}
          </span>
        </>
      )}
      {build.commit && (
        <>
          <span className="foreign">“{foreignText(build.commit.summary)}”</span>
          <span aria-hidden>·</span>
          <span className="foreign">{foreignText(build.commit.author)}</span>
        </>
      )}
      <span aria-hidden>·</span>
      <span>{t(`builds.kind_${build.kind}`)}</span>
      {build.started_at && (
        <>
          <span aria-hidden>·</span>
          <Took from={build.started_at} to={build.ended_at} />
        </>
      )}
      <span aria-hidden>·</span>
      <When at={build.ended_at ?? build.started_at ?? build.created_at} />
    </Group>
  );
}

/** Why a build was skipped, superseded or waits. */
function Reason({ reason }: { reason: BuildReason }) {
  const { t } = useTranslation();
  switch (reason.kind) {
    case "waiting":
      return <FailureNotice failure={reason.failure} warning />;
    case "skip_word":
      return <Text size="sm">{t("builds.reason_skip_word", { word: reason.word })}</Text>;
    case "path_filter":
      return <Text size="sm">{t("builds.reason_path_filter", { changed: reason.changed })}</Text>;
    case "ref_deleted":
      return <Text size="sm">{t("builds.reason_ref_deleted")}</Text>;
    case "superseded_by":
      return (
        <Text size="sm">
          {t("builds.reason_superseded_by")}{" "}
          <PageLink underline="always" to="/builds/$build" params={{ build: String(reason.build) }}>
            {t("builds.reason_superseded_link")}
          </PageLink>
        </Text>
      );
  }
}

function DeleteBuild({ build, onClose }: { build: BuildDetailView; onClose: () => void }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const remove = useCall("builds.delete");
  return (
    <ConfirmDialog
      title={t("builds.delete_title", { number: build.number })}
      text={t("builds.delete_text")}
      confirmLabel={t("common.delete")}
      onClose={onClose}
      onConfirm={() => remove.mutate({ id: build.id }, { onSuccess: () => void navigate({ to: "/builds" }) })}
      busy={remove.isPending}
      error={remove.error}
    />
  );
}
