import { Channel, invoke } from "@tauri-apps/api/core";

import type { EventMessage } from "./bindings";
import { type Answer, CallFailed, type Command, type Host, isFailure, type Request } from "./host";

/** Calls one of the window's own commands. */
async function ask<T>(command: string, input: Record<string, unknown>): Promise<T> {
  try {
    return await invoke<T>(command, input);
  } catch (thrown) {
    throw new CallFailed(isFailure(thrown) ? thrown : { code: "host_gone", message: String(thrown) });
  }
}

/** The desktop window: one command `rpc` for every call, one channel for the events, and what only a window can do. */
export const tauriHost: Host = {
  capabilities: { window: true },

  call: <K extends Command>(command: K, request: Request<K>) => ask<Answer<K>>("rpc", { command, request }),

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

  saveLog: (build, name) => ask("save_log", { build, name }),
  saveText: (name, text) => ask("save_text", { name, text }),
  pickFolder: () => ask("pick_folder", {}),
  pickFile: () => ask("pick_file", {}),
  openLink: (url) => ask("open_link", { url }),

  onAddress(listener) {
    let listening = true;
    const channel = new Channel<string>();
    channel.onmessage = (address) => {
      if (listening) listener(address);
    };
    void ask("follow_addresses", { channel });
    return () => {
      listening = false;
    };
  },

  speak(language) {
    void ask("speak", { language });
  },
};
