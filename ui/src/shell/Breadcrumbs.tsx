import { Group, Text } from "@mantine/core";
import { useParams, useRouterState } from "@tanstack/react-router";
import { Fragment, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { useRead } from "../host/reads";
import { PageLink } from "../parts/Page";
import { useRepositoryNames } from "../parts/names";

/** Where you are, from the address; every part but the last is a link. */
export function Breadcrumbs() {
  const { t } = useTranslation();
  const section = useRouterState({ select: (state) => state.location.pathname.split("/")[1] });
  const { repository, build } = useParams({ strict: false });
  const nameOf = useRepositoryNames();
  const record = useRead("builds.get", { id: Number(build) }, { enabled: build !== undefined }).data;

  const parts: ReactNode[] = [];
  if (repository !== undefined) {
    parts.push(<PageLink to="/repositories">{t("page.repositories")}</PageLink>, nameOf(Number(repository)));
  } else if (build !== undefined) {
    parts.push(<PageLink to="/builds">{t("page.builds")}</PageLink>);
    if (record) {
      parts.push(
        <PageLink to="/repositories/$repository/$tab" params={{ repository: String(record.repository), tab: "build" }}>
          {nameOf(record.repository)}
        </PageLink>,
        t("builds.title", { number: record.number }),
      );
    }
  } else {
    const known = ["repositories", "builds", "sources", "registries", "targets", "settings"] as const;
    const here = known.find((name) => name === section);
    parts.push(t(here ? `page.${here}` : section ? "page.not_found" : "page.overview"));
  }
  return (
    <Group component="nav" gap="sm" wrap="nowrap" aria-label={t("shell.breadcrumbs")} miw={0}>
      {parts.map((part, index) => (
        <Fragment key={index}>
          {index > 0 && (
            <Text c="dimmed" size="sm" aria-hidden>
              /
            </Text>
          )}
          <Text size="sm" className="clip foreign" {...(index === parts.length - 1 ? { "aria-current": "page" as const } : {})}>
            {part}
          </Text>
        </Fragment>
      ))}
    </Group>
  );
}
