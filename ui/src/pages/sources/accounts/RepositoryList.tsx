import { Badge, Button, Group, Radio, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import type { HostOwner, HostRepository, PageMark, SourceAccountId } from "../../../host/bindings";
import { failureOf } from "../../../host/host";
import { useRead } from "../../../host/reads";
import { FailureNotice } from "../../../parts/FailureNotice";
import { ListSkeleton } from "../../../parts/Listing";
import { When } from "../../../parts/Time";

interface RepositoryListProps {
  account: SourceAccountId;
  owner: HostOwner;
  search: string;
  chosen: string | null;
  onChoose: (repository: HostRepository) => void;
  /** Whether its code is watched already. */
  isWatched: (repository: HostRepository) => boolean;
  /** Where this page begins; the first one when left out. */
  page?: PageMark;
}

/** A page of an owner's repositories, and the next one below it when it is asked for. */
export function RepositoryList(props: RepositoryListProps) {
  const { account, owner, search, chosen, onChoose, isWatched, page } = props;
  const { t } = useTranslation();
  const [more, setMore] = useState(false);
  const read = useRead("accounts.repositories", { id: account, owner, search, ...(page === undefined ? {} : { page }) });
  if (read.error) return <FailureNotice failure={failureOf(read.error)} onRetry={() => void read.refetch()} />;
  if (!read.data) return <ListSkeleton rows={3} />;
  const { items, next } = read.data;
  return (
    <>
      {items.map((repository) => (
        <Radio
          key={repository.id}
          name="account-repository"
          value={repository.path}
          checked={repository.path === chosen}
          onChange={() => onChoose(repository)}
          label={
            <Group gap={6}>
              <span className="foreign">{repository.path}</span>
              {repository.private && <Flag word={t("accounts.private")} />}
              {repository.archived && <Flag word={t("accounts.archived")} />}
              {isWatched(repository) && <Flag word={t("accounts.watched")} />}
              {repository.pushed_at && (
                <Text span fz={12} c="dimmed">
                  {t("accounts.changed")} <When at={repository.pushed_at} />
                </Text>
              )}
            </Group>
          }
        />
      ))}
      {items.length === 0 && page === undefined && (
        <Stack gap={4}>
          <Text size="sm">{t(search === "" ? "accounts.no_repositories" : "common.nothing_found")}</Text>
          <Text size="sm" c="dimmed">
            {t("accounts.not_listed")}
          </Text>
        </Stack>
      )}
      {next !== null &&
        (more ? (
          <RepositoryList {...props} page={next} />
        ) : (
          <Button variant="default" size="compact-sm" style={{ alignSelf: "flex-start" }} onClick={() => setMore(true)}>
            {t("accounts.show_more")}
          </Button>
        ))}
    </>
  );
}

const Flag = ({ word }: { word: string }) => (
  <Badge variant="default" size="sm" tt="none" fw={400}>
    {word}
  </Badge>
);
