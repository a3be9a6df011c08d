import { useTranslation } from "react-i18next";

import { Empty } from "../parts/Listing";
import { Page, PageButton } from "../parts/Page";

/** An address that names nothing. */
export function NotFound() {
  const { t } = useTranslation();
  return (
    <Page title={t("page.not_found")} name={t("page.not_found")}>
      <Empty sentence={t("page.not_found_why")} action={<PageButton to="/">{t("page.overview")}</PageButton>} />
    </Page>
  );
}
