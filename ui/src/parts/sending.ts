import { useEffect, useRef, useState } from "react";

import { useHost } from "../host/context";
import { failureOf, type ShownFailure } from "../host/host";
import { sendFile } from "../host/sendFile";

/** A file of the person that goes to the core in pieces; what nobody took goes when the dialog does, or another one is sent. */
export function useSending() {
  const { host } = useHost();
  const [share, setShare] = useState<number | null>(null);
  const [failure, setFailure] = useState<ShownFailure | null>(null);
  const running = useRef<AbortController>(undefined);
  const kept = useRef<string>(undefined);
  const discard = () => {
    // What a build took meanwhile is not there any more, which is fine.
    if (kept.current !== undefined) void host.call("uploads.discard", { id: kept.current }).catch(() => undefined);
    kept.current = undefined;
  };
  const leave = useRef(discard);
  leave.current = discard;
  useEffect(
    () => () => {
      running.current?.abort();
      leave.current();
    },
    [],
  );
  const stop = () => {
    running.current?.abort();
    running.current = undefined;
    discard();
    setShare(null);
  };
  /** Sends a file and returns its id there; null when it was stopped, or failed. */
  const send = async (file: Blob, name: string): Promise<string | null> => {
    stop();
    const own = new AbortController();
    running.current = own;
    setFailure(null);
    setShare(0);
    try {
      const id = await sendFile(host, file, name, (sent) => running.current === own && setShare(sent / file.size), own.signal);
      kept.current = id;
      return id;
    } catch (thrown) {
      if (!own.signal.aborted) setFailure(failureOf(thrown));
      return null;
    } finally {
      if (running.current === own) setShare(null);
    }
  };
  return {
    /** How much of it is there, from 0 to 1; null while nothing is sent. */
    share,
    failure,
    send,
    stop,
  };
}
