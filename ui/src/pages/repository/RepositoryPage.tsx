import { Alert, Button, Group, Menu, Tabs, Text } from "@mantine/core";
import { IconChevronDown, IconFileCode, IconLock, IconPlayerPlay, IconServer2, IconUpload } from "@tabler/icons-react";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { readDialog } from "../../dialogs";
import { failureOf } from "../../host/host";
import { useRead } from "../../host/reads";
import { Copyable } from "../../parts/Copyable";
import { useDialog } from "../../parts/dialog";
import { FailureNotice } from "../../parts/FailureNotice";
import { ListSkeleton } from "../../parts/Listing";
import { Page, PageButton, PageLink } from "../../parts/Page";
import { BuildStateMark } from "../../parts/StateMark";
import { When } from "../../parts/Time";
import { RunImageDialog } from "../targets/RunImageDialog";
import { FiringDrawer } from "../triggers/FiringDrawer";
import { DeleteFiring, DeleteTrigger } from "../triggers/TriggerDialogs";
import { TriggerEditor } from "../triggers/TriggerEditor";
import { Triggers } from "../triggers/Triggers";
import { BuildNowDialog } from "./BuildNowDialog";
import { shortcutCommands } from "./commands";
import { DeleteRepository } from "./DeleteRepository";
import { DeleteRule, DuplicateRule } from "./RuleDialogs";
import { DockerfileBuildDialog } from "./DockerfileBuildDialog";
import { ImageBuild } from "./ImageBuild";
import { Info } from "./Info";
import { RepositoryDrawer } from "./RepositoryDrawer";
import { RuleEditor } from "./RuleEditor";
import { UploadImageDialog } from "./UploadImageDialog";
import { CompareVersions } from "./versions/CompareVersions";
import { RetentionDialog } from "./versions/RetentionDialog";
import { CopyVersion, DeleteVersions } from "./versions/VersionDialogs";
import { VersionDrawer } from "./versions/VersionDrawer";
import { Versions } from "./versions/Versions";
import { Workflow } from "./workflow/Workflow";

const tabs = ["versions", "build", "triggers", "workflow", "info"] as const;

/** One image repository: its rules and builds, and how to use it. */
export function RepositoryPage() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { repository, tab: wantedTab } = useParams({ from: "/repositories/$repository/$tab" });
  const { dialog } = useSearch({ from: "/repositories/$repository/$tab" });
  const { open, close } = useDialog();
  const id = Number(repository);
  const read = useRead("image_repositories.get", { id });
  const rules = useRead("rules.list", { repository: id });
  const triggers = useRead("triggers.list", { repository: id }).data;
  const last = useRead("builds.list", { repository: id, limit: 1 }).data?.items[0];
  const good = useRead("builds.list", { repository: id, states: ["succeeded"], limit: 1 }).data?.items[0];
  const registries = useRead("registries.list", {}).data ?? [];
  const tab = tabs.find((name) => name === wantedTab) ?? "versions";

  if (!read.data) {
    if (!read.error) return <ListSkeleton />;
    return (
      <Page title={t("page.repositories")} name={t("page.repositories")}>
      <FailureNotice failure={failureOf(read.error)} onRetry={() => void read.refetch()}>
        <PageButton to="/repositories" variant="default">
          {t("common.back_to_list")}
        </PageButton>
      </FailureNotice>
      </Page>
    );
  }
  const view = read.data;
  const wanted = readDialog("/repositories/$repository/$tab", dialog);
  const rule = rules.data?.find((one) => one.id === wanted?.id);
  const trigger = triggers?.find((one) => one.id === wanted?.id);
  const readOnly = view.read_only_reason;
  const hasRules = (rules.data?.length ?? 0) > 0;
  const pull = shortcutCommands(view, registries, good?.tags[0] ?? "latest").find(({ name }) => name === "pull" || name === "run");
  const lead = last ? (
    <Group gap="sm">
      <BuildStateMark state={last.state} />
      <PageLink to="/builds/$build" params={{ build: String(last.id) }}>
        {t("repositories.last_line", { number: last.number })}
      </PageLink>
      <When at={last.ended_at ?? last.created_at} />
      {good && pull && <Copyable text={pull.text} />}
    </Group>
  ) : (
    t("repositories.no_build")
  );
  return (
    <Page
      title={view.spec.name}
      name={view.spec.name}
      lead={lead}
      action={
        <>
          {hasRules && (
            <Button leftSection={<IconPlayerPlay size={14} aria-hidden />} disabled={readOnly !== null} onClick={() => open("now")}>
              {t("rules.build_now")}
            </Button>
          )}
          <Menu position="bottom-end">
            <Menu.Target>
              {hasRules ? (
                <Button variant="default" px="xs" aria-label={t("builds.other_ways")}>
                  <IconChevronDown size={16} aria-hidden />
                </Button>
              ) : (
                <Button variant="default" rightSection={<IconChevronDown size={16} aria-hidden />}>
                  {t("builds.other_ways")}
                </Button>
              )}
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item disabled={readOnly !== null} leftSection={<IconFileCode size={14} aria-hidden />} onClick={() => open("dockerfile")}>
                {t("builds.dockerfile_title")}
              </Menu.Item>
              <Menu.Item disabled={readOnly !== null} leftSection={<IconUpload size={14} aria-hidden />} onClick={() => open("upload-image")}>
                {t("builds.upload_title")}
              </Menu.Item>
              <Menu.Item leftSection={<IconServer2 size={14} aria-hidden />} onClick={() => open("run-image")}>
                {t("run.title")}
              </Menu.Item>
            </Menu.Dropdown>
          </Menu>
        </>
      }
    >
      {readOnly && (
        <Alert color="yellow" p="sm" icon={<IconLock aria-hidden />} role="status">
          <Group justify="space-between" wrap="nowrap">
            <div>
              <Text size="sm">{t("repositories.read_only_why")}</Text>
              <Text className="mono foreign" c="dimmed">
                {readOnly.message}
              </Text>
            </div>
            <Button variant="default" onClick={() => open("edit")}>
              {t("repositories.change_credential")}
            </Button>
          </Group>
        </Alert>
      )}
      <Tabs
        value={tab}
        onChange={(name) => void navigate({ to: "/repositories/$repository/$tab", params: { repository, tab: name ?? "versions" } })}
        keepMounted={false}
      >
        <Tabs.List>
          {tabs.map((name) => (
            <Tabs.Tab key={name} value={name}>
              {t(`repositories.tab_${name}`)}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="versions" pt="lg">
          <Versions repository={view} />
        </Tabs.Panel>
        <Tabs.Panel value="build" pt="lg">
          <ImageBuild repository={view} rules={rules} />
        </Tabs.Panel>
        <Tabs.Panel value="triggers" pt="lg">
          <Triggers repository={view} />
        </Tabs.Panel>
        <Tabs.Panel value="workflow" pt="lg">
          {rules.data && <Workflow repository={view} rules={rules.data} />}
        </Tabs.Panel>
        <Tabs.Panel value="info" pt="lg">
          <Info repository={view} />
        </Tabs.Panel>
      </Tabs>
      {wanted?.kind === "edit" && <RepositoryDrawer repository={view} onClose={close} />}
      {wanted?.kind === "delete" && (
        <DeleteRepository repository={view} onClose={close} onDeleted={() => void navigate({ to: "/repositories" })} />
      )}
      {wanted?.kind === "now" && rules.data && hasRules && (
        <BuildNowDialog rules={rules.data} {...(rule ? { rule } : {})} onClose={close} />
      )}
      {wanted?.kind === "dockerfile" && <DockerfileBuildDialog repository={view} onClose={close} />}
      {wanted?.kind === "upload-image" && <UploadImageDialog repository={view} onClose={close} />}
      {wanted?.kind === "new-rule" && <RuleEditor repository={view} onClose={close} />}
      {wanted?.kind === "rule" && rule && <RuleEditor key={rule.id} repository={view} rule={rule} at={wanted.rest} onClose={close} />}
      {wanted?.kind === "version" && <VersionDrawer key={wanted.subject} repository={view} tag={wanted.subject} onClose={close} />}
      {wanted?.kind === "delete-version" && <DeleteVersions repository={view} tags={wanted.subject.split(",")} onClose={close} />}
      {wanted?.kind === "copy-version" && <CopyVersion repository={view} tag={wanted.subject} onClose={close} />}
      {wanted?.kind === "compare" && <CompareVersions repository={view} tags={wanted.subject.split(",")} onClose={close} />}
      {wanted?.kind === "run-image" && <RunImageDialog key={wanted.subject} repository={view} tag={wanted.subject} onClose={close} />}
      {wanted?.kind === "retention" && <RetentionDialog repository={view} onClose={close} />}
      {wanted?.kind === "new-trigger" && <TriggerEditor key={wanted.subject} repository={view} at={wanted.subject} onClose={close} />}
      {wanted?.kind === "trigger" && trigger && <TriggerEditor key={trigger.id} repository={view} trigger={trigger} onClose={close} />}
      {wanted?.kind === "delete-trigger" && trigger && <DeleteTrigger trigger={trigger} onClose={close} />}
      {wanted?.kind === "record" && <FiringDrawer key={wanted.id} id={wanted.id} onClose={close} />}
      {wanted?.kind === "delete-record" && <DeleteFiring id={wanted.id} onClose={close} />}
      {wanted?.kind === "delete-rule" && rule && <DeleteRule rule={rule} onClose={close} />}
      {wanted?.kind === "duplicate-rule" && rule && <DuplicateRule rule={rule} onClose={close} />}
    </Page>
  );
}
