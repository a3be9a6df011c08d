import { ActionIcon, Button, Group, Menu, Stack, Switch, Table, Text, Title, Tooltip, VisuallyHidden } from "@mantine/core";
import { IconCopy, IconDots, IconHistory, IconPencil, IconPlayerPlay, IconPlus, IconTrash } from "@tabler/icons-react";
import type { UseQueryResult } from "@tanstack/react-query";
import { useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import type { CodeRepositoryView, ImageRepositoryView, RuleView } from "../../host/bindings";
import { type CallFailed, failureOf } from "../../host/host";
import { useCall, useRead } from "../../host/reads";
import { BuildsTable, orderOf } from "../../parts/BuildsTable";
import { useDialog, useFilters } from "../../parts/dialog";
import { FailureNotice } from "../../parts/FailureNotice";
import { Empty, Listing } from "../../parts/Listing";
import { MoreBuilds, useGrowing } from "../../parts/MoreBuilds";
import { PageButton, PageLink, PageMenuItem } from "../../parts/Page";
import { SortHead } from "../../parts/Sorting";
import { BuildStateMark } from "../../parts/StateMark";
import { When } from "../../parts/Time";
import type { RepositorySearch } from "../../routes";
import { type SortColumns, sortRows } from "../../words/sort";
import { triggerWords } from "../../words/triggers";

const PAGE = 20;

interface ImageBuildProps {
  repository: ImageRepositoryView;
  rules: UseQueryResult<RuleView[], CallFailed>;
}

/** Image build (镜像构建): the rules of a repository, and what they built. */
export function ImageBuild({ repository, rules }: ImageBuildProps) {
  const { t } = useTranslation();
  const { open } = useDialog();
  const sources = useRead("code_repositories.list", {}).data;
  const { sort, builds: buildsSort } = useSearch({ from: "/repositories/$repository/$tab" });
  const { limit, grow } = useGrowing(PAGE, repository.id);
  const builds = useRead("builds.list", { repository: repository.id, limit, ...orderOf(buildsSort) }, { keep: true });
  const readOnly = repository.read_only_reason !== null;
  const filter = useFilters<RepositorySearch>();
  const head = { sort, onSort: (next: string | undefined) => filter({ sort: next }) };
  const newest = useRead("builds.list", { repository: repository.id, limit: PAGE }).data;
  const columns: SortColumns<RuleView> = {
    name: ({ spec }) => spec.name,
    code: ({ spec }) => sources?.find(({ id }) => id === spec.code)?.name ?? null,
    auto: ({ spec }) => Number(spec.auto_trigger),
    last: ({ id }) => newest?.items.find(({ rule }) => rule === id)?.id ?? null,
  };
  const add = (
    <Button
      variant={rules.data?.length ? "default" : "filled"}
      leftSection={<IconPlus size={14} aria-hidden />}
      disabled={readOnly}
      onClick={() => open("new-rule")}
    >
      {t("rules.add")}
    </Button>
  );
  return (
    <Stack gap="lg">
      <Group justify="space-between">
        <Title order={2} fz={15} fw={600}>
          {t("rules.title")}
        </Title>
        {(rules.data?.length ?? 0) > 0 && add}
      </Group>
      <Listing
        read={rules}
        count={(list) => list.length}
        empty={
          repository.spec.source === "dockerfile" ? (
            <Empty
              sentence={t("builds.dockerfile_empty")}
              action={
                <Button disabled={readOnly} onClick={() => open("dockerfile")}>
                  {t("builds.dockerfile_title")}
                </Button>
              }
            />
          ) : sources?.length === 0 ? (
            <Empty
              sentence={t("rules.needs_source")}
              action={
                <Group gap="sm" justify="center">
                  {add}
                  <PageButton to="/sources" variant="default" search={{ dialog: "add" }}>
                    {t("sources.add")}
                  </PageButton>
                </Group>
              }
            />
          ) : (
            <Empty sentence={t("rules.empty")} action={add} />
          )
        }
      >
        {(list) => (
          <div className="panel">
            <Table>
              <Table.Thead>
                <Table.Tr>
                  <SortHead column="name" {...head}>{t("common.name")}</SortHead>
                  <SortHead column="code" className="room-m" {...head}>{t("rules.code")}</SortHead>
                  <Table.Th className="room-s">{t("rules.triggers")}</Table.Th>
                  <Table.Th className="room-l">{t("rules.next_tag")}</Table.Th>
                  <SortHead column="auto" {...head}>{t("rules.auto")}</SortHead>
                  <SortHead column="last" {...head}>{t("repositories.last_build")}</SortHead>
                  <Table.Th w={80}>
                    <VisuallyHidden>{t("common.actions_column")}</VisuallyHidden>
                  </Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {sortRows(list, sort, columns).map((rule) => (
                  <RuleRow
                    key={rule.id}
                    rule={rule}
                    source={sources?.find(({ id }) => id === rule.spec.code)}
                    readOnly={readOnly}
                  />
                ))}
              </Table.Tbody>
            </Table>
          </div>
        )}
      </Listing>
      {((rules.data?.length ?? 0) > 0 || (builds.data?.items.length ?? 0) > 0) && (
        <>
          <Title order={2} fz={15} fw={600}>
            {t("page.builds")}
          </Title>
          <Listing read={builds} count={({ items }) => items.length} empty={<Empty sentence={t("builds.empty")} />}>
            {(list) => (
              <>
                <BuildsTable
                  builds={list.items}
                  withRepository={false}
                  sorting={{ sort: buildsSort, onSort: (next) => filter({ builds: next }) }}
                />
                <MoreBuilds list={list} limit={limit} loading={builds.isFetching} onMore={grow} search={{ repository: repository.id, ...(buildsSort ? { sort: buildsSort } : {}) }} />
              </>
            )}
          </Listing>
        </>
      )}
    </Stack>
  );
}

interface RuleRowProps {
  rule: RuleView;
  source: CodeRepositoryView | undefined;
  readOnly: boolean;
}

function RuleRow({ rule, source, readOnly }: RuleRowProps) {
  const { t } = useTranslation();
  const { open } = useDialog();
  const turn = useCall("rules.set_auto_trigger");
  // What was clicked stands until the rule is read again: it is another object then.
  const [asked, setAsked] = useState<{ of: RuleView; on: boolean } | null>(null);
  const auto = asked?.of === rule && !turn.isError ? asked.on : rule.spec.auto_trigger;
  const { code, triggers, version, name } = rule.spec;
  const preview = useRead("rules.preview", { code, triggers, version }).data;
  const last = useRead("builds.list", { rule: rule.id, limit: 1 }).data?.items[0];
  const next = preview?.matching.find(({ tags }) => tags.length > 0)?.tags[0];
  return (
    <>
      <Table.Tr>
        <Table.Td className="foreign">{name}</Table.Td>
        <Table.Td className="room-m foreign">{source?.name}</Table.Td>
        <Table.Td className="room-s foreign">{triggerWords(t, triggers)}</Table.Td>
        <Table.Td className="room-l mono foreign">{next}</Table.Td>
        <Table.Td>
          <Switch
            aria-label={t("rules.auto_for", { name })}
            checked={auto}
            onChange={(event) => {
              const on = event.currentTarget.checked;
              setAsked({ of: rule, on });
              turn.mutate({ id: rule.id, on });
            }}
          />
        </Table.Td>
        <Table.Td>
          {last && (
            <Group gap="sm" wrap="nowrap">
              <BuildStateMark state={last.state} quiet />
              <PageLink to="/builds/$build" params={{ build: String(last.id) }}>
                {t("builds.title", { number: last.number })}
              </PageLink>
              <Text size="sm" c="dimmed" component="span">
                <When at={last.ended_at ?? last.created_at} />
              </Text>
            </Group>
          )}
        </Table.Td>
        <Table.Td>
          <Group gap={4} wrap="nowrap" justify="flex-end">
            <Tooltip label={t("rules.build_now")}>
              <ActionIcon
                aria-label={t("builds.now_title", { name })}
                disabled={readOnly}
                onClick={() => open(`now.${rule.id}`)}
              >
                <IconPlayerPlay size={16} aria-hidden />
              </ActionIcon>
            </Tooltip>
            <Menu position="bottom-end">
              <Menu.Target>
                <ActionIcon aria-label={t("common.actions", { name })}>
                  <IconDots size={16} aria-hidden />
                </ActionIcon>
              </Menu.Target>
              <Menu.Dropdown>
                <Menu.Item leftSection={<IconPencil size={14} aria-hidden />} disabled={readOnly} onClick={() => open(`rule.${rule.id}`)}>
                  {t("common.edit")}
                </Menu.Item>
                <Menu.Item leftSection={<IconCopy size={14} aria-hidden />} disabled={readOnly} onClick={() => open(`duplicate-rule.${rule.id}`)}>
                  {t("common.duplicate")}
                </Menu.Item>
                <PageMenuItem
                  to="/repositories/$repository/$tab"
                  params={{ repository: String(rule.repository), tab: "workflow" }}
                  search={{ rule: rule.id }}
                  leftSection={<IconHistory size={14} aria-hidden />}
                >
                  {t("rules.view_records")}
                </PageMenuItem>
                <Menu.Item c="red" disabled={readOnly} leftSection={<IconTrash size={14} aria-hidden />} onClick={() => open(`delete-rule.${rule.id}`)}>
                  {t("common.delete")}
                </Menu.Item>
              </Menu.Dropdown>
            </Menu>
          </Group>
        </Table.Td>
      </Table.Tr>
      {turn.error && (
        <Table.Tr>
          <Table.Td colSpan={7}>
            <FailureNotice failure={failureOf(turn.error)} />
          </Table.Td>
        </Table.Tr>
      )}
    </>
  );
}
