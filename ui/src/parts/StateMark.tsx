import {
  IconAlertTriangle,
  IconArrowBigRightLines,
  IconCircleCheck,
  IconCircleMinus,
  IconCirclePause,
  IconCircleX,
  IconClock,
  IconLoader2,
  IconPlayerSkipForward,
} from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

import type { BuildState } from "../host/bindings";

/** The few tones that a state can have. */
export type Tone = "good" | "bad" | "busy" | "warn" | "still";

const icons = {
  good: IconCircleCheck,
  bad: IconCircleX,
  busy: IconLoader2,
  warn: IconAlertTriangle,
  still: IconClock,
};

interface MarkProps {
  tone: Tone;
  word: string;
  icon?: typeof IconClock;
  /** The word is said but not shown, where a table column is narrow. */
  quiet?: boolean;
}

/** A state: colour, icon and word together, never colour alone. */
export function Mark({ tone, word, icon, quiet = false }: MarkProps) {
  const Icon = icon ?? icons[tone];
  return (
    <span
      className="mark"
      style={{ color: `var(--state-${tone})` }}
      title={quiet ? word : undefined}
    >
      <Icon
        size={16}
        style={{ flex: "none" }}
        className={tone === "busy" ? "turning" : undefined}
        {...(quiet ? { role: "img", "aria-label": word } : { "aria-hidden": true })}
      />
      {!quiet && <span className="clip">{word}</span>}
    </span>
  );
}

const ofBuild: Record<BuildState, { tone: Tone; icon?: typeof IconClock }> = {
  queued: { tone: "still" },
  running: { tone: "busy" },
  succeeded: { tone: "good" },
  failed: { tone: "bad" },
  cancelled: { tone: "still", icon: IconCircleMinus },
  superseded: { tone: "still", icon: IconArrowBigRightLines },
  skipped: { tone: "still", icon: IconPlayerSkipForward },
  paused: { tone: "warn", icon: IconCirclePause },
};

/** The state of a build. */
export function BuildStateMark({ state, quiet = false }: { state: BuildState; quiet?: boolean }) {
  const { t } = useTranslation();
  return <Mark {...ofBuild[state]} word={t(`builds.state_${state}`)} quiet={quiet} />;
}
