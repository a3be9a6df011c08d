import { Button, Checkbox, FileButton, Group, Textarea, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconFileUpload } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import type { ImageRepositoryView } from "../../host/bindings";
import { useHost } from "../../host/context";
import { failureKeys } from "../../host/failures";
import { failureOf } from "../../host/host";
import { useCall, useRead } from "../../host/reads";
import { FormDialog } from "../../parts/Dialogs";
import { useDraft } from "../../parts/draft";
import { useFieldError } from "../../parts/FailureNotice";
import { useRequired } from "../../parts/required";
import { readPairs } from "../../words/pairs";

const CHECK_AFTER_MS = 300;
/** A Dockerfile is a short text; what is larger was chosen by mistake. */
const MOST_BYTES = 1024 * 1024;
/** What the core can read as an archive; anything else is a folder. */
const ARCHIVE = /\.(tar|tar\.gz|tgz|zip)$/i;

/** Builds an uploaded Dockerfile (使用Dockerfile进行构建): a tag and a file are enough; a folder or archive to copy from is optional. */
export function DockerfileBuildDialog({ repository, onClose }: { repository: ImageRepositoryView; onClose: () => void }) {
  const { t } = useTranslation();
  const { host } = useHost();
  const navigate = useNavigate();
  const { draft, change, forget } = useDraft(`dockerfile.${repository.id}`, () => ({ tag: "", text: "", folder: "", args: "", noCache: false }));
  const [tooLarge, setTooLarge] = useState(false);
  const [checked] = useDebouncedValue(draft.text, CHECK_AFTER_MS);
  const problem = useRead("uploads.check_dockerfile", { text: checked }, { enabled: checked.trim() !== "", keep: true }).data?.problem;
  const build = useCall("uploads.dockerfile");
  const failure = build.error && failureOf(build.error);
  const { complete, missingAt } = useRequired({ tag: draft.tag, dockerfile: draft.text });
  const errorOfCall = useFieldError(failure);
  const errorOf = (field: string) => missingAt(field) ?? errorOfCall(field);
  const { pairs, bad } = readPairs(draft.args);
  const line = problem?.details?.line;
  const problemWords =
    problem && draft.text.trim() !== "" && `${t(failureKeys(problem.code).what)} ${line ? t("common.at_line", { line }) : problem.message}`;
  const take = async (file: File | null) => {
    if (!file) return;
    setTooLarge(file.size > MOST_BYTES);
    if (file.size <= MOST_BYTES) change({ text: await file.text() });
  };
  const choose = async () => {
    const folder = await host.pickFolder?.();
    if (folder) change({ folder });
  };
  const place = draft.folder.trim();
  const start = () => {
    if (!complete() || bad !== null) return;
    build.mutate(
      {
        repository: repository.id,
        tag: draft.tag.trim(),
        dockerfile: { kind: "text", text: draft.text },
        ...(place ? { context: { kind: ARCHIVE.test(place) ? "archive" : "folder", path: place } } : {}),
        options: {
          platforms: [],
          args: pairs,
          secrets: [],
          target: null,
          labels: [],
          no_standard_labels: false,
          no_cache: draft.noCache,
          always_pull: false,
          network: "default",
          timeout_seconds: null,
          engine: null,
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
      title={t("builds.dockerfile_title")}
      onClose={onClose}
      onSubmit={start}
      submitLabel={t("builds.now_start")}
      busy={build.isPending}
      failure={failure}
    >
      <TextInput
        label={t("builds.now_fixed")}
        value={draft.tag}
        onChange={(event) => change({ tag: event.currentTarget.value })}
        error={errorOf("tag")}
        spellCheck={false}
        required
        data-autofocus
      />
      <Textarea
        label={t("builds.dockerfile_text")}
        description={t("builds.dockerfile_text_hint")}
        autosize
        minRows={8}
        maxRows={18}
        classNames={{ input: "mono" }}
        spellCheck={false}
        value={draft.text}
        onChange={(event) => change({ text: event.currentTarget.value })}
        error={tooLarge ? t("builds.dockerfile_too_large") : (errorOf("dockerfile") ?? (problemWords || null))}
        required
      />
      <Group>
        <FileButton onChange={(file) => void take(file)}>
          {(props) => (
            <Button {...props} variant="default" leftSection={<IconFileUpload size={14} aria-hidden />}>
              {t("builds.dockerfile_choose")}
            </Button>
          )}
        </FileButton>
      </Group>
      <TextInput
        label={t("builds.dockerfile_folder")}
        description={t("builds.dockerfile_folder_hint")}
        value={draft.folder}
        onChange={(event) => change({ folder: event.currentTarget.value })}
        error={errorOf("context")}
        spellCheck={false}
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
      <Textarea
        label={t("rules.args")}
        description={t("rules.args_hint")}
        autosize
        minRows={1}
        maxRows={6}
        classNames={{ input: "mono" }}
        spellCheck={false}
        value={draft.args}
        onChange={(event) => change({ args: event.currentTarget.value })}
        error={bad === null ? errorOf("options.args") : t("rules.args_bad", { line: bad })}
      />
      <Checkbox label={t("builds.now_no_cache")} checked={draft.noCache} onChange={(event) => change({ noCache: event.currentTarget.checked })} />
    </FormDialog>
  );
}
