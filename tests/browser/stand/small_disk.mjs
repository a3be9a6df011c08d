/** A real disk that can be filled: a file system of a few megabytes in memory, mounted over a folder. */
import { createWriteStream, rmSync, statfsSync } from "node:fs";
import { join } from "node:path";
import { once } from "node:events";

import { run } from "./processes.mjs";

/** Mounting is root's: as another user it asks sudo without a password, and fails when that is refused. */
const asRoot = (...command) => (process.getuid() === 0 ? run(command[0], command.slice(1)) : run("sudo", ["--non-interactive", ...command]));

/** Mounts so many megabytes over a folder; what was in it is out of sight until the disk is removed. */
export async function smallDisk(folder, megabytes) {
  await asRoot("mount", "-t", "tmpfs", "-o", `size=${megabytes}m,mode=0700,uid=${process.getuid()}`, "slipway-test", folder);
  const filling = join(folder, "filling");
  return {
    /** Fills it until no more than so many bytes are free. */
    async fill(leave) {
      const { bavail, bsize } = statfsSync(folder);
      const file = createWriteStream(filling);
      for (let left = bavail * bsize - leave; left > 0; left -= 65_536) {
        if (!file.write(Buffer.alloc(Math.min(left, 65_536), 0x5a))) await once(file, "drain");
      }
      file.end();
      await once(file, "close");
    },
    /** Makes room again. */
    async makeRoom() {
      rmSync(filling);
    },
    /** Takes the disk away with everything on it. */
    remove: () => asRoot("umount", "--lazy", folder),
  };
}
