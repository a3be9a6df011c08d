import { Button, Checkbox, FileButton, Group, Stack, Textarea, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconFileUpload } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import type { ContextInput, ImageRepositoryView } from "../../host/bindings";
import { failureKeys } from "../../host/failures";
import { failureOf } from "../../host/host";
import { useCall, useRead } from "../../host/reads";
import { FormDialog } from "../../parts/Dialogs";
import { DockerfileEditor } from "../../parts/DockerfileEditor";
import { useDraft } from "../../parts/draft";
import { type Dropped, DropZone } from "../../parts/DropZone";
import { useFieldError } from "../../parts/FailureNotice";
import { useRequired } from "../../parts/required";
import { useSending } from "../../parts/sending";
import { readPairs } from "../../words/pairs";
import { ContextField, contextOf, type SentContext } from "./ContextField";

const CHECK_AFTER_MS = 300;
/** A Dockerfile is a short text; what is larger was chosen by mistake. */
const MOST_BYTES = 1024 * 1024;
/** What the core can read as an archive; anything else is a folder, or a Dockerfile. */
const ARCHIVE = /\.(tar|tar\.gz|tgz|zip)$/i;

interface DockerfileDraft {
  tag: string;
  text: string;
  folder: string;
  sent: SentContext | null;
  args: string;
  noCache: boolean;
}

const start: DockerfileDraft = { tag: "", text: "", folder: "", sent: null, args: "", noCache: false };

/** Builds an uploaded Dockerfile (使用Dockerfile进行构建): a tag and a file are enough; a folder or archive to copy from is optional. */
export function DockerfileBuildDialog({ repository, onClose }: { repository: ImageRepositoryView; onClose: () => void }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { draft, change, forget } = useDraft(`dockerfile.${repository.id}`, () => start);
  const [tooLarge, setTooLarge] = useState(false);
  const [badContext, setBadContext] = useState<"too_many" | "too_large" | null>(null);
  const [checked] = useDebouncedValue(draft.text, CHECK_AFTER_MS);
  const problem = useRead("uploads.check_dockerfile", { text: checked }, { enabled: checked.trim() !== "", keep: true }).data?.problem;
  const build = useCall("uploads.dockerfile");
  const sending = useSending();
  const failure = sending.failure ?? (build.error && failureOf(build.error));
  const { complete, missingAt } = useRequired({ tag: draft.tag, dockerfile: draft.text });
  const errorOfCall = useFieldError(failure);
  const errorOf = (field: string) => missingAt(field) ?? errorOfCall(field);
  const { pairs, bad } = readPairs(draft.args);
  const known = draft.text.trim() !== "" ? problem : null;
  const line = known?.details?.line;
  const problemWords = known && `${t(failureKeys(known.code).what)} ${line ? t("common.at_line", { line }) : known.message}`;
  const take = async (file: File) => {
    setTooLarge(file.size > MOST_BYTES);
    if (file.size <= MOST_BYTES) change({ text: await file.text() });
  };
  const takeContext = (dropped: Dropped) => {
    const context = contextOf(dropped);
    const isBad = typeof context === "string";
    setBadContext(isBad ? context : null);
    if (context && !isBad) change({ sent: context });
  };
  const drop = (dropped: Dropped) => {
    if (dropped.kind === "folder") return takeContext(dropped);
    for (const file of dropped.files) {
      if (ARCHIVE.test(file.name)) takeContext({ kind: "files", files: [file] });
      else void take(file);
    }
  };
  const contextInput = async (): Promise<{ context?: ContextInput } | null> => {
    const path = draft.folder.trim();
    if (!draft.sent) return path ? { context: { kind: ARCHIVE.test(path) ? "archive" : "folder", path } } : {};
    const id = await sending.send(draft.sent.archive, draft.sent.name);
    return id === null ? null : { context: { kind: "sent", id } };
  };
  const submit = async () => {
    if (!complete() || bad !== null) return;
    const context = await contextInput();
    if (!context) return;
    build.mutate(
      {
        repository: repository.id,
        tag: draft.tag.trim(),
        dockerfile: { kind: "text", text: draft.text },
        ...context,
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
      onSubmit={() => void submit()}
      submitLabel={t("builds.now_start")}
      busy={build.isPending || sending.share !== null}
      failure={failure}
    >
      <DropZone onDrop={drop}>
        <Stack gap="md">
          <TextInput
            label={t("builds.now_fixed")}
            value={draft.tag}
            onChange={(event) => change({ tag: event.currentTarget.value })}
            error={errorOf("tag")}
            spellCheck={false}
            required
            data-autofocus
          />
          <DockerfileEditor
            label={t("builds.dockerfile_text")}
            description={t("builds.dockerfile_text_hint")}
            value={draft.text}
            onChange={(text) => change({ text })}
            problemLine={line ? Number(line) : null}
            error={tooLarge ? t("builds.dockerfile_too_large") : (errorOf("dockerfile") ?? (problemWords || null))}
            required
          />
          <Group>
            <FileButton onChange={(file) => file && void take(file)}>
              {(props) => (
                <Button {...props} variant="default" leftSection={<IconFileUpload size={14} aria-hidden />}>
                  {t("builds.dockerfile_choose")}
                </Button>
              )}
            </FileButton>
          </Group>
          <ContextField
            path={draft.folder}
            sent={draft.sent}
            share={sending.share}
            onPath={(folder) => change({ folder })}
            onDropped={takeContext}
            onForget={() => {
              sending.stop();
              change({ sent: null });
            }}
            error={badContext ? t(`builds.context_${badContext}`) : errorOf("context")}
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
        </Stack>
      </DropZone>
    </FormDialog>
  );
}
