import { Button, Checkbox, Group, Modal, NumberInput, SegmentedControl, Stack, Textarea, TextInput } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import type { ImageRepositoryView } from "../../host/bindings";
import { failureOf } from "../../host/host";
import { useCall, useRead } from "../../host/reads";
import { useDraft } from "../../parts/draft";
import { Folded } from "../../parts/Folded";
import { FailureNotice, useFieldError } from "../../parts/FailureNotice";
import { useRepositoryNames } from "../../parts/names";
import { useRequired } from "../../parts/required";
import { readPairs } from "../../words/pairs";
import { ImageChoiceFields, imageOf, neededOf } from "./ImageChoiceFields";
import { PortsField, VolumesField } from "./RunFields";
import { nameOfImage, portsOf, type RunDraft, runDraftOf, runRequestOf } from "./runDraft";
import { RunProgress } from "./RunProgress";

interface RunImageDialogProps {
  /** Whose image, when it is opened from a repository. */
  repository?: ImageRepositoryView;
  /** Which tag; the newest without one. */
  tag?: string;
  onClose: () => void;
}

/** Runs an image as a container or a Swarm service, so that a first service exists without a terminal. */
export function RunImageDialog({ repository, tag, onClose }: RunImageDialogProps) {
  const { t } = useTranslation();
  const id = repository?.id;
  const newest = useRead("versions.list", { repository: id ?? 0, limit: 1 }, { enabled: id !== undefined && !tag });
  const waits = id !== undefined && !tag && newest.isPending;
  return (
    <Modal opened onClose={onClose} title={t(id === undefined ? "targets.run_image" : "run.title")}>
      {!waits && (
        <RunForm
          draftName={`run.${id ?? ""}.${tag ?? ""}`}
          start={runDraftOf(id === undefined ? "" : String(id), tag || newest.data?.items[0]?.tag || "")}
          onClose={onClose}
        />
      )}
    </Modal>
  );
}

function RunForm({ draftName, start, onClose }: { draftName: string; start: RunDraft; onClose: () => void }) {
  const { t } = useTranslation();
  const { draft, change, forget } = useDraft<RunDraft>(draftName, () => start);
  const [firing, setFiring] = useState<number | null>(null);
  const nameOf = useRepositoryNames();
  const image = imageOf(draft);
  const exposed = useRead(
    "versions.get",
    { repository: Number(draft.repository), reference: draft.tag },
    { enabled: image?.kind === "tag" },
  ).data?.images[0]?.config.ports;
  const name = draft.name ?? nameOfImage(image?.kind === "tag" ? nameOf(image.repository) : draft.from === "name" ? draft.imageName : "");
  const ports = draft.ports ?? (image?.kind === "tag" ? portsOf(exposed ?? []) : []);
  const run = useCall("targets.run_image");
  const [ended, setEnded] = useState<ReturnType<typeof failureOf> | null>(null);
  const failure = run.error ? failureOf(run.error) : ended;
  const { complete, missingAt } = useRequired({ ...neededOf(draft), name });
  const errorOfRun = useFieldError(failure);
  const errorOf = (field: string) => missingAt(field) ?? errorOfRun(field);
  const badLine = readPairs(draft.environment).bad;
  const container = draft.runAs === "container";

  if (firing !== null) {
    return (
      <RunProgress
        id={firing}
        repository={image?.kind === "tag" ? image.repository : null}
        onBack={(failed) => {
          setEnded(failed);
          setFiring(null);
        }}
        onDone={forget}
        onClose={onClose}
      />
    );
  }
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (run.isPending) return;
        const form = event.currentTarget;
        requestAnimationFrame(() => form.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus());
        if (!complete() || !image || badLine !== null) return;
        setEnded(null);
        run.mutate(runRequestOf(draft, image, name, ports), { onSuccess: (started) => setFiring(started.firing) });
      }}
    >
      <Stack gap="md">
        <ImageChoiceFields draft={draft} change={change} errorOf={errorOf} />
        <SegmentedControl
          aria-label={t("run.as")}
          value={draft.runAs}
          onChange={(runAs) => change({ runAs: runAs as RunDraft["runAs"] })}
          data={(["container", "swarm_service"] as const).map((value) => ({ value, label: t(`run.as_${value}`) }))}
        />
        <TextInput
          label={t("common.name")}
          description={t("run.name_hint")}
          value={name}
          onChange={(event) => change({ name: event.currentTarget.value })}
          error={errorOf("name")}
          spellCheck={false}
          data-autofocus
          required
        />
        <PortsField ports={ports} onChange={(next) => change({ ports: next })} withLocal={container} errorOf={errorOf} />
        {container ? (
          <Checkbox
            label={t("run.restart")}
            description={t("run.restart_hint")}
            checked={draft.restart}
            onChange={(event) => change({ restart: event.currentTarget.checked })}
          />
        ) : (
          <NumberInput
            label={t("run.replicas")}
            min={1}
            max={100}
            allowDecimal={false}
            value={draft.replicas}
            onChange={(replicas) => change({ replicas })}
            error={errorOf("run_as")}
          />
        )}
        <Folded label={t("run.more")}>
          <Textarea
            label={t("run.environment")}
            description={t("run.environment_hint")}
            autosize
            minRows={2}
            classNames={{ input: "mono" }}
            spellCheck={false}
            value={draft.environment}
            onChange={(event) => change({ environment: event.currentTarget.value })}
            error={badLine === null ? errorOf("environment") : t("rules.args_bad", { line: badLine })}
          />
          <VolumesField volumes={draft.volumes} onChange={(volumes) => change({ volumes })} errorOf={errorOf} />
          <TextInput
            label={t("run.network")}
            description={t("run.network_hint")}
            value={draft.network}
            onChange={(event) => change({ network: event.currentTarget.value })}
            error={errorOf("network")}
            spellCheck={false}
          />
        </Folded>
        {failure && <FailureNotice failure={failure} />}
        <Group gap="sm" justify="flex-end" className="dialog-foot">
          <Button variant="default" onClick={onClose}>
            {t("common.cancel")}
          </Button>
          <Button type="submit" loading={run.isPending}>
            {t("run.start")}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
