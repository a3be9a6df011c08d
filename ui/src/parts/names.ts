import { useMemo } from "react";

import type { ImageRepositoryView, RegistryView } from "../host/bindings";
import { useRead } from "../host/reads";

/** As many image repositories as a menu can hold; lists page by themselves. */
const MENU_LIMIT = 500;

/** All image repositories, for menus and names. */
export function useRepositories() {
  return useRead("image_repositories.list", { limit: MENU_LIMIT });
}

/** Returns what turns an image repository's id into its name. */
export function useRepositoryNames() {
  const list = useRepositories().data;
  const names = useMemo(() => new Map(list?.items.map(({ repository }) => [repository.id, repository.spec.name])), [list]);
  return (id: number) => names.get(id) ?? "";
}

/** A name for a file about a build: `team-web-14.log`. */
export const fileNameOf = (repository: string, number: number, ending: string) =>
  `${repository.replace(/[^\w.-]+/g, "-") || "build"}-${number}.${ending}`;

/** The reference of an image repository as engines know it: `host/namespace/name`, without a tag. */
export function referenceOf(repository: ImageRepositoryView, registries: RegistryView[]): string {
  const host = registries.find(({ id }) => id === repository.spec.registry)?.host;
  return host ? `${host}/${repository.spec.name}` : repository.spec.name;
}
