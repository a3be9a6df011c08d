import { Alert, Badge, Button, Drawer, Group, NavLink, Select, Stack, Text } from "@mantine/core";
import { IconCircleCheck } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import type { StarterId } from "../../host/bindings";
import { failureOf } from "../../host/host";
import { useCall, useRead } from "../../host/reads";
import { Copyable } from "../../parts/Copyable";
import { FailureNotice } from "../../parts/FailureNotice";
import { ListSkeleton } from "../../parts/Listing";
import { StarterFiles } from "./StarterFiles";

/** Dockerfiles for code that has none: those that fit come first; into a local clone they are written by a click. */
export function Starters({ code, onClose }: { code: number; onClose: () => void }) {
  const { t } = useTranslation();
  const [chosenCode, setChosenCode] = useState(code > 0 ? String(code) : "");
  const [chosen, setChosen] = useState<StarterId | null>(null);
  const list = useRead("starters.list", {});
  const sources = useRead("code_repositories.list", {}).data ?? [];
  const source = sources.find(({ id }) => String(id) === chosenCode);
  const fitting = useRead("starters.suggest", { code: source?.id ?? 0 }, { enabled: source !== undefined });
  const write = useCall("starters.write");
  const becauseOf = (id: StarterId) => (source ? fitting.data?.starters.find((one) => one.id === id)?.because_of : undefined);
  const order = (id: StarterId) => {
    const at = fitting.data?.starters.findIndex((one) => one.id === id) ?? -1;
    return source && at >= 0 ? at : Number.MAX_SAFE_INTEGER;
  };
  const sorted = [...(list.data ?? [])].sort((one, other) => order(one.id) - order(other.id));
  const starter = sorted.find(({ id }) => id === chosen) ?? sorted[0];
  const local = source?.location.kind === "local_clone" ? source.location.path : null;
  const there = source ? fitting.data?.dockerfile : null;
  return (
    <Drawer opened onClose={onClose} size="min(860px, 100vw)" title={t("help.starters")}>
      <Stack gap="md">
        <Text size="sm">{t("starters.lead")}</Text>
        <Select
          label={t("starters.code")}
          placeholder={t("starters.any_code")}
          clearable
          maw={380}
          data={sources.map(({ id, name }) => ({ value: String(id), label: name }))}
          value={chosenCode || null}
          onChange={(value) => {
            setChosenCode(value ?? "");
            setChosen(null);
            write.reset();
          }}
        />
        {fitting.error && <FailureNotice failure={failureOf(fitting.error)} warning onRetry={() => void fitting.refetch()} />}
        {there && (
          <Alert variant="default" className="notice-warn" p="sm" role="status">
            <Text size="sm">{t("starters.there_is_one", { path: there })}</Text>
          </Alert>
        )}
        {list.error && <FailureNotice failure={failureOf(list.error)} onRetry={() => void list.refetch()} />}
        {!list.data && !list.error && <ListSkeleton />}
        {starter && (
          <div className="starters">
            <nav aria-label={t("help.starters")}>
              {sorted.map(({ id }) => {
                const reason = becauseOf(id);
                return (
                  <NavLink
                    key={id}
                    component="button"
                    active={id === starter.id}
                    aria-current={id === starter.id ? "true" : undefined}
                    label={t(`starters.${id}`)}
                    description={reason && t("starters.because_of", { file: reason })}
                    rightSection={
                      reason && (
                        <Badge size="sm" variant="light" color="green" tt="none">
                          {t("starters.fits")}
                        </Badge>
                      )
                    }
                    onClick={() => {
                      setChosen(id);
                      write.reset();
                    }}
                  />
                );
              })}
            </nav>
            <Stack gap="md" miw={0}>
              <Text size="sm">{t(`starters.${starter.id}_why`, { port: starter.port })}</Text>
              <StarterFiles key={starter.id} files={starter.files} />
              {local !== null && source && !write.data && (
                <Group>
                  <Button loading={write.isPending} onClick={() => write.mutate({ code: source.id, starter: starter.id })}>
                    {t("starters.write")}
                  </Button>
                  <Text size="sm" c="dimmed" className="foreign" style={{ flex: 1 }}>
                    {t("starters.write_where", { folder: local })}
                  </Text>
                </Group>
              )}
              {local === null && (
                <Text size="sm" c="dimmed">
                  {t("starters.by_hand")}
                </Text>
              )}
              {write.error && <FailureNotice failure={failureOf(write.error)} />}
              {write.data && (
                <Alert variant="default" p="sm" role="status" icon={<IconCircleCheck aria-hidden />} className="notice-good">
                  <Stack gap="xs">
                    <Text size="sm" className="foreign">
                      {t("starters.written", { files: write.data.written.join(", ") || t("common.none") })}
                      {write.data.kept.length > 0 && ` ${t("starters.kept", { files: write.data.kept.join(", ") })}`}
                    </Text>
                    <Copyable block text={`git add ${starter.files.map(({ name }) => name).join(" ")} && git commit -m "Dockerfile"`} />
                  </Stack>
                </Alert>
              )}
            </Stack>
          </div>
        )}
      </Stack>
    </Drawer>
  );
}
