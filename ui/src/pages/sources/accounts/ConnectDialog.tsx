import { Alert, Button, Checkbox, Stack, Text } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconCircleCheck } from "@tabler/icons-react";
import { useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import type { HostForm, Need, SourceAccountId } from "../../../host/bindings";
import { failureOf } from "../../../host/host";
import { useCall, useRead } from "../../../host/reads";
import { FormDialog } from "../../../parts/Dialogs";
import { useDraft } from "../../../parts/draft";
import { FailureNotice, useFieldError } from "../../../parts/FailureNotice";
import { useRequired } from "../../../parts/required";
import { ApplicationDialog } from "./ApplicationDialog";
import { AuthorizeThere } from "./AuthorizeThere";
import { GithubAppDialog } from "./GithubAppDialog";
import { HostFields } from "./HostFields";
import { OwnApplication } from "./OwnApplication";
import { hostForm, products, type TypedHost } from "./products";
import { tokenForm, TokenFields, type TypedToken } from "./TokenFields";

type Draft = TypedHost & TypedToken & { statuses: boolean; hooks: boolean };

const empty: Draft = {
  product: "github",
  base: "",
  ca: "",
  plainHttp: false,
  token: "",
  username: "",
  isResource: false,
  statuses: false,
  hooks: false,
};

/** An address is looked at after a moment's rest. */
const GUIDE_AFTER_MS = 300;

interface ConnectDialogProps {
  onClose: () => void;
  /** The account is there: what comes next is the caller's. */
  onConnected: (account: SourceAccountId) => void;
}

type Step = "register" | "github_app";

/** Connects an account; where the host knows no application yet, one is registered or made on the way. */
export function ConnectDialog(props: ConnectDialogProps) {
  const [step, setStep] = useState<{ kind: Step; host: HostForm } | null>(null);
  const back = () => setStep(null);
  if (step?.kind === "register") return <ApplicationDialog host={step.host} onClose={back} onSaved={back} />;
  if (step?.kind === "github_app") return <GithubAppDialog host={step.host} onClose={back} onMade={back} />;
  return <AccountForm {...props} onStep={(kind, host) => setStep({ kind, host })} />;
}

/** Which host, which rights and why, and a token for them or the way through the browser. */
function AccountForm({ onClose, onConnected, onStep }: ConnectDialogProps & { onStep: (step: Step, host: HostForm) => void }) {
  const { t } = useTranslation();
  const { draft, change, forget } = useDraft<Draft>("account.new", () => empty);
  const { provider, own } = products[draft.product];
  const { product, base, ca, plainHttp, statuses, hooks } = draft;
  const asked = useMemo(() => {
    const needs: Need[] = ["read", ...(statuses ? ["statuses" as const] : []), ...(hooks ? ["hooks" as const] : [])];
    return { host: hostForm({ product, base, ca, plainHttp }), needs };
  }, [product, base, ca, plainHttp, statuses, hooks]);
  const [rested] = useDebouncedValue(asked, GUIDE_AFTER_MS);
  const known = !own || rested.host.base_url !== "";
  const guide = useRead("accounts.guide", rested, { enabled: known && rested.host.provider === provider, keep: true });
  // The last answer may be about the host that was typed before: its pages must not be opened for this one.
  const answered = useRef("");
  if (guide.data && !guide.isPlaceholderData) answered.current = JSON.stringify(rested.host);
  const shown = known && guide.data && answered.current === JSON.stringify(asked.host) ? guide.data : null;

  const connect = useCall("accounts.add_with_token");
  const probe = useCall("accounts.probe");
  const failed = connect.error ?? probe.error;
  const failure = failed && failureOf(failed);
  const suggestion = failure?.details?.suggestion;
  const { complete, missingAt } = useRequired({ token: draft.token, ...(own ? { base_url: draft.base } : {}) });
  const errorOfCall = useFieldError(failure);
  const errorOfGuide = useFieldError(guide.error && failureOf(guide.error));
  const errorOf = (field: string) => missingAt(field) ?? errorOfCall(field) ?? (known ? errorOfGuide(field) : null);
  const fresh = () => {
    connect.reset();
    probe.reset();
  };
  const edit = (part: Partial<Draft>) => {
    fresh();
    change(part);
  };
  const save = () => {
    fresh();
    if (!complete()) return;
    connect.mutate(
      { ...asked, token: tokenForm(draft) },
      {
        onSuccess: ({ id }) => {
          forget();
          onConnected(id);
        },
      },
    );
  };

  return (
    <FormDialog
      title={t("accounts.connect")}
      onClose={onClose}
      onSubmit={save}
      submitLabel={t("accounts.connect_submit")}
      busy={connect.isPending}
      failure={failure}
      beside={
        own && (
          <Button
            variant="default"
            loading={probe.isPending}
            onClick={() => {
              fresh();
              if (complete("base_url")) probe.mutate(asked.host);
            }}
          >
            {t("accounts.probe")}
          </Button>
        )
      }
    >
      <HostFields draft={draft} change={(part) => edit(part.product ? { ...part, isResource: false } : part)} errorOf={errorOf}>
        <div aria-live="polite">
          {suggestion && (
            <Button variant="default" size="compact-sm" mt={6} onClick={() => edit({ base: suggestion })}>
              {t("accounts.use_suggestion", { address: suggestion })}
            </Button>
          )}
          {probe.data && (
            <Alert color="green" p="sm" mt={6} icon={<IconCircleCheck aria-hidden />}>
              {t("accounts.probe_ok", { product: `${probe.data.product} ${probe.data.version ?? ""}`.trim() })}
            </Alert>
          )}
        </div>
      </HostFields>
      <Stack gap="sm">
        <Text size="sm" fw={600}>
          {t("accounts.needs")}
        </Text>
        <Checkbox label={t("accounts.need_read")} checked disabled />
        <Checkbox
          label={t("accounts.need_statuses")}
          checked={draft.statuses}
          onChange={(event) => edit({ statuses: event.currentTarget.checked })}
        />
        <Checkbox
          label={t("accounts.need_hooks")}
          checked={draft.hooks}
          onChange={(event) => edit({ hooks: event.currentTarget.checked })}
        />
      </Stack>
      {shown ? (
        <>
          <AuthorizeThere
            key={shown.base_url}
            guide={shown}
            wanted={asked}
            onDone={({ id }) => {
              forget();
              onConnected(id);
            }}
          />
          <TokenFields guide={shown} draft={draft} change={edit} errorOf={errorOf} refused={failure?.code === "source_unauthorized"} />
          <OwnApplication guide={shown} onRegister={() => onStep("register", asked.host)} onMakeApp={() => onStep("github_app", asked.host)} />
        </>
      ) : (
        own && !known && (
          <Text size="sm" c="dimmed">
            {t("accounts.address_first")}
          </Text>
        )
      )}
      {guide.error && known && !errorOfGuide("base_url") && <FailureNotice failure={failureOf(guide.error)} onRetry={() => void guide.refetch()} />}
    </FormDialog>
  );
}
