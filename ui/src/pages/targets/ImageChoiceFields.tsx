import { Group, SegmentedControl, Select, Stack, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";

import type { ImageChoice } from "../../host/bindings";
import { useRead } from "../../host/reads";
import { useRepositories } from "../../parts/names";

/** An image as it is being chosen. */
export interface ImageDraft {
  from: "tag" | "name";
  repository: string;
  tag: string;
  imageName: string;
}

/** The choice as the core takes it; none while it is not whole. */
export function imageOf(draft: ImageDraft): ImageChoice | null {
  if (draft.from === "name") return draft.imageName.trim() === "" ? null : { kind: "name", name: draft.imageName.trim() };
  return draft.repository === "" || draft.tag.trim() === "" ? null : { kind: "tag", repository: Number(draft.repository), tag: draft.tag.trim() };
}

/** The fields that must be filled in, as failures name them. */
export const neededOf = (draft: ImageDraft): Record<string, string> =>
  draft.from === "name" ? { "image.name": draft.imageName } : { "image.repository": draft.repository, "image.tag": draft.tag };

const TYPED_MS = 250;

interface ImageChoiceFieldsProps {
  draft: ImageDraft;
  change: (part: Partial<ImageDraft>) => void;
  errorOf: (field: string) => ReactNode;
}

/** A tag of an image repository, or any image by its full name. */
export function ImageChoiceFields({ draft, change, errorOf }: ImageChoiceFieldsProps) {
  const { t } = useTranslation();
  const repositories = useRepositories().data?.items ?? [];
  const [typed, setTyped] = useState("");
  const [search] = useDebouncedValue(typed === draft.tag ? "" : typed, TYPED_MS);
  const versions = useRead(
    "versions.list",
    { repository: Number(draft.repository), ...(search ? { search } : {}) },
    { enabled: draft.from === "tag" && draft.repository !== "", keep: true },
  );
  const tags = draft.repository === "" ? [] : (versions.data?.items.map(({ tag }) => tag as string) ?? []);
  return (
    <Stack gap="sm">
      <SegmentedControl
        aria-label={t("targets.image")}
        value={draft.from}
        onChange={(from) => change({ from: from as ImageDraft["from"] })}
        data={(["tag", "name"] as const).map((value) => ({ value, label: t(`targets.image_${value}`) }))}
      />
      {draft.from === "tag" ? (
        <Group gap="sm" grow align="flex-start">
          <Select
            label={t("builds.repository")}
            placeholder={t("common.choose_repository")}
            searchable
            openOnFocus={false}
            data={repositories.map(({ repository }) => ({ value: String(repository.id), label: repository.spec.name }))}
            value={draft.repository || null}
            onChange={(repository) => change({ repository: repository ?? "", tag: "" })}
            error={errorOf("image.repository")}
            required
          />
          <Select
            label={t("firings.tag")}
            placeholder={t("common.choose_tag")}
            searchable
            openOnFocus={false}
            classNames={{ input: "mono" }}
            disabled={draft.repository === ""}
            nothingFoundMessage={versions.isFetching ? t("common.loading") : t("common.nothing_found")}
            data={draft.tag && !tags.includes(draft.tag) ? [draft.tag, ...tags] : tags}
            filter={({ options }) => options}
            searchValue={typed}
            onSearchChange={setTyped}
            value={draft.tag || null}
            onChange={(tag) => change({ tag: tag ?? "" })}
            error={errorOf("image.tag") ?? errorOf("image")}
            required
          />
        </Group>
      ) : (
        <TextInput
          label={t("targets.image_full_name")}
          description={t("targets.image_full_name_hint")}
          classNames={{ input: "mono" }}
          spellCheck={false}
          value={draft.imageName}
          onChange={(event) => change({ imageName: event.currentTarget.value })}
          error={errorOf("image.name") ?? errorOf("image")}
          required
        />
      )}
    </Stack>
  );
}
