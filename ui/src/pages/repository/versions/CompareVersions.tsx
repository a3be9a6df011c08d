import { Drawer, Group, List, Select, Stack, Table, Text, Title } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import type { CommitDetails, ImageRepositoryView, VersionComparison } from "../../../host/bindings";
import { failureOf } from "../../../host/host";
import { useRead } from "../../../host/reads";
import { useDialog } from "../../../parts/dialog";
import { Breakable } from "../../../parts/Breakable";
import { FailureNotice } from "../../../parts/FailureNotice";
import { ListSkeleton } from "../../../parts/Listing";
import { foreignText } from "../../../words/ansi";
import { bytesWords, platformText, shortCommit } from "../../../words/format";

const OFFERED = 30;

interface CompareVersionsProps {
  repository: ImageRepositoryView;
  /** The first tag, and the second when it is chosen. */
  tags: string[];
  onClose: () => void;
}

/** What differs between two versions: size, commits, layers, configuration. */
export function CompareVersions({ repository, tags, onClose }: CompareVersionsProps) {
  const { t } = useTranslation();
  const { open } = useDialog();
  const [a = "", b = ""] = tags;
  const both = a !== "" && b !== "" && a !== b;
  const read = useRead("versions.compare", { repository: repository.id, a, b }, { enabled: both });
  return (
    <Drawer opened onClose={onClose} size="min(860px, 100vw)" title={t("versions.compare_title")}>
      <Stack gap="lg">
        <Group gap="md" align="flex-end">
          <TagSelect repository={repository} label={t("versions.compare_first")} value={a} onChange={(tag) => open(`compare.${tag},${b}`)} />
          <TagSelect repository={repository} label={t("versions.compare_second")} value={b} onChange={(tag) => open(`compare.${a},${tag}`)} first />
        </Group>
        {!both && <Text c="dimmed">{t(a !== "" && a === b ? "versions.compare_same" : "versions.compare_choose")}</Text>}
        {both && read.error && <FailureNotice failure={failureOf(read.error)} onRetry={() => void read.refetch()} />}
        {both && !read.error && !read.data && <ListSkeleton />}
        {both && read.data && <Differences found={read.data} />}
      </Stack>
    </Drawer>
  );
}

interface TagSelectProps {
  repository: ImageRepositoryView;
  label: string;
  value: string;
  onChange: (tag: string) => void;
  /** The focus starts here. */
  first?: boolean;
}

/** A tag of the repository; the core searches while it is typed. */
function TagSelect({ repository, label, value, onChange, first = false }: TagSelectProps) {
  const { t } = useTranslation();
  const [typed, setTyped] = useState(value);
  const [search] = useDebouncedValue(typed === value ? "" : typed, 200);
  const found = useRead("versions.list", { repository: repository.id, limit: OFFERED, ...(search ? { search } : {}) }, { keep: true });
  const offered = found.data?.items.map(({ tag }) => tag as string) ?? [];
  return (
    <Select
      label={label}
      placeholder={t("common.choose_tag")}
      searchable
      openOnFocus={false}
      w={260}
      classNames={{ input: "mono" }}
      data={[...new Set(value ? [value, ...offered] : offered)]}
      filter={({ options }) => options}
      searchValue={typed}
      onSearchChange={setTyped}
      value={value || null}
      onChange={(tag) => tag && onChange(tag)}
      data-autofocus={first || undefined}
    />
  );
}

function Differences({ found }: { found: VersionComparison }) {
  const { t } = useTranslation();
  const { size_difference: size, layers, config, commits } = found;
  const change = size === 0 ? "same" : size < 0 ? "less" : "more";
  const shared = layers.filter(({ difference }) => difference === "shared").length;
  return (
    <>
      <List size="sm" spacing={4}>
        <List.Item>
          {t(`versions.size_${change}`, { size: bytesWords(Math.abs(size)) })}
        </List.Item>
        <List.Item>{t("versions.layers_shared", { shared, of: layers.length })}</List.Item>
        {found.platform && <List.Item>{t("versions.compared_platform", { platform: platformText(found.platform) })}</List.Item>}
        {found.other_platforms.length > 0 && (
          <List.Item>{t("versions.other_platforms", { platforms: found.other_platforms.map(platformText).join(", ") })}</List.Item>
        )}
      </List>
      {found.commits_failure && <FailureNotice failure={found.commits_failure} warning />}
      {commits && (
        <section>
          <Title order={3} fz={14} fw={600} mb="sm">
            {t("versions.commits")}
          </Title>
          {commits.added_total + commits.removed_total === 0 && (
            <Text size="sm" c="dimmed">
              {t("versions.commits_none")}
            </Text>
          )}
          <Commits sign="+" list={commits.added} total={commits.added_total} />
          <Commits sign="−" list={commits.removed} total={commits.removed_total} />
        </section>
      )}
      <section>
        <Title order={3} fz={14} fw={600} mb="sm">
          {t("versions.config_differences")}
        </Title>
        {config.length === 0 ? (
          <Text size="sm" c="dimmed">
            {t("versions.config_same")}
          </Text>
        ) : (
          <div className="panel">
            <Table layout="fixed">
              <Table.Thead>
                <Table.Tr>
                  <Table.Th w={220}>{t("versions.config_field")}</Table.Th>
                  <Table.Th className="mono">{found.a.tag}</Table.Th>
                  <Table.Th className="mono">{found.b.tag}</Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {config.map(({ field, name, a, b }) => (
                  <Table.Tr key={`${field} ${name ?? ""}`}>
                    <Table.Td className="foreign">
                      {t(`versions.config_${field}`)} {name && (
                        <span className="mono">
                          <Breakable text={foreignText(name)} />
                        </span>
                      )}
                    </Table.Td>
                    <Table.Td>
                      <span className="mono foreign layer-text">{a === null ? t("common.none") : foreignText(a)}</span>
                    </Table.Td>
                    <Table.Td>
                      <span className="mono foreign layer-text">{b === null ? t("common.none") : foreignText(b)}</span>
                    </Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </div>
        )}
      </section>
      <section>
        <Title order={3} fz={14} fw={600} mb="sm">
          {t("versions.layer_differences")}
        </Title>
        <div className="panel">
          <Table>
            <Table.Tbody>
              {layers.map(({ difference, layer }, at) => (
                <Table.Tr key={at}>
                  <Table.Td w={110} style={{ color: difference === "added" ? "var(--state-good)" : difference === "removed" ? "var(--state-bad)" : "var(--state-still)" }}>
                    {t(`versions.layer_${difference}`)}
                  </Table.Td>
                  <Table.Td>
                    <span className="mono foreign layer-text">{layer.instruction ? foreignText(layer.instruction) : t("common.unknown")}</span>
                  </Table.Td>
                  <Table.Td ta="end" w={90} style={{ whiteSpace: "nowrap" }}>{bytesWords(layer.size)}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </div>
      </section>
    </>
  );
}

function Commits({ sign, list, total }: { sign: string; list: CommitDetails[]; total: number }) {
  const { t } = useTranslation();
  if (total === 0) return null;
  return (
    <List size="sm" listStyleType="none" spacing={2}>
      {list.map(({ id, summary, author }) => (
        <List.Item key={id}>
          <span className="mono">
            {sign} {shortCommit(id)}
          </span>{" "}
          <span className="foreign">{foreignText(summary)}</span>{" "}
          <Text component="span" size="sm" c="dimmed" className="foreign">
            {foreignText(author)}
          </Text>
        </List.Item>
      ))}
      {list.length < total && <List.Item c="dimmed">{t("versions.commits_more", { count: total - list.length })}</List.Item>}
    </List>
  );
}
