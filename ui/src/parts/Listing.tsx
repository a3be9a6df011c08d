import { Button, Group, Skeleton, Stack, Text, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { IconSearch } from "@tabler/icons-react";
import type { UseQueryResult } from "@tanstack/react-query";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { type CallFailed, failureOf } from "../host/host";
import { FailureNotice } from "./FailureNotice";

/** Grey rows where a list will be. */
export function ListSkeleton({ rows = 5 }: { rows?: number }) {
  const { t } = useTranslation();
  return (
    <Stack gap="sm" className="panel" p="md" role="status" aria-label={t("common.loading")}>
      {Array.from({ length: rows }, (_, row) => (
        <Skeleton key={row} height={22} radius="sm" />
      ))}
    </Stack>
  );
}

/** One sentence and one button. */
export function Empty({ sentence, action }: { sentence: string; action?: ReactNode }) {
  return (
    <Stack className="panel" align="center" gap="md" p="xl" py={48}>
      <Text c="dimmed" ta="center">
        {sentence}
      </Text>
      {action}
    </Stack>
  );
}

interface ListingProps<T> {
  read: UseQueryResult<T, CallFailed>;
  count: (answer: T) => number;
  /** A search or filter is set; an empty answer then means that nothing fits. */
  filtered?: boolean;
  onClear?: () => void;
  empty: ReactNode;
  children: (answer: T) => ReactNode;
}

/** The four faces of a list: loading, failed, empty, full. A failed refresh leaves what was there in view. */
export function Listing<T>({ read, count, filtered = false, onClear, empty, children }: ListingProps<T>) {
  const { t } = useTranslation();
  const failure = read.error && <FailureNotice failure={failureOf(read.error)} onRetry={() => void read.refetch()} />;
  if (read.data === undefined) return failure ?? <ListSkeleton />;
  const content =
    count(read.data) > 0 ? (
      children(read.data)
    ) : filtered ? (
      <Empty
        sentence={t("common.nothing_found")}
        action={
          onClear && (
            <Button variant="default" onClick={onClear}>
              {t("common.clear_filters")}
            </Button>
          )
        }
      />
    ) : (
      empty
    );
  return (
    <>
      {failure}
      {content}
    </>
  );
}

/** A search field whose text stands in the address; typing is not held up by it. */
export function SearchField({ label, value, onChange }: { label: string; value: string; onChange: (text: string) => void }) {
  const [typed, setTyped] = useState(value);
  const sent = useRef(value);
  const send = useDebouncedCallback((text: string) => {
    sent.current = text;
    onChange(text);
  }, 200);
  useEffect(() => {
    // Back, or "clear filters": the address changed without this field.
    if (value !== sent.current) {
      sent.current = value;
      setTyped(value);
    }
  }, [value]);
  return (
    <TextInput
      type="search"
      aria-label={label}
      placeholder={label}
      w={264}
      leftSection={<IconSearch size={14} aria-hidden />}
      value={typed}
      onChange={(event) => {
        setTyped(event.currentTarget.value);
        send(event.currentTarget.value);
      }}
    />
  );
}

/** The row of search and filters above a list. */
export function Filters({ children }: { children: ReactNode }) {
  return (
    <Group gap="sm" role="search">
      {children}
    </Group>
  );
}
