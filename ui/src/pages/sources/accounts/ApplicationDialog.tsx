import { NumberInput, PasswordInput, Text, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useTranslation } from "react-i18next";

import type { HostForm, OauthApplicationView } from "../../../host/bindings";
import { failureOf } from "../../../host/host";
import { useCall, useRead } from "../../../host/reads";
import { FormDialog } from "../../../parts/Dialogs";
import { useDraft } from "../../../parts/draft";
import { FailureNotice, useFieldError } from "../../../parts/FailureNotice";
import { ListSkeleton } from "../../../parts/Listing";
import { useRequired } from "../../../parts/required";
import { HostFields } from "./HostFields";
import { hostForm, hostName, productNames, products, type TypedHost } from "./products";
import { fixedPort, redirectWith, RegistrationSteps } from "./RegistrationSteps";

interface Draft extends TypedHost {
  clientId: string;
  clientSecret: string;
  port: number | string;
}

/** CODING takes tokens alone. */
const offered = productNames.filter((name) => products[name].provider !== "coding");
const GUIDE_AFTER_MS = 300;

interface ApplicationDialogProps {
  /** The host, where it is known already; otherwise it is chosen here. */
  host?: HostForm;
  /** The application that is changed. */
  application?: OauthApplicationView;
  onClose: () => void;
  onSaved: () => void;
}

/** Registers an application by hand: what to do at the host, and the fields for what it gives back. */
export function ApplicationDialog({ host, application, onClose, onSaved }: ApplicationDialogProps) {
  const { t } = useTranslation();
  const name = host ? `${host.provider} ${host.base_url ?? ""}` : "new";
  const { draft, change, forget } = useDraft<Draft>(`application.${name}`, () => ({
    product: "github",
    base: "",
    ca: "",
    plainHttp: false,
    clientId: application?.client_id ?? "",
    clientSecret: "",
    port: application?.redirect_port ?? "",
  }));
  const typed = host ?? hostForm(draft);
  const [asked] = useDebouncedValue(JSON.stringify(typed), GUIDE_AFTER_MS);
  const place = host ?? (JSON.parse(asked) as HostForm);
  const known = place.base_url !== "";
  const read = useRead("accounts.guide", { host: place }, { enabled: known, keep: true });
  // The last answer may be about the host that was typed before: its pages must not be opened for this one.
  const isCurrent = !read.isPlaceholderData && JSON.stringify(place) === JSON.stringify(typed);
  const guide = known && isCurrent && read.data ? read.data.guide : null;
  const ownPort = guide && fixedPort(guide);
  const needsSecret = guide?.code_flow === "with_secret" && !guide.device_flow && !application?.has_secret;

  const save = useCall("accounts.save_application");
  const failure = save.error && failureOf(save.error);
  const errorOfCall = useFieldError(failure);
  const errorOfGuide = useFieldError(read.error && failureOf(read.error));
  const { complete, missingAt } = useRequired({
    ...(host ? {} : products[draft.product].own ? { base_url: draft.base } : {}),
    client_id: draft.clientId,
    ...(needsSecret ? { client_secret: draft.clientSecret } : {}),
  });
  const errorOf = (field: string) => missingAt(field) ?? errorOfCall(field) ?? (known ? errorOfGuide(field) : null);
  const edit = (part: Partial<Draft>) => {
    save.reset();
    change(part);
  };
  const secretHint = application?.has_secret
    ? "accounts.secret_kept"
    : guide?.code_flow === "without_secret"
      ? "accounts.secret_none"
      : guide?.device_flow
        ? "accounts.secret_browser"
        : "accounts.token_hint";
  return (
    <FormDialog
      title={
        application || host
          ? t(application ? "accounts.app_edit" : "accounts.register_title", { host: hostName(guide ? (read.data?.base_url ?? "") : (typed.base_url ?? "")) })
          : t("accounts.app_add")
      }
      onClose={onClose}
      onSubmit={() => {
        save.reset();
        if (!complete()) return;
        const secret = draft.clientSecret.trim();
        save.mutate(
          {
            host: typed,
            client_id: draft.clientId.trim(),
            ...(secret ? { client_secret: secret } : {}),
            ...(typeof draft.port === "number" ? { redirect_port: draft.port } : {}),
          },
          {
            onSuccess: () => {
              forget();
              onSaved();
            },
          },
        );
      }}
      submitLabel={t("common.save")}
      busy={save.isPending}
      failure={failure}
    >
      {!host && <HostFields draft={draft} change={edit} errorOf={errorOf} offered={offered} />}
      {guide ? (
        <>
          <RegistrationSteps guide={guide} redirect={redirectWith(guide, draft.port)} />
          <TextInput
            label={t("accounts.client_id")}
            classNames={{ input: "mono" }}
            autoComplete="off"
            spellCheck={false}
            value={draft.clientId}
            onChange={(event) => edit({ clientId: event.currentTarget.value })}
            error={errorOf("client_id")}
            required
            {...(host ? { "data-autofocus": true } : {})}
          />
          <PasswordInput
            label={t("accounts.client_secret")}
            description={t(secretHint)}
            autoComplete="new-password"
            value={draft.clientSecret}
            onChange={(event) => edit({ clientSecret: event.currentTarget.value })}
            error={errorOf("client_secret")}
            required={needsSecret}
          />
          {ownPort !== null && (
            <NumberInput
              label={t("accounts.redirect_port")}
              description={t("accounts.redirect_port_hint")}
              placeholder={String(ownPort)}
              min={1024}
              max={65_535}
              thousandSeparator=""
              w={220}
              value={draft.port}
              onChange={(port) => edit({ port })}
              error={errorOf("redirect_port")}
            />
          )}
        </>
      ) : known && read.error ? (
        !errorOfGuide("base_url") && <FailureNotice failure={failureOf(read.error)} onRetry={() => void read.refetch()} />
      ) : known ? (
        <ListSkeleton rows={3} />
      ) : (
        <Text size="sm" c="dimmed">
          {t("accounts.app_address_first")}
        </Text>
      )}
    </FormDialog>
  );
}
