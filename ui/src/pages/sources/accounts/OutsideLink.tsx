import { Button } from "@mantine/core";
import { IconExternalLink } from "@tabler/icons-react";
import type { ReactNode } from "react";

import { useHost } from "../../../host/context";

/** Opens a page of the code host in the person's browser. */
export function OutsideLink({ to, children }: { to: string; children: ReactNode }) {
  const { host } = useHost();
  return (
    <Button
      variant="default"
      size="compact-sm"
      style={{ alignSelf: "flex-start" }}
      rightSection={<IconExternalLink size={13} aria-hidden />}
      onClick={() => void host.openLink(to)}
    >
      {children}
    </Button>
  );
}
