import { Button, Collapse, Stack } from "@mantine/core";
import { IconChevronDown, IconChevronRight } from "@tabler/icons-react";
import { type ReactNode, useState } from "react";

interface FoldedProps {
  label: string;
  /** Shown from the start, as when one of the fields is filled in. */
  open?: boolean;
  gap?: "sm" | "md";
  children: ReactNode;
}

/** Fields that are rarely needed, behind a button that shows and hides them. */
export function Folded({ label, open = false, gap = "md", children }: FoldedProps) {
  const [shown, setShown] = useState(open);
  const Arrow = shown ? IconChevronDown : IconChevronRight;
  return (
    <div>
      <Button variant="subtle" px={0} bg="transparent" leftSection={<Arrow size={14} aria-hidden />} aria-expanded={shown} onClick={() => setShown(!shown)}>
        {label}
      </Button>
      <Collapse expanded={shown}>
        <Stack gap={gap} pt="sm">
          {children}
        </Stack>
      </Collapse>
    </div>
  );
}
