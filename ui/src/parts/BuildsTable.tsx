import { Table, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";

import type { BuildColumn, BuildOrder, BuildView } from "../host/bindings";
import { foreignText } from "../words/ansi";
import { shortCommit, shortRef } from "../words/format";
import { readSort } from "../words/sort";
import { PageLink } from "./Page";
import { useRepositoryNames } from "./names";
import { SortHead } from "./Sorting";
import { BuildStateMark } from "./StateMark";
import { Took, When } from "./Time";

const columns: Record<BuildColumn, true> = { state: true, repository: true, rule: true, duration: true, time: true };

/** The order that the address asks for, as a part of the request; none is newest first. */
export function orderOf(sort: string | undefined): { order?: BuildOrder } {
  const by = readSort(sort, columns);
  return by ? { order: { column: by.column, descending: by.down } } : {};
}

/** The tags of an image that is there or on its way; what failed before it made one set none. */
const tagsOf = ({ state, image, ended_at, tags }: BuildView) =>
  state !== "succeeded" && ended_at !== null && image === null ? "" : tags.join(", ");

interface BuildsTableProps {
  builds: BuildView[];
  withRepository?: boolean;
  /** How the list is sorted, where it can be; the core does it. */
  sorting?: { sort: string | undefined; onSort: (sort: string | undefined) => void };
}

/** Builds in one table for every page. */
export function BuildsTable({ builds, withRepository = true, sorting }: BuildsTableProps) {
  const { t } = useTranslation();
  const nameOf = useRepositoryNames();
  const head = (column: BuildColumn, label: string, className = "") =>
    sorting ? (
      <SortHead column={column} className={className} {...sorting}>
        {label}
      </SortHead>
    ) : (
      <Table.Th className={className}>{label}</Table.Th>
    );
  return (
    <div className="panel">
      <Table>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t("builds.number")}</Table.Th>
            {head("state", t("builds.state"))}
            {withRepository && head("repository", t("builds.repository"))}
            <Table.Th>{t("builds.commit")}</Table.Th>
            {head("rule", t("builds.rule"), "room-l")}
            <Table.Th className="room-l">{t("builds.kind")}</Table.Th>
            <Table.Th className="room-m">{t("builds.tags")}</Table.Th>
            {head("duration", t("builds.duration"), "room-s")}
            {head("time", t("builds.when"))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {builds.map((build) => (
            <Table.Tr key={build.id}>
              <Table.Td>
                <PageLink to="/builds/$build" params={{ build: String(build.id) }}>
                  {t("builds.title", { number: build.number })}
                </PageLink>
              </Table.Td>
              <Table.Td>
                <BuildStateMark state={build.state} />
              </Table.Td>
              {withRepository && (
                <Table.Td>
                  <PageLink
                    to="/repositories/$repository/$tab"
                    params={{ repository: String(build.repository), tab: "build" }}
                    className="foreign"
                  >
                    {nameOf(build.repository)}
                  </PageLink>
                </Table.Td>
              )}
              <Table.Td className="build-commit">
                <Text size="sm" className="clip foreign" component="div">
                  {build.ref_name && foreignText(shortRef(build.ref_name))}{" "}
                  {build.commit && <span className="mono">{shortCommit(build.commit.id)}</span>}
                </Text>
                {build.commit && (
                  <Text fz={12} c="dimmed" className="clip foreign" title={foreignText(build.commit.summary)}>
                    {foreignText(build.commit.summary)} · {foreignText(build.commit.author)}
                  </Text>
                )}
              </Table.Td>
              <Table.Td className="room-l foreign">{build.inputs.rule_name}</Table.Td>
              <Table.Td className="room-l" style={{ whiteSpace: "nowrap" }}>{t(`builds.kind_${build.kind}`)}</Table.Td>
              <Table.Td className="room-m mono clip build-tags" title={tagsOf(build)}>
                <bdi>{tagsOf(build)}</bdi>
              </Table.Td>
              <Table.Td className="room-s">
                <Took from={build.started_at} to={build.ended_at} />
              </Table.Td>
              <Table.Td style={{ whiteSpace: "nowrap" }}>
                <When at={build.ended_at ?? build.created_at} />
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}
