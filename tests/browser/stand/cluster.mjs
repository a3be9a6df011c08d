/** A cluster that only answers what a list of its workloads needs; changing something in it is tested against the scripted API server. */
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";

import { atExit, temporaryFolder } from "./processes.mjs";

const labels = { app: "web" };
const containers = [
  { name: "page", image: "registry.test/team/page:1" },
  { name: "metrics", image: "registry.test/team/metrics:7" },
];
const deployment = {
  metadata: { name: "web", namespace: "shop", generation: 1, uid: "1", resourceVersion: "1" },
  spec: { replicas: 1, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers } } },
  status: { observedGeneration: 1, replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1 },
};
const answers = {
  "/api/v1/namespaces": [{ metadata: { name: "default" } }, { metadata: { name: "shop" } }],
  "/apis/apps/v1/namespaces/shop/deployments": [deployment],
};

/** Starts one. Its kubeconfig has the contexts `shop` and, signing in by a program that leaves a file, `by-program`. */
export async function startCluster() {
  const cluster = { expired: false };
  const server = createServer((request, response) => {
    const path = new URL(request.url, "http://cluster").pathname;
    const one = path === "/apis/apps/v1/namespaces/shop/deployments/web" ? deployment : { kind: "List", items: answers[path] ?? [] };
    response.writeHead(cluster.expired ? 401 : 200, { "content-type": "application/json" });
    response.end(JSON.stringify(cluster.expired ? { kind: "Status", status: "Failure", code: 401, message: "the token expired" } : one));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  atExit(() => server.close());
  const folder = temporaryFolder();
  cluster.kubeconfig = join(folder, "config");
  cluster.ran = join(folder, "ran");
  const exec = { apiVersion: "client.authentication.k8s.io/v1", command: "touch", args: [cluster.ran], interactiveMode: "Never" };
  const config = {
    "current-context": "by-program",
    clusters: [
      { name: "near", cluster: { server: `http://127.0.0.1:${server.address().port}` } },
      { name: "far", cluster: { server: "https://127.0.0.1:1" } },
    ],
    users: [{ name: "program", user: { exec } }],
    contexts: [
      { name: "shop", context: { cluster: "near" } },
      { name: "by-program", context: { cluster: "far", user: "program" } },
    ],
  };
  writeFileSync(cluster.kubeconfig, JSON.stringify(config));
  return cluster;
}
