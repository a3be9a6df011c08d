import { Checkbox, SegmentedControl, Select, TextInput } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import type { BuildOverrides, BuildTarget, RuleView } from "../../host/bindings";
import { failureOf } from "../../host/host";
import { useCall, useRead } from "../../host/reads";
import { FormDialog } from "../../parts/Dialogs";
import { useDraft } from "../../parts/draft";
import { FailureNotice, useFieldError } from "../../parts/FailureNotice";
import { useRequired } from "../../parts/required";
import { shortRef } from "../../words/format";

interface Draft {
  rule: string;
  kind: "branch" | "tag" | "commit";
  ref: string;
  commit: string;
  tag: string;
  noCache: boolean;
  /** As the core decides, until it is ticked or unticked by hand. */
  overwrite: boolean | null;
}

/** Builds a rule now: a branch, a tag or a commit, with the few values that differ this once. */
export function BuildNowDialog({ rules, rule: first, onClose }: { rules: RuleView[]; rule?: RuleView; onClose: () => void }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { draft, change, forget } = useDraft<Draft>(`now.${first?.id ?? `of.${rules[0]?.repository ?? ""}`}`, () => ({
    rule: String((first ?? rules[0])?.id ?? ""),
    kind: "branch",
    ref: "",
    commit: "",
    tag: "",
    noCache: false,
    overwrite: null,
  }));
  const rule = rules.find(({ id }) => String(id) === draft.rule) ?? rules[0];
  const refs = useRead("code_repositories.refs", { id: rule?.spec.code ?? 0 }, { enabled: rule !== undefined });
  const begin = useCall("builds.start");
  const failure = begin.error && failureOf(begin.error);
  const errorOf = useFieldError(failure);
  const prefix = draft.kind === "tag" ? "refs/tags/" : "refs/heads/";
  const names = refs.data?.refs.map(({ name }) => name).filter((name) => name.startsWith(prefix)) ?? [];
  const usual = [
    ...(rule?.spec.triggers.branches ?? []).map((branch) => `refs/heads/${branch}`),
    refs.data?.default_branch ?? "",
    names.at(-1) ?? "",
  ].find((name) => names.includes(name));
  const ref = names.includes(draft.ref) ? draft.ref : (usual ?? "");
  const target: BuildTarget = draft.kind === "commit" ? { kind: "commit", id: draft.commit.trim() } : { kind: "ref", name: ref };
  const { complete, missingAt } = useRequired({ target: draft.kind === "commit" ? draft.commit : ref });
  if (!rule) return null;
  const moves = draft.overwrite ?? draft.kind !== "commit";

  const start = () => {
    if (!complete()) return;
    const tag = draft.tag.trim();
    const overrides: BuildOverrides = {
      tags: tag ? [tag] : null,
      dockerfile_path: null,
      context_dir: null,
      options: draft.noCache ? { ...rule.spec.options, no_cache: true } : null,
      overwrite: draft.overwrite,
    };
    begin.mutate(
      { rule: rule.id, target, overrides },
      {
        onSuccess: ({ id }) => {
          forget();
          void navigate({ to: "/builds/$build", params: { build: String(id) } });
        },
      },
    );
  };

  return (
    <FormDialog
      title={t("builds.now_title", { name: rule.spec.name })}
      onClose={onClose}
      onSubmit={start}
      submitLabel={t("builds.now_start")}
      busy={begin.isPending}
      waiting={draft.kind !== "commit" && refs.isPending}
      failure={failure}
    >
      {rules.length > 1 && (
        <Select
          label={t("builds.now_rule")}
          data={rules.map(({ id, spec }) => ({ value: String(id), label: spec.name }))}
          value={String(rule.id)}
          onChange={(chosen) => change({ rule: chosen ?? "" })}
        />
      )}
      <SegmentedControl
        aria-label={t("builds.now_what")}
        value={draft.kind}
        onChange={(kind) => change({ kind: kind as Draft["kind"] })}
        data={(["branch", "tag", "commit"] as const).map((value) => ({ value, label: t(`builds.now_${value}`) }))}
      />
      {draft.kind === "commit" ? (
        <TextInput
          label={t("builds.now_commit")}
          description={t("builds.now_commit_hint")}
          classNames={{ input: "mono" }}
          value={draft.commit}
          onChange={(event) => change({ commit: event.currentTarget.value })}
          error={missingAt("target") ?? errorOf("target")}
          spellCheck={false}
          required
        />
      ) : (
        <Select
          label={t(`builds.now_${draft.kind}`)}
          searchable
          openOnFocus={false}
          limit={100}
          nothingFoundMessage={refs.isFetching ? t("common.loading") : t("common.nothing_found")}
          data={names.map((value) => ({ value, label: shortRef(value) }))}
          value={ref || null}
          onChange={(chosen) => change({ ref: chosen ?? "" })}
          error={missingAt("target") ?? errorOf("target")}
          required
          data-autofocus
        />
      )}
      {refs.error && <FailureNotice failure={failureOf(refs.error)} warning onRetry={() => void refs.refetch()} />}
      <TextInput
        label={t("builds.now_fixed")}
        description={t("builds.now_fixed_hint")}
        value={draft.tag}
        onChange={(event) => change({ tag: event.currentTarget.value })}
        error={errorOf("overrides.tags")}
        spellCheck={false}
      />
      {rule.spec.overwrite_tag && (
        <Checkbox
          label={t("builds.now_overwrite", { tag: rule.spec.overwrite_tag })}
          checked={moves}
          onChange={(event) => change({ overwrite: event.currentTarget.checked })}
        />
      )}
      <Checkbox
        label={t("builds.now_no_cache")}
        checked={draft.noCache}
        onChange={(event) => change({ noCache: event.currentTarget.checked })}
      />
    </FormDialog>
  );
}
