import { useTranslation } from "react-i18next";

import type { AccountView } from "../../../host/bindings";
import { failureOf } from "../../../host/host";
import { useCall } from "../../../host/reads";
import { FormDialog } from "../../../parts/Dialogs";
import { useDraft } from "../../../parts/draft";
import { useFieldError } from "../../../parts/FailureNotice";
import { CertificateField } from "../../../parts/OwnAuthority";

/** Changes the authority that an account's host is checked by. */
export function CertificateDialog({ account, onClose }: { account: AccountView; onClose: () => void }) {
  const { t } = useTranslation();
  const { draft, change, forget } = useDraft(`account-ca.${account.id}`, () => ({ ca: account.ca_pem ?? "" }));
  const edit = useCall("accounts.edit");
  const failure = edit.error && failureOf(edit.error);
  const errorOf = useFieldError(failure);
  return (
    <FormDialog
      title={t("accounts.certificate_title", { name: account.login })}
      onClose={onClose}
      onSubmit={() =>
        edit.mutate(
          { id: account.id, ...(draft.ca.trim() ? { ca_pem: draft.ca } : {}) },
          {
            onSuccess: () => {
              forget();
              onClose();
            },
          },
        )
      }
      submitLabel={t("common.save")}
      busy={edit.isPending}
      failure={failure}
    >
      <CertificateField
        value={draft.ca}
        onChange={(ca) => change({ ca })}
        error={errorOf("ca_pem")}
        description={t("accounts.certificate_hint")}
        alone
      />
    </FormDialog>
  );
}
