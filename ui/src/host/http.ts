import type { EventMessage } from "./bindings";
import { type Answer, CallFailed, type Command, type Host, isFailure, type Request } from "./host";

const STORED_TOKEN = "slipway.token";
const RECONNECT_MS = 1000;

/** Takes the token from `#token=…` once, so that it neither stays in the address nor in the history. */
export function takeToken(): string | null {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given) {
    sessionStorage.setItem(STORED_TOKEN, given);
    history.replaceState(null, "", location.pathname + location.search);
  }
  return given ?? sessionStorage.getItem(STORED_TOKEN);
}

/** The devhost behind a browser: JSON over HTTP, events as a stream. */
export function httpHost(token: string, origin = location.origin): Host {
  const authorization = `Bearer ${token}`;
  return {
    capabilities: { window: false },

    async call<K extends Command>(command: K, request: Request<K>, signal?: AbortSignal): Promise<Answer<K>> {
      let response: Response;
      try {
        response = await fetch(`${origin}/rpc/${command}`, {
          method: "POST",
          headers: { authorization, "content-type": "application/json" },
          body: JSON.stringify(request),
          signal: signal ?? null,
        });
      } catch (thrown) {
        if (signal?.aborted) throw thrown;
        throw new CallFailed({ code: "host_gone", message: "" });
      }
      const body: unknown = await response.json().catch(() => null);
      if (response.ok) return body as Answer<K>;
      if (isFailure(body)) throw new CallFailed(body);
      throw new CallFailed({ code: "host_gone", message: `HTTP ${response.status}` });
    },

    subscribe(onMessage, onConnection) {
      const stop = new AbortController();
      void (async () => {
        while (!stop.signal.aborted) {
          try {
            const response = await fetch(`${origin}/events`, { headers: { authorization }, signal: stop.signal });
            if (!response.ok || !response.body) throw new Error(`HTTP ${response.status}`);
            onConnection(true);
            await readEvents(response.body, onMessage);
          } catch {
            // The loop below tries again; the caller learns it from onConnection.
          }
          if (stop.signal.aborted) return;
          onConnection(false);
          await new Promise((resolve) => setTimeout(resolve, RECONNECT_MS));
        }
      })();
      return () => stop.abort();
    },

    async saveLog(build, name) {
      let response: Response;
      try {
        response = await fetch(`${origin}/logs/${build}`, { headers: { authorization } });
      } catch (thrown) {
        throw new CallFailed({ code: "host_gone", message: "" });
      }
      if (!response.ok) {
        const body: unknown = await response.json().catch(() => null);
        throw new CallFailed(isFailure(body) ? body : { code: "host_gone", message: `HTTP ${response.status}` });
      }
      download(name, await response.blob());
      return true;
    },

    async saveText(name, text) {
      download(name, new Blob([text], { type: "text/plain;charset=utf-8" }));
      return true;
    },

    async openLink(url) {
      const { protocol } = new URL(url);
      if (protocol === "https:" || protocol === "http:") window.open(url, "_blank", "noopener,noreferrer");
    },
  };
}

/** How long the browser may take to begin reading what it downloads. */
const FORGET_DOWNLOAD_MS = 60_000;

function download(name: string, content: Blob) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), FORGET_DOWNLOAD_MS);
}

/** Reads a stream of server-sent events; lines other than `data:` are keep-alives. */
export async function readEvents(body: ReadableStream<Uint8Array>, onMessage: (message: EventMessage) => void) {
  const reader = body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line.startsWith("data:")) onMessage(JSON.parse(line.slice(5)) as EventMessage);
    }
  }
}
