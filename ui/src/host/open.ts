import type { Host } from "./host";
import { httpHost, takeToken } from "./http";

/** Finds the host that this console runs in; none when a browser has no token. */
export async function openHost(): Promise<Host | null> {
  if ("__TAURI_INTERNALS__" in window) return (await import("./tauri")).tauriHost;
  const token = takeToken();
  return token === null ? null : httpHost(token);
}
