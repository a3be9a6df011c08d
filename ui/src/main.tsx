import "@mantine/core/styles.css";
import "@mantine/notifications/styles.css";
import "@mantine/spotlight/styles.css";
import "./theme.css";

import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { I18nextProvider } from "react-i18next";

import { openHost } from "./host/open";
import { HostProvider } from "./host/provider";
import { makeQueryClient } from "./host/reads";
import { translations } from "./i18n/translations";
import { readAllPages, router } from "./routes";
import { Look } from "./shell/Look";
import { NoToken } from "./shell/NoToken";

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no element with the id root");

const host = await openHost();
const client = makeQueryClient();

// What stands around the page: a notification that leads to one, and texts outside it in the person's language.
host?.onAddress?.((address) => router.history.push(address));
const speak = (language: string) => {
  host?.speak?.(language);
  // Messages of notification channels, too. One that could not be noted is noted with the next start.
  host?.call("settings.speak", { language: language === "zh" ? "zh" : "en" }).catch(() => undefined);
};
speak(translations.language);
translations.on("languageChanged", speak);

createRoot(root).render(
  <StrictMode>
    <I18nextProvider i18n={translations}>
      <Look>
        {host ? (
          <HostProvider host={host} client={client}>
            <RouterProvider router={router} />
          </HostProvider>
        ) : (
          <NoToken />
        )}
      </Look>
    </I18nextProvider>
  </StrictMode>,
);

/** After so long the first page stands, and reading the others disturbs nobody. */
const QUIET_MS = 500;
if (host) setTimeout(readAllPages, QUIET_MS);
