import { expect, test } from "vitest";

import { hostForm, productOf } from "./products";

test("a host of one's own is told from the public service", () => {
  expect(productOf("github", "https://github.com")).toBe("github");
  expect(productOf("github", "https://git.example.com")).toBe("github_enterprise");
  expect(productOf("gitlab", "https://example.com/gitlab")).toBe("gitlab_own");
  expect(productOf("gitea", "https://codeberg.org")).toBe("gitea_or_forgejo");
});

test("what was typed for a host of one's own is not sent with a public service", () => {
  const typed = { base: " http://git.lan ", ca: "", plainHttp: true };
  expect(hostForm({ product: "gitlab_own", ...typed })).toEqual({ provider: "gitlab", base_url: "http://git.lan", allow_plain_http: true });
  expect(hostForm({ product: "gitlab", ...typed })).toEqual({ provider: "gitlab" });
});
