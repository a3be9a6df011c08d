import { ActionIcon, Button, Kbd, Tooltip } from "@mantine/core";
import { useOs } from "@mantine/hooks";
import { Spotlight, spotlight, type SpotlightActionGroupData } from "@mantine/spotlight";
import { IconSearch } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { useRead } from "../host/reads";
import { useDialog } from "../parts/dialog";
import { useRepositories, useRepositoryNames } from "../parts/names";
import { foreignText } from "../words/ansi";
import { shortCommit, shortRef } from "../words/format";
import { pageKey } from "./keys";

const RECENT = 30;
const LIMIT = 12;

const helps = [
  ["help", "help.dockerfile"],
  ["starters", "help.starters"],
  ["keys", "help.keys"],
] as const;

const pages = [
  ["/", "page.overview"],
  ["/repositories", "page.repositories"],
  ["/builds", "page.builds"],
  ["/sources", "page.sources"],
  ["/registries", "page.registries"],
  ["/targets", "page.targets"],
  ["/settings", "page.settings"],
] as const;

const creations = [
  ["/sources", "sources.add"],
  ["/repositories", "repositories.add"],
  ["/registries", "registries.add"],
] as const;

/** Ctrl/Cmd-K: every page, image repository and recent build by its name. */
export function Palette() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { open } = useDialog();
  const os = useOs();
  const nameOf = useRepositoryNames();
  const repositories = useRepositories().data?.items ?? [];
  const builds = useRead("builds.list", { limit: RECENT }).data?.items ?? [];
  const actions: SpotlightActionGroupData[] = [
    {
      group: t("palette.pages"),
      actions: pages.map(([to, label], index) => ({
        id: to,
        label: t(label),
        onClick: () => void navigate({ to }),
        rightSection: <Kbd size="xs">{pageKey(index, os === "macos").join(" ")}</Kbd>,
      })),
    },
    {
      group: t("palette.create"),
      actions: creations.map(([to, label]) => ({
        id: `${to}+`,
        label: t(label),
        onClick: () => void navigate({ to, search: { dialog: "add" } }),
      })),
    },
    {
      group: t("shell.help"),
      actions: helps.map(([dialog, label]) => ({ id: dialog, label: t(label), onClick: () => open(dialog) })),
    },
    {
      group: t("palette.repositories"),
      actions: repositories.map(({ repository: { id, spec } }) => ({
        id: `repository ${id}`,
        label: spec.name,
        description: spec.summary,
        onClick: () => void navigate({ to: "/repositories/$repository/$tab", params: { repository: String(id), tab: "versions" } }),
      })),
    },
    {
      group: t("palette.builds"),
      actions: builds.map((build) => ({
        id: `build ${build.id}`,
        label: `${nameOf(build.repository)} ${t("builds.title", { number: build.number })}`,
        description: foreignText(
          [build.ref_name && shortRef(build.ref_name), build.commit && shortCommit(build.commit.id), build.commit?.summary]
            .filter(Boolean)
            .join(" "),
        ),
        onClick: () => void navigate({ to: "/builds/$build", params: { build: String(build.id) } }),
      })),
    },
  ];
  return (
    <Spotlight
      actions={actions.filter((group) => group.actions.length > 0)}
      limit={LIMIT}
      nothingFound={t("palette.nothing")}
      scrollable
      maxHeight={420}
      overlayProps={{ blur: 0, backgroundOpacity: 0.5 }}
      searchProps={{
        leftSection: <IconSearch size={18} aria-hidden />,
        placeholder: t("palette.placeholder"),
        "aria-label": t("palette.placeholder"),
      }}
    />
  );
}

/** Opens the palette for whoever does not know its keys. */
export function PaletteButton({ narrow }: { narrow: boolean }) {
  const { t } = useTranslation();
  const os = useOs();
  if (narrow) {
    return (
      <Tooltip label={t("palette.open")}>
        <ActionIcon aria-label={t("palette.open")} onClick={spotlight.open}>
          <IconSearch size={18} aria-hidden />
        </ActionIcon>
      </Tooltip>
    );
  }
  return (
    <Button
      variant="subtle"
      color="gray"
      fw={400}
      leftSection={<IconSearch size={14} aria-hidden />}
      rightSection={<Kbd size="xs">{t(os === "macos" ? "palette.keys_mac" : "palette.keys")}</Kbd>}
      onClick={spotlight.open}
    >
      {t("palette.open")}
    </Button>
  );
}
