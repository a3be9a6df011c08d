import { IconBrandBitbucket, IconBrandGithub, IconBrandGitlab, IconGitBranch } from "@tabler/icons-react";

import type { HostForm, HostProvider } from "../../../host/bindings";

/** What a person chooses: a provider, and whether its public service or a host of their own. */
export const products = {
  github: { provider: "github", own: false },
  github_enterprise: { provider: "github", own: true },
  gitlab: { provider: "gitlab", own: false },
  gitlab_own: { provider: "gitlab", own: true },
  gitee: { provider: "gitee", own: false },
  coding: { provider: "coding", own: false },
  gitea: { provider: "gitea", own: true },
  forgejo: { provider: "gitea", own: true },
  bitbucket: { provider: "bitbucket", own: false },
} as const satisfies Record<string, { provider: HostProvider; own: boolean }>;

/** The name of a choice. */
export type Product = keyof typeof products;

/** Every choice, in the order in which they are offered. */
export const productNames = Object.keys(products) as Product[];

/** The name of an account's host; Gitea and Forgejo answer alike. */
export function productOf(provider: HostProvider, base: string): Product | "gitea_or_forgejo" {
  if (provider === "gitea") return "gitea_or_forgejo";
  if (provider === "github" && base !== "https://github.com") return "github_enterprise";
  if (provider === "gitlab" && base !== "https://gitlab.com") return "gitlab_own";
  return provider;
}

/** A provider's sign. */
export const providerIcons: Record<HostProvider, typeof IconGitBranch> = {
  github: IconBrandGithub,
  gitlab: IconBrandGitlab,
  gitee: IconGitBranch,
  coding: IconGitBranch,
  gitea: IconGitBranch,
  bitbucket: IconBrandBitbucket,
};

/** The host without its scheme, as people say it. */
export const hostName = (base: string) => base.replace(/^https?:\/\//, "");

/** A stored host, as the core takes it. */
export const placeOf = (provider: HostProvider, base: string): HostForm => ({
  provider,
  base_url: base,
  allow_plain_http: base.startsWith("http://"),
});

/** How a host was typed. */
export interface TypedHost {
  product: Product;
  base: string;
  ca: string;
  plainHttp: boolean;
}

/** What was typed, as the core takes it; a public service has its address, its authority and TLS from the core. */
export function hostForm({ product, base, ca, plainHttp }: TypedHost): HostForm {
  const { provider, own } = products[product];
  if (!own) return { provider };
  return { provider, base_url: base.trim(), ...(ca.trim() ? { ca_pem: ca } : {}), allow_plain_http: plainHttp };
}
