import type { TFunction } from "i18next";

import type { DeployPlace, DeployTarget, ListedService, PublishedAddress, ServiceGroup, TagCondition, WorkloadKind } from "../host/bindings";

/** A target's identity as it stands in an address: `container/local/web`. Consent and headers are no part of it. */
export function targetPath(target: DeployTarget): string {
  const parts = (() => {
    switch (target.kind) {
      case "container":
      case "swarm_service":
        return [target.engine, target.name];
      case "compose_service":
        return [target.engine, target.project, target.service];
      case "kubernetes_container":
        return [target.kubeconfig, target.context, target.namespace, target.workload_kind, target.workload, target.container];
      case "webhook":
        return [target.url];
    }
  })();
  return [target.kind, ...parts].map(encodeURIComponent).join("/");
}

const workloads: WorkloadKind[] = ["deployment", "stateful_set", "daemon_set", "cron_job"];

/** Reads a target from an address; none from anything else. */
export function targetOf(path: string): DeployTarget | null {
  let parts: string[];
  try {
    parts = path.split("/").map(decodeURIComponent);
  } catch {
    return null;
  }
  const [kind, first = "", second = "", third = "", fourth = "", fifth = "", sixth = ""] = parts;
  if (parts.slice(1).some((part) => part === "")) return null;
  const has = (count: number) => parts.length === count + 1;
  if (kind === "container" && has(2)) return { kind, engine: first, name: second };
  if (kind === "swarm_service" && has(2)) return { kind, engine: first, name: second };
  if (kind === "compose_service" && has(3)) return { kind, engine: first, project: second, service: third };
  if (kind === "webhook" && has(1)) return { kind, url: first, headers: [], signing_secret: null, allow_private: false };
  const workload_kind = workloads.find((one) => one === fourth);
  if (kind === "kubernetes_container" && has(6) && workload_kind) {
    return { kind, kubeconfig: first, context: second, namespace: third, workload_kind, workload: fifth, container: sixth, allowed_exec: null };
  }
  return null;
}

/** What people call a target. */
export function targetName(target: DeployTarget): string {
  switch (target.kind) {
    case "container":
    case "swarm_service":
      return target.name;
    case "compose_service":
      return `${target.project} / ${target.service}`;
    case "kubernetes_container":
      return `${target.namespace} / ${target.workload} / ${target.container}`;
    case "webhook":
      return target.url;
  }
}

/** The engine or cluster of a target; a webhook has none. */
export function placeOf(target: DeployTarget): DeployPlace | null {
  switch (target.kind) {
    case "webhook":
      return null;
    case "kubernetes_container":
      return { kind: "cluster", kubeconfig: target.kubeconfig, context: target.context, allowed_exec: target.allowed_exec };
    default:
      return { kind: "engine", engine: target.engine };
  }
}

/** Tells places apart, whatever was allowed there. */
export const placeKey = (place: DeployPlace) => (place.kind === "engine" ? `engine/${place.engine}` : `cluster/${place.kubeconfig}/${place.context}`);

/** What people call an engine or a cluster. */
export function placeName(t: TFunction, place: DeployPlace): string {
  if (place.kind === "cluster") return t("targets.place_cluster", { name: place.context });
  return place.engine === "local" ? t("targets.place_local") : t("targets.place_context", { name: place.engine.replace(/^context:/, "") });
}

/** Tells groups of a place apart. */
export const groupKey = (group: ServiceGroup) => ("name" in group ? `${group.kind}/${group.name}` : group.kind);

/** The group that a target stands in. */
export function groupOf(target: DeployTarget): string {
  switch (target.kind) {
    case "container":
      return "containers";
    case "swarm_service":
      return "swarm_services";
    case "compose_service":
      return `compose_project/${target.project}`;
    case "kubernetes_container":
      return `namespace/${target.namespace}`;
    case "webhook":
      return "webhook";
  }
}

/** What people call a group, by its key. */
export function groupName(t: TFunction, key: string): string {
  const [kind = "", ...name] = key.split("/");
  switch (kind) {
    case "compose_project":
      return t("targets.group_compose", { name: name.join("/") });
    case "namespace":
      return t("targets.group_namespace", { name: name.join("/") });
    case "swarm_services":
      return t("targets.group_swarm");
    case "webhook":
      return t("targets.group_webhooks");
    default:
      return t("targets.group_containers");
  }
}

/** What a service is called inside its group. */
export function serviceName({ target }: Pick<ListedService, "target">): string {
  if (target.kind === "compose_service") return target.service;
  if (target.kind === "kubernetes_container") return `${target.workload} / ${target.container}`;
  return targetName(target);
}

/** A trigger's condition in words. */
export function conditionWords(t: TFunction, condition: TagCondition): string {
  switch (condition.kind) {
    case "all":
      return t("image_triggers.words_all");
    case "tags":
      return t("image_triggers.words_tags", { list: condition.list.split(/[;,；，\s]+/).filter(Boolean).join(", ") });
    case "pattern":
      return t("image_triggers.words_pattern", { pattern: condition.pattern });
  }
}

/** An address to look at, and where a browser finds it; none where no browser can go. */
export interface ShownAddress {
  shown: string;
  url: string | null;
}

const EVERYWHERE = ["", "0.0.0.0", "::", "[::]"];
const LOOPBACK = ["127.0.0.1", "::1", "localhost"];

/** The published addresses of a target, each once: an engine names those of both families. */
export function addressesOf(target: DeployTarget, addresses: PublishedAddress[]): ShownAddress[] {
  const here = "engine" in target && target.engine === "local";
  const found = addresses.map(({ host_ip, host_port, container_port, protocol }) => {
    const open = EVERYWHERE.includes(host_ip);
    const local = open || LOOPBACK.includes(host_ip);
    const host = local && here ? "localhost" : host_ip.includes(":") ? `[${host_ip}]` : host_ip || "0.0.0.0";
    const scheme = container_port === 443 ? "https" : "http";
    const reachable = protocol === "tcp" && (local ? here : true);
    const shown = `${host}:${host_port}${protocol === "tcp" ? "" : `/${protocol}`}`;
    // The name may lead to the other family first, where nothing listens.
    return { shown, url: reachable ? `${scheme}://${local ? "127.0.0.1" : host}:${host_port}/` : null };
  });
  return found.filter(({ shown }, at) => found.findIndex((one) => one.shown === shown) === at);
}
