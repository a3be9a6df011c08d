import { Button, Drawer, Group, SegmentedControl, Stack, Table, Text, Title } from "@mantine/core";
import { IconArrowsDiff, IconServer2, IconTags, IconTrash } from "@tabler/icons-react";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";

import type { ImageRepositoryView, VersionConfig, VersionDetail, VersionImage } from "../../../host/bindings";
import { failureOf } from "../../../host/host";
import { useRead } from "../../../host/reads";
import { Copyable } from "../../../parts/Copyable";
import { useDialog } from "../../../parts/dialog";
import { FailureNotice } from "../../../parts/FailureNotice";
import { ListSkeleton } from "../../../parts/Listing";
import { PageLink } from "../../../parts/Page";
import { When } from "../../../parts/Time";
import { foreignText } from "../../../words/ansi";
import { bytesWords, platformText, shortCommit, shortDigest, shortRef } from "../../../words/format";

interface VersionDrawerProps {
  repository: ImageRepositoryView;
  tag: string;
  onClose: () => void;
}

/** One version: where it comes from, its commands, and for each platform its layers (层信息) and configuration. */
export function VersionDrawer({ repository, tag, onClose }: VersionDrawerProps) {
  const { t } = useTranslation();
  const { open } = useDialog();
  const read = useRead("versions.get", { repository: repository.id, reference: tag });
  const readOnly = repository.read_only_reason !== null;
  return (
    <Drawer opened onClose={onClose} size="min(860px, 100vw)" title={<span className="mono foreign">{`${repository.spec.name}:${tag}`}</span>}>
      <Stack gap="lg">
        {read.data ? (
          <Detail detail={read.data} repository={repository} />
        ) : read.error ? (
          <FailureNotice failure={failureOf(read.error)} onRetry={() => void read.refetch()} />
        ) : (
          <ListSkeleton rows={8} />
        )}
        <Group gap="sm" className="dialog-foot">
          <Button variant="default" leftSection={<IconServer2 size={14} aria-hidden />} onClick={() => open(`run-image.${tag}`)}>
            {t("run.title")}
          </Button>
          <Button variant="default" leftSection={<IconArrowsDiff size={14} aria-hidden />} onClick={() => open(`compare.${tag}`)}>
            {t("versions.compare_with")}
          </Button>
          <Button variant="default" leftSection={<IconTags size={14} aria-hidden />} disabled={readOnly} onClick={() => open(`copy-version.${tag}`)}>
            {t("versions.copy")}
          </Button>
          <Button
            variant="default"
            c="red"
            leftSection={<IconTrash size={14} aria-hidden />}
            disabled={readOnly}
            onClick={() => open(`delete-version.${tag}`)}
          >
            {t("common.delete")}
          </Button>
        </Group>
      </Stack>
    </Drawer>
  );
}

/** Rows of name and value; what has no value is left out. */
export function Facts({ facts }: { facts: [string, ReactNode][] }) {
  return (
    <div className="panel">
      <Table variant="vertical" highlightOnHover={false}>
        <Table.Tbody>
          {facts
            .filter(([, value]) => value !== null && value !== undefined && value !== "" && value !== false)
            .map(([label, value]) => (
              <Table.Tr key={label}>
                <Table.Th w={150}>{label}</Table.Th>
                <Table.Td className="foreign">{value}</Table.Td>
              </Table.Tr>
            ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}

function Detail({ detail, repository }: { detail: VersionDetail; repository: ImageRepositoryView }) {
  const { t } = useTranslation();
  const { open } = useDialog();
  const { version, images, commands } = detail;
  const [platform, setPlatform] = useState("0");
  const image = images[Number(platform)] ?? images[0];
  const { build } = version;
  const commandRows = (["login", "pull", "pull_by_digest", "run", "tag", "push"] as const)
    .map((name) => ({ name, text: commands[name] }))
    .filter((one): one is { name: typeof one.name; text: string } => one.text !== null);
  return (
    <>
      <Facts
        facts={[
          [t("versions.digest"), version.digest && <Copyable text={version.digest} shown={shortDigest(version.digest)} />],
          [t("versions.image"), version.image && <Copyable text={version.image} shown={shortDigest(version.image)} />],
          [t("versions.size"), version.size !== null && bytesWords(version.size)],
          [t("versions.created"), version.created && <When at={version.created} />],
          [t("versions.pushed"), version.pushed_at && <When at={version.pushed_at} />],
          [t("versions.origin"), t(`versions.origin_${version.origin}`)],
          [t("versions.copied_from"), version.copied_from],
          [
            t("versions.build"),
            build && (
              <Group gap={6}>
                <PageLink to="/builds/$build" params={{ build: String(build.id) }}>
                  {t("builds.title", { number: build.number })}
                </PageLink>
                <span className="foreign">
                  {build.ref_name && foreignText(shortRef(build.ref_name))}{" "}
                  {build.commit && <span className="mono">{shortCommit(build.commit.id)}</span>}{" "}
                  {build.commit && foreignText(build.commit.summary)}
                </span>
              </Group>
            ),
          ],
          [
            t("versions.siblings"),
            detail.known_siblings.length > 0 && (
              <Group gap={6}>
                {detail.known_siblings.map((tag) => (
                  <Button key={tag} size="compact-xs" variant="default" className="mono" onClick={() => open(`version.${tag}`)}>
                    {tag}
                  </Button>
                ))}
              </Group>
            ),
          ],
          [t("versions.media_type"), detail.media_type],
          [t("versions.attachments"), detail.attachments > 0 && detail.attachments],
        ]}
      />
      {images.length > 1 && (
        <SegmentedControl
          aria-label={t("versions.platform")}
          value={platform}
          onChange={setPlatform}
          data={images.map((one, at) => ({ value: String(at), label: one.platform ? platformText(one.platform) : t("common.unknown") }))}
        />
      )}
      {image && <ImageLayers image={image} />}
      {image && <Configuration config={image.config} image={image} />}
      <section>
        <Title order={3} fz={14} fw={600} mb="sm">
          {t("repositories.commands")}
        </Title>
        <Stack gap="sm">
          {commandRows.map(({ name, text }) => (
            <div key={name}>
              <Text size="sm" c="dimmed" mb={2}>
                {t(`versions.command_${name}`)}
              </Text>
              <Copyable text={text} block />
            </div>
          ))}
        </Stack>
      </section>
      <Manifest repository={repository.id} reference={version.tag} />
    </>
  );
}

function ImageLayers({ image }: { image: VersionImage }) {
  const { t } = useTranslation();
  return (
    <section>
      <Title order={3} fz={14} fw={600} mb="sm">
        {t("versions.layers", { count: image.layers.filter(({ digest }) => digest !== null).length })}
      </Title>
      {image.unaligned && (
        <Text size="sm" c="dimmed" mb="sm">
          {t("versions.unaligned")}
        </Text>
      )}
      <div className="panel">
        <Table>
          <Table.Thead>
            <Table.Tr>
              <Table.Th w={36}>{t("versions.layer_number")}</Table.Th>
              <Table.Th>{t("versions.instruction")}</Table.Th>
              <Table.Th ta="end" w={90}>{t("versions.size")}</Table.Th>
              <Table.Th className="room-s" w={190}>{t("versions.digest")}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {image.layers.map(({ digest, size, instruction }, at) => (
              <Table.Tr key={at}>
                <Table.Td c="dimmed">{at + 1}</Table.Td>
                <Table.Td>
                  <span className="mono foreign layer-text">{instruction ? foreignText(instruction) : t("common.unknown")}</span>
                </Table.Td>
                <Table.Td ta="end" style={{ whiteSpace: "nowrap" }}>{digest === null && size === 0 ? t("versions.no_layer") : bytesWords(size)}</Table.Td>
                <Table.Td className="room-s">{digest && <Copyable text={digest} shown={shortDigest(digest)} />}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </div>
    </section>
  );
}

const lines = (list: string[]) =>
  list.length > 0 && (
    <div className="mono">
      {list.map((line) => (
        <div key={line}>{foreignText(line)}</div>
      ))}
    </div>
  );
const words = (list: string[]) => list.length > 0 && <span className="mono">{foreignText(JSON.stringify(list))}</span>;

function Configuration({ config, image }: { config: VersionConfig; image: VersionImage }) {
  const { t } = useTranslation();
  return (
    <section>
      <Title order={3} fz={14} fw={600} mb="sm">
        {t("versions.configuration")}
      </Title>
      <Facts
        facts={[
          [t("versions.config_entrypoint"), words(config.entrypoint)],
          [t("versions.config_cmd"), words(config.cmd)],
          [t("versions.config_env"), lines(config.env)],
          [t("versions.config_port"), config.ports.join(", ")],
          [t("versions.config_volume"), lines(config.volumes)],
          [t("versions.config_user"), foreignText(config.user)],
          [t("versions.config_workdir"), foreignText(config.workdir)],
          [t("versions.config_stop_signal"), config.stop_signal],
          [t("versions.config_healthcheck"), words(config.healthcheck)],
          [t("versions.config_label"), lines(Object.entries(config.labels).map(([name, value]) => `${name}=${value}`))],
          [t("versions.author"), image.author && foreignText(image.author)],
        ]}
      />
    </section>
  );
}

/** The exact manifest, when somebody asks for it. */
function Manifest({ repository, reference }: { repository: number; reference: string }) {
  const { t } = useTranslation();
  const [shown, setShown] = useState(false);
  const read = useRead("versions.manifest", { repository, reference }, { enabled: shown });
  return (
    <div>
      <Button variant="subtle" px={0} bg="transparent" aria-expanded={shown} onClick={() => setShown(!shown)}>
        {t("versions.manifest")}
      </Button>
      {shown && read.error && <FailureNotice failure={failureOf(read.error)} />}
      {shown && read.data && (
        <pre className="mono code panel" tabIndex={0} aria-label={t("versions.manifest")}>
          {foreignText(read.data.text)}
        </pre>
      )}
    </div>
  );
}
