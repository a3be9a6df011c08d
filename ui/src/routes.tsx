import { createRootRoute, createRoute, createRouter } from "@tanstack/react-router";

import { Overview } from "./pages/Overview";
import { Shell } from "./shell/Shell";

const root = createRootRoute({ component: Shell });

/** Every page of the console. Tests take the list of pages from here, so that none is forgotten. */
const overview = createRoute({ getParentRoute: () => root, path: "/", component: Overview });

export const router = createRouter({ routeTree: root.addChildren([overview]), defaultPreload: "intent" });

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
