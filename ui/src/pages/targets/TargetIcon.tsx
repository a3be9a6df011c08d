import { IconAffiliate, IconBox, IconCloud, IconHexagons, IconStack2 } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

import type { DeployTarget } from "../../host/bindings";

const icons = {
  container: IconBox,
  compose_service: IconStack2,
  swarm_service: IconHexagons,
  kubernetes_container: IconCloud,
  webhook: IconAffiliate,
};

/** What kind of target something is, as a picture with a word. */
export function TargetIcon({ kind }: { kind: DeployTarget["kind"] }) {
  const { t } = useTranslation();
  const Icon = icons[kind];
  const word = t(`targets.kind_${kind}`);
  return (
    <span title={word} style={{ display: "inline-flex", flex: "none", color: "var(--mantine-color-dimmed)" }}>
      <Icon size={16} role="img" aria-label={word} />
    </span>
  );
}
