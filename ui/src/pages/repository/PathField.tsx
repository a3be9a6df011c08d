import { ActionIcon, Autocomplete, Popover, Tooltip } from "@mantine/core";
import { IconFolderSearch } from "@tabler/icons-react";
import { type ReactNode, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { useRead } from "../../host/reads";
import { TreeBrowser, type TreePlace } from "./TreeBrowser";

interface PathFieldProps {
  label: string;
  description: string;
  /** Where the files are looked at; null while no code is chosen. */
  place: TreePlace | null;
  /** What is chosen: a file, or a folder. */
  wants: "file" | "folder";
  value: string;
  onChange: (path: string) => void;
  error: ReactNode;
  "data-field": string;
}

const files: readonly string[] = ["file", "executable", "symlink"];

/** A path in the repository: typed, with what the folder holds on offer, or picked from its tree. */
export function PathField({ place, wants, value, onChange, ...field }: PathFieldProps) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const folder = value.includes("/") ? value.slice(0, value.lastIndexOf("/")) : "";
  const entries = useRead(
    "code_repositories.folder",
    { id: place?.code ?? 0, ...(place?.ref ? { ref_name: place.ref } : {}), ...(folder ? { folder } : {}) },
    { enabled: place !== null, keep: true },
  ).data;
  const fits = (kind: string) => (wants === "folder" ? kind === "folder" : files.includes(kind));
  const data = entries?.filter(({ kind }) => fits(kind)).map(({ name }) => (folder ? `${folder}/${name}` : name)) ?? [];
  const name = `${t("rules.browse")}: ${field.label}`;
  const close = () => {
    setOpen(false);
    input.current?.focus();
  };
  return (
    <Popover opened={open} onChange={setOpen} position="bottom-end" width="target" trapFocus withRoles={false} closeOnEscape={false} shadow="md">
      <Popover.Target>
        <div>
          <Autocomplete
            ref={input}
            size="xs"
            data={[...new Set(data)]}
            limit={30}
            openOnFocus={false}
            value={value}
            onChange={onChange}
            spellCheck={false}
            rightSection={
              place && (
                <Tooltip label={t("rules.browse")}>
                  <ActionIcon size="sm" aria-label={name} aria-expanded={open} aria-haspopup="dialog" onClick={() => setOpen(!open)}>
                    <IconFolderSearch size={15} aria-hidden />
                  </ActionIcon>
                </Tooltip>
              )
            }
            rightSectionPointerEvents="all"
            {...field}
          />
        </div>
      </Popover.Target>
      <Popover.Dropdown p="sm" role="dialog" aria-label={name}>
        {place && (
          <TreeBrowser
            place={place}
            wants={wants}
            start={wants === "folder" ? value : folder}
            onClose={close}
            onChoose={(path) => {
              onChange(path);
              close();
            }}
          />
        )}
      </Popover.Dropdown>
    </Popover>
  );
}
