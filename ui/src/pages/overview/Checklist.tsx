import { Button, Group, Stack, Text, Title } from "@mantine/core";
import { IconCircle, IconCircleCheck, IconPlayerPlay } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import type { ChecklistView, EngineStatus } from "../../host/bindings";
import { failureOf } from "../../host/host";
import { useCall, useRead } from "../../host/reads";
import { useDialog } from "../../parts/dialog";
import { FailureNotice } from "../../parts/FailureNotice";
import { PageButton, PageLink } from "../../parts/Page";
import { BuildStateMark } from "../../parts/StateMark";
import { EngineGuide } from "./EngineGuide";

interface Step {
  name: "engine" | "sample" | "repository" | "rule" | "registry";
  done: boolean;
  /** What leads on while the step is open; the first open step has the main button. */
  action?: (variant: "filled" | "default") => ReactNode;
  /** What stands below it. */
  below?: ReactNode;
}

/** From nothing to the first rule: each step is done when the core says so, and the first open one has the main button. */
export function Checklist({ checklist, engine }: { checklist: ChecklistView; engine: EngineStatus | undefined }) {
  const { t } = useTranslation();
  const dismiss = useCall("overview.dismiss_checklist");
  const { sample, repository, rule, registry } = checklist;
  const ready = engine?.kind === "ready";
  const own = repository.repository;
  const steps: Step[] = [
    { name: "engine", done: ready, below: engine?.kind === "away" && (
        <Stack gap="md">
          <FailureNotice failure={engine.failure} />
          <EngineGuide failure={engine.failure} />
        </Stack>
      ) },
    { name: "sample", done: sample.done, ...sampleStep(checklist, ready) },
    {
      name: "repository",
      done: repository.done,
      action: (variant) => <StepButton variant={variant} step="repository" to="/repositories" />,
    },
    {
      name: "rule",
      done: rule.done,
      action: (variant) => own !== null && (
        <PageButton
          variant={variant}
          to="/repositories/$repository/$tab"
          params={{ repository: String(own), tab: "build" }}
          search={{ dialog: "new-rule" }}
        >
          {t("rules.add")}
        </PageButton>
      ),
    },
    { name: "registry", done: registry.done, action: (variant) => <StepButton variant={variant} step="registry" to="/registries" /> },
  ];
  const done = steps.filter((step) => step.done).length;
  const next = steps.find((step) => !step.done)?.name;
  return (
    <section className="panel" style={{ padding: 16 }} aria-label={t("overview.first_steps")}>
      <Group justify="space-between" mb="sm">
        <Group gap="sm" align="baseline">
          <Title order={2} fz={15} fw={600}>
            {t("overview.first_steps")}
          </Title>
          <Text size="sm" c="dimmed" aria-live="polite">
            {t("overview.steps_done", { done, of: steps.length })}
          </Text>
        </Group>
        <Button size="compact-xs" variant="subtle" color="gray" loading={dismiss.isPending} onClick={() => dismiss.mutate({ dismissed: true })}>
          {t("overview.hide_steps")}
        </Button>
      </Group>
      <Stack gap={0} component="ol" m={0} p={0} style={{ listStyle: "none" }}>
        {steps.map(({ name, done, action, below }) => (
          <li key={name} className="checklist-step">
            <Group gap="sm" wrap="nowrap" mih={34}>
              {done ? (
                <IconCircleCheck size={18} role="img" aria-label={t("overview.step_done")} style={{ flex: "none", color: "var(--state-good)" }} />
              ) : (
                <IconCircle size={18} role="img" aria-label={t("overview.step_open")} style={{ flex: "none", color: "var(--state-still)" }} />
              )}
              <div style={{ flex: 1, minWidth: 0 }}>
                <Text size="sm" fw={done ? 400 : 600} {...(done ? { c: "dimmed" } : {})}>
                  {t(`overview.step_${name}`)}
                </Text>
                {!done && (
                  <Text fz={12} c="dimmed">
                    {t(`overview.step_${name}_why`)}
                  </Text>
                )}
              </div>
              {!done && action?.(name === next ? "filled" : "default")}
            </Group>
            {!done && below && <div className="checklist-below">{below}</div>}
          </li>
        ))}
      </Stack>
      {dismiss.error && <FailureNotice failure={failureOf(dismiss.error)} />}
    </section>
  );
}

interface StepButtonProps {
  variant: "filled" | "default";
  step: "repository" | "registry";
  to: "/repositories" | "/registries";
}

function StepButton({ variant, step, to }: StepButtonProps) {
  const { t } = useTranslation();
  return (
    <PageButton variant={variant} to={to} search={{ dialog: "add" }}>
      {t(step === "repository" ? "repositories.add" : "registries.add")}
    </PageButton>
  );
}

/** The sample: built by one click; its last build stands below until one is green. */
function sampleStep({ sample }: ChecklistView, ready: boolean): Pick<Step, "action" | "below"> {
  return {
    action: (variant) => <SampleButton variant={variant} ready={ready} again={sample.build !== null} />,
    below: sample.build !== null && <SampleBuild id={sample.build} />,
  };
}

function SampleButton({ variant, ready, again }: { variant: "filled" | "default"; ready: boolean; again: boolean }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const build = useCall("sample.build");
  return (
    <Stack gap="xs" align="flex-end">
      <Button
        variant={variant}
        leftSection={<IconPlayerPlay size={14} aria-hidden />}
        disabled={!ready}
        loading={build.isPending}
        onClick={() => build.mutate({}, { onSuccess: (made) => void navigate({ to: "/builds/$build", params: { build: String(made.build) } }) })}
      >
        {t(again ? "overview.sample_again" : "overview.sample_build")}
      </Button>
      {build.error && <FailureNotice failure={failureOf(build.error)} />}
    </Stack>
  );
}

function SampleBuild({ id }: { id: number }) {
  const { t } = useTranslation();
  const { open } = useDialog();
  const build = useRead("builds.get", { id }).data;
  if (!build) return null;
  return (
    <Group gap="sm">
      <BuildStateMark state={build.state} />
      <PageLink to="/builds/$build" params={{ build: String(id) }}>
        {t("builds.title", { number: build.number })}
      </PageLink>
      {build.state === "failed" && (
        <Button size="compact-xs" variant="subtle" onClick={() => open("help")}>
          {t("help.dockerfile")}
        </Button>
      )}
    </Group>
  );
}
