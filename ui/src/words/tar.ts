/** A file on its way into an archive: where it stands below the folder, and its bytes. */
export interface PackedFile {
  path: string;
  file: Blob;
}

const BLOCK = 512;
const NAME_BYTES = 100;
const encoder = new TextEncoder();

/**
 * Packs files into a tar archive (ustar, with a pax record for each long path). Nothing is read here: the archive names the
 * files' own bytes. A browser does not say which files can be executed, so all of them can, as Docker does it on Windows.
 */
export function tarOf(files: PackedFile[]): Blob {
  const parts: BlobPart[] = [];
  for (const { path, file } of files) {
    const name = encoder.encode(path);
    if (name.length > NAME_BYTES) {
      const record = paxRecord(path);
      parts.push(header(encoder.encode("pax"), record.length, "x"), record, padding(record.length));
    }
    parts.push(header(name.slice(0, NAME_BYTES), file.size, "0"), file, padding(file.size));
  }
  parts.push(new Uint8Array(2 * BLOCK));
  return new Blob(parts, { type: "application/x-tar" });
}

/** `<length> path=<path>\n`, whose length counts itself. */
function paxRecord(path: string): Uint8Array<ArrayBuffer> {
  const body = encoder.encode(` path=${path}\n`);
  let length = body.length + 1;
  while (String(length).length + body.length !== length) length += 1;
  return new Uint8Array([...encoder.encode(String(length)), ...body]);
}

function header(name: Uint8Array, size: number, kind: "0" | "x"): Uint8Array<ArrayBuffer> {
  const block = new Uint8Array(BLOCK);
  const put = (at: number, text: string) => block.set(encoder.encode(text), at);
  const octal = (value: number, digits: number) => value.toString(8).padStart(digits, "0");
  block.set(name, 0);
  put(100, `${octal(0o755, 7)}\0`);
  put(108, `${octal(0, 7)}\0`);
  put(116, `${octal(0, 7)}\0`);
  put(124, `${octal(size, 11)} `);
  put(136, `${octal(0, 11)} `);
  put(148, " ".repeat(8));
  put(156, kind);
  put(257, "ustar\x0000");
  put(148, `${octal(block.reduce((sum, byte) => sum + byte, 0), 6)}\0 `);
  return block;
}

const padding = (size: number) => new Uint8Array((BLOCK - (size % BLOCK)) % BLOCK);
