import { expect, test } from "vitest";

import { nameOfImage, portsOf, runDraftOf, runRequestOf } from "./runDraft";

test("ports come from what the image exposes", () => {
  expect(portsOf(["80/tcp", "53/udp", "9", "x/tcp", "1/sctp"]).map(({ inside, protocol }) => `${inside}/${protocol}`)).toEqual(["80/tcp", "53/udp", "9/tcp"]);
});

test("a service is called as its image, with what names allow", () => {
  expect(["team/helloworld", "nginx:1.27", "host:5000/a/b@sha256:0", "a/ü"].map(nameOfImage)).toEqual(["helloworld", "nginx", "b", "-"]);
});

test("an empty field leaves the choice to the engine", () => {
  const draft = { ...runDraftOf("1", "v1"), environment: "A=1\n\nB=x=y", volumes: [{ volume: " data ", path: "/data", read_only: false }] };
  const image = { kind: "tag" as const, repository: 1, tag: "v1" };
  expect(runRequestOf(draft, image, " web ", portsOf(["80/tcp"]))).toEqual({
    name: "web",
    image,
    run_as: { kind: "container", restart: true },
    ports: [{ container_port: 80, host_port: null, only_local: true, protocol: "tcp" }],
    environment: [
      { name: "A", value: "1" },
      { name: "B", value: "x=y" },
    ],
    volumes: [{ volume: "data", path: "/data", read_only: false }],
    network: { kind: "default" },
  });
  const swarm = runRequestOf({ ...draft, runAs: "swarm_service", replicas: 2, network: "front" }, image, "web", [{ inside: 80, outside: 8080, onlyLocal: true, protocol: "tcp" }]);
  expect(swarm).toMatchObject({
    run_as: { kind: "swarm_service", replicas: 2 },
    ports: [{ container_port: 80, host_port: 8080, only_local: false, protocol: "tcp" }],
    network: { kind: "named", name: "front" },
  });
});
