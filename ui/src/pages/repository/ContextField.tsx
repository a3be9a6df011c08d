import { Button, FileButton, Group, Progress, TextInput } from "@mantine/core";
import { IconFileZip, IconFolder } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { useHost } from "../../host/context";
import { chosenFolder, type Dropped, MOST_FILES } from "../../parts/DropZone";
import { SentFile } from "../../parts/FileFields";
import { tarOf } from "../../words/tar";

/** What the core can read as an archive. */
export const ARCHIVES = ".tar,.tar.gz,.tgz,.zip";
/** A folder that is larger than this is no build context. */
const MOST_BYTES = 2 * 1024 ** 3;

/** What a Dockerfile copies from, when it is sent: one archive. */
export interface SentContext {
  name: string;
  archive: Blob;
}

/** What was dropped or chosen as a context; the reason when it is none. */
export function contextOf(dropped: Dropped): SentContext | "too_many" | "too_large" | null {
  if (dropped.kind === "files") {
    const [file] = dropped.files;
    return file ? { name: file.name, archive: file } : null;
  }
  if (dropped.files.length > MOST_FILES) return "too_many";
  const size = dropped.files.reduce((sum, { file }) => sum + file.size, 0);
  if (size > MOST_BYTES) return "too_large";
  return { name: `${dropped.name}.tar`, archive: tarOf(dropped.files) };
}

interface ContextFieldProps {
  path: string;
  sent: SentContext | null;
  /** How much of it was sent, from 0 to 1. */
  share: number | null;
  onPath: (path: string) => void;
  onDropped: (dropped: Dropped) => void;
  onForget: () => void;
  error: ReactNode;
}

/** What a Dockerfile copies from: a path of the machine that builds, or an archive or folder that is sent there. */
export function ContextField({ path, sent, share, onPath, onDropped, onForget, error }: ContextFieldProps) {
  const { t } = useTranslation();
  const { host } = useHost();
  const pick = async (choose: (() => Promise<string | null>) | undefined) => {
    const chosen = await choose?.();
    if (chosen) onPath(chosen);
  };
  if (sent) {
    return (
      <SentFile label={t("builds.dockerfile_folder")} name={sent.name} size={sent.archive.size} error={error} onForget={onForget}>
        {share !== null && <Progress value={share * 100} mt={6} aria-label={t("builds.context_sending")} />}
      </SentFile>
    );
  }
  return (
    <div>
      <TextInput
        label={t("builds.dockerfile_folder")}
        description={t("builds.dockerfile_folder_hint")}
        value={path}
        onChange={(event) => onPath(event.currentTarget.value)}
        error={error}
        spellCheck={false}
      />
      <Group gap="sm" mt={6}>
        {host.pickFolder ? (
          <>
            <Button size="compact-sm" variant="default" leftSection={<IconFolder size={14} aria-hidden />} onClick={() => void pick(host.pickFolder)}>
              {t("builds.context_folder")}
            </Button>
            <Button size="compact-sm" variant="default" leftSection={<IconFileZip size={14} aria-hidden />} onClick={() => void pick(host.pickFile)}>
              {t("builds.context_archive")}
            </Button>
          </>
        ) : (
          <>
            <FileButton multiple inputProps={{ webkitdirectory: "" } as object} onChange={(files) => files.length > 0 && onDropped(chosenFolder(files))}>
              {(props) => (
                <Button {...props} size="compact-sm" variant="default" leftSection={<IconFolder size={14} aria-hidden />}>
                  {t("builds.context_folder")}
                </Button>
              )}
            </FileButton>
            <FileButton accept={ARCHIVES} onChange={(file) => file && onDropped({ kind: "files", files: [file] })}>
              {(props) => (
                <Button {...props} size="compact-sm" variant="default" leftSection={<IconFileZip size={14} aria-hidden />}>
                  {t("builds.context_archive")}
                </Button>
              )}
            </FileButton>
          </>
        )}
      </Group>
    </div>
  );
}
