import { Table, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";

import type { BuildView } from "../host/bindings";
import { foreignText } from "../words/ansi";
import { shortCommit, shortRef } from "../words/format";
import { PageLink } from "./Page";
import { useRepositoryNames } from "./names";
import { BuildStateMark } from "./StateMark";
import { Took, When } from "./Time";

/** Builds, newest first, in one table for every page. */
export function BuildsTable({ builds, withRepository = true }: { builds: BuildView[]; withRepository?: boolean }) {
  const { t } = useTranslation();
  const nameOf = useRepositoryNames();
  return (
    <div className="panel">
      <Table>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t("builds.number")}</Table.Th>
            <Table.Th>{t("builds.state")}</Table.Th>
            {withRepository && <Table.Th>{t("builds.repository")}</Table.Th>}
            <Table.Th>{t("builds.commit")}</Table.Th>
            <Table.Th className="room-l">{t("builds.rule")}</Table.Th>
            <Table.Th className="room-l">{t("builds.kind")}</Table.Th>
            <Table.Th className="room-m">{t("builds.tags")}</Table.Th>
            <Table.Th className="room-s">{t("builds.duration")}</Table.Th>
            <Table.Th>{t("builds.when")}</Table.Th>
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
              <Table.Td maw={280}>
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
              <Table.Td className="room-m mono clip" maw={200} title={build.tags.join(", ")}>
                <bdi>{build.tags.join(", ")}</bdi>
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
