import { Checkbox, Textarea } from "@mantine/core";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

interface CertificateFieldProps {
  value: string;
  onChange: (pem: string) => void;
  error: ReactNode;
  description?: string;
  /** It is all that the dialog asks for. */
  alone?: boolean;
}

/** Certificates of an own authority, as text. */
export function CertificateField({ value, onChange, error, description, alone = false }: CertificateFieldProps) {
  const { t } = useTranslation();
  return (
    <Textarea
      label={t("sources.ca")}
      {...(description ? { description } : {})}
      autosize
      minRows={alone ? 4 : 2}
      maxRows={alone ? 12 : 6}
      classNames={{ input: "mono" }}
      spellCheck={false}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
      error={error}
      {...(alone ? { "data-autofocus": true } : {})}
    />
  );
}

interface OwnAuthorityFieldsProps {
  draft: { ca: string; plainHttp: boolean };
  change: (part: { ca: string } | { plainHttp: boolean }) => void;
  /** What travels unprotected then. */
  consent: string;
  errorOf: (field: string) => ReactNode;
  /** The fields' names in the request. */
  fields?: { ca: string; plainHttp: string };
}

/** How a host of one's own is trusted: by an authority that others do not know, or, with consent, not at all. */
export function OwnAuthorityFields({
  draft,
  change,
  consent,
  errorOf,
  fields = { ca: "ca_pem", plainHttp: "plain_http" },
}: OwnAuthorityFieldsProps) {
  return (
    <>
      <CertificateField value={draft.ca} onChange={(ca) => change({ ca })} error={errorOf(fields.ca)} />
      <Checkbox
        label={consent}
        checked={draft.plainHttp}
        onChange={(event) => change({ plainHttp: event.currentTarget.checked })}
        error={errorOf(fields.plainHttp)}
      />
    </>
  );
}
