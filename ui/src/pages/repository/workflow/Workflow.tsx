import { ActionIcon, Group, Select, Stack, Table, Text, Title, VisuallyHidden } from "@mantine/core";
import { IconChevronDown, IconChevronRight, IconSitemap } from "@tabler/icons-react";
import { useSearch } from "@tanstack/react-router";
import { Fragment } from "react";
import { useTranslation } from "react-i18next";

import type { BuildView, ImageRepositoryView, RuleView } from "../../../host/bindings";
import { useRead } from "../../../host/reads";
import { useFilters } from "../../../parts/dialog";
import { Empty, Filters, Listing } from "../../../parts/Listing";
import { orderOf } from "../../../parts/BuildsTable";
import { MoreBuilds, useGrowing } from "../../../parts/MoreBuilds";
import { PageButton, PageLink } from "../../../parts/Page";
import { SortHead } from "../../../parts/Sorting";
import { BuildStateMark } from "../../../parts/StateMark";
import { Took, When } from "../../../parts/Time";
import type { RepositorySearch } from "../../../routes";
import { foreignText } from "../../../words/ansi";
import { shortCommit, shortRef } from "../../../words/format";
import { WorkflowRun } from "./WorkflowRun";

const PAGE = 20;
/** The name that the generated workflow has in every image repository. */
const NAME = "workflow_docker_builder";
/** The address says that no run is to be open. */
const NONE = 0;

/** The workflow (工作流) that a repository's rules generate, and its execution history (执行历史): one run for each build. */
export function Workflow({ repository, rules }: { repository: ImageRepositoryView; rules: RuleView[] }) {
  const { t } = useTranslation();
  const { rule, run, sort } = useSearch({ from: "/repositories/$repository/$tab" });
  const filter = useFilters<RepositorySearch>();
  const { limit, grow } = useGrowing(PAGE, rule);
  const head = { sort, onSort: (next: string | undefined) => filter({ sort: next }) };
  const builds = useRead("builds.list", { repository: repository.id, limit, ...(rule === undefined ? {} : { rule }), ...orderOf(sort) }, { keep: true });
  const items = builds.data?.items ?? [];
  // Whoever comes here first sees the newest run.
  const shown = run ?? items[0]?.id;
  if (rules.length === 0 && builds.data?.items.length === 0 && rule === undefined) {
    return (
      <Empty
        sentence={t("workflow.empty")}
        action={
          <PageButton to="/repositories/$repository/$tab" params={{ repository: String(repository.id), tab: "build" }} variant="default">
            {t("repositories.tab_build")}
          </PageButton>
        }
      />
    );
  }
  return (
    <Stack gap="md">
      <Group gap="sm" wrap="nowrap">
        <IconSitemap size={18} aria-hidden style={{ flex: "none" }} />
        <div>
          <Title order={2} fz={15} fw={600} className="mono">
            {NAME}
          </Title>
          <Text size="sm" c="dimmed" className="foreign">
            {rules.length > 0 ? t("workflow.made_by", { rules: rules.map(({ spec }) => spec.name).join(", ") }) : t("workflow.no_rules")}
          </Text>
        </div>
      </Group>
      <Title order={3} fz={14} fw={600}>
        {t("workflow.history")}
      </Title>
      {rules.length > 0 && (
        <Filters>
          <Select
            aria-label={t("builds.rule")}
            data={[{ value: "", label: t("builds.all_rules") }, ...rules.map(({ id, spec }) => ({ value: String(id), label: spec.name }))]}
            value={rule?.toString() ?? ""}
            onChange={(chosen) => filter({ rule: chosen ? Number(chosen) : undefined, run: undefined })}
          />
        </Filters>
      )}
      <Listing
        read={builds}
        count={({ items: runs }) => runs.length}
        filtered={rule !== undefined}
        onClear={() => filter({ rule: undefined, run: undefined })}
        empty={<Empty sentence={t("workflow.no_runs")} />}
      >
        {(list) => (
          <>
            <div className="panel">
              <Table highlightOnHover={false}>
                <Table.Thead>
                  <Table.Tr>
                    <Table.Th w={44}>
                      <VisuallyHidden>{t("common.actions_column")}</VisuallyHidden>
                    </Table.Th>
                    <Table.Th>{t("workflow.run")}</Table.Th>
                    <SortHead column="state" {...head}>{t("builds.state")}</SortHead>
                    <Table.Th>{t("builds.commit")}</Table.Th>
                    <SortHead column="rule" className="room-m" {...head}>{t("builds.rule")}</SortHead>
                    <Table.Th className="room-m">{t("builds.kind")}</Table.Th>
                    <SortHead column="duration" className="room-s" {...head}>{t("builds.duration")}</SortHead>
                    <SortHead column="time" {...head}>{t("builds.when")}</SortHead>
                    <Table.Th>{t("workflow.log")}</Table.Th>
                  </Table.Tr>
                </Table.Thead>
                <Table.Tbody>
                  {list.items.map((build) => (
                    <Fragment key={build.id}>
                      <RunRow
                        build={build}
                        open={build.id === shown}
                        onOpen={() => filter({ run: build.id === shown ? NONE : build.id })}
                      />
                      {build.id === shown && (
                        <Table.Tr>
                          <Table.Td colSpan={9} p={0}>
                            <WorkflowRun id={build.id} />
                          </Table.Td>
                        </Table.Tr>
                      )}
                    </Fragment>
                  ))}
                </Table.Tbody>
              </Table>
            </div>
            <MoreBuilds list={list} limit={limit} loading={builds.isFetching} onMore={grow} search={{ repository: repository.id, ...(rule === undefined ? {} : { rule }), ...(sort ? { sort } : {}) }} />
          </>
        )}
      </Listing>
    </Stack>
  );
}

function RunRow({ build, open, onOpen }: { build: BuildView; open: boolean; onOpen: () => void }) {
  const { t } = useTranslation();
  const number = t("builds.title", { number: build.number });
  return (
    <Table.Tr aria-current={open || undefined}>
      <Table.Td>
        <ActionIcon aria-expanded={open} aria-label={t("workflow.show_run", { number: build.number })} onClick={onOpen}>
          {open ? <IconChevronDown size={16} aria-hidden /> : <IconChevronRight size={16} aria-hidden />}
        </ActionIcon>
      </Table.Td>
      <Table.Td>{number}</Table.Td>
      <Table.Td>
        <BuildStateMark state={build.state} />
      </Table.Td>
      <Table.Td maw={280}>
        <Text size="sm" className="clip foreign" component="div">
          {build.ref_name && foreignText(shortRef(build.ref_name))} {build.commit && <span className="mono">{shortCommit(build.commit.id)}</span>}{" "}
          {build.commit && (
            <Text component="span" size="sm" c="dimmed">
              {foreignText(build.commit.summary)}
            </Text>
          )}
        </Text>
      </Table.Td>
      <Table.Td className="room-m foreign">{build.inputs.rule_name}</Table.Td>
      <Table.Td className="room-m">{t(`builds.kind_${build.kind}`)}</Table.Td>
      <Table.Td className="room-s">
        <Took from={build.started_at} to={build.ended_at} />
      </Table.Td>
      <Table.Td style={{ whiteSpace: "nowrap" }}>
        <When at={build.ended_at ?? build.created_at} />
      </Table.Td>
      <Table.Td>
        <PageLink to="/builds/$build/$tab" params={{ build: String(build.id), tab: "log" }} aria-label={t("workflow.log_of", { number: build.number })}>
          {t("workflow.log")}
        </PageLink>
      </Table.Td>
    </Table.Tr>
  );
}
