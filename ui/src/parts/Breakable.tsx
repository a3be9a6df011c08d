import { Fragment } from "react";

/** A name that may be broken behind its dots, slashes and colons, and elsewhere only when a part alone is too long. */
export function Breakable({ text }: { text: string }) {
  return text.split(/(?<=[/:@.])/).map((part, at) => (
    <Fragment key={at}>
      {part}
      <wbr />
    </Fragment>
  ));
}
