import { useCallback, useEffect, useRef, useState } from "react";

import type { LogLineView } from "../../host/bindings";
import { useEvents, useHost } from "../../host/context";
import { failureOf, type ShownFailure } from "../../host/host";

/** Lines asked for at once; a page of a log is drawn from one or two of these. */
export const CHUNK = 500;
const REFRESH_MS = 150;

/** A log as a virtual list sees it: how long it is, and lines where they have arrived. */
export interface LogLines {
  total: number;
  lineAt: (index: number) => LogLineView | undefined;
  /** Asks for whatever of these indexes is not here yet. */
  need: (first: number, last: number) => void;
  failure: ShownFailure | null;
  loaded: boolean;
}

/** The whole log of a build by line number, fetched in chunks where it is looked at, growing while the build runs. */
export function useLog(build: number): LogLines {
  const { host } = useHost();
  const chunks = useRef(new Map<number, LogLineView[]>());
  const flying = useRef(new Set<number>());
  const [total, setTotal] = useState(0);
  const [loaded, setLoaded] = useState(false);
  const [failure, setFailure] = useState<ShownFailure | null>(null);
  const [, redraw] = useState(0);

  const load = useCallback(
    async (chunk: number) => {
      if (flying.current.has(chunk)) return;
      flying.current.add(chunk);
      try {
        const page = await host.call("builds.log", { id: build, from: chunk * CHUNK, count: CHUNK });
        chunks.current.set(chunk, page.lines);
        setTotal((before) => Math.max(before, page.total));
        setFailure(null);
      } catch (thrown) {
        setFailure(failureOf(thrown));
      } finally {
        flying.current.delete(chunk);
        setLoaded(true);
        redraw((count) => count + 1);
      }
    },
    [host, build],
  );

  useEffect(() => {
    chunks.current.clear();
    setTotal(0);
    setLoaded(false);
    void load(0);
  }, [load]);

  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const totalNow = useRef(total);
  totalNow.current = total;
  useEvents((event) => {
    const grew = (event.kind === "log_appended" || event.kind === "build_changed") && event.build === build;
    if (!grew && event.kind !== "lagged") return;
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      void load(Math.floor(totalNow.current / CHUNK));
    }, REFRESH_MS);
  });

  const lineAt = (index: number) => chunks.current.get(Math.floor(index / CHUNK))?.[index % CHUNK];
  const need = (first: number, last: number) => {
    for (let chunk = Math.floor(first / CHUNK); chunk <= Math.floor(last / CHUNK); chunk += 1) {
      const here = chunks.current.get(chunk)?.length ?? 0;
      if (failure === null && here < Math.min(CHUNK, total - chunk * CHUNK)) void load(chunk);
    }
  };
  return { total, lineAt, need, failure, loaded };
}

/** The most lines of one step that are asked for in one call. */
const STEP_PAGE = 10_000;

/** The lines of one step. They lie apart in the log, so they are fetched in order, the next page when its end is near. */
export function useStepLog(build: number, step: number): LogLines {
  const { host } = useHost();
  const lines = useRef<LogLineView[]>([]);
  const flying = useRef(false);
  const more = useRef(true);
  const [failure, setFailure] = useState<ShownFailure | null>(null);
  const [loaded, setLoaded] = useState(false);
  const [, redraw] = useState(0);

  const load = useCallback(async () => {
    if (flying.current) return;
    flying.current = true;
    try {
      const from = (lines.current.at(-1)?.number ?? -1) + 1;
      const page = await host.call("builds.log", { id: build, step, from, count: STEP_PAGE });
      lines.current = [...lines.current, ...page.lines];
      more.current = page.lines.length === STEP_PAGE;
      setFailure(null);
    } catch (thrown) {
      more.current = false;
      setFailure(failureOf(thrown));
    } finally {
      flying.current = false;
      setLoaded(true);
      redraw((count) => count + 1);
    }
  }, [host, build, step]);

  useEffect(() => {
    lines.current = [];
    more.current = true;
    void load();
  }, [load]);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  useEvents((event) => {
    if (event.kind !== "log_appended" || event.build !== build) return;
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      void load();
    }, REFRESH_MS);
  });
  return {
    total: lines.current.length,
    lineAt: (index) => lines.current[index],
    need: (_, last) => {
      if (more.current && last >= lines.current.length - CHUNK) void load();
    },
    failure,
    loaded,
  };
}
