import { Progress, Stack, Table, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";

import type { BuildDetailView, PublicationState } from "../../host/bindings";
import { Copyable } from "../../parts/Copyable";
import { FailureNotice } from "../../parts/FailureNotice";
import { Mark, type Tone } from "../../parts/StateMark";
import { bytesWords, platformText, shortDigest } from "../../words/format";

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
  const { image, publications, push } = build;
  if (!image && publications.length === 0) {
    return <Text c="dimmed">{t(build.ended_at ? "result.none" : "result.not_yet")}</Text>;
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
                <Table.Td>{bytesWords(image.size)}</Table.Td>
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
                <Table.Th>{t("result.digest")}</Table.Th>
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
                  </Table.Td>
                  <Table.Td>{one.digest && <Copyable text={one.digest} shown={shortDigest(one.digest)} />}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </div>
      )}
      {publications.map((one) => one.failure && <FailureNotice key={one.target} failure={one.failure} />)}
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
