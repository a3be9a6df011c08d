import { Alert, Stack, Text } from "@mantine/core";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";

import type { BuildDetailView } from "../../host/bindings";
import { failureKeys } from "../../host/failures";
import { failureOf } from "../../host/host";
import { useRead } from "../../host/reads";
import { CopyIcon } from "../../parts/Copyable";
import { Pieces } from "../../parts/DockerfileEditor";
import { FailureNotice } from "../../parts/FailureNotice";
import { ListSkeleton } from "../../parts/Listing";
import { foreignText } from "../../words/ansi";
import { dockerfilePieces } from "../../words/dockerfile";
import { shortCommit } from "../../words/format";

/** The Dockerfile as it was built; the lines that failed are marked, with the error beside them. */
export function DockerfileTab({ build }: { build: BuildDetailView }) {
  const { t } = useTranslation();
  const read = useRead("builds.dockerfile", { id: build.id });
  const failing = useRef<HTMLDivElement>(null);
  useEffect(() => failing.current?.scrollIntoView({ block: "center" }), [read.data]);
  if (read.error) return <FailureNotice failure={failureOf(read.error)} onRetry={() => void read.refetch()} />;
  if (!read.data) return <ListSkeleton rows={8} />;
  const { path, commit, text, failing_lines: range } = read.data;
  const lines = dockerfilePieces(text.replace(/\n$/, ""));
  const failed = (number: number) => range !== null && number >= range.first && number <= range.last;
  return (
    <Stack gap="xs">
      <Text size="sm" c="dimmed" className="foreign" style={{ display: "flex", gap: 6, alignItems: "center" }}>
        {commit ? t("builds.dockerfile_of", { path, commit: shortCommit(commit) }) : t("builds.dockerfile_uploaded")} <CopyIcon text={text} />
      </Text>
      <div className="panel dockerfile" role="region" tabIndex={0} aria-label={t("builds.dockerfile_label")}>
        {lines.map((pieces, at) => (
          <div key={at}>
            <div className="dockerfile-line" data-failed={failed(at + 1)} ref={range?.first === at + 1 ? failing : undefined}>
              <span className="log-number" style={{ width: `calc(${String(lines.length).length}ch + 24px)` }}>
                {at + 1}
              </span>
              <code className="log-text">
                <Pieces pieces={pieces} shown={foreignText} />
              </code>
            </div>
            {range?.last === at + 1 && build.failure && (
              <Alert variant="default" className="notice-bad" p="sm" m="xs" role="status" title={t(failureKeys(build.failure.code).what)}>
                <Text size="sm">{t("builds.dockerfile_failed")}</Text>
                <Text className="mono foreign" c="dimmed">
                  {foreignText(build.failure.message)}
                </Text>
              </Alert>
            )}
          </div>
        ))}
      </div>
    </Stack>
  );
}
