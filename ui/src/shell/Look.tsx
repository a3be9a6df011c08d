import { MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { type ReactNode, useMemo } from "react";
import { useTranslation } from "react-i18next";

import { cssVariables, makeTheme } from "../theme";

/** The theme around everything; follows the language, because close buttons carry words. */
export function Look({ children }: { children: ReactNode }) {
  const { t } = useTranslation();
  const close = t("common.close");
  const theme = useMemo(() => makeTheme(close), [close]);
  return (
    <MantineProvider theme={theme} cssVariablesResolver={cssVariables} defaultColorScheme="auto">
      <Notifications position="bottom-right" autoClose={4000} />
      {children}
    </MantineProvider>
  );
}
