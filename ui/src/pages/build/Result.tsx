import { Group, Progress, Stack, Table, Text, VisuallyHidden } from "@mantine/core";
import { useTranslation } from "react-i18next";

import type { BuildDetailView, PublicationState } from "../../host/bindings";
import { useRead } from "../../host/reads";
import { useNow } from "../../parts/clock";
import { Copyable } from "../../parts/Copyable";
import { FailureNotice } from "../../parts/FailureNotice";
import { Empty } from "../../parts/Listing";
import { PageLink } from "../../parts/Page";
import { Mark, type Tone } from "../../parts/StateMark";
import { bytesWords, platformText, relativeWords, shortDigest } from "../../words/format";

const toneOf: Record<PublicationState, Tone> = {
  waiting: "still",
  pushing: "busy",
  done: "good",
  unchanged: "good",
  kept_newer: "warn",
  failed: "bad",
};

/** The image that came out, and where each of its tags stands. */
export function Result({ build }: { build: BuildDetailView }) {
  const { t } = useTranslation();
  const now = useNow();
  const { image, publications, push } = build;
  const pullable = publications.find(({ state, target }) => (state === "done" || state === "unchanged") && target.includes("/"));
  const registries = useRead("registries.list", {}).data;
  const repository = useRead("image_repositories.get", { id: build.repository }).data;
  const registry = registries?.find(({ id }) => id === repository?.spec.registry);
  if (!image && publications.length === 0) {
    return <Empty sentence={t(build.ended_at ? "result.none" : "result.not_yet")} />;
  }
  return (
    <Stack gap="lg">
      {image && (
        <div className="panel">
          <Table variant="vertical" highlightOnHover={false}>
            <Table.Tbody>
              <Table.Tr>
                <Table.Th w={180}>{t("result.image")}</Table.Th>
                <Table.Td>
                  <Copyable text={image.id} />
                </Table.Td>
              </Table.Tr>
              <Table.Tr>
                <Table.Th>{t("result.size")}</Table.Th>
                <Table.Td>
                  {bytesWords(image.size)} <SizeChange build={build} size={image.size} />
                </Table.Td>
              </Table.Tr>
              <Table.Tr>
                <Table.Th>{t("result.platforms")}</Table.Th>
                <Table.Td>{image.platforms.map(platformText).join(", ")}</Table.Td>
              </Table.Tr>
              <Table.Tr>
                <Table.Th>{t("result.content")}</Table.Th>
                <Table.Td>
                  <Copyable text={image.content} shown={shortDigest(image.content)} />
                </Table.Td>
              </Table.Tr>
            </Table.Tbody>
          </Table>
        </div>
      )}
      {publications.length > 0 && (
        <div className="panel">
          <Table>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>{t("result.target")}</Table.Th>
                <Table.Th>{t("builds.state")}</Table.Th>
                <Table.Th className="room-s">{t("result.digest")}</Table.Th>
                <Table.Th>
                  <VisuallyHidden>{t("common.actions_column")}</VisuallyHidden>
                </Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {publications.map((one) => (
                <Table.Tr key={one.target}>
                  <Table.Td>
                    <Copyable text={one.target} />
                  </Table.Td>
                  <Table.Td>
                    <Mark tone={toneOf[one.state]} word={t(`result.state_${one.state}`)} />
                    {(one.attempt > 1 || one.not_before) && (
                      <Text fz={12} c="dimmed">
                        {t("result.attempt", { count: one.attempt })}{" "}
                        {one.not_before && t("result.again", { when: relativeWords(t, Date.parse(one.not_before), now) })}
                      </Text>
                    )}
                  </Table.Td>
                  <Table.Td className="room-s">{one.digest && <Copyable text={one.digest} shown={shortDigest(one.digest)} />}</Table.Td>
                  <Table.Td ta="end" style={{ whiteSpace: "nowrap" }}>
                    {(one.state === "done" || one.state === "unchanged") && (
                      <Group gap="md" justify="flex-end" wrap="nowrap">
                        <PageLink
                          to="/repositories/$repository/$tab"
                          params={{ repository: String(build.repository), tab: "versions" }}
                          search={{ dialog: `version.${one.tag}` }}
                        >
                          {t("result.show_version")}
                        </PageLink>
                        <PageLink
                          to="/repositories/$repository/$tab"
                          params={{ repository: String(build.repository), tab: "versions" }}
                          search={{ dialog: `run-image.${one.tag}` }}
                        >
                          {t("run.title")}
                        </PageLink>
                      </Group>
                    )}
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </div>
      )}
      {publications.map((one) => one.failure && <FailureNotice key={one.target} failure={one.failure} />)}
      {pullable && registry?.host && (
        <div className="panel" style={{ padding: 12 }}>
          <Text size="sm" c="dimmed" mb={4}>
            {t("result.pull")}
          </Text>
          <Copyable text={`docker pull ${pullable.target}`} block />
        </div>
      )}
      {push.length > 0 && (
        <Text fw={600} size="sm">
          {t("result.layers")}
        </Text>
      )}
      {push.map(({ layer, current, total }) => (
        <div key={layer}>
          <Text size="sm" className="mono">
            {shortDigest(layer)} {bytesWords(current)} / {bytesWords(total)}
          </Text>
          <Progress value={total > 0 ? (current / total) * 100 : 0} size="sm" aria-label={layer} />
        </div>
      ))}
    </Stack>
  );
}

/** How much the image grew since the good build of the same rule before it. */
function SizeChange({ build, size }: { build: BuildDetailView; size: number }) {
  const { t } = useTranslation();
  const before = useRead("builds.list", {
    repository: build.repository,
    states: ["succeeded"],
    before: build.id,
    limit: 1,
    ...(build.rule === null ? {} : { rule: build.rule }),
  }).data?.items[0]?.image?.size;
  if (before === undefined) return null;
  const change = size === before ? "same" : size < before ? "less" : "more";
  return (
    <Text component="span" size="sm" c="dimmed">
      {t(`result.size_${change}`, { size: bytesWords(Math.abs(size - before)) })}
    </Text>
  );
}
