import { Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useTranslation } from "react-i18next";

import type { AccountView } from "../../../host/bindings";
import { failureOf } from "../../../host/host";
import { useCall, useRead } from "../../../host/reads";
import { FormDialog } from "../../../parts/Dialogs";
import { useDraft } from "../../../parts/draft";
import { FailureNotice, useFieldError } from "../../../parts/FailureNotice";
import { ListSkeleton } from "../../../parts/Listing";
import { useRequired } from "../../../parts/required";
import { AuthorizeThere } from "./AuthorizeThere";
import { hostName, placeOf } from "./products";
import { tokenForm, TokenFields, type TypedToken } from "./TokenFields";

/** Gives an account another token of the same person; its rules go on with it. */
export function ReconnectDialog({ account, onClose }: { account: AccountView; onClose: () => void }) {
  const { t } = useTranslation();
  const { draft, change, forget } = useDraft<TypedToken>(`account.${account.id}`, () => ({
    token: "",
    username: "",
    isResource: account.token_kind === "resource",
  }));
  const asked = {
    host: placeOf(account.provider, account.base_url),
    needs: account.needs,
  };
  const guide = useRead("accounts.guide", asked);
  const call = useCall("accounts.reauthorize_with_token");
  const failure = call.error && failureOf(call.error);
  const { complete, missingAt } = useRequired({ token: draft.token });
  const errorOfCall = useFieldError(failure);
  const done = ({ login }: { login: string }) => {
    forget();
    notifications.show({ message: t("accounts.reconnected", { name: login }) });
    onClose();
  };
  const refused = [failure?.code, account.paused?.code].some((code) => code === "source_unauthorized");
  return (
    <FormDialog
      title={t("accounts.reconnect_title", { name: account.login })}
      onClose={onClose}
      onSubmit={() =>
        complete() &&
        call.mutate(
          { id: account.id, token: tokenForm(draft) },
          { onSuccess: done },
        )
      }
      submitLabel={t("accounts.reconnect")}
      busy={call.isPending}
      failure={failure}
    >
      <Text size="sm" className="foreign">
        {t("accounts.reconnect_text", { host: hostName(account.base_url) })}
      </Text>
      {guide.data ? (
        <>
          <AuthorizeThere guide={guide.data} wanted={{ ...asked, again: account.id }} onDone={done} />
          <TokenFields
            guide={guide.data}
            draft={draft}
            change={change}
            errorOf={(field) => missingAt(field) ?? errorOfCall(field)}
            refused={refused}
          />
        </>
      ) : guide.error ? (
        <FailureNotice failure={failureOf(guide.error)} onRetry={() => void guide.refetch()} />
      ) : (
        <ListSkeleton rows={3} />
      )}
    </FormDialog>
  );
}
