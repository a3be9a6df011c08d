import { Channel, invoke } from "@tauri-apps/api/core";

import type { EventMessage } from "./bindings";
import { type Answer, CallFailed, type Command, type Host, isFailure, type Request } from "./host";

/** The desktop window: one command `rpc` for every call, one channel for the events. */
export const tauriHost: Host = {
  capabilities: { window: true },

  async call<K extends Command>(command: K, request: Request<K>): Promise<Answer<K>> {
    try {
      return await invoke<Answer<K>>("rpc", { command, request });
    } catch (thrown) {
      throw new CallFailed(isFailure(thrown) ? thrown : { code: "host_gone", message: String(thrown) });
    }
  },

  subscribe(onMessage, onConnection) {
    let listening = true;
    const channel = new Channel<EventMessage>();
    channel.onmessage = (message) => {
      if (listening) onMessage(message);
    };
    invoke("subscribe", { channel }).then(
      () => listening && onConnection(true),
      () => listening && onConnection(false),
    );
    return () => {
      listening = false;
    };
  },
};
