import { ActionIcon, Code, CopyButton, Group, Text, Tooltip } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

/** A button that copies a text. */
export function CopyIcon({ text, label }: { text: string; label?: string }) {
  const { t } = useTranslation();
  const name = label ?? t("common.copy");
  return (
    <CopyButton value={text}>
      {({ copied, copy }) => (
        <Tooltip label={copied ? t("common.copied") : name}>
          <ActionIcon size="sm" aria-label={copied ? t("common.copied") : name} onClick={copy}>
            {copied ? <IconCheck size={14} aria-hidden /> : <IconCopy size={14} aria-hidden />}
          </ActionIcon>
        </Tooltip>
      )}
    </CopyButton>
  );
}

/** A command, address or digest in one line, with a button that copies the whole. */
export function Copyable({ text, shown = text, block = false }: { text: string; shown?: string; block?: boolean }) {
  return (
    <Group gap={4} wrap="nowrap" component="span" {...(block ? {} : { display: "inline-flex" })}>
      {block ? (
        <Code className="foreign" fz={12} px="sm" py={4} style={{ flex: 1 }}>
          {shown}
        </Code>
      ) : (
        <Text component="span" className="mono foreign" title={text}>
          {shown}
        </Text>
      )}
      <CopyIcon text={text} />
    </Group>
  );
}
