import { CallFailed, type Host } from "./host";

/** Bytes of one piece: as much as the core takes at once. */
const PIECE = 4 * 1024 * 1024;

/**
 * Sends a file to the core in pieces and returns its id there. What was sent is forgotten again when a piece fails or the
 * signal stops it. Throws {@link CallFailed}.
 */
export async function sendFile(host: Host, file: Blob, name: string, onProgress: (sent: number) => void, signal: AbortSignal): Promise<string> {
  const { id } = await host.call("uploads.begin", { name, size: file.size }, signal);
  try {
    for (let at = 0; at < file.size; at += PIECE) {
      const data = await base64(file.slice(at, at + PIECE));
      await host.call("uploads.append", { id, offset: at, data }, signal);
      // Not every host stops a call that is on its way.
      signal.throwIfAborted();
      onProgress(Math.min(at + PIECE, file.size));
    }
    return id;
  } catch (thrown) {
    void host.call("uploads.discard", { id }).catch(() => undefined);
    throw thrown;
  }
}

function base64(piece: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result).replace(/^[^,]*,/, ""));
    // The file was changed or taken away since it was chosen.
    reader.onerror = () => reject(new CallFailed({ code: "invalid_field", message: reader.error?.message ?? "the file cannot be read" }));
    reader.readAsDataURL(piece);
  });
}
