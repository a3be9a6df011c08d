import { SimpleGrid, Stack, Table, Text } from "@mantine/core";
import type { TFunction } from "i18next";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import type { BuildDetailView } from "../../../host/bindings";
import { failureOf } from "../../../host/host";
import { useRead } from "../../../host/reads";
import { Copyable } from "../../../parts/Copyable";
import { FailureNotice } from "../../../parts/FailureNotice";
import { ListSkeleton } from "../../../parts/Listing";
import { PageLink } from "../../../parts/Page";
import { foreignText } from "../../../words/ansi";
import { platformText, shortDigest, shortRef } from "../../../words/format";
import { StagePicture } from "../../build/StagePicture";

type Facts = [label: string, value: ReactNode][];

/** One run: its stages as a picture, what went in, and what came out. */
export function WorkflowRun({ id }: { id: number }) {
  const { t } = useTranslation();
  const read = useRead("builds.get", { id });
  if (read.error) return <FailureNotice failure={failureOf(read.error)} onRetry={() => void read.refetch()} />;
  if (!read.data) return <ListSkeleton rows={3} />;
  const build = read.data;
  return (
    <Stack gap="md" p="md" component="section" aria-label={t("workflow.run_number", { number: build.number })}>
      <StagePicture build={build} />
      <SimpleGrid cols={{ base: 1, lg: 2 }} spacing="md">
        <FactList title={t("workflow.parameters")} facts={parametersOf(build, t)} none={t("common.none")} />
        <FactList title={t("workflow.outputs")} facts={outputsOf(build, t)} none={t("workflow.no_outputs")} />
      </SimpleGrid>
      <div>
        <PageLink to="/builds/$build/$tab" params={{ build: String(id), tab: "parameters" }}>
          {t("workflow.all_parameters")}
        </PageLink>
      </div>
    </Stack>
  );
}

function parametersOf({ inputs, commit, kind }: BuildDetailView, t: TFunction): Facts {
  const { options } = inputs;
  return [
    [t("builds.kind"), t(`builds.kind_${kind}`)],
    [t("builds.ref"), inputs.ref_name && foreignText(shortRef(inputs.ref_name))],
    [t("builds.commit"), inputs.commit && <Copyable key="commit" text={inputs.commit} shown={inputs.commit.slice(0, 12)} />],
    [t("builds.author"), commit && foreignText(commit.author)],
    [t("rules.dockerfile"), kind !== "upload" && inputs.dockerfile_path],
    [t("rules.context"), inputs.code !== null && (inputs.context_dir || t("parameters.root"))],
    [t("rules.args"), options.args.length > 0 && options.args.map(({ name, value }) => <div key={name}>{`${name}=${value}`}</div>)],
    [t("rules.platforms"), options.platforms.map(platformText).join(", ")],
    [t("rules.no_cache"), options.no_cache && t("common.yes")],
  ];
}

function outputsOf({ image, publications }: BuildDetailView, t: TFunction): Facts {
  // Only what came out: a tag that was never set is none.
  const out = publications.filter(({ state }) => state === "done" || state === "unchanged");
  const digests = [...new Set(out.flatMap(({ digest }) => digest ?? []))];
  return [
    [t("workflow.image"), out.length > 0 && out.map(({ target }) => <div key={target} className="mono">{target}</div>)],
    [t("workflow.tag"), out.map(({ tag }) => tag).join(", ")],
    [t("workflow.image_id"), image && <Copyable key="id" text={image.id} shown={shortDigest(image.id)} />],
    [t("result.digest"), digests.length > 0 && digests.map((digest) => <Copyable key={digest} text={digest} shown={shortDigest(digest)} />)],
  ];
}

function FactList({ title, facts, none }: { title: string; facts: Facts; none: string }) {
  const known = facts.filter(([, value]) => value !== null && value !== "" && value !== false);
  return (
    <section aria-label={title}>
      <Text fw={600} size="sm" mb={4}>
        {title}
      </Text>
      {known.length === 0 ? (
        <Text size="sm" c="dimmed">
          {none}
        </Text>
      ) : (
        <Table variant="vertical" highlightOnHover={false}>
          <Table.Tbody>
            {known.map(([label, value]) => (
              <Table.Tr key={label}>
                <Table.Th w={150}>{label}</Table.Th>
                <Table.Td className="foreign" style={{ overflowWrap: "anywhere" }}>
                  {value}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
    </section>
  );
}
