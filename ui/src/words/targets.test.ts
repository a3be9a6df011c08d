import { expect, test } from "vitest";

import type { DeployTarget } from "../host/bindings";
import { addressesOf, targetOf, targetPath } from "./targets";

const targets: DeployTarget[] = [
  { kind: "container", engine: "local", name: "web.1" },
  { kind: "compose_service", engine: "context:a/b", project: "shop", service: "页面" },
  { kind: "swarm_service", engine: "local", name: "web" },
  {
    kind: "kubernetes_container",
    kubeconfig: "/home/ann/.kube/config",
    context: "prod",
    namespace: "shop",
    workload_kind: "stateful_set",
    workload: "web",
    container: "nginx",
    allowed_exec: null,
  },
  { kind: "webhook", url: "https://hooks.example/a?b=c.d", headers: [], signing_secret: null, allow_private: false },
];

test("every target comes back from its address", () => {
  for (const target of targets) expect(targetOf(targetPath(target))).toEqual(target);
});

test("what is no target is none", () => {
  for (const path of ["", "container", "container/local", "container//web", "container/local/web/more", "%", "kubernetes_container/a/b/c/pod/d/e"]) {
    expect(targetOf(path)).toBeNull();
  }
});

test("an address of both families is shown once and opens where it listens", () => {
  const port = { host_port: 8080, container_port: 80, protocol: "tcp" };
  const local: DeployTarget = { kind: "container", engine: "local", name: "web" };
  expect(addressesOf(local, [{ host_ip: "0.0.0.0", ...port }, { host_ip: "::", ...port }])).toEqual([
    { shown: "localhost:8080", url: "http://127.0.0.1:8080/" },
  ]);
  expect(addressesOf(local, [{ host_ip: "10.0.0.5", ...port, container_port: 443 }])).toEqual([{ shown: "10.0.0.5:8080", url: "https://10.0.0.5:8080/" }]);
  expect(addressesOf(local, [{ host_ip: "", ...port, protocol: "udp" }])).toEqual([{ shown: "localhost:8080/udp", url: null }]);
  // Where another engine's ports are is not known here.
  expect(addressesOf({ ...local, engine: "context:x" }, [{ host_ip: "0.0.0.0", ...port }])[0]?.url).toBeNull();
});
