import { QueryClient } from "@tanstack/react-query";
import { describe, expect, test } from "vitest";

import type { EventMessage } from "./bindings";
import { isAbout } from "./failures";
import { fakeHost } from "./fake";
import { CallFailed, failureOf } from "./host";
import { readEvents } from "./http";
import { invalidate } from "./reads";

describe("isAbout", () => {
  test.each([
    ["form.location.url", "location.url", true],
    ["spec.version", "version", true],
    ["version.templates[1]", "version", true],
    ["triggers.branches[0]", "triggers.branches", true],
    ["spec.name", "name", true],
    ["namespace", "name", false],
    ["location.url", "name", false],
  ])("%s beside %s: %s", (field, beside, expected) => expect(isAbout({ code: "invalid_field", message: "", field }, beside)).toBe(expected));

  test("a failure without a field is about none", () => expect(isAbout({ code: "internal", message: "" }, "name")).toBe(false));
});

test("whatever is thrown becomes a failure", () => {
  expect(failureOf(new CallFailed({ code: "name_taken", message: "taken" })).code).toBe("name_taken");
  expect(failureOf(new Error("odd"))).toEqual({ code: "internal", message: "odd" });
});

test("the fake answers, remembers, and refuses what it was not told", async () => {
  const { host, calls } = fakeHost({ "builds.queue": () => [] });
  expect(await host.call("builds.queue", {})).toEqual([]);
  await expect(host.call("settings.get", {})).rejects.toMatchObject({ failure: { code: "unknown_command" } });
  expect(calls.map(({ command }) => command)).toEqual(["builds.queue", "settings.get"]);
});

test("a stale tag marks the reads that declare it, and no others", async () => {
  const client = new QueryClient();
  client.setQueryData(["builds.list", {}], { items: [] });
  client.setQueryData(["registries.list", {}], []);
  invalidate(client, ["builds"]);
  expect(client.getQueryState(["builds.list", {}])?.isInvalidated).toBe(true);
  expect(client.getQueryState(["registries.list", {}])?.isInvalidated).toBe(false);
});

test("events are read across the borders of chunks; keep-alives are passed over", async () => {
  const encoder = new TextEncoder();
  const parts = [': keep\n\ndata: {"event":{"kind":"queue_', 'changed"},"stale":["builds"]}\n', "\n"];
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      parts.forEach((part) => controller.enqueue(encoder.encode(part)));
      controller.close();
    },
  });
  const seen: EventMessage[] = [];
  await readEvents(body, (message) => seen.push(message));
  expect(seen).toEqual([{ event: { kind: "queue_changed" }, stale: ["builds"] }]);
});
