/** A port for a program that cannot choose one by itself. */
import { createServer } from "node:net";

let next = process.pid * 37;
/** Returns a port that nobody listens on; none that systems hand out by themselves, which may be anybody's before it is used. */
export function freePort() {
  const port = 20_000 + ((next += 1) % 12_000);
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(freePort()));
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(port)));
  });
}
