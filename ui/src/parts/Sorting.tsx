import { Table, type TableThProps, UnstyledButton } from "@mantine/core";
import { IconArrowDown, IconArrowUp, IconArrowsSort } from "@tabler/icons-react";
import type { ReactNode } from "react";

import { nextSort } from "../words/sort";

interface SortHeadProps extends TableThProps {
  /** The column's word in the address. */
  column: string;
  sort: string | undefined;
  onSort: (sort: string | undefined) => void;
  children: ReactNode;
}

/** The head of a column that can be sorted: says how it is sorted, and turns it. */
export function SortHead({ column, sort, onSort, children, ...th }: SortHeadProps) {
  const up = sort === column;
  const down = sort === `-${column}`;
  const Icon = up ? IconArrowUp : down ? IconArrowDown : IconArrowsSort;
  return (
    <Table.Th aria-sort={up ? "ascending" : down ? "descending" : "none"} {...th}>
      <UnstyledButton className="sort-head" fz={12} fw={500} data-sorted={up || down} data-end={th.ta === "end" || undefined} onClick={() => onSort(nextSort(sort, column))}>
        {children}
        <Icon size={12} aria-hidden />
      </UnstyledButton>
    </Table.Th>
  );
}
