import { Select } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";

import type { PageMark, RepositoryPath, SourceAccountId } from "../../../host/bindings";
import { failureOf } from "../../../host/host";
import { useRead } from "../../../host/reads";
import { failureKeys } from "../../../host/failures";
import { shortRef } from "../../../words/format";

const SEARCH_AFTER_MS = 250;

interface BranchFieldProps {
  account: SourceAccountId;
  path: RepositoryPath;
  /** Where it begins; null where the host's list does not say. */
  defaultBranch: string | null;
  value: string | null;
  onChange: (branch: string) => void;
}

/** A branch of a repository: the host searches, so that ten thousand of them cost no more than one page. */
export function BranchField({ account, path, defaultBranch, value, onChange }: BranchFieldProps) {
  const { t } = useTranslation();
  const [typed, setTyped] = useState(value ?? "");
  // What stands there was chosen: only other text is searched for.
  const wanted = typed === value ? "" : typed.trim();
  const [search] = useDebouncedValue(wanted, SEARCH_AFTER_MS);
  const [mark, setMark] = useState<{ search: string; page: PageMark } | null>(null);
  const page = mark?.search === search ? mark.page : null;
  const read = useRead("accounts.branches", { id: account, path, search, ...(page === null ? {} : { page }) }, { keep: true });
  const { items, next } = read.data ?? {};
  useEffect(() => {
    // A host that cannot search is read on, until something fits or its list ends.
    if (!read.isPlaceholderData && search !== "" && items?.length === 0 && next) setMark({ search, page: next });
  }, [read.isPlaceholderData, search, items, next]);
  const found = items?.map(({ name }) => shortRef(name)) ?? [];
  const first = search === "" ? [defaultBranch, value].filter((one) => one !== null) : [];
  return (
    <Select
      label={t("accounts.branch")}
      description={t(next ? "accounts.branch_more" : "accounts.branch_hint")}
      searchable
      data={[...new Set([...first, ...found])]}
      // The host has searched already.
      filter={({ options }) => options}
      value={value}
      onChange={(branch) => branch && onChange(branch)}
      searchValue={typed}
      onSearchChange={setTyped}
      nothingFoundMessage={t(read.isFetching || search !== wanted ? "common.loading" : "common.nothing_found")}
      maxDropdownHeight={240}
      allowDeselect={false}
      openOnFocus={false}
      error={read.error && t(failureKeys(failureOf(read.error).code).what)}
    />
  );
}
