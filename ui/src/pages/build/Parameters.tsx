import { Button, Stack, Table, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconDownload } from "@tabler/icons-react";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";

import type { BuildDetailView } from "../../host/bindings";
import { useHost } from "../../host/context";
import { type CallFailed, failureOf } from "../../host/host";
import { Copyable } from "../../parts/Copyable";
import { FailureNotice } from "../../parts/FailureNotice";
import { fileNameOf, useRepositoryNames } from "../../parts/names";
import { When } from "../../parts/Time";
import { foreignText } from "../../words/ansi";
import { platformText, shortRef } from "../../words/format";

/** What the build was made from: everything that a second run would take again. */
export function Parameters({ build }: { build: BuildDetailView }) {
  const { t } = useTranslation();
  const { host } = useHost();
  const nameOf = useRepositoryNames();
  const [failed, setFailed] = useState<CallFailed | null>(null);
  const { inputs } = build;
  const fileName = fileNameOf(nameOf(build.repository), build.number, "parameters.json");
  const save = async () => {
    setFailed(null);
    const { id, number, kind, ref_name, commit, engine, tags, created_at, started_at, ended_at } = build;
    const text = JSON.stringify({ id, number, kind, ref_name, commit, engine, tags, created_at, started_at, ended_at, inputs }, null, 2);
    try {
      if (await host.saveText(fileName, `${text}\n`)) notifications.show({ message: t("log.saved", { name: fileName }) });
    } catch (thrown) {
      setFailed(thrown as CallFailed);
    }
  };
  const { options, version } = inputs;
  const pairs = (list: { name: string; value: string }[]) =>
    list.length > 0 && list.map(({ name, value }) => <div key={name}>{`${name}=${value}`}</div>);
  const versionText =
    inputs.fixed_tags.length > 0
      ? inputs.fixed_tags.join(", ")
      : version.kind === "templates"
        ? version.templates.join(", ")
        : [
            version.prefix,
            version.ref_name && t("rules.part_ref"),
            version.update_time && t("rules.part_time"),
            version.commit && t("rules.part_commit"),
          ]
            .filter(Boolean)
            .join(" - ");
  const sections: { title: string; facts: [string, ReactNode][] }[] = [
    {
      title: t("parameters.source"),
      facts: [
        [t("builds.ref"), inputs.ref_name && foreignText(shortRef(inputs.ref_name))],
        [t("builds.commit"), inputs.commit && <Copyable text={inputs.commit} />],
        [t("builds.author"), build.commit && foreignText(`${build.commit.author} <${build.commit.author_email}>`)],
        [t("parameters.message"), build.commit && <span style={{ whiteSpace: "pre-wrap" }}>{foreignText(build.commit.message.trim())}</span>],
        [t("builds.rule"), inputs.rule_name ?? t("builds.no_rule")],
        [t("builds.kind"), t(`builds.kind_${build.kind}`)],
      ],
    },
    {
      title: t("parameters.build"),
      facts: [
        [t("rules.dockerfile"), inputs.dockerfile_path],
        [t("rules.context"), inputs.context_dir || t("parameters.root")],
        [t("rules.args"), pairs(options.args)],
        [t("rules.secrets"), options.secrets.map(({ id }) => id).join(", ")],
        [t("rules.target"), options.target],
        [t("rules.platforms"), options.platforms.map(platformText).join(", ")],
        [t("rules.labels"), pairs(options.labels)],
        [t("rules.no_cache"), options.no_cache && t("common.yes")],
        [t("rules.always_pull"), options.always_pull && t("common.yes")],
        [t("rules.network"), options.network !== "default" && t(`rules.network_${options.network}`)],
        [t("parameters.engine"), build.engine === "local" ? t("registries.local") : build.engine],
        [t("parameters.attempt"), build.attempt],
      ],
    },
    {
      title: t("parameters.version"),
      facts: [
        [t("rules.section_version"), versionText],
        [t("rules.overwrite"), inputs.overwrite_tag],
        [t("builds.tags"), build.tags.join(", ")],
        [t("parameters.created"), <When key="created" at={build.created_at} />],
        [t("parameters.started"), build.started_at && <When at={build.started_at} />],
        [t("parameters.ended"), build.ended_at && <When at={build.ended_at} />],
      ],
    },
  ];
  return (
    <Stack gap="sm">
      {failed && <FailureNotice failure={failureOf(failed)} />}
      <div>
        <Button variant="default" leftSection={<IconDownload size={14} aria-hidden />} onClick={() => void save()}>
          {t("parameters.save")}
        </Button>
      </div>
      <div className="panel">
        {sections.map(({ title, facts }) => (
          <section key={title} aria-label={title}>
            <Text fw={600} px="sm" pt="md" pb="xs">
              {title}
            </Text>
            <Table variant="vertical" highlightOnHover={false}>
              <Table.Tbody>
                {facts
                  .filter(([, value]) => value !== null && value !== "" && value !== false)
                  .map(([label, value]) => (
                    <Table.Tr key={label}>
                      <Table.Th w={180}>{label}</Table.Th>
                      <Table.Td className="foreign">{value}</Table.Td>
                    </Table.Tr>
                  ))}
              </Table.Tbody>
            </Table>
          </section>
        ))}
      </div>
    </Stack>
  );
}
