import { Alert, Button, NumberInput, PasswordInput, SegmentedControl, Text, TextInput } from "@mantine/core";
import { IconCircleCheck, IconPlugConnected } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import type { CodeRepositoryForm, CodeRepositoryView } from "../../host/bindings";
import { useHost } from "../../host/context";
import { failureOf } from "../../host/host";
import { useCall } from "../../host/reads";
import { useDialog } from "../../parts/dialog";
import { FormDialog } from "../../parts/Dialogs";
import { Folded } from "../../parts/Folded";
import { useDraft } from "../../parts/draft";
import { useFieldError } from "../../parts/FailureNotice";
import { PathInput } from "../../parts/FileFields";
import { OwnAuthorityFields } from "../../parts/OwnAuthority";
import { useRequired } from "../../parts/required";
import { shortRef } from "../../words/format";
import { isSsh } from "../../words/ssh";
import { HostKeyQuestion } from "./HostKeyQuestion";

interface Draft {
  name: string;
  kind: "local_clone" | "git_url";
  path: string;
  url: string;
  username: string;
  password: string;
  ca: string;
  plainHttp: boolean;
  interval: number | string;
  /** Code of an account: the account and its path there stay. */
  account: { id: number; path: string } | null;
}

function start(source?: CodeRepositoryView): Draft {
  const place = source?.location;
  const url = place?.kind === "git_url" ? place : null;
  return {
    name: source?.name ?? "",
    kind: place && place.kind !== "local_clone" ? "git_url" : "local_clone",
    path: place?.kind === "local_clone" ? place.path : "",
    url: place && place.kind !== "local_clone" ? place.url : "",
    username: url?.username ?? "",
    password: "",
    ca: url?.ca_pem ?? "",
    plainHttp: url?.allow_plain_http ?? false,
    interval: source?.poll_interval_seconds ?? "",
    account: source?.account?.id != null ? { id: source.account.id, path: source.account.path } : null,
  };
}

function formOf(draft: Draft): CodeRepositoryForm {
  return {
    name: draft.name.trim(),
    location: draft.account
      ? { kind: "account", account: draft.account.id, path: draft.account.path }
      : draft.kind === "local_clone"
        ? { kind: "local_clone", path: draft.path.trim() }
        : isSsh(draft.url)
          ? { kind: "ssh", url: draft.url.trim() }
          : {
              kind: "git_url",
              url: draft.url.trim(),
              ...(draft.username ? { username: draft.username } : {}),
              ...(draft.password ? { password: draft.password } : {}),
              ...(draft.ca ? { ca_pem: draft.ca } : {}),
              allow_plain_http: draft.plainHttp,
            },
    ...(typeof draft.interval === "number" ? { poll_interval_seconds: draft.interval } : {}),
  };
}

/** The last part of an address or folder: a fair first name for it. */
const nameFrom = (place: string) => place.replace(/\/+$/, "").replace(/\.git$/, "").split(/[/:]/).pop() ?? "";

/** Adds a code source, or changes one; "Test" asks the place before anything is saved. */
export function SourceDialog({ source, onClose }: { source?: CodeRepositoryView; onClose: () => void }) {
  const { t } = useTranslation();
  const { host } = useHost();
  const { open } = useDialog();
  const { draft, change, forget } = useDraft(`source.${source?.id ?? "new"}`, () => start(source));
  const add = useCall("code_repositories.add");
  const edit = useCall("code_repositories.edit");
  const test = useCall("code_repositories.test");
  const trust = useCall("code_repositories.trust_host_key");
  // What goes on once a host's key was confirmed.
  const [saving, setSaving] = useState(false);
  const failed = add.error ?? edit.error ?? test.error;
  const failure = failed && failureOf(failed);
  const ssh = draft.kind === "git_url" && !draft.account && isSsh(draft.url);
  const same = source?.location.kind === "ssh" && source.location.url === draft.url.trim();
  const stands = same ? source.last_failure : null;
  const refused = trust.error && failureOf(trust.error);
  const question = ssh ? [refused, failure ?? (test.isIdle ? stands : null)].find((one) => one?.code === "ssh_host_key_unknown") : undefined;
  const placeField = draft.kind === "local_clone" ? "location.path" : "location.url";
  const { complete, missingAt } = useRequired({
    ...(draft.account ? {} : { [placeField]: draft.kind === "local_clone" ? draft.path : draft.url }),
    name: draft.name,
  });
  const errorOfCall = useFieldError(failure);
  const errorOf = (field: string) => missingAt(field) ?? errorOfCall(field);
  const done = () => {
    forget();
    onClose();
  };
  const fresh = () => {
    add.reset();
    edit.reset();
    test.reset();
    trust.reset();
  };
  const write = () => {
    test.reset();
    const form = formOf(draft);
    if (source) edit.mutate({ id: source.id, form }, { onSuccess: done });
    else add.mutate({ form }, { onSuccess: done });
  };
  const ask = (thenWrite: boolean) => {
    fresh();
    setSaving(thenWrite);
    const form = { ...formOf(draft), name: draft.name.trim() || "test" };
    test.mutate(
      { form, ...(source ? { existing: source.id } : {}) },
      thenWrite
        ? {
            onSuccess: write,
            // A host that is down or refuses a key today may be added; who it is has to be known first.
            onError: (error) => {
              if (!failureOf(error).code.startsWith("ssh_host_key_")) write();
            },
          }
        : {},
    );
  };
  const save = () => {
    fresh();
    if (!complete()) return;
    if (ssh && !same) ask(true);
    else write();
  };
  const found = test.data;
  const stored = source?.location.kind === "git_url" && source.location.has_password;
  // A typed name stays; an untouched one follows the address.
  const place = (part: { path: string } | { url: string }) => {
    const before = nameFrom(draft.kind === "git_url" ? draft.url : draft.path);
    const follows = !source && (draft.name === "" || draft.name === before);
    change({ ...part, ...(follows ? { name: nameFrom("path" in part ? part.path : part.url) } : {}) });
  };

  return (
    <FormDialog
      title={t(source ? "sources.edit" : "sources.add")}
      onClose={onClose}
      onSubmit={save}
      submitLabel={t(source ? "common.save" : "common.add")}
      busy={add.isPending || edit.isPending || (saving && test.isPending)}
      failure={question ? null : (refused ?? failure)}
      beside={
        <Button
          variant="default"
          loading={test.isPending}
          onClick={() => {
            fresh();
            if (complete(placeField)) ask(false);
          }}
        >
          {t("common.test")}
        </Button>
      }
    >
      {draft.account ? (
        <TextInput
          label={t("accounts.repository")}
          description={t("accounts.place_stays")}
          value={draft.account.path}
          classNames={{ input: "mono" }}
          error={errorOf("location.path")}
          readOnly
        />
      ) : (
        <>
          <SegmentedControl
            aria-label={t("sources.kind")}
            value={draft.kind}
            onChange={(kind) => {
              fresh();
              change({ kind: kind as Draft["kind"] });
            }}
            data={[
              { value: "local_clone", label: t("sources.kind_local") },
              { value: "git_url", label: t("sources.kind_url") },
            ]}
          />
          {!source && (
            <Button
              variant="default"
              leftSection={<IconPlugConnected size={14} aria-hidden />}
              style={{ alignSelf: "flex-start" }}
              onClick={() => open("choose-code")}
            >
              {t("accounts.choose")}
            </Button>
          )}
          {draft.kind === "local_clone" ? (
            <PathInput
              label={t("sources.path")}
              description={t("sources.path_hint")}
              value={draft.path}
              onPath={(path) => place({ path })}
              pick={host.pickFolder}
              error={errorOf("location.path")}
              required
              data-autofocus
            />
          ) : (
            <>
              <TextInput
                label={t("sources.url")}
                placeholder={t("sources.url_hint")}
                description={ssh && t("sources.ssh_hint")}
                value={draft.url}
                onChange={(event) => {
                  if (question) fresh();
                  place({ url: event.currentTarget.value });
                }}
                error={errorOf("location.url")}
                spellCheck={false}
                required
                data-autofocus
              />
              {!ssh && (
                <>
                  <TextInput
                    label={t("sources.username")}
                    autoComplete="off"
                    value={draft.username}
                    onChange={(event) => change({ username: event.currentTarget.value })}
                    error={errorOf("location.username")}
                  />
                  <PasswordInput
                    label={t("sources.password")}
                    description={t(stored ? "sources.password_kept" : "sources.password_hint")}
                    autoComplete="new-password"
                    value={draft.password}
                    onChange={(event) => change({ password: event.currentTarget.value })}
                    error={errorOf("location.password")}
                  />
                </>
              )}
            </>
          )}
        </>
      )}
      <TextInput
        label={t("common.name")}
        description={t("sources.name_hint")}
        value={draft.name}
        onChange={(event) => change({ name: event.currentTarget.value })}
        error={errorOf("name")}
        required
      />
      <Folded label={t("common.more")} open={draft.ca !== "" || draft.interval !== "" || draft.plainHttp}>
        <NumberInput
          label={t("sources.interval")}
          description={t("sources.interval_hint")}
          min={5}
          max={86_400}
          w={220}
          value={draft.interval}
          onChange={(interval) => change({ interval })}
          error={errorOf("poll_interval_seconds")}
        />
        {draft.kind === "git_url" && !draft.account && !ssh && (
          <OwnAuthorityFields
            draft={draft}
            change={change}
            consent={t("sources.plain_http")}
            errorOf={errorOf}
            fields={{ ca: "location.ca_pem", plainHttp: "location.allow_plain_http" }}
          />
        )}
      </Folded>
      {question && (
        <HostKeyQuestion
          failure={question}
          busy={trust.isPending}
          onTrust={(fingerprint) => trust.mutate({ url: draft.url.trim(), fingerprint }, { onSuccess: () => ask(saving) })}
        />
      )}
      <div aria-live="polite">
        {test.isPending && (
          <Text size="sm" c="dimmed">
            {t("sources.test_running")}
          </Text>
        )}
        {found && (
          <Alert color="green" p="sm" icon={<IconCircleCheck aria-hidden />}>
            {t("sources.test_ok", {
              branch: found.default_branch ? shortRef(found.default_branch) : t("common.unknown"),
              branches: found.refs.filter(({ name }) => name.startsWith("refs/heads/")).length,
              tags: found.refs.filter(({ name }) => name.startsWith("refs/tags/")).length,
            })}
            {found.unusable > 0 && ` ${t("sources.unusable", { count: found.unusable })}`}
          </Alert>
        )}
      </div>
    </FormDialog>
  );
}
