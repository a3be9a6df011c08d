import { Select, TextInput } from "@mantine/core";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { Folded } from "../../../parts/Folded";
import { OwnAuthorityFields } from "../../../parts/OwnAuthority";
import { type Product, productNames, products, type TypedHost } from "./products";

interface HostFieldsProps {
  draft: TypedHost;
  change: (part: Partial<TypedHost>) => void;
  errorOf: (field: string) => ReactNode;
  /** What is said below the address. */
  children?: ReactNode;
  /** Only these can be chosen. */
  offered?: readonly Product[];
}

/** Which host: what runs there, and for one of one's own its address, authority and consent. */
export function HostFields({ draft, change, errorOf, children, offered = productNames }: HostFieldsProps) {
  const { t } = useTranslation();
  const { own } = products[draft.product];
  return (
    <>
      <Select
        label={t("accounts.provider")}
        description={t("accounts.not_live")}
        data={offered.map((name) => ({ value: name, label: t(`accounts.product_${name}`) }))}
        value={draft.product}
        onChange={(chosen) => chosen && change({ product: chosen as Product })}
        allowDeselect={false}
        data-autofocus
        openOnFocus={false}
      />
      {own && (
        <>
          <div>
            <TextInput
              label={t("accounts.base_url")}
              description={t("accounts.base_url_hint")}
              placeholder={t("accounts.base_url_example")}
              value={draft.base}
              onChange={(event) => change({ base: event.currentTarget.value })}
              error={errorOf("base_url")}
              spellCheck={false}
              required
            />
            {children}
          </div>
          <Folded label={t("common.more")} open={draft.ca !== "" || draft.plainHttp}>
            <OwnAuthorityFields draft={draft} change={change} consent={t("accounts.plain_http")} errorOf={errorOf} />
          </Folded>
        </>
      )}
    </>
  );
}
