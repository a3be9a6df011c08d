import { Button, Checkbox, FileButton, Group, Progress, SegmentedControl, Select, Stack, Text, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconFileUpload } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import type { ImageRepositoryView, ImageSourceInput } from "../../host/bindings";
import { useHost } from "../../host/context";
import { failureOf } from "../../host/host";
import { useCall, useRead } from "../../host/reads";
import { FormDialog } from "../../parts/Dialogs";
import { useDraft } from "../../parts/draft";
import { DropZone } from "../../parts/DropZone";
import { FailureNotice, useFieldError } from "../../parts/FailureNotice";
import { PathInput, SentFile } from "../../parts/FileFields";
import { useRequired } from "../../parts/required";
import { useSending } from "../../parts/sending";
import { bytesWords, platformText } from "../../words/format";

const TYPED_MS = 250;
/** What `docker save` writes, packed or not. */
const IMAGE_ARCHIVES = ".tar,.tar.gz,.tgz";

/** Uploads an image (手动上传): one that the engine has, or one of an archive that `docker save` wrote. */
export function UploadImageDialog({ repository, onClose }: { repository: ImageRepositoryView; onClose: () => void }) {
  const { t } = useTranslation();
  const { host } = useHost();
  const navigate = useNavigate();
  const { draft, change, forget } = useDraft(`upload-image.${repository.id}`, () => ({
    kind: "local" as "local" | "archive",
    name: "",
    path: "",
    image: "",
    tag: "",
    otherPlatform: false,
  }));
  const [typed, setTyped] = useState("");
  const [search] = useDebouncedValue(typed === draft.name ? "" : typed, TYPED_MS);
  const images = useRead("engine.images", search ? { search } : {}, { enabled: draft.kind === "local", keep: true });
  const [path] = useDebouncedValue(draft.path.trim(), TYPED_MS);
  const sending = useSending();
  const [sent, setSent] = useState<{ id: string; file: File } | null>(null);
  const isThere = sent !== null || path !== "";
  const archive = useRead(
    "uploads.archive_images",
    { source: sent ? { kind: "sent", id: sent.id } : { kind: "archive", path } },
    { enabled: draft.kind === "archive" && isThere },
  );
  const inside = isThere ? (archive.data ?? []) : [];
  const several = inside.length > 1;
  const upload = useCall("uploads.image");
  const failure = sending.failure ?? (upload.error && failureOf(upload.error));
  const { complete, missingAt } = useRequired({
    source: draft.kind === "local" ? draft.name : sent ? sent.id : draft.path,
    ...(draft.kind === "archive" && several ? { image: draft.image } : {}),
    tag: draft.tag,
  });
  const errorOfCall = useFieldError(failure);
  const errorOf = (field: string) => missingAt(field) ?? errorOfCall(field);
  const names = [...new Set((images.data ?? []).flatMap(({ tags }) => tags))];
  const sourceOf = (): ImageSourceInput => {
    if (draft.kind === "local") return { kind: "local", name: draft.name };
    return sent ? { kind: "sent", id: sent.id } : { kind: "archive", path: draft.path.trim() };
  };
  const forgetSent = () => {
    sending.stop();
    setSent(null);
    change({ image: "" });
  };
  const send = async (file: File | undefined) => {
    if (!file) return;
    forgetSent();
    upload.reset();
    change({ kind: "archive" });
    const id = await sending.send(file, file.name);
    if (id !== null) setSent({ id, file });
  };
  const start = () =>
    complete() &&
    upload.mutate(
      {
        repository: repository.id,
        tag: draft.tag.trim(),
        source: sourceOf(),
        other_platform: draft.otherPlatform,
        ...(draft.kind === "archive" && draft.image ? { image: draft.image } : {}),
      },
      {
        onSuccess: ({ id }) => {
          forget();
          void navigate({ to: "/builds/$build", params: { build: String(id) } });
        },
      },
    );
  return (
    <FormDialog
      title={t("builds.upload_title")}
      onClose={onClose}
      onSubmit={start}
      submitLabel={t("builds.upload_start")}
      busy={upload.isPending || sending.share !== null}
      failure={failure}
    >
      <DropZone onDrop={(dropped) => dropped.kind === "files" && void send(dropped.files[0])}>
        <Stack gap="md">
          <SegmentedControl
            aria-label={t("builds.upload_from")}
            value={draft.kind}
            onChange={(kind) => {
              upload.reset();
              change({ kind: kind as "local" | "archive" });
            }}
            data={(["local", "archive"] as const).map((value) => ({ value, label: t(`builds.upload_${value}`) }))}
          />
          {draft.kind === "local" ? (
            <Select
              label={t("builds.upload_image")}
              placeholder={t("builds.upload_pick")}
              searchable
              openOnFocus={false}
              classNames={{ input: "mono" }}
              nothingFoundMessage={images.isFetching ? t("common.loading") : t("common.nothing_found")}
              data={draft.name && !names.includes(draft.name) ? [draft.name, ...names] : names}
              filter={({ options }) => options}
              searchValue={typed}
              onSearchChange={setTyped}
              value={draft.name || null}
              onChange={(name) => change({ name: name ?? "" })}
              error={errorOf("source")}
              required
              data-autofocus
            />
          ) : (
            <>
              {sent ? (
                <SentFile label={t("builds.upload_path")} name={sent.file.name} size={sent.file.size} error={errorOf("source")} onForget={forgetSent} />
              ) : (
                <PathInput
                  label={t("builds.upload_path")}
                  description={t("builds.upload_path_hint")}
                  value={draft.path}
                  onPath={(path) => change({ path, image: "" })}
                  pick={host.pickFile}
                  error={errorOf("source")}
                  required
                />
              )}
              {/* A window names the file by its path; a browser has to send it. */}
              {!host.pickFile && !sent && sending.share === null && (
                <FileButton accept={IMAGE_ARCHIVES} onChange={(file) => void send(file ?? undefined)}>
                  {(props) => (
                    <Button {...props} variant="default" style={{ alignSelf: "flex-start" }} leftSection={<IconFileUpload size={14} aria-hidden />}>
                      {t("builds.upload_send")}
                    </Button>
                  )}
                </FileButton>
              )}
              {sending.share !== null && (
                <Group gap="sm" wrap="nowrap">
                  <Progress value={sending.share * 100} aria-label={t("builds.upload_sending")} style={{ flex: 1 }} />
                  <Button size="compact-xs" variant="default" onClick={sending.stop}>
                    {t("common.cancel")}
                  </Button>
                </Group>
              )}
              {archive.error && isThere && <FailureNotice failure={failureOf(archive.error)} warning />}
              {several && (
                <Select
                  label={t("builds.upload_which")}
                  data={inside.flatMap(({ names: [first], platform }) => (first ? [{ value: first, label: `${first} (${platformText(platform)})` }] : []))}
                  value={draft.image || null}
                  onChange={(image) => change({ image: image ?? "" })}
                  error={errorOf("image")}
                  required
                />
              )}
              {inside.length === 1 && inside[0] && (
                <Text size="sm" c="dimmed" className="foreign">
                  {inside[0].names.join(", ")} · {platformText(inside[0].platform)} · {bytesWords(inside[0].size)}
                </Text>
              )}
            </>
          )}
          <TextInput
            label={t("builds.now_fixed")}
            value={draft.tag}
            onChange={(event) => change({ tag: event.currentTarget.value })}
            error={errorOf("tag")}
            spellCheck={false}
            required
          />
          <Checkbox
            label={t("builds.upload_other_platform")}
            checked={draft.otherPlatform}
            onChange={(event) => change({ otherPlatform: event.currentTarget.checked })}
            error={errorOf("other_platform")}
          />
        </Stack>
      </DropZone>
    </FormDialog>
  );
}
