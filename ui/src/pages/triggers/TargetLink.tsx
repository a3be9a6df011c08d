import type { DeployTarget } from "../../host/bindings";
import { PageLink } from "../../parts/Page";
import { targetName, targetPath } from "../../words/targets";
import { TargetIcon } from "../targets/TargetIcon";

/** A target by its name, leading to its page. */
export function TargetLink({ target }: { target: DeployTarget }) {
  return (
    <span style={{ display: "inline-flex", alignItems: "center", gap: 6, maxWidth: "100%", verticalAlign: "middle" }}>
      <TargetIcon kind={target.kind} />
      <PageLink to="/targets" search={{ dialog: `target.${targetPath(target)}` }} className="clip foreign" title={targetName(target)}>
        {targetName(target)}
      </PageLink>
    </span>
  );
}
