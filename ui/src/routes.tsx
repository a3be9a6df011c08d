import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from "@tanstack/react-router";

import { NotFound } from "./pages/NotFound";
import { PageFailed } from "./pages/PageFailed";
import { Shell } from "./shell/Shell";

/**
 * The address names page, tab, filters and the open dialog, so that a link, a notification and "back" land on the same place.
 * Whatever in it cannot be read is left out.
 */
type Raw = Record<string, unknown>;
const text = (raw: Raw, name: string) => {
  const value = raw[name];
  return (typeof value === "string" && value !== "") || typeof value === "number" ? { [name]: String(value) } : {};
};
const number = (raw: Raw, name: string) => {
  const value = Number(raw[name]);
  return raw[name] !== undefined && Number.isSafeInteger(value) && value >= 0 ? { [name]: value } : {};
};

/** Search of a list, and the dialog that is open over it. */
export interface ListSearch {
  search?: string;
  registry?: number;
  sort?: string;
  dialog?: string;
}
const listSearch = (raw: Raw): ListSearch => ({
  ...text(raw, "search"),
  ...number(raw, "registry"),
  ...text(raw, "sort"),
  ...text(raw, "dialog"),
});

/** A repository's versions, trigger records and workflow runs: search, sort, page, filters; and the dialog. */
export interface RepositorySearch {
  search?: string;
  sort?: string;
  /** Sort of the builds below the rules. */
  builds?: string;
  page?: number;
  trigger?: number;
  state?: string;
  /** The workflow's runs of this rule. */
  rule?: number;
  /** The run that is open; 0 is none. */
  run?: number;
  dialog?: string;
}
const repositorySearch = (raw: Raw): RepositorySearch => ({
  ...text(raw, "search"),
  ...text(raw, "sort"),
  ...text(raw, "builds"),
  ...number(raw, "page"),
  ...number(raw, "trigger"),
  ...number(raw, "rule"),
  ...number(raw, "run"),
  ...text(raw, "state"),
  ...text(raw, "dialog"),
});

/** Filters and sort of the builds list, and the build after which it goes on. */
export interface BuildsSearch {
  repository?: number;
  rule?: number;
  state?: string;
  kind?: string;
  ref?: string;
  search?: string;
  sort?: string;
  before?: number;
  dialog?: string;
}
const buildsSearch = (raw: Raw): BuildsSearch => ({
  ...number(raw, "repository"),
  ...number(raw, "rule"),
  ...text(raw, "state"),
  ...text(raw, "kind"),
  ...text(raw, "ref"),
  ...text(raw, "search"),
  ...text(raw, "sort"),
  ...number(raw, "before"),
  ...text(raw, "dialog"),
});

/** The step of a log that is shown alone, and the dialog. */
export interface BuildSearch {
  step?: number;
  dialog?: string;
}
const buildSearch = (raw: Raw): BuildSearch => ({ ...number(raw, "step"), ...text(raw, "dialog") });

/** Search, kind and sort of the deploy targets, and the dialog. */
export interface TargetsSearch {
  search?: string;
  kind?: string;
  sort?: string;
  dialog?: string;
}
const targetsSearch = (raw: Raw): TargetsSearch => ({
  ...text(raw, "search"),
  ...text(raw, "kind"),
  ...text(raw, "sort"),
  ...text(raw, "dialog"),
});

/** A page without filters: only the dialog. */
export interface DialogSearch {
  dialog?: string;
}
const dialogSearch = (raw: Raw): DialogSearch => text(raw, "dialog");

/** Each page is a file of its own: the first one is seen before the others are read. */
const Overview = lazyRouteComponent(() => import("./pages/Overview"), "Overview");
const Repositories = lazyRouteComponent(() => import("./pages/Repositories"), "Repositories");
const RepositoryPage = lazyRouteComponent(() => import("./pages/repository/RepositoryPage"), "RepositoryPage");
const Builds = lazyRouteComponent(() => import("./pages/Builds"), "Builds");
const BuildPage = lazyRouteComponent(() => import("./pages/build/BuildPage"), "BuildPage");
const Sources = lazyRouteComponent(() => import("./pages/sources/Sources"), "Sources");
const Registries = lazyRouteComponent(() => import("./pages/registries/Registries"), "Registries");
const Targets = lazyRouteComponent(() => import("./pages/targets/Targets"), "Targets");
const Settings = lazyRouteComponent(() => import("./pages/Settings"), "Settings");

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound, errorComponent: PageFailed });
const getParentRoute = () => root;

/** Every page of the console. Tests take the list of pages from here, so that none is forgotten. */
const pages = [
  createRoute({ getParentRoute, path: "/", component: Overview, validateSearch: dialogSearch }),
  createRoute({ getParentRoute, path: "/repositories", component: Repositories, validateSearch: listSearch }),
  createRoute({ getParentRoute, path: "/repositories/$repository/$tab", component: RepositoryPage, validateSearch: repositorySearch }),
  createRoute({ getParentRoute, path: "/builds", component: Builds, validateSearch: buildsSearch }),
  createRoute({ getParentRoute, path: "/builds/$build", component: BuildPage, validateSearch: buildSearch }),
  createRoute({ getParentRoute, path: "/builds/$build/$tab", component: BuildPage, validateSearch: buildSearch }),
  createRoute({ getParentRoute, path: "/sources", component: Sources, validateSearch: listSearch }),
  createRoute({ getParentRoute, path: "/registries", component: Registries, validateSearch: listSearch }),
  createRoute({ getParentRoute, path: "/targets", component: Targets, validateSearch: targetsSearch }),
  createRoute({ getParentRoute, path: "/settings", component: Settings, validateSearch: dialogSearch }),
] as const;

/** Reads the other pages while nothing happens, so that going to one never waits. */
export const readAllPages = () =>
  [Overview, Repositories, RepositoryPage, Builds, BuildPage, Sources, Registries, Targets, Settings].forEach((page) => void page.preload?.());

export const router = createRouter({ routeTree: root.addChildren(pages), defaultPreload: false, defaultErrorComponent: PageFailed, scrollRestoration: true });

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
