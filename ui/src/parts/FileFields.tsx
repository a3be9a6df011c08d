import { Button, Group, Input, Text, TextInput, type TextInputProps } from "@mantine/core";
import { IconFileZip, IconX } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { foreignText } from "../words/ansi";
import { bytesWords } from "../words/format";

interface PathInputProps extends Omit<TextInputProps, "value" | "onChange"> {
  value: string;
  onPath: (path: string) => void;
  /** The window's own dialog for it; a browser has none. */
  pick: (() => Promise<string | null>) | undefined;
}

/** A path of the machine that builds, typed or chosen. */
export function PathInput({ value, onPath, pick, ...input }: PathInputProps) {
  const { t } = useTranslation();
  const choose = async () => {
    const path = await pick?.();
    if (path) onPath(path);
  };
  return (
    <TextInput
      value={value}
      onChange={(event) => onPath(event.currentTarget.value)}
      spellCheck={false}
      {...(pick
        ? {
            rightSectionWidth: 84,
            rightSection: (
              <Button size="compact-xs" variant="default" onClick={() => void choose()}>
                {t("sources.choose_folder")}
              </Button>
            ),
          }
        : {})}
      {...input}
    />
  );
}

interface SentFileProps {
  label: string;
  name: string;
  size: number;
  error: ReactNode;
  onForget: () => void;
  children?: ReactNode;
}

/** A file that a browser sends in place of a path; it can be taken back. */
export function SentFile({ label, name, size, error, onForget, children }: SentFileProps) {
  const { t } = useTranslation();
  return (
    <Input.Wrapper label={label} error={error} labelElement="div">
      <Group gap="sm" className="panel" px="sm" py={6} mt={4} wrap="nowrap">
        <IconFileZip size={16} aria-hidden style={{ flex: "none" }} />
        <Text size="sm" className="foreign" style={{ flex: 1 }}>
          {foreignText(name)} · {bytesWords(size)}
        </Text>
        <Button size="compact-xs" variant="default" leftSection={<IconX size={12} aria-hidden />} onClick={onForget}>
          {t("builds.context_forget")}
        </Button>
      </Group>
      {children}
    </Input.Wrapper>
  );
}
