import type { TFunction } from "i18next";

import type { SecretOwner } from "../host/bindings";

/** What a sealed secret belongs to, as a person knows it. */
export function ownerWords(t: TFunction, owner: SecretOwner): string {
  switch (owner.kind) {
    case "code_repository":
    case "rule":
    case "trigger":
    case "webhook":
    case "channel":
      return t(`health.owner_${owner.kind}`, { name: owner.name });
    case "source_account":
      return t("health.owner_source_account", { name: owner.name, host: owner.host });
    case "oauth_application":
      return t("health.owner_oauth_application", { host: owner.host });
    case "credential":
      return t("health.owner_credential", { name: owner.name, registry: owner.registry_name });
    case "code_proxy":
    case "registry_proxy":
      return t(`health.owner_${owner.kind}`);
  }
}

/** Where it is entered again. */
export function ownerPlace(owner: SecretOwner): string {
  switch (owner.kind) {
    case "code_repository":
      return `/sources?dialog=edit.${owner.id}`;
    case "source_account":
      return `/sources?dialog=reconnect.${owner.id}`;
    case "webhook":
      return "/sources";
    case "credential":
      return `/registries?dialog=edit-credential.${owner.id}`;
    case "rule":
      return `/repositories/${owner.repository}/build?dialog=rule.${owner.id}`;
    case "trigger":
      return `/repositories/${owner.repository}/triggers?dialog=trigger.${owner.id}`;
    case "channel":
      return `/settings?dialog=edit-channel.${owner.id}`;
    case "oauth_application":
    case "code_proxy":
    case "registry_proxy":
      return "/settings";
  }
}
