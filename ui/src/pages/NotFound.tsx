import { useTranslation } from "react-i18next";

import { Empty } from "../parts/Listing";
import { PageButton } from "../parts/Page";

/** An address that names nothing. */
export function NotFound() {
  const { t } = useTranslation();
  return <Empty sentence={t("page.not_found")} action={<PageButton to="/">{t("page.overview")}</PageButton>} />;
}
