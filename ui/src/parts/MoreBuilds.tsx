import { Button } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import type { BuildList } from "../host/bindings";
import type { BuildsSearch } from "../routes";
import { PageButton } from "./Page";

/** Rows that one request may ask for. */
const MOST = 500;

/** How many rows of a list are shown; another list, named by `of`, begins small again. */
export function useGrowing(step: number, of: unknown): { limit: number; grow: () => void } {
  const [grown, setGrown] = useState({ of, limit: step });
  const limit = grown.of === of ? grown.limit : step;
  return { limit, grow: () => setGrown({ of, limit: Math.min(limit + step, MOST) }) };
}

interface MoreBuildsProps {
  list: BuildList;
  limit: number;
  loading: boolean;
  onMore: () => void;
  /** The same list on the page of builds, where it goes on beyond what is read at once. */
  search: BuildsSearch;
}

/** Leads further down a list of builds. */
export function MoreBuilds({ list: { next }, limit, loading, onMore, search }: MoreBuildsProps) {
  const { t } = useTranslation();
  if (next === null) return null;
  if (limit < MOST) {
    return (
      <Button variant="default" loading={loading} onClick={onMore}>
        {t("builds.more")}
      </Button>
    );
  }
  return (
    <PageButton to="/builds" search={{ ...search, before: next }} variant="default">
      {t("builds.go_on")}
    </PageButton>
  );
}
