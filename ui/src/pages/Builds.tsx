import { Button, Group, Select, Text } from "@mantine/core";
import { useSearch } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import type { BuildKind, BuildState, ListBuilds } from "../host/bindings";
import { useRead } from "../host/reads";
import { BuildsTable, orderOf } from "../parts/BuildsTable";
import { useFilters } from "../parts/dialog";
import { Empty, Filters, Listing, SearchField } from "../parts/Listing";
import { MoreBuilds, useGrowing } from "../parts/MoreBuilds";
import { useRepositories } from "../parts/names";
import { Page, PageButton } from "../parts/Page";
import { QueueRows } from "../parts/QueueRows";
import type { BuildsSearch } from "../routes";

const PAGE = 50;
const states: BuildState[] = ["queued", "running", "succeeded", "failed", "cancelled", "superseded", "skipped", "paused"];
const kinds: BuildKind[] = ["push", "manual", "dockerfile", "upload", "rerun"];

/** All builds, filtered by the address; above them what is not over, and why each waits. */
export function Builds() {
  const { t } = useTranslation();
  const wanted = useSearch({ from: "/builds" });
  const change = useFilters<BuildsSearch>();
  // Another list begins at its beginning.
  const filter = (part: Parameters<typeof change>[0]) => change({ ...part, before: undefined });
  const { limit, grow } = useGrowing(PAGE, wanted.before);
  const repositories = useRepositories().data?.items ?? [];
  const rules = useRead("rules.list", { repository: wanted.repository ?? 0 }, { enabled: wanted.repository !== undefined }).data ?? [];
  const queue = useRead("builds.queue", {}).data ?? [];
  const state = states.find((one) => one === wanted.state);
  const kind = kinds.find((one) => one === wanted.kind);
  const request: ListBuilds = {
    limit,
    ...(wanted.repository === undefined ? {} : { repository: wanted.repository }),
    ...(wanted.rule === undefined ? {} : { rule: wanted.rule }),
    ...(state ? { states: [state] } : {}),
    ...(kind ? { kind } : {}),
    ...(wanted.ref ? { ref_contains: wanted.ref } : {}),
    ...(wanted.search ? { search: wanted.search } : {}),
    ...orderOf(wanted.sort),
    ...(wanted.before === undefined ? {} : { before: wanted.before }),
  };
  const read = useRead("builds.list", request, { keep: true });
  const filtered = Object.keys(wanted).some((name) => !["dialog", "sort", "before"].includes(name));
  const clear = () =>
    filter({ repository: undefined, rule: undefined, state: undefined, kind: undefined, ref: undefined, search: undefined });
  return (
    <Page title={t("page.builds")} name={t("page.builds")} lead={t("builds.lead")}>
      {queue.length > 0 && (
        <section className="panel" style={{ padding: 12 }} aria-label={t("builds.queue")}>
          <Text fw={600} mb="sm">
            {t("builds.queue")}
          </Text>
          <QueueRows rows={queue} />
        </section>
      )}
      <Filters>
        <SearchField label={t("builds.search")} value={wanted.search ?? ""} onChange={(search) => filter({ search })} />
        <SearchField label={t("builds.ref_filter")} value={wanted.ref ?? ""} onChange={(ref) => filter({ ref })} />
        <Select
          aria-label={t("builds.repository")}
          searchable
          data={[
            { value: "", label: t("builds.all_repositories") },
            ...repositories.map(({ repository }) => ({ value: String(repository.id), label: repository.spec.name })),
          ]}
          value={wanted.repository?.toString() ?? ""}
          onChange={(chosen) => filter({ repository: chosen ? Number(chosen) : undefined, rule: undefined })}
        />
        {wanted.repository !== undefined && rules.length > 0 && (
          <Select
            aria-label={t("builds.rule")}
            data={[{ value: "", label: t("builds.all_rules") }, ...rules.map(({ id, spec }) => ({ value: String(id), label: spec.name }))]}
            value={wanted.rule?.toString() ?? ""}
            onChange={(chosen) => filter({ rule: chosen ? Number(chosen) : undefined })}
          />
        )}
        <Select
          aria-label={t("builds.state")}
          w={140}
          data={[{ value: "", label: t("builds.all_states") }, ...states.map((value) => ({ value, label: t(`builds.state_${value}`) }))]}
          value={state ?? ""}
          onChange={(chosen) => filter({ state: chosen ?? undefined })}
        />
        <Select
          aria-label={t("builds.kind")}
          w={140}
          data={[{ value: "", label: t("builds.all_kinds") }, ...kinds.map((value) => ({ value, label: t(`builds.kind_${value}`) }))]}
          value={kind ?? ""}
          onChange={(chosen) => filter({ kind: chosen ?? undefined })}
        />
      </Filters>
      <Listing
        read={read}
        count={({ items }) => items.length}
        filtered={filtered}
        onClear={clear}
        empty={<Empty sentence={t("builds.empty")} action={<PageButton to="/repositories">{t("page.repositories")}</PageButton>} />}
      >
        {(list) => (
          <>
            <BuildsTable builds={list.items} sorting={{ sort: wanted.sort, onSort: (sort) => filter({ sort }) }} />
            <Text size="sm" c="dimmed" aria-live="polite">
              {t("builds.total", { count: list.total })}
              {!list.total_is_exact && "+"}
              {!list.total_is_exact && wanted.search && request.order && ` · ${t("builds.sorted_newest", { count: list.total })}`}
            </Text>
            <Group gap="sm">
              <MoreBuilds list={list} limit={limit} loading={read.isFetching} onMore={grow} search={wanted} />
              {wanted.before !== undefined && (
                <Button variant="default" onClick={() => filter({})}>
                  {t("builds.to_start")}
                </Button>
              )}
            </Group>
          </>
        )}
      </Listing>
    </Page>
  );
}
