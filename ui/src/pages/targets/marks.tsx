import {
  IconArrowBackUp,
  IconArrowBigRightLines,
  IconCircleMinus,
  IconCirclePause,
  IconEqual,
  IconPlayerSkipForward,
  IconPlayerStop,
  IconPointFilled,
} from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

import type { FiringState, TargetHealth } from "../../host/bindings";
import { Mark, type Tone } from "../../parts/StateMark";

type Look = { tone: Tone; icon?: typeof IconEqual };

const ofFiring: Record<FiringState, Look> = {
  waiting: { tone: "still" },
  running: { tone: "busy" },
  succeeded: { tone: "good" },
  unchanged: { tone: "still", icon: IconEqual },
  failed: { tone: "bad" },
  rolled_back: { tone: "bad", icon: IconArrowBackUp },
  broken: { tone: "bad" },
  superseded: { tone: "still", icon: IconArrowBigRightLines },
  cancelled: { tone: "still", icon: IconCircleMinus },
  skipped: { tone: "still", icon: IconPlayerSkipForward },
};

/** The state of a firing. */
export function FiringStateMark({ state, quiet = false }: { state: FiringState; quiet?: boolean }) {
  const { t } = useTranslation();
  return <Mark {...ofFiring[state]} word={t(`firings.state_${state}`)} quiet={quiet} />;
}

const ofHealth: Record<TargetHealth, Look> = {
  healthy: { tone: "good" },
  running: { tone: "good" },
  starting: { tone: "busy" },
  unhealthy: { tone: "bad" },
  restarting: { tone: "bad" },
  paused: { tone: "warn", icon: IconCirclePause },
  stopped: { tone: "still", icon: IconPlayerStop },
  none: { tone: "still", icon: IconPointFilled },
};

/** The health of a target. */
export function HealthMark({ health, quiet = false }: { health: TargetHealth; quiet?: boolean }) {
  const { t } = useTranslation();
  return <Mark {...ofHealth[health]} word={t(`targets.health_${health}`)} quiet={quiet} />;
}
