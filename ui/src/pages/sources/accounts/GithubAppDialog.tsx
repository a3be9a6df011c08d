import { List, Stack, Text, TextInput } from "@mantine/core";
import { useTranslation } from "react-i18next";

import type { HostForm } from "../../../host/bindings";
import { FormDialog } from "../../../parts/Dialogs";
import { useDraft } from "../../../parts/draft";
import { useFieldError } from "../../../parts/FailureNotice";
import { useRequired } from "../../../parts/required";
import { useAuthorization } from "./useAuthorization";
import { Waiting } from "./Waiting";

/** GitHub's limit for the name of an app. */
const LONGEST_NAME = 34;

/** Names of apps are unique in all of GitHub. */
const firstName = () => `Slipway ${crypto.getRandomValues(new Uint16Array(1))[0]?.toString(16).padStart(4, "0") ?? ""}`;

/** Makes a GitHub App of one's own from a manifest with the least rights; what follows is installing it. */
export function GithubAppDialog({ host, onClose, onMade }: { host: HostForm; onClose: () => void; onMade: () => void }) {
  const { t } = useTranslation();
  const { draft, change, forget } = useDraft("github-app", () => ({ name: firstName(), organization: "" }));
  const making = useAuthorization((state) => {
    if (state.kind !== "app_made") return;
    forget();
    onMade();
  });
  const errorOfCall = useFieldError(making.failure);
  const { complete, missingAt } = useRequired({ app_name: draft.name });
  return (
    <FormDialog
      title={t("accounts.make_app")}
      onClose={onClose}
      onSubmit={() => {
        if (making.isWaiting || !complete()) return;
        const organization = draft.organization.trim();
        making.start({ host }, { kind: "github_app", name: draft.name.trim(), ...(organization ? { organization } : {}) });
      }}
      submitLabel={t("accounts.make_app_submit")}
      busy={making.isBeginning}
      failure={making.failure}
    >
      <Text size="sm">{t("accounts.make_app_text")}</Text>
      <List size="sm" spacing={2}>
        {(["contents", "metadata", "statuses"] as const).map((right) => (
          <List.Item key={right}>{t(`accounts.app_right_${right}`)}</List.Item>
        ))}
      </List>
      <TextInput
        label={t("accounts.app_name")}
        description={t("accounts.app_name_hint")}
        maxLength={LONGEST_NAME}
        value={draft.name}
        onChange={(event) => change({ name: event.currentTarget.value })}
        error={missingAt("app_name") ?? errorOfCall("app_name")}
        disabled={making.isWaiting}
        required
        data-autofocus
      />
      <TextInput
        label={t("accounts.app_organization")}
        description={t("accounts.app_organization_hint")}
        value={draft.organization}
        onChange={(event) => change({ organization: event.currentTarget.value })}
        disabled={making.isWaiting}
        spellCheck={false}
      />
      {making.isWaiting && (
        <Stack gap="sm" className="panel" p="sm" aria-live="polite">
          <Waiting at={making} sentence={t("accounts.waiting_app")} />
        </Stack>
      )}
    </FormDialog>
  );
}
