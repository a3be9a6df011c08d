import { Alert, Button, Checkbox, Collapse, Select, Stack, Text, Textarea, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconCircleCheck } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";

import type { Need, SourceAccountId } from "../../../host/bindings";
import { failureOf } from "../../../host/host";
import { useCall, useRead } from "../../../host/reads";
import { FormDialog } from "../../../parts/Dialogs";
import { useDraft } from "../../../parts/draft";
import { FailureNotice, useFieldError } from "../../../parts/FailureNotice";
import { useRequired } from "../../../parts/required";
import { AuthorizeThere } from "./AuthorizeThere";
import { hostForm, type Product, productNames, products, type TypedHost } from "./products";
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

/** Connects an account: which host, which rights and why, and a token for them. */
export function ConnectDialog({ onClose, onConnected }: ConnectDialogProps) {
  const { t } = useTranslation();
  const { draft, change, forget } = useDraft<Draft>("account.new", () => empty);
  const [more, setMore] = useState(draft.ca !== "" || draft.plainHttp);
  const { provider, own } = products[draft.product];
  const { product, base, ca, plainHttp, statuses, hooks } = draft;
  const asked = useMemo(() => {
    const needs: Need[] = ["read", ...(statuses ? ["statuses" as const] : []), ...(hooks ? ["hooks" as const] : [])];
    return { host: hostForm({ product, base, ca, plainHttp }), needs };
  }, [product, base, ca, plainHttp, statuses, hooks]);
  const [rested] = useDebouncedValue(asked, GUIDE_AFTER_MS);
  const known = !own || rested.host.base_url !== "";
  const guide = useRead("accounts.guide", rested, { enabled: known && rested.host.provider === provider, keep: true });
  // The last answer may be about another provider.
  const shown = known && guide.data?.guide.provider === provider ? guide.data : null;

  const connect = useCall("accounts.add_with_token");
  const probe = useCall("accounts.probe");
  const failed = connect.error ?? probe.error;
  const failure = failed && failureOf(failed);
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
      <Select
        label={t("accounts.provider")}
        data={productNames.map((name) => ({ value: name, label: t(`accounts.product_${name}`) }))}
        value={draft.product}
        onChange={(chosen) => chosen && edit({ product: chosen as Product, isResource: false })}
        allowDeselect={false}
        data-autofocus
        openOnFocus={false}
      />
      {own && (
        <>
          <TextInput
            label={t("accounts.base_url")}
            description={t("accounts.base_url_hint")}
            placeholder={t("accounts.base_url_example")}
            value={draft.base}
            onChange={(event) => edit({ base: event.currentTarget.value })}
            error={errorOf("base_url")}
            spellCheck={false}
            required
          />
          <div aria-live="polite">
            {probe.data && (
              <Alert color="green" p="sm" icon={<IconCircleCheck aria-hidden />}>
                {t("accounts.probe_ok", { product: `${probe.data.product} ${probe.data.version ?? ""}`.trim() })}
              </Alert>
            )}
          </div>
          <div>
            <Button variant="subtle" px={0} bg="transparent" aria-expanded={more} onClick={() => setMore(!more)}>
              {t("common.more")}
            </Button>
            <Collapse expanded={more}>
              <Stack gap="md" pt="sm">
                <Textarea
                  label={t("sources.ca")}
                  autosize
                  minRows={2}
                  maxRows={6}
                  classNames={{ input: "mono" }}
                  spellCheck={false}
                  value={draft.ca}
                  onChange={(event) => edit({ ca: event.currentTarget.value })}
                  error={errorOf("ca_pem")}
                />
                <Checkbox
                  label={t("accounts.plain_http")}
                  checked={draft.plainHttp}
                  onChange={(event) => edit({ plainHttp: event.currentTarget.checked })}
                />
              </Stack>
            </Collapse>
          </div>
        </>
      )}
      <Stack gap="sm">
        <Text size="sm" fw={500}>
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
