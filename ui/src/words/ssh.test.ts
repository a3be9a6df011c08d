import { expect, test } from "vitest";

import { isSsh } from "./ssh";

test("an address means SSH as soon as it looks like one, and no other does", () => {
  for (const address of ["git@host:team/app.git", "work:app", "box:/srv/app.git", "ssh://host/app", "SSH://git@host:22/app", "git@[host:2222]:app", " git@host:a"])
    expect(isSsh(address), address).toBe(true);
  for (const address of ["", "git@host", "https", "https:", "https:/", "https://host/a", "http://h/a:b", "/srv/app", "c:/app", "ext::sh", "file:///etc", "../app"])
    expect(isSsh(address), address).toBe(false);
});
