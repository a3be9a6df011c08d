import { Box, Button, Drawer, Group, Stack } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useDebouncedValue } from "@mantine/hooks";
import { useNavigate } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";

import type { ImageRepositoryView, RuleView } from "../../host/bindings";
import { isAbout } from "../../host/failures";
import { failureOf } from "../../host/host";
import { useCall, useRead } from "../../host/reads";
import { findingWords } from "../../host/warnings";
import { useDialog } from "../../parts/dialog";
import { useDraft } from "../../parts/draft";
import { FailureNotice, useFieldError } from "../../parts/FailureNotice";
import { useRequired } from "../../parts/required";
import { ListSkeleton } from "../../parts/Listing";
import { readPairs } from "../../words/pairs";
import { ChooseCodeDialog, type ChosenCode } from "../sources/accounts/ChooseCodeDialog";
import { draftOf, specOf } from "./ruleDraft";
import { RuleFields } from "./RuleFields";
import { RulePreview } from "./RulePreview";

interface RuleEditorProps {
  repository: ImageRepositoryView;
  rule?: RuleView;
  /** The field that is looked at first. */
  at?: string;
  onClose: () => void;
}

/** Typing is followed by the preview after a moment's rest; the checks ask the outside and rest longer. */
const PREVIEW_AFTER_MS = 250;
const CHECK_AFTER_MS = 800;

/** A wide drawer: what the rule says on the left, what it will do on the right. Creates and edits. */
export function RuleEditor(props: RuleEditorProps) {
  const { t } = useTranslation();
  const sources = useRead("code_repositories.list", {});
  const [choosing, setChoosing] = useState(false);
  const title = props.rule ? t("rules.edit_title", { name: props.rule.spec.name }) : t("rules.new_title");
  return (
    <Drawer opened onClose={props.onClose} closeOnEscape={!choosing} size="min(1160px, 100vw)" title={<span className="foreign">{title}</span>}>
      {sources.data ? (
        <Editor {...props} sources={sources.data} choosing={choosing} setChoosing={setChoosing} />
      ) : sources.error ? (
        <FailureNotice failure={failureOf(sources.error)} onRetry={() => void sources.refetch()} />
      ) : (
        <ListSkeleton />
      )}
    </Drawer>
  );
}

interface EditorProps extends RuleEditorProps {
  sources: Parameters<typeof RuleFields>[0]["sources"];
  /** A dialog over the editor chooses code from an account. */
  choosing: boolean;
  setChoosing: (choosing: boolean) => void;
}

function Editor({ repository, rule, at, sources, choosing, setChoosing, onClose }: EditorProps) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const only = sources.length === 1 ? sources[0] : undefined;
  const { draft, change, forget } = useDraft(`rule.${repository.id}.${rule?.id ?? "new"}`, () => draftOf(rule, only));
  const spec = useMemo(() => specOf(draft), [draft]);
  const { open } = useDialog();
  const hasCode = draft.code !== "";
  const [previewed] = useDebouncedValue(spec, PREVIEW_AFTER_MS);
  const [checked] = useDebouncedValue(spec, CHECK_AFTER_MS);
  const preview = useRead(
    "rules.preview",
    { code: previewed.code, triggers: previewed.triggers, version: previewed.version },
    { enabled: hasCode && previewed.code !== 0, keep: true },
  );
  // Without these there is nothing to check yet; the form says so itself when it is sent.
  const checkable = hasCode && checked.code !== 0 && checked.name !== "" && checked.dockerfile_path !== "";
  const preflight = useRead("rules.preflight", { repository: repository.id, spec: checked }, { enabled: checkable, keep: true });

  // What stands in the form is not yet what was checked.
  const checking = checked !== spec || preflight.isFetching;

  const add = useCall("rules.add");
  const edit = useCall("rules.edit");
  const begin = useCall("builds.start");
  const failed = add.error ?? edit.error ?? begin.error;
  const failure = failed && failureOf(failed);
  const errorOfSave = useFieldError(failure);
  const errorOfCheck = useFieldError(preflight.error && failureOf(preflight.error));
  const errorOfPreview = useFieldError(preview.error && failureOf(preview.error));
  const foundErrors = (checkable && preflight.data?.errors) || [];
  const [tried, setTried] = useState(false);
  const noBranch = draft.byBranch && draft.branches.length === 0;
  const { complete, missingAt } = useRequired({ name: draft.name, dockerfile_path: draft.dockerfile });
  const errorOf = (field: string) => {
    const missing = missingAt(field);
    if (missing) return missing;
    if (field === "triggers.branches" && tried && noBranch) return t("rules.branches_required");
    const found = foundErrors.find((one) => isAbout(one, field));
    return (
      errorOfSave(field) ?? errorOfCheck(field) ?? errorOfPreview(field) ?? (found ? findingWords(t, found).what : null)
    );
  };
  const badText = readPairs(draft.args).bad !== null || readPairs(draft.labels).bad !== null;
  const blocked = !hasCode || badText || foundErrors.length > 0;

  const save = (build: boolean) => {
    setTried(true);
    if (!complete() || noBranch) return;
    const done = (id: number) => {
      if (!build) {
        forget();
        notifications.show({ message: t("rules.changed") });
        onClose();
        return;
      }
      const source = sources.find((one) => one.id === spec.code);
      const name = preview.data?.matching[0]?.name ?? preflight.data?.on_ref ?? source?.default_branch;
      if (!name) return;
      begin.mutate(
        { rule: id, target: { kind: "ref", name } },
        {
          onSuccess: (started) => {
            forget();
            void navigate({ to: "/builds/$build", params: { build: String(started.id) } });
          },
        },
      );
    };
    if (rule) edit.mutate({ id: rule.id, spec }, { onSuccess: () => done(rule.id) });
    else add.mutate({ repository: repository.id, spec }, { onSuccess: ({ id }) => done(id) });
  };
  const busy = add.isPending || edit.isPending || begin.isPending;

  const chosen = ({ id, name, branch }: ChosenCode) => {
    setChoosing(false);
    change({
      code: String(id),
      ...(branch === null ? {} : { branches: [branch], byBranch: true }),
      ...(rule ? {} : { name: draft.name || (name.split("/").pop() ?? name) }),
    });
  };

  return (
    <>
      <form
        className="drawer-form"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (!blocked && !busy) save(false);
        }}
      >
        <Box className="rule-editor">
          <RuleFields draft={draft} change={change} sources={sources} errorOf={errorOf} isNew={!rule} onChooseCode={() => setChoosing(true)} {...(at ? { at } : {})} />
          <Stack gap="md" className="rule-editor-live">
            <RulePreview hasCode={hasCode} preview={preview} preflight={preflight} checking={checking} checkable={checkable} overwriteTag={spec.overwrite_tag} repository={repository} onDockerfile={(dockerfile) => change({ dockerfile })} onStarters={() => open(`starters.${draft.code}.${rule ? `rule.${rule.id}` : "new-rule"}`)} />
            {failure && <FailureNotice failure={failure} />}
          </Stack>
        </Box>
        <Group gap="sm" justify="flex-end" className="dialog-foot">
          <Button variant="default" onClick={onClose}>
            {t("common.cancel")}
          </Button>
          <Button variant="default" loading={begin.isPending} disabled={blocked || busy} onClick={() => save(true)}>
            {t("rules.save_and_build")}
          </Button>
          <Button type="submit" loading={add.isPending || edit.isPending} disabled={blocked}>
            {t("common.save")}
          </Button>
        </Group>
      </form>
      {choosing && <ChooseCodeDialog withBranch onClose={() => setChoosing(false)} onChosen={chosen} />}
    </>
  );
}
