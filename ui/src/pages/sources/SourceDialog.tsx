import { Alert, Button, Checkbox, Collapse, NumberInput, PasswordInput, SegmentedControl, Stack, Text, Textarea, TextInput } from "@mantine/core";
import { IconCircleCheck, IconPlugConnected } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import type { CodeRepositoryForm, CodeRepositoryView } from "../../host/bindings";
import { useHost } from "../../host/context";
import { failureOf } from "../../host/host";
import { useCall } from "../../host/reads";
import { useDialog } from "../../parts/dialog";
import { FormDialog } from "../../parts/Dialogs";
import { useDraft } from "../../parts/draft";
import { useFieldError } from "../../parts/FailureNotice";
import { useRequired } from "../../parts/required";
import { shortRef } from "../../words/format";

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
    kind: place?.kind ?? "local_clone",
    path: place?.kind === "local_clone" ? place.path : "",
    url: url?.url ?? "",
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
  const [more, setMore] = useState(draft.ca !== "" || draft.interval !== "" || draft.plainHttp);
  const add = useCall("code_repositories.add");
  const edit = useCall("code_repositories.edit");
  const test = useCall("code_repositories.test");
  const failed = add.error ?? edit.error ?? test.error;
  const failure = failed && failureOf(failed);
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
  };
  const save = () => {
    fresh();
    if (!complete()) return;
    const form = formOf(draft);
    if (source) edit.mutate({ id: source.id, form }, { onSuccess: done });
    else add.mutate({ form }, { onSuccess: done });
  };
  const found = test.data;
  const stored = source?.location.kind === "git_url" && source.location.has_password;
  // A typed name stays; an untouched one follows the address.
  const place = (part: { path: string } | { url: string }) => {
    const before = nameFrom(draft.kind === "git_url" ? draft.url : draft.path);
    const follows = !source && (draft.name === "" || draft.name === before);
    change({ ...part, ...(follows ? { name: nameFrom("path" in part ? part.path : part.url) } : {}) });
  };

  const choose = async () => {
    const path = await host.pickFolder?.();
    if (path) place({ path });
  };

  return (
    <FormDialog
      title={t(source ? "sources.edit" : "sources.add")}
      onClose={onClose}
      onSubmit={save}
      submitLabel={t(source ? "common.save" : "common.add")}
      busy={add.isPending || edit.isPending}
      failure={failure}
      beside={
        <Button
          variant="default"
          loading={test.isPending}
          onClick={() => {
            fresh();
            if (complete(placeField)) test.mutate({ form: { ...formOf(draft), name: draft.name.trim() || "test" }, ...(source ? { existing: source.id } : {}) });
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
            <TextInput
              label={t("sources.path")}
              description={t("sources.path_hint")}
              value={draft.path}
              onChange={(event) => place({ path: event.currentTarget.value })}
              error={errorOf("location.path")}
              spellCheck={false}
              required
              data-autofocus
              {...(host.pickFolder
                ? {
                    rightSectionWidth: 84,
                    rightSection: (
                      <Button size="compact-xs" variant="default" onClick={() => void choose()}>
                        {t("sources.choose_folder")}
                      </Button>
                    ),
                  }
                : {})}
            />
          ) : (
            <>
              <TextInput
                label={t("sources.url")}
                placeholder={t("sources.url_hint")}
                value={draft.url}
                onChange={(event) => place({ url: event.currentTarget.value })}
                error={errorOf("location.url")}
                spellCheck={false}
                required
                data-autofocus
              />
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
      <TextInput
        label={t("common.name")}
        description={t("sources.name_hint")}
        value={draft.name}
        onChange={(event) => change({ name: event.currentTarget.value })}
        error={errorOf("name")}
        required
      />
      <div>
        <Button variant="subtle" px={0} bg="transparent" aria-expanded={more} onClick={() => setMore(!more)}>
          {t("common.more")}
        </Button>
        <Collapse expanded={more}>
          <Stack gap="md" pt="sm">
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
            {draft.kind === "git_url" && !draft.account && (
              <>
                <Textarea
                  label={t("sources.ca")}
                  autosize
                  minRows={2}
                  maxRows={6}
                  classNames={{ input: "mono" }}
                  spellCheck={false}
                  value={draft.ca}
                  onChange={(event) => change({ ca: event.currentTarget.value })}
                  error={errorOf("location.ca_pem")}
                />
                <Checkbox
                  label={t("sources.plain_http")}
                  checked={draft.plainHttp}
                  onChange={(event) => change({ plainHttp: event.currentTarget.checked })}
                  error={errorOf("location.allow_plain_http")}
                />
              </>
            )}
          </Stack>
        </Collapse>
      </div>
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
