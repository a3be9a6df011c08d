import { type QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { type ReactNode, useEffect, useMemo, useRef, useState } from "react";

import type { CacheTag, Event } from "./bindings";
import { type Connection, HostContext } from "./context";
import type { Host } from "./host";
import { invalidate } from "./reads";

/** Events come in bursts while a build writes its log; reads follow at most this often. */
const INVALIDATE_EVERY_MS = 200;

/** Gives the console its host, its cache and the events that keep the cache true. */
export function HostProvider({ host, client, children }: { host: Host; client: QueryClient; children: ReactNode }) {
  const [connected, setConnected] = useState(true);
  const listeners = useRef(new Set<(event: Event) => void>());

  useEffect(() => {
    const waiting = new Set<CacheTag>();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const flush = () => {
      timer = undefined;
      invalidate(client, waiting);
      waiting.clear();
    };
    let wasConnected = true;
    const stop = host.subscribe(
      ({ event, stale }) => {
        listeners.current.forEach((listener) => listener(event));
        stale.forEach((tag) => waiting.add(tag));
        if (waiting.size > 0) timer ??= setTimeout(flush, INVALIDATE_EVERY_MS);
      },
      (now) => {
        setConnected(now);
        // Whatever happened while nobody listened is unknown: everything is read again.
        if (now && !wasConnected) {
          void client.invalidateQueries();
          listeners.current.forEach((listener) => listener({ kind: "lagged" }));
        }
        wasConnected = now;
      },
    );
    return () => {
      clearTimeout(timer);
      stop();
    };
  }, [host, client]);

  const connection = useMemo<Connection>(
    () => ({
      host,
      connected,
      listen: (listener) => {
        listeners.current.add(listener);
        return () => listeners.current.delete(listener);
      },
    }),
    [host, connected],
  );
  return (
    <QueryClientProvider client={client}>
      <HostContext.Provider value={connection}>{children}</HostContext.Provider>
    </QueryClientProvider>
  );
}
