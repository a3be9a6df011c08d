import { type DragEvent, type ReactNode, useState } from "react";

import type { PackedFile } from "../words/tar";

/** What was dropped: files by themselves, or the whole of a folder. */
export type Dropped = { kind: "files"; files: File[] } | { kind: "folder"; name: string; files: PackedFile[] };

/** More files than this are no build context. */
export const MOST_FILES = 20_000;

interface DropZoneProps {
  onDrop: (dropped: Dropped) => void;
  children: ReactNode;
}

/** Takes files that are dropped on what it holds. There is always another way to the same end: a button or a field. */
export function DropZone({ onDrop, children }: DropZoneProps) {
  const [over, setOver] = useState(false);
  const holdsFiles = (event: DragEvent) => event.dataTransfer.types.includes("Files");
  return (
    <div
      className="drop-zone"
      data-over={over}
      onDragOver={(event) => {
        if (!holdsFiles(event)) return;
        event.preventDefault();
        event.dataTransfer.dropEffect = "copy";
        setOver(true);
      }}
      onDragLeave={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setOver(false);
      }}
      onDrop={(event) => {
        if (!holdsFiles(event)) return;
        event.preventDefault();
        setOver(false);
        void readDropped(event.dataTransfer).then(onDrop);
      }}
    >
      {children}
    </div>
  );
}

async function readDropped(data: DataTransfer): Promise<Dropped> {
  const [first] = [...data.items].flatMap((item) => item.webkitGetAsEntry() ?? []);
  const files = [...data.files];
  if (!first?.isDirectory) return { kind: "files", files };
  const found: PackedFile[] = [];
  await walk(first as FileSystemDirectoryEntry, "", found);
  return { kind: "folder", name: first.name, files: found };
}

async function walk(folder: FileSystemDirectoryEntry, above: string, found: PackedFile[]) {
  const reader = folder.createReader();
  // A reader gives some entries at a time, and none at the end.
  for (;;) {
    const entries = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (entries.length === 0) return;
    for (const entry of entries) {
      if (found.length > MOST_FILES) return;
      const path = `${above}${entry.name}`;
      if (entry.isDirectory) await walk(entry as FileSystemDirectoryEntry, `${path}/`, found);
      else found.push({ path, file: await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject)) });
    }
  }
}

/** The files of a folder that was chosen in a browser, seen from that folder. */
export function chosenFolder(files: File[]): Dropped {
  const below = (file: File) => file.webkitRelativePath.split("/").slice(1).join("/") || file.name;
  const name = files[0]?.webkitRelativePath.split("/")[0] ?? "";
  return { kind: "folder", name, files: files.slice(0, MOST_FILES + 1).map((file) => ({ path: below(file), file })) };
}
