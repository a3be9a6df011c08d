import { Checkbox, TagsInput, Textarea, TextInput } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import type { BuildDetailView } from "../../host/bindings";
import { failureOf } from "../../host/host";
import { useCall } from "../../host/reads";
import { FormDialog } from "../../parts/Dialogs";
import { useDraft } from "../../parts/draft";
import { useFieldError } from "../../parts/FailureNotice";
import { useRequired } from "../../parts/required";
import { pairText, readPairs } from "../../words/pairs";

/** Runs a build again with other values; everything that is left alone stays as it was. */
export function RerunDialog({ build, onClose }: { build: BuildDetailView; onClose: () => void }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { inputs } = build;
  const { draft, change, forget } = useDraft(`rerun.${build.id}`, () => ({
    tags: inputs.fixed_tags as string[],
    dockerfile: inputs.dockerfile_path as string,
    context: inputs.context_dir as string,
    args: pairText(inputs.options.args),
    noCache: inputs.options.no_cache,
  }));
  const rerun = useCall("builds.rerun");
  const failure = rerun.error && failureOf(rerun.error);
  const errorOf = useFieldError(failure);
  const { complete, missingAt } = useRequired({ dockerfile: draft.dockerfile });
  const { pairs, bad } = readPairs(draft.args);
  const start = () => {
    if (!complete() || bad !== null) return;
    rerun.mutate(
      {
        id: build.id,
        overrides: {
          tags: draft.tags.length > 0 ? draft.tags : null,
          dockerfile_path: draft.dockerfile.trim(),
          context_dir: draft.context.trim(),
          options: { ...inputs.options, args: pairs, no_cache: draft.noCache },
          overwrite: null,
        },
      },
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
      title={t("builds.rerun_title", { number: build.number })}
      onClose={onClose}
      onSubmit={start}
      submitLabel={t("builds.rerun")}
      busy={rerun.isPending}
      failure={failure}
    >
      <TagsInput
        label={t("builds.rerun_tags")}
        description={t("builds.rerun_tags_hint")}
        value={draft.tags}
        onChange={(tags) => change({ tags })}
        error={errorOf("overrides.tags")}
        acceptValueOnBlur
        data-autofocus
      />
      {/* An uploaded Dockerfile is kept with what it copies: there is nothing to point at. */}
      {inputs.code !== null && (
        <>
          <TextInput
            label={t("rules.dockerfile")}
            value={draft.dockerfile}
            onChange={(event) => change({ dockerfile: event.currentTarget.value })}
            error={missingAt("dockerfile") ?? errorOf("overrides.dockerfile_path")}
            spellCheck={false}
            required
          />
          <TextInput
            label={t("rules.context")}
            description={t("rules.context_hint")}
            value={draft.context}
            onChange={(event) => change({ context: event.currentTarget.value })}
            error={errorOf("overrides.context_dir")}
            spellCheck={false}
          />
        </>
      )}
      <Textarea
        label={t("rules.args")}
        description={t("rules.args_hint")}
        autosize
        minRows={1}
        maxRows={8}
        classNames={{ input: "mono" }}
        spellCheck={false}
        value={draft.args}
        onChange={(event) => change({ args: event.currentTarget.value })}
        error={bad === null ? errorOf("overrides.options.args") : t("rules.args_bad", { line: bad })}
      />
      <Checkbox
        label={t("rules.no_cache")}
        checked={draft.noCache}
        onChange={(event) => change({ noCache: event.currentTarget.checked })}
      />
    </FormDialog>
  );
}
