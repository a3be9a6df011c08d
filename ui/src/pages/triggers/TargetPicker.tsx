import { Alert, Button, Group, Select, Stack, Text, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconAlertTriangle } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import type { DeployPlace, ListedService } from "../../host/bindings";
import { failureKeys } from "../../host/failures";
import { failureOf } from "../../host/host";
import { useRead } from "../../host/reads";
import { FailureNotice } from "../../parts/FailureNotice";
import { foreignText } from "../../words/ansi";
import { refusalWords } from "../../words/deploy";
import { groupKey, groupName, placeKey, placeName, serviceName, targetPath } from "../../words/targets";
import { HealthMark } from "../targets/marks";
import { shortReference } from "../targets/TargetVersionText";
import type { TriggerDraft } from "./triggerDraft";

/** Stands for a cluster that nobody named yet. */
const NEW_CLUSTER = "new-cluster";
const TYPED_MS = 600;

interface TargetPickerProps {
  draft: TriggerDraft;
  change: (part: Partial<TriggerDraft>) => void;
  error: ReactNode;
}

/** Engine or cluster → project or namespace → service → container, from live lists (选择服务/镜像). */
export function TargetPicker({ draft, change, error }: TargetPickerProps) {
  const { t } = useTranslation();
  const places = useRead("targets.places", {});
  const known = places.data ?? [];
  const only = known.length === 1 ? (known[0] ?? null) : null;
  const place = draft.place ?? only;
  const isKnown = place !== null && known.some((one) => placeKey(one) === placeKey(place));
  const typed = place?.kind === "cluster" ? place : null;
  const [asked] = useDebouncedValue(place, typed ? TYPED_MS : 0);
  const [kubeconfig] = useDebouncedValue(typed?.kubeconfig.trim() ?? "", TYPED_MS);
  const contexts = useRead("targets.contexts", { kubeconfig }, { enabled: kubeconfig !== "" });
  const complete = asked !== null && (asked.kind === "engine" || (asked.kubeconfig !== "" && asked.context !== ""));
  const groups = useRead("targets.groups", { place: asked ?? { kind: "engine", engine: "local" } }, { enabled: complete });
  const keys = complete ? (groups.data ?? []).map(groupKey) : [];
  const group = draft.group || (keys.length === 1 ? (keys[0] ?? "") : "");
  const wanted = complete ? groups.data?.find((one) => groupKey(one) === group) : undefined;
  const services = useRead(
    "targets.services",
    { place: asked ?? { kind: "engine", engine: "local" }, group: wanted ?? { kind: "containers", count: 0 } },
    { enabled: wanted !== undefined },
  );
  const listed = wanted ? (services.data ?? []) : [];
  const chosen = draft.target && targetPath(draft.target);
  const failure = groups.error ?? services.error;
  const shown = failure && failureOf(failure);
  // A program that signs in runs only after a person saw and allowed it.
  const program = typed && shown?.code === "target_refused" ? shown.details?.command : undefined;
  const setCluster = (part: Partial<Extract<DeployPlace, { kind: "cluster" }>>) => {
    if (typed) change({ place: { ...typed, ...part }, group: "", target: null });
  };
  return (
    <Stack gap="sm">
      <Select
        label={t("image_triggers.place")}
        data={[
          ...known.map((one) => ({ value: placeKey(one), label: placeName(t, one) })),
          ...(place && !isKnown && place.kind === "engine" ? [{ value: placeKey(place), label: placeName(t, place) }] : []),
          { value: NEW_CLUSTER, label: t("image_triggers.new_cluster") },
        ]}
        value={place === null ? null : isKnown || place.kind === "engine" ? placeKey(place) : NEW_CLUSTER}
        onChange={(key) =>
          change({
            place: known.find((one) => placeKey(one) === key) ?? { kind: "cluster", kubeconfig: "", context: "", allowed_exec: null },
            group: "",
            target: null,
          })
        }
        openOnFocus={false}
        required
      />
      {typed && (
        <Group gap="sm" grow align="flex-start">
          <TextInput
            label={t("image_triggers.kubeconfig")}
            description={t("image_triggers.kubeconfig_hint")}
            value={typed.kubeconfig}
            onChange={(event) => setCluster({ kubeconfig: event.currentTarget.value, context: "", allowed_exec: null })}
            error={contexts.error && t(failureKeys(failureOf(contexts.error).code).what)}
            spellCheck={false}
            required
          />
          <Select
            label={t("image_triggers.context")}
            description={t("image_triggers.context_hint")}
            placeholder={contexts.isFetching ? t("common.loading") : ""}
            searchable
            disabled={contexts.data === undefined}
            nothingFoundMessage={t("common.nothing_found")}
            data={[...new Set([...(contexts.data ?? []).map(({ name }) => name), ...(typed.context ? [typed.context] : [])])]}
            renderOption={({ option }) => {
              const server = contexts.data?.find(({ name }) => name === option.value)?.server;
              return (
                <div style={{ minWidth: 0 }}>
                  <span className="foreign">{foreignText(option.value)}</span>
                  {server && (
                    <Text fz={12} c="dimmed" className="foreign">
                      {foreignText(server)}
                    </Text>
                  )}
                </div>
              );
            }}
            value={typed.context || null}
            onChange={(context) => setCluster({ context: context ?? "", allowed_exec: null })}
            openOnFocus={false}
            required
          />
        </Group>
      )}
      {program !== undefined ? (
        <Alert variant="default" className="notice-warn" role="alert" p="sm" icon={<IconAlertTriangle aria-hidden />}>
          <Text size="sm" className="foreign">
            {t("deploy.refusal_exec_not_allowed", { command: foreignText(program) })}
          </Text>
          <Button variant="default" mt="sm" onClick={() => setCluster({ allowed_exec: program })}>
            {t("image_triggers.allow_program")}
          </Button>
        </Alert>
      ) : (
        shown && <FailureNotice failure={shown} onRetry={() => void (groups.error ? groups : services).refetch()} />
      )}
      {complete && !groups.error && groups.data?.length === 0 ? (
        <Text size="sm" c="dimmed">
          {t("image_triggers.nothing_runs")}
        </Text>
      ) : (
        <Select
          label={t("image_triggers.group")}
          placeholder={groups.isFetching ? t("common.loading") : ""}
          searchable
          disabled={!complete || groups.data === undefined}
          data={[...new Set([...keys, ...(group ? [group] : [])])].map((value) => ({ value, label: groupName(t, value) }))}
          value={group || null}
          onChange={(value) => change({ place, group: value ?? "", target: null })}
          openOnFocus={false}
          required
        />
      )}
      <Select
        label={t("image_triggers.service")}
        placeholder={services.isFetching ? t("common.loading") : t("image_triggers.pick_service")}
        searchable
        disabled={group === ""}
        nothingFoundMessage={t("common.nothing_found")}
        data={[
          ...listed.map((one) => ({ value: targetPath(one.target), label: serviceName(one), disabled: one.state.problems.length > 0 })),
          ...(draft.target && chosen && !listed.some(({ target }) => targetPath(target) === chosen)
            ? [{ value: chosen, label: serviceName({ target: draft.target }) }]
            : []),
        ]}
        renderOption={({ option }) => {
          const service = listed.find(({ target }) => targetPath(target) === option.value);
          return service ? <ServiceOption service={service} /> : option.label;
        }}
        value={chosen}
        onChange={(value) => {
          const service = listed.find(({ target }) => targetPath(target) === value);
          if (service) change({ place, group, target: service.target });
        }}
        error={error}
        data-field="target"
        openOnFocus={false}
        required
      />
    </Stack>
  );
}

/** A service with what it runs now, or why it cannot be chosen. */
function ServiceOption({ service }: { service: ListedService }) {
  const { t } = useTranslation();
  const { state } = service;
  const [problem] = state.problems;
  return (
    <div style={{ minWidth: 0, flex: 1 }}>
      <Group gap="sm" justify="space-between" wrap="nowrap">
        <span className="foreign">{serviceName(service)}</span>
        <HealthMark health={state.health} />
      </Group>
      <Text fz={12} c="dimmed" className="foreign">
        {problem ? refusalWords(t, problem) : state.image && shortReference(state.image.reference)}
      </Text>
    </div>
  );
}
