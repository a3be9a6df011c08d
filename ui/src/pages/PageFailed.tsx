import { Button } from "@mantine/core";
import { IconRefresh } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

import { Empty } from "../parts/Listing";
import { Page } from "../parts/Page";

/** A page that broke: says so, and begins anew. What the core does goes on. */
export function PageFailed() {
  const { t } = useTranslation();
  const again = (
    <Button leftSection={<IconRefresh size={14} aria-hidden />} onClick={() => location.reload()}>
      {t("page.failed_reload")}
    </Button>
  );
  return (
    <Page title={t("page.failed")} name={t("page.failed")}>
      <Empty sentence={t("page.failed_why")} action={again} />
    </Page>
  );
}
