import { Anchor, Box, Breadcrumbs, Group, Text, TextInput, UnstyledButton } from "@mantine/core";
import { IconArrowUp, IconCheck, IconFile, IconFolder, IconSearch } from "@tabler/icons-react";
import { type KeyboardEvent, useEffect, useId, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import type { CodeRepositoryId, RefName, TreeEntry } from "../../host/bindings";
import { failureOf } from "../../host/host";
import { useRead } from "../../host/reads";
import { FailureNotice } from "../../parts/FailureNotice";
import { ListSkeleton } from "../../parts/Listing";
import { bytesWords, shortRef } from "../../words/format";

/** Whose files, and at which ref; its default branch when none is given. */
export interface TreePlace {
  code: CodeRepositoryId;
  name: string;
  ref?: RefName | undefined;
}

interface TreeBrowserProps {
  place: TreePlace;
  wants: "file" | "folder";
  /** The folder that is shown first. */
  start: string;
  onChoose: (path: string) => void;
  onClose: () => void;
}

/** More rows than these are found by typing. */
const MOST_ROWS = 200;
/** Esc closes this, not the drawer below it. */
const keepsEscape = { "data-mantine-stop-propagation": "true" };

type Row = { kind: "use" } | { kind: "up" } | { kind: "entry"; entry: TreeEntry };

const join = (folder: string, name: string) => (folder ? `${folder}/${name}` : name);
const above = (folder: string) => (folder.includes("/") ? folder.slice(0, folder.lastIndexOf("/")) : "");

/** The files of a repository at a ref: folders are opened, a file or a folder is chosen; the keyboard does all of it. */
export function TreeBrowser({ place, wants, start, onChoose, onClose }: TreeBrowserProps) {
  const { t } = useTranslation();
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  const [folder, setFolder] = useState(start);
  const [filter, setFilter] = useState("");
  const [active, setActive] = useState(0);
  const read = useRead("code_repositories.folder", {
    id: place.code,
    ...(place.ref ? { ref_name: place.ref } : {}),
    ...(folder ? { folder } : {}),
  });
  const go = (to: string) => {
    setFolder(to);
    setFilter("");
    setActive(0);
  };
  const fitting = (read.data ?? []).filter(
    ({ kind, name }) => (kind === "folder" || (wants === "file" && kind !== "submodule")) && name.toLowerCase().includes(filter.trim().toLowerCase()),
  );
  const shown = fitting.slice(0, MOST_ROWS);
  const rows: Row[] = [
    ...(wants === "folder" && filter === "" ? [{ kind: "use" } as const] : []),
    ...(folder !== "" && filter === "" ? [{ kind: "up" } as const] : []),
    ...shown.map((entry) => ({ kind: "entry", entry }) as const),
  ];
  const at = Math.min(active, Math.max(rows.length - 1, 0));
  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }, [at, folder]);

  const act = (row: Row | undefined) => {
    if (!row) return;
    if (row.kind === "use") onChoose(folder);
    else if (row.kind === "up") go(above(folder));
    else if (row.entry.kind === "folder") go(join(folder, row.entry.name));
    else onChoose(join(folder, row.entry.name));
  };
  const keys: Record<string, () => void> = {
    ArrowDown: () => setActive((at + 1) % Math.max(rows.length, 1)),
    ArrowUp: () => setActive((at - 1 + rows.length) % Math.max(rows.length, 1)),
    Enter: () => act(rows[at]),
    Escape: onClose,
    ...(filter === "" && folder !== "" ? { Backspace: () => go(above(folder)) } : {}),
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const does = event.nativeEvent.isComposing ? undefined : keys[event.key];
    if (!does) return;
    event.preventDefault();
    event.stopPropagation();
    does();
  };
  const parts = folder === "" ? [] : folder.split("/");
  return (
    <div>
      <Text size="sm" fw={500} className="foreign" mb={4}>
        {t("rules.browse_title", { name: place.name, ref: place.ref ? shortRef(place.ref) : t("rules.default_branch") })}
      </Text>
      <Breadcrumbs separatorMargin={4} fz={12} mb={6} style={{ flexWrap: "wrap" }}>
        {["", ...parts].map((part, depth) => {
          const to = parts.slice(0, depth).join("/");
          return (
            <Anchor key={to} component="button" type="button" fz={12} className="foreign" onClick={() => go(to)} disabled={to === folder} {...keepsEscape}>
              {depth === 0 ? t("rules.browse_root") : part}
            </Anchor>
          );
        })}
      </Breadcrumbs>
      <TextInput
        size="xs"
        role="combobox"
        aria-label={t("rules.browse_filter")}
        aria-description={t("rules.browse_keys")}
        placeholder={t("rules.browse_filter")}
        aria-expanded
        aria-controls={`${id}-rows`}
        aria-autocomplete="list"
        {...(rows.length > 0 ? { "aria-activedescendant": `${id}-${at}` } : {})}
        leftSection={<IconSearch size={13} aria-hidden />}
        value={filter}
        onChange={(event) => {
          setFilter(event.currentTarget.value);
          setActive(0);
        }}
        onKeyDown={onKeyDown}
        spellCheck={false}
        autoComplete="off"
        data-autofocus
        {...keepsEscape}
      />
      {read.error ? (
        <Box mt="sm">
          <FailureNotice failure={failureOf(read.error)} onRetry={() => void read.refetch()} />
        </Box>
      ) : !read.data ? (
        <Box mt="sm">
          <ListSkeleton rows={4} />
        </Box>
      ) : (
        <Box ref={list} role="listbox" id={`${id}-rows`} aria-label={folder || t("rules.browse_root")} mah={260} mt={6} style={{ overflow: "auto" }}>
          {rows.map((row, index) => (
            <TreeRow key={row.kind === "entry" ? `entry ${row.entry.name}` : row.kind} row={row} id={`${id}-${index}`} isActive={index === at} onClick={() => act(row)} />
          ))}
        </Box>
      )}
      {read.data && shown.length === 0 && (
        <Text size="sm" c="dimmed" px="xs" py={4}>
          {t(filter ? "common.nothing_found" : "rules.browse_empty")}
        </Text>
      )}
      {fitting.length > shown.length && (
        <Text fz={12} c="dimmed" px="xs" pt={4}>
          {t("rules.browse_more", { count: fitting.length - shown.length })}
        </Text>
      )}
      <Text fz={12} c="dimmed" pt={6}>
        {t("rules.browse_keys")}
      </Text>
    </div>
  );
}

function TreeRow({ row, id, isActive, onClick }: { row: Row; id: string; isActive: boolean; onClick: () => void }) {
  const { t } = useTranslation();
  const Icon = row.kind === "use" ? IconCheck : row.kind === "up" ? IconArrowUp : row.entry.kind === "folder" ? IconFolder : IconFile;
  return (
    <UnstyledButton
      component="div"
      id={id}
      role="option"
      tabIndex={-1}
      aria-selected={isActive}
      className="tree-row"
      // The filter keeps the focus, and with it the keys.
      onMouseDown={(event) => event.preventDefault()}
      onClick={onClick}
    >
      <Group gap={6} wrap="nowrap">
        <Icon size={14} aria-hidden style={{ flex: "none" }} />
        <Text size="sm" className={row.kind === "entry" ? "foreign mono" : undefined} style={{ flex: 1 }}>
          {row.kind === "use" ? t("rules.browse_use") : row.kind === "up" ? t("rules.browse_up") : row.entry.name}
        </Text>
        {row.kind === "entry" && row.entry.size !== null && (
          <Text fz={12} c="dimmed">
            {bytesWords(row.entry.size)}
          </Text>
        )}
      </Group>
    </UnstyledButton>
  );
}
