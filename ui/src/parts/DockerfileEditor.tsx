import { Textarea, type TextareaProps } from "@mantine/core";
import { Fragment, useMemo, useRef } from "react";

import { dockerfilePieces, type Piece } from "../words/dockerfile";

const LEAST_ROWS = 8;
const MOST_ROWS = 18;

interface DockerfileEditorProps extends Omit<TextareaProps, "value" | "onChange"> {
  value: string;
  onChange: (value: string) => void;
  /** The line of the first problem, from 1. */
  problemLine: number | null;
}

/**
 * A field for the text of a Dockerfile. It is a plain text area, with everything that people and their tools know about one;
 * its letters are drawn behind it, in colour.
 */
export function DockerfileEditor({ value, onChange, problemLine, ...rest }: DockerfileEditorProps) {
  const coloured = useRef<HTMLPreElement>(null);
  const lines = useMemo(() => dockerfilePieces(value), [value]);
  return (
    <Textarea
      {...rest}
      classNames={{ input: "mono" }}
      wrap="off"
      spellCheck={false}
      autoCapitalize="off"
      rows={Math.min(MOST_ROWS, Math.max(LEAST_ROWS, lines.length + 1))}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
      onScroll={({ currentTarget: { scrollTop, scrollLeft } }) => coloured.current?.scrollTo({ top: scrollTop, left: scrollLeft, behavior: "instant" })}
      inputContainer={(field) => (
        <div className="code-field">
          <pre className="mono" aria-hidden ref={coloured}>
            {lines.map((pieces, at) => (
              <Fragment key={at}>
                <span data-problem={problemLine === at + 1 || undefined}>
                  <Pieces pieces={pieces} />
                </span>
                {"\n"}
              </Fragment>
            ))}
          </pre>
          {field}
        </div>
      )}
    />
  );
}

/** A line of a Dockerfile in colour. `shown` makes foreign text fit to be seen. */
export function Pieces({ pieces, shown = (text) => text }: { pieces: Piece[]; shown?: (text: string) => string }) {
  return pieces.map(({ kind, text }, at) => (
    <span key={at} className={`code-${kind}`}>
      {shown(text)}
    </span>
  ));
}
