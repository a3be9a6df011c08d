import { useCallback, useEffect, useMemo, useRef, useState } from "react";

import type { LogLineView } from "../../host/bindings";
import { useEvents, useHost } from "../../host/context";
import { failureOf, type ShownFailure } from "../../host/host";
import { CHUNK, LogPages, StepPlaces } from "./logPages";

const REFRESH_MS = 150;
/** Finding the lines of a growing step reads the whole index: less often. */
const REFRESH_STEP_MS = 1000;

/** A log as a list sees it: how long it is, and lines where they have arrived. */
export interface LogLines {
  total: number;
  lineAt: (index: number) => LogLineView | undefined;
  /** Asks for whatever of these indexes is not here yet. */
  need: (first: number, last: number) => void;
  failure: ShownFailure | null;
  retry: () => void;
  loaded: boolean;
}

/** What both kinds of log share: chunks, one call per chunk at a time, and the last failure. */
function usePages(load: (chunk: number, pages: LogPages) => Promise<void>, total: number, key: unknown) {
  const pages = useMemo(() => new LogPages(), [key]);
  const flying = useRef(new Set<number>());
  const [failure, setFailure] = useState<ShownFailure | null>(null);
  const [, redraw] = useState(0);
  const fetch = async (chunk: number) => {
    if (flying.current.has(chunk)) return;
    flying.current.add(chunk);
    try {
      await load(chunk, pages);
    } catch (thrown) {
      setFailure(failureOf(thrown));
    } finally {
      flying.current.delete(chunk);
      redraw((count) => count + 1);
    }
  };
  const need = (first: number, last: number) => {
    if (failure) return;
    for (let chunk = Math.floor(first / CHUNK); chunk <= Math.floor(last / CHUNK); chunk += 1) {
      pages.touch(chunk);
      if (!pages.isWhole(chunk, total)) void fetch(chunk);
    }
  };
  return { lineAt: (index: number) => pages.lineAt(index), need, failure, fail: setFailure };
}

/** Calls back some time after the log of a build grew, at most this often. */
function useGrowth(build: number, every: number, grown: (lines: number | undefined) => void) {
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const lines = useRef<number>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  useEvents((event) => {
    if (event.kind === "log_appended" && event.build === build) lines.current = event.upto_line;
    else if (event.kind !== "lagged" && !(event.kind === "build_changed" && event.build === build)) return;
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      grown(lines.current);
    }, every);
  });
}

/** The whole log of a build by line number, fetched in chunks where it is looked at, growing while the build runs. */
export function useLog(build: number, known: number): LogLines {
  const { host } = useHost();
  const [counted, setCounted] = useState({ build, total: known, asked: known > 0 });
  const total = counted.build === build ? counted.total : known;
  const grew = useCallback(
    (lines: number) => setCounted((before) => ({ build, total: before.build === build ? Math.max(before.total, lines) : lines, asked: true })),
    [build],
  );
  const { fail, ...pages } = usePages(
    async (chunk, kept) => {
      const page = await host.call("builds.log", { id: build, from: chunk * CHUNK, count: CHUNK });
      kept.put(chunk, page.lines);
      grew(page.total);
    },
    total,
    build,
  );
  const count = useCallback(async () => {
    try {
      grew((await host.call("builds.log", { id: build, from: 0, count: 0 })).total);
    } catch (thrown) {
      fail(failureOf(thrown));
    }
  }, [host, build, grew, fail]);
  useEffect(() => void count(), [count]);
  useGrowth(build, REFRESH_MS, (lines) => (lines === undefined ? void count() : grew(lines)));
  return {
    total,
    ...pages,
    retry: () => {
      fail(null);
      void count();
    },
    loaded: counted.asked,
  };
}

/** The lines of one step, by their place in the step. */
export function useStepLog(build: number, step: number): LogLines {
  const { host } = useHost();
  const places = useRef(new StepPlaces());
  const [total, setTotal] = useState(0);
  const [loaded, setLoaded] = useState(false);
  const { fail, ...pages } = usePages(
    async (chunk, kept) => {
      // Steps that wrote in turns are walked through once, chunk by chunk.
      for (;;) {
        const at = places.current.nearest(chunk);
        const { lines } = await host.call("builds.log", { id: build, step, from: at.from, count: CHUNK });
        places.current.learn(at.chunk, lines);
        if (at.chunk === chunk) kept.put(chunk, lines);
        if (at.chunk === chunk || lines.length < CHUNK) return;
      }
    },
    total,
    `${build} ${step}`,
  );
  const look = useCallback(async () => {
    try {
      const steps = await host.call("builds.log_steps", { id: build });
      const mine = steps.find((one) => one.step === step);
      if (mine) {
        // No line of it beyond these: then all of these are its own.
        const beyond = await host.call("builds.log", { id: build, step, from: mine.first + mine.count, count: 1 });
        places.current.place(mine.first, beyond.lines.length === 0);
        setTotal(mine.count);
      }
      setLoaded(true);
    } catch (thrown) {
      fail(failureOf(thrown));
    }
  }, [host, build, step, fail]);
  useEffect(() => void look(), [look]);
  useGrowth(build, REFRESH_STEP_MS, () => void look());
  return {
    total,
    ...pages,
    retry: () => {
      fail(null);
      void look();
    },
    loaded,
  };
}
