import type { ImageChoice, PublishedPort, RunImageRequest, RunVolume } from "../../host/bindings";
import { readPairs } from "../../words/pairs";
import type { ImageDraft } from "./ImageChoiceFields";

/** A port as it is being typed. */
export interface PortDraft {
  inside: number | string;
  outside: number | string;
  onlyLocal: boolean;
  protocol: string;
}

/** What is typed into "Run this image". */
export interface RunDraft extends ImageDraft {
  /** None until somebody typed one: the image says what it may be called. */
  name: string | null;
  runAs: "container" | "swarm_service";
  restart: boolean;
  replicas: number | string;
  /** None until somebody changed them: the image says which it has. */
  ports: PortDraft[] | null;
  environment: string;
  volumes: RunVolume[];
  network: string;
}

/** The first values for an image. */
export const runDraftOf = (repository: string, tag: string): RunDraft => ({
  from: "tag",
  repository,
  tag,
  imageName: "",
  name: null,
  runAs: "container",
  restart: true,
  replicas: 1,
  ports: null,
  environment: "",
  volumes: [],
  network: "",
});

/** The ports that an image says it listens on (`80/tcp`), open to this machine only. */
export function portsOf(exposed: string[]): PortDraft[] {
  return exposed.flatMap((one) => {
    const [port = "", protocol = "tcp"] = one.split("/");
    const inside = Number(port);
    const known = Number.isInteger(inside) && inside > 0 && (protocol === "tcp" || protocol === "udp");
    return known ? [{ inside, outside: "", onlyLocal: true, protocol }] : [];
  });
}

/** The last part of an image's name: `team/helloworld` and `nginx:1.27` give `helloworld` and `nginx`. */
export const nameOfImage = (image: string) =>
  (image.split("@")[0]?.split("/").pop()?.split(":")[0] ?? "").replace(/[^A-Za-z0-9_.-]/g, "-");

/** What the draft says, as the core takes it. */
export function runRequestOf(draft: RunDraft, image: ImageChoice, name: string, ports: PortDraft[]): RunImageRequest {
  const published: PublishedPort[] = ports.map(({ inside, outside, onlyLocal, protocol }) => ({
    container_port: Number(inside),
    host_port: outside === "" ? null : Number(outside),
    only_local: onlyLocal && draft.runAs === "container",
    protocol,
  }));
  return {
    name: name.trim(),
    image,
    run_as: draft.runAs === "container" ? { kind: "container", restart: draft.restart } : { kind: "swarm_service", replicas: Number(draft.replicas) },
    ports: published,
    environment: readPairs(draft.environment).pairs,
    volumes: draft.volumes.map(({ volume, path, read_only }) => ({ volume: volume.trim(), path: path.trim(), read_only })),
    network: draft.network.trim() === "" ? { kind: "default" } : { kind: "named", name: draft.network.trim() },
  };
}
