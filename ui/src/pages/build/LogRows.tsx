import { useVirtualizer } from "@tanstack/react-virtual";
import { memo, type RefObject, useEffect, useImperativeHandle, useLayoutEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import type { LogLineView } from "../../host/bindings";
import { ansiSpans, splitHits } from "../../words/ansi";
import { LINE_PX, placeOf, scrollOf, tallest } from "./logScroll";
import type { LogLines } from "./useLog";

/** Rows drawn above and below what is seen. */
const BESIDE = 20;
/** Wrapped lines are measured one by one, so only a part of a very long log is laid out at a time. */
const WRAPPED = 20_000;

/** Goes to a line. */
export interface LogStand {
  show: (index: number, align: "center" | "end") => void;
}

interface RowsProps {
  log: LogLines;
  scroller: HTMLDivElement;
  stand: RefObject<LogStand | null>;
  time: boolean;
  /** What is searched for. */
  sought: string;
  /** The number of the line that the search stands on. */
  hitLine: number | undefined;
}

interface LineProps {
  line: LogLineView | undefined;
  digits: number;
  time: boolean;
  sought: string;
}

/** One line: number, time, text. Foreign text becomes text nodes with classes of ours, nothing else. */
const Line = memo(function Line({ line, digits, time, sought }: LineProps) {
  const { t } = useTranslation();
  const spans = useMemo(() => (line ? splitHits(ansiSpans(line.text), sought) : []), [line, sought]);
  return (
    <>
      <span className="log-number" style={{ width: `calc(${digits}ch + 16px)` }}>
        {line ? line.number + 1 : ""}
      </span>
      {time && <span className="log-time">{line?.at ? new Date(line.at).toLocaleTimeString() : ""}</span>}
      <span className="log-text">
        {spans.map((span, part) =>
          span.hit ? (
            <mark key={part}>{span.text}</mark>
          ) : (
            <span key={part} className={span.class || undefined}>
              {span.text}
            </span>
          ),
        )}
        {line?.clipped && <span className="ansi-dim">… {t("log.line_clipped")}</span>}
      </span>
    </>
  );
});

const digitsOf = (total: number) => String(Math.max(total, 1)).length;

/** Lines of one height: a line's place is arithmetic, so a log may have millions of them. */
export function FixedRows({ log, scroller, stand, time, sought, hitLine }: RowsProps) {
  const [view, setView] = useState({ top: 0, height: 0 });
  useLayoutEffect(() => {
    const look = () => setView({ top: scroller.scrollTop, height: scroller.clientHeight });
    look();
    scroller.addEventListener("scroll", look, { passive: true });
    const resized = new ResizeObserver(look);
    resized.observe(scroller);
    return () => {
      scroller.removeEventListener("scroll", look);
      resized.disconnect();
    };
  }, [scroller]);
  useImperativeHandle(stand, () => ({
    show: (index, align) => {
      scroller.scrollTop = scrollOf(index, align, log.total, scroller.clientHeight);
    },
  }));
  const place = placeOf(view.top, log.total, view.height);
  const first = Math.max(0, place.first - BESIDE);
  const last = Math.min(log.total - 1, place.first + Math.ceil(view.height / LINE_PX) + BESIDE);
  useEffect(() => {
    if (last >= first && view.height > 0) log.need(first, last);
  });
  const digits = digitsOf(log.total);
  return (
    <div style={{ height: tallest(log.total), position: "relative" }}>
      {Array.from({ length: Math.max(0, last - first + 1) }, (_, at) => {
        const index = first + at;
        const line = log.lineAt(index);
        return (
          <div
            key={index}
            className="log-line"
            data-hit={line !== undefined && line.number === hitLine}
            style={{ transform: `translateY(${place.offset + (index - place.first) * LINE_PX}px)`, height: LINE_PX }}
          >
            <Line line={line} digits={digits} time={time} sought={sought} />
          </div>
        );
      })}
    </div>
  );
}

/** Lines that wrap: each is measured. A part of the log is laid out; coming to its edge moves it on. */
export function WrappedRows({ log, scroller, stand, time, sought, hitLine }: RowsProps) {
  const [from, setFrom] = useState(() => Math.max(0, log.total - WRAPPED));
  const wish = useRef<{ index: number; align: "start" | "center" | "end" } | null>(null);
  const count = Math.min(WRAPPED, log.total - from);
  const rows = useVirtualizer({
    count,
    getScrollElement: () => scroller,
    estimateSize: () => LINE_PX,
    overscan: BESIDE,
    getItemKey: (index) => from + index,
  });
  const list = useRef(rows);
  list.current = rows;
  const around = (index: number) => Math.max(0, Math.min(index - WRAPPED / 2, log.total - WRAPPED));
  useImperativeHandle(stand, () => ({
    show: (index, align) => {
      wish.current = { index, align };
      const next = index >= from && index < from + count ? from : around(index);
      if (next === from) list.current.scrollToIndex(index - from, { align });
      else setFrom(next);
    },
  }));
  useLayoutEffect(() => {
    if (wish.current) list.current.scrollToIndex(wish.current.index - from, { align: wish.current.align });
    wish.current = null;
  }, [from]);
  const shown = rows.getVirtualItems();
  const first = shown[0]?.index;
  const last = shown.at(-1)?.index;
  useEffect(() => {
    if (first === undefined || last === undefined) return;
    log.need(from + first, from + last);
    const atStart = first === 0 && from > 0;
    const atEnd = last === count - 1 && from + count < log.total;
    if (atStart || atEnd) {
      const index = from + (atStart ? first : last);
      wish.current = { index, align: atStart ? "start" : "end" };
      setFrom(around(index));
    }
  });
  const digits = digitsOf(log.total);
  return (
    <div style={{ height: rows.getTotalSize(), position: "relative" }}>
      {shown.map(({ index, start, key }) => {
        const line = log.lineAt(from + index);
        return (
          <div
            key={key}
            ref={rows.measureElement}
            data-index={index}
            className="log-line"
            data-wrap
            data-hit={line !== undefined && line.number === hitLine}
            style={{ transform: `translateY(${start}px)` }}
          >
            <Line line={line} digits={digits} time={time} sought={sought} />
          </div>
        );
      })}
    </div>
  );
}
