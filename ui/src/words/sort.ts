/** What a column sorts by; rows without a value come last, whichever way the column is sorted. */
export type SortValue = string | number | null;

/** The columns of a list that can be sorted. */
export type SortColumns<T> = Record<string, (row: T) => SortValue>;

/** Reads `name` or `-name` (descending) from the address; none for a column that the list does not have. */
export function readSort<K extends string>(sort: string | undefined, columns: Record<K, unknown>): { column: K; down: boolean } | null {
  const down = sort?.startsWith("-") ?? false;
  const column = down ? sort?.slice(1) : sort;
  return column !== undefined && Object.hasOwn(columns, column) ? { column: column as K, down } : null;
}

/** The next state of a column's header: ascending, descending, as it came. */
export function nextSort(sort: string | undefined, column: string): string | undefined {
  if (sort === column) return `-${column}`;
  return sort === `-${column}` ? undefined : column;
}

const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

/** Sorts rows as the address says; equal rows keep their order. Names with numbers sort as people count. */
export function sortRows<T>(rows: readonly T[], sort: string | undefined, columns: SortColumns<T>): T[] {
  const by = readSort(sort, columns);
  const valueOf = by && columns[by.column];
  if (!by || !valueOf) return [...rows];
  return rows
    .map((row) => ({ row, value: valueOf(row) }))
    .sort((one, other) => {
      if (one.value === null || other.value === null) return Number(one.value === null) - Number(other.value === null);
      const order =
        typeof one.value === "number" && typeof other.value === "number"
          ? one.value - other.value
          : collator.compare(String(one.value), String(other.value));
      return by.down ? -order : order;
    })
    .map(({ row }) => row);
}
