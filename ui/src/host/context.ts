import { createContext, useContext, useEffect, useRef } from "react";

import type { Event } from "./bindings";
import type { Host } from "./host";

/** The host and how the connection to it stands. */
export interface Connection {
  host: Host;
  connected: boolean;
  listen: (listener: (event: Event) => void) => () => void;
}

export const HostContext = createContext<Connection | null>(null);

/** The host and how the connection to it stands. */
export function useHost(): Connection {
  const connection = useContext(HostContext);
  if (!connection) throw new Error("no host around this component");
  return connection;
}

/** Calls the listener with every event of the core. */
export function useEvents(listener: (event: Event) => void) {
  const { listen } = useHost();
  const latest = useRef(listener);
  useEffect(() => {
    latest.current = listener;
  });
  useEffect(() => listen((event) => latest.current(event)), [listen]);
}
