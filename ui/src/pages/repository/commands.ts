import type { ImageRepositoryView, RegistryView } from "../../host/bindings";
import { referenceOf } from "../../parts/names";

/** A command line for a terminal, and the key of its name. */
export interface ShortcutCommand {
  name: "login" | "tag" | "push" | "pull" | "run";
  text: string;
}

/** The commands that use an image repository (快捷指令), with its real names filled in. */
export function shortcutCommands(repository: ImageRepositoryView, registries: RegistryView[], tag: string): ShortcutCommand[] {
  const registry = registries.find(({ id }) => id === repository.spec.registry);
  const image = `${referenceOf(repository, registries)}:${tag}`;
  if (!registry?.host) return [{ name: "run", text: `docker run --rm ${image}` }];
  const host = registry.host;
  const source = registry.credentials.find(({ id }) => id === repository.spec.credential)?.source;
  const user = source && "username" in source && /^[\w.@-]+$/.test(source.username) ? ` -u ${source.username}` : "";
  return [
    { name: "login", text: `docker login${user} ${host}` },
    { name: "tag", text: `docker tag IMAGE ${image}` },
    { name: "push", text: `docker push ${image}` },
    { name: "pull", text: `docker pull ${image}` },
  ];
}
