import { Box, Button, Group, Select, Stack, Text, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconPlugConnected, IconSearch } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import type { AccountView, CodeRepositoryId, HostRepository } from "../../../host/bindings";
import { failureOf } from "../../../host/host";
import { useCall, useRead } from "../../../host/reads";
import { FormDialog } from "../../../parts/Dialogs";
import { useDraft } from "../../../parts/draft";
import { FailureNotice, useFieldError } from "../../../parts/FailureNotice";
import { ListSkeleton } from "../../../parts/Listing";
import { useRequired } from "../../../parts/required";
import { BranchField } from "./BranchField";
import { ConnectDialog } from "./ConnectDialog";
import { OutsideLink } from "./OutsideLink";
import { hostName, productOf } from "./products";
import { RepositoryList } from "./RepositoryList";

interface Draft {
  /** Provider and address of the source. */
  source: string | null;
  account: string | null;
  owner: string | null;
  search: string;
  repository: HostRepository | null;
  branch: string | null;
  name: string;
}

/** Code that was chosen: watched from now on, or already before. */
export interface ChosenCode {
  id: CodeRepositoryId;
  name: string;
  /** Short name of the branch; null where none was asked for, or the host's list does not say. */
  branch: string | null;
}

const SEARCH_AFTER_MS = 300;
const LONGEST_NAME = 64;

const sourceOf = ({ provider, base_url }: AccountView) => `${provider} ${base_url}`;
const samePath = (one: string, other: string) => one.toLowerCase() === other.toLowerCase();
/** A first name for code: its path, or the end of a very long one. */
const nameOf = ({ path, name }: HostRepository) => (path.length <= LONGEST_NAME ? path : name.slice(0, LONGEST_NAME));

interface ChooseCodeDialogProps {
  /** The account to begin with. */
  account?: number;
  onClose: () => void;
  onChosen: (code: ChosenCode) => void;
  /** A branch is chosen too. */
  withBranch?: boolean;
}

/** Source, account, organization, repository, and where it is wanted a branch: each list follows from the choice before it. */
export function ChooseCodeDialog(props: ChooseCodeDialogProps) {
  const [connected, setConnected] = useState(props.account);
  const [connecting, setConnecting] = useState(false);
  if (connecting) {
    const back = () => setConnecting(false);
    return (
      <ConnectDialog
        onClose={back}
        onConnected={(id) => {
          setConnected(id);
          back();
        }}
      />
    );
  }
  return <Choice {...props} {...(connected === undefined ? {} : { account: connected })} onConnect={() => setConnecting(true)} />;
}

function Choice({ account: first, withBranch = false, onClose, onChosen, onConnect }: ChooseCodeDialogProps & { onConnect: () => void }) {
  const { t } = useTranslation();
  const { draft, change, forget } = useDraft<Draft>(`choose-code.${first ?? ""}`, () => ({
    source: null,
    account: first === undefined ? null : String(first),
    owner: null,
    search: "",
    repository: null,
    branch: null,
    name: "",
  }));
  const accounts = useRead("accounts.list", {});
  const codes = useRead("code_repositories.list", {});
  const all = accounts.data ?? [];
  const none = accounts.data?.length === 0;
  // What needs no choice is chosen.
  const picked = all.find(({ id }) => String(id) === draft.account);
  const sources = [...new Map(all.map((one) => [sourceOf(one), one])).values()];
  const source = draft.source ?? (picked ? sourceOf(picked) : sources.length === 1 && sources[0] ? sourceOf(sources[0]) : null);
  const ofSource = all.filter((one) => sourceOf(one) === source);
  const account = picked && sourceOf(picked) === source ? picked : ofSource.length === 1 ? ofSource[0] : undefined;
  const owners = useRead("accounts.organizations", { id: account?.id ?? 0 }, { enabled: account !== undefined });
  const owner = owners.data?.find(({ id }) => id === draft.owner) ?? (draft.owner === null ? owners.data?.[0] : undefined);
  const [search] = useDebouncedValue(draft.search.trim(), SEARCH_AFTER_MS);
  const watchedAs = (repository: HostRepository) =>
    codes.data?.find((code) => code.account?.id === account?.id && code.account && samePath(code.account.path, repository.path));
  const known = draft.repository && watchedAs(draft.repository);

  const applications = useRead("accounts.applications", {}).data;
  const installPage = applications?.find(
    (one) => account?.token_kind === "oauth" && one.provider === account.provider && one.base_url === account.base_url,
  )?.install_page;

  const add = useCall("code_repositories.add");
  const failure = add.error && failureOf(add.error);
  const errorOfCall = useFieldError(failure);
  const { complete, missingAt } = useRequired({
    repository: draft.repository?.path ?? "",
    ...(known ? {} : { name: draft.name }),
  });
  const errorOf = (field: string) => missingAt(field) ?? errorOfCall(field);
  const edit = (part: Partial<Draft>) => {
    add.reset();
    change(part);
  };
  const choose = (repository: HostRepository) => {
    const follows = draft.name === "" || (draft.repository !== null && draft.name === nameOf(draft.repository));
    edit({ repository, branch: repository.default_branch, ...(follows ? { name: nameOf(repository) } : {}) });
  };
  const save = () => {
    add.reset();
    const { repository } = draft;
    if (!complete() || !repository || !account) return;
    const done = (id: CodeRepositoryId, name: string) => {
      forget();
      onChosen({ id, name, branch: draft.branch ?? repository.default_branch });
    };
    if (known) return done(known.id, known.name);
    const name = draft.name.trim();
    const form = { name, location: { kind: "account" as const, account: account.id, path: repository.path } };
    add.mutate({ form }, { onSuccess: ({ id }) => done(id, name) });
  };
  const failedAt = errorOf("repository") ?? errorOf("location.path");

  return (
    <FormDialog
      title={t("accounts.choose_title")}
      onClose={onClose}
      onSubmit={save}
      submitLabel={t(known ? "accounts.use" : "common.add")}
      busy={add.isPending}
      failure={failure}
      beside={
        <Button variant={none ? "filled" : "default"} leftSection={<IconPlugConnected size={14} aria-hidden />} onClick={onConnect}>
          {t("accounts.authorize_source")}
        </Button>
      }
    >
      {accounts.error && <FailureNotice failure={failureOf(accounts.error)} onRetry={() => void accounts.refetch()} />}
      {accounts.isPending && <ListSkeleton rows={3} />}
      {none && <Text size="sm">{t("accounts.empty")}</Text>}
      {all.length > 0 && (
        <>
          <Group grow align="flex-start" gap="md">
            <Select
              label={t("accounts.provider")}
              placeholder={t("accounts.pick_source")}
              data={sources.map((one) => ({
                value: sourceOf(one),
                label: `${t(`accounts.product_${productOf(one.provider, one.base_url)}`)} · ${hostName(one.base_url)}`,
              }))}
              value={source}
              onChange={(chosen) => edit({ source: chosen, account: null, owner: null, repository: null })}
              data-autofocus
              allowDeselect={false}
              openOnFocus={false}
            />
            <Select
              label={t("accounts.account")}
              placeholder={t("accounts.pick_account")}
              data={ofSource.map(({ id, login }) => ({ value: String(id), label: login }))}
              value={account ? String(account.id) : null}
              onChange={(chosen) => edit({ account: chosen, owner: null, repository: null })}
              allowDeselect={false}
              openOnFocus={false}
            />
          </Group>
          {owners.error ? (
            <FailureNotice failure={failureOf(owners.error)} onRetry={() => void owners.refetch()} />
          ) : (
            <Select
              label={t("accounts.owner")}
              placeholder={t("accounts.pick_owner")}
              searchable
              data={owners.data?.map(({ id, name, path }) => ({ value: id, label: name === path ? name : `${name} (${path})` })) ?? []}
              value={owner?.id ?? null}
              onChange={(chosen) => edit({ owner: chosen, repository: null })}
              disabled={!owners.data}
              allowDeselect={false}
              openOnFocus={false}
            />
          )}
          {account && owner && (
            <Stack gap="xs">
              <TextInput
                type="search"
                label={t("accounts.repository")}
                placeholder={t("accounts.search")}
                leftSection={<IconSearch size={14} aria-hidden />}
                value={draft.search}
                onChange={(event) => edit({ search: event.currentTarget.value })}
                onKeyDown={(event) => {
                  // Enter searches; it does not add what was chosen before.
                  if (event.key === "Enter") event.preventDefault();
                }}
                error={failedAt}
              />
              <Box className="panel" mah={260} p="sm" style={{ overflow: "auto" }}>
                <Stack gap={10} role="radiogroup" aria-label={t("accounts.repository")}>
                  <RepositoryList
                    key={`${account.id} ${owner.id} ${search}`}
                    account={account.id}
                    owner={owner}
                    search={search}
                    chosen={draft.repository?.path ?? null}
                    onChoose={choose}
                    isWatched={(repository) => watchedAs(repository) !== undefined}
                  />
                </Stack>
              </Box>
            </Stack>
          )}
          {withBranch && account && draft.repository && (
            <BranchField
              key={draft.repository.id}
              account={account.id}
              path={draft.repository.path}
              defaultBranch={draft.repository.default_branch}
              value={draft.branch}
              onChange={(branch) => edit({ branch })}
            />
          )}
          {installPage && <OutsideLink to={installPage}>{t("accounts.install_more")}</OutsideLink>}
          {draft.repository && !known && (
            <TextInput
              label={t("common.name")}
              description={t("sources.name_hint")}
              value={draft.name}
              onChange={(event) => edit({ name: event.currentTarget.value })}
              error={errorOf("name")}
              required
            />
          )}
        </>
      )}
    </FormDialog>
  );
}
