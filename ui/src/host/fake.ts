import type { EventMessage } from "./bindings";
import { type Answer, CallFailed, type Command, type Host, type Request } from "./host";

type Answers = { [K in Command]?: (request: Request<K>) => Answer<K> };

/** A host for tests: answers from a table, remembers what was asked, saved and opened, sends events by hand. */
export function fakeHost(answers: Answers) {
  const listeners = new Set<(message: EventMessage) => void>();
  const calls: { command: Command; request: unknown }[] = [];
  const saved: { name: string; text: string }[] = [];
  const opened: string[] = [];
  const host: Host = {
    capabilities: { window: false },
    async call<K extends Command>(command: K, request: Request<K>): Promise<Answer<K>> {
      calls.push({ command, request });
      const answer = answers[command] as ((request: Request<K>) => Answer<K>) | undefined;
      if (!answer) throw new CallFailed({ code: "unknown_command", message: command });
      return answer(request);
    },
    subscribe(onMessage, onConnection) {
      listeners.add(onMessage);
      onConnection(true);
      return () => listeners.delete(onMessage);
    },
    async saveLog(build, name) {
      saved.push({ name, text: `log of build ${build}` });
      return true;
    },
    async saveText(name, text) {
      saved.push({ name, text });
      return true;
    },
    async openLink(url) {
      opened.push(url);
    },
  };
  const send = (message: EventMessage) => listeners.forEach((listener) => listener(message));
  return { host, calls, saved, opened, send };
}
