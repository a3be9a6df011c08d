import { Button, Text, UnstyledButton } from "@mantine/core";
import { IconChevronDown, IconChevronRight } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";

import type { BuildDetailView, StepView } from "../../host/bindings";
import { useRead } from "../../host/reads";
import { fileNameOf, useRepositoryNames } from "../../parts/names";
import { Mark, type Tone } from "../../parts/StateMark";
import { Took } from "../../parts/Time";
import { plainText } from "../../words/ansi";
import { orderedSteps } from "../../words/steps";
import { LogView } from "./LogView";

const toneOf = (step: StepView): Tone => (step.error ? "bad" : step.completed ? "good" : step.started ? "busy" : "still");

/** The log beside the steps that wrote it; a step shows its lines alone. A failed build stands on what failed. */
export function LogTab({ build, step }: { build: BuildDetailView; step: number | undefined }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const nameOf = useRepositoryNames();
  const [internal, setInternal] = useState(false);
  const Arrow = internal ? IconChevronDown : IconChevronRight;
  const failing = build.steps.find(({ error }) => error !== null);
  const places = useRead("builds.log_steps", { id: build.id }, { enabled: failing !== undefined }).data;
  const place = places?.find((one) => one.step === failing?.ordinal);
  // Where a failed build stands at first: the last line of the step that failed, else the end.
  const end = Number.MAX_SAFE_INTEGER;
  const startAt = !build.failure ? undefined : failing === undefined ? end : places && (place ? place.first + place.count - 1 : end);
  const running = build.state === "running" || build.state === "queued";
  const choose = (next: number | undefined) =>
    void navigate({
      to: "/builds/$build/$tab",
      params: { build: String(build.id), tab: "log" },
      search: next === undefined ? {} : { step: next },
      replace: true,
    });
  const steps = orderedSteps(build.steps);
  const folded = steps.filter((one) => one.internal && !one.error);
  const shown = internal ? steps : steps.filter((one) => !folded.includes(one));
  return (
    <div
      className="panel"
      style={{ display: "grid", gridTemplateColumns: "minmax(160px, 260px) minmax(0, 1fr)", height: `max(360px, calc(100dvh - ${build.failure && build.state !== "cancelled" ? 440 : 300}px))`, overflow: "hidden" }}
    >
      <nav aria-label={t("log.steps")} style={{ borderInlineEnd: "1px solid var(--line)", overflow: "auto", padding: 8 }}>
        <StepButton active={step === undefined} onClick={() => choose(undefined)}>
          <Text size="sm">
            {t("log.all_steps")}
          </Text>
        </StepButton>
        {shown.map((one) => (
          <StepButton key={one.ordinal} active={step === one.ordinal} onClick={() => choose(one.ordinal)}>
            <div style={{ display: "flex", gap: 6, alignItems: "flex-start" }}>
              <Mark tone={toneOf(one)} word={t(toneWord[toneOf(one)])} quiet />
              <span className="foreign step-name" title={plainText(one.name)}>
                {plainText(one.name)}
              </span>
              <Text component="span" fz={12} c="dimmed" style={{ whiteSpace: "nowrap" }}>
                {one.cached ? t("log.cached") : <Took from={one.started} to={one.completed} />}
              </Text>
            </div>
            {one.clipped && (
              <Text fz={12} style={{ color: "var(--state-warn)" }}>
                {t("log.clipped")}
              </Text>
            )}
          </StepButton>
        ))}
        {folded.length > 0 && (
          <Button size="compact-xs" variant="subtle" color="gray" mt="xs" leftSection={<Arrow size={14} aria-hidden />} aria-expanded={internal} onClick={() => setInternal(!internal)}>
            {t("log.internal")} ({folded.length})
          </Button>
        )}
      </nav>
      <LogView
        build={build.id}
        known={build.log_lines}
        fileName={fileNameOf(nameOf(build.repository), build.number, "log")}
        running={running}
        step={step}
        startAt={startAt}
        onSearch={() => step !== undefined && choose(undefined)}
      />
    </div>
  );
}

const toneWord = {
  good: "builds.state_succeeded",
  bad: "builds.state_failed",
  busy: "builds.state_running",
  still: "builds.state_queued",
  warn: "builds.state_paused",
} as const;

function StepButton({ active, onClick, children }: { active: boolean; onClick: () => void; children: ReactNode }) {
  return (
    <UnstyledButton
      display="block"
      w="100%"
      px={6}
      py={4}
      aria-current={active || undefined}
      bg={active ? "var(--mantine-primary-color-light)" : "transparent"}
      style={{ borderRadius: "var(--mantine-radius-sm)" }}
      onClick={onClick}
    >
      {children}
    </UnstyledButton>
  );
}
