/**
 * What the id behind the dot names: `dialog=edit.3` on the list of registries is about registry 3. A version's id is its tag, a
 * deploy target's is its path (`container/local/web`).
 */
export type DialogNeeds =
  | "image_repository"
  | "rule"
  | "build"
  | "code_repository"
  | "registry"
  | "credential"
  | "version"
  | "trigger"
  | "firing"
  | "deploy_target"
  | "source_account"
  | "oauth_application"
  | "account_code"
  | "channel";

/** A dialog that an address can open. */
export interface DialogEntry {
  /** The path of its page in the route table. */
  readonly page: string;
  /** The word in the address. */
  readonly dialog: string;
  /** What must exist; its id follows the word after a dot. None: the word stands alone. */
  readonly needs: DialogNeeds | null;
}

/** Every dialog and drawer of the console. One that is not listed here cannot be opened; browser tests go through them all. */
export const dialogs = [
  // These three open over every page.
  { page: "/", dialog: "help", needs: null },
  { page: "/", dialog: "starters", needs: null },
  { page: "/", dialog: "keys", needs: null },
  { page: "/repositories", dialog: "add", needs: null },
  { page: "/repositories", dialog: "edit", needs: "image_repository" },
  { page: "/repositories", dialog: "delete", needs: "image_repository" },
  { page: "/repositories/$repository/$tab", dialog: "edit", needs: null },
  { page: "/repositories/$repository/$tab", dialog: "delete", needs: null },
  { page: "/repositories/$repository/$tab", dialog: "now", needs: "rule" },
  { page: "/repositories/$repository/$tab", dialog: "new-rule", needs: null },
  { page: "/repositories/$repository/$tab", dialog: "rule", needs: "rule" },
  { page: "/repositories/$repository/$tab", dialog: "delete-rule", needs: "rule" },
  { page: "/repositories/$repository/$tab", dialog: "duplicate-rule", needs: "rule" },
  { page: "/repositories/$repository/$tab", dialog: "dockerfile", needs: null },
  { page: "/repositories/$repository/$tab", dialog: "upload-image", needs: null },
  { page: "/repositories/$repository/$tab", dialog: "version", needs: "version" },
  { page: "/repositories/$repository/$tab", dialog: "delete-version", needs: "version" },
  { page: "/repositories/$repository/$tab", dialog: "copy-version", needs: "version" },
  { page: "/repositories/$repository/$tab", dialog: "compare", needs: "version" },
  { page: "/repositories/$repository/$tab", dialog: "run-image", needs: "version" },
  { page: "/repositories/$repository/$tab", dialog: "retention", needs: null },
  { page: "/repositories/$repository/$tab", dialog: "new-trigger", needs: null },
  { page: "/repositories/$repository/$tab", dialog: "trigger", needs: "trigger" },
  { page: "/repositories/$repository/$tab", dialog: "delete-trigger", needs: "trigger" },
  { page: "/repositories/$repository/$tab", dialog: "record", needs: "firing" },
  { page: "/repositories/$repository/$tab", dialog: "delete-record", needs: "firing" },
  { page: "/builds/$build/$tab", dialog: "rerun", needs: null },
  { page: "/builds/$build/$tab", dialog: "delete", needs: null },
  { page: "/builds/$build/$tab", dialog: "report", needs: null },
  { page: "/sources", dialog: "add", needs: null },
  { page: "/sources", dialog: "edit", needs: "code_repository" },
  { page: "/sources", dialog: "delete", needs: "code_repository" },
  { page: "/sources", dialog: "webhook", needs: "account_code" },
  { page: "/sources", dialog: "choose-code", needs: "source_account" },
  { page: "/sources", dialog: "connect", needs: null },
  { page: "/sources", dialog: "reconnect", needs: "source_account" },
  { page: "/sources", dialog: "certificate", needs: "source_account" },
  { page: "/sources", dialog: "unbind", needs: "source_account" },
  { page: "/settings", dialog: "diagnostics", needs: null },
  { page: "/settings", dialog: "import-configuration", needs: null },
  { page: "/settings", dialog: "tidy", needs: null },
  { page: "/settings", dialog: "shrink-cache", needs: null },
  { page: "/settings", dialog: "add-application", needs: null },
  { page: "/settings", dialog: "edit-application", needs: "oauth_application" },
  { page: "/settings", dialog: "delete-application", needs: "oauth_application" },
  { page: "/settings", dialog: "add-channel", needs: null },
  { page: "/settings", dialog: "edit-channel", needs: "channel" },
  { page: "/settings", dialog: "delete-channel", needs: "channel" },
  { page: "/registries", dialog: "add", needs: null },
  { page: "/registries", dialog: "edit", needs: "registry" },
  { page: "/registries", dialog: "delete", needs: "registry" },
  { page: "/registries", dialog: "test", needs: "registry" },
  { page: "/registries", dialog: "namespaces", needs: "registry" },
  { page: "/registries", dialog: "credential", needs: "registry" },
  { page: "/registries", dialog: "edit-credential", needs: "credential" },
  { page: "/registries", dialog: "test-credential", needs: "credential" },
  { page: "/registries", dialog: "delete-credential", needs: "credential" },
  { page: "/targets", dialog: "run-image", needs: null },
  { page: "/targets", dialog: "target", needs: "deploy_target" },
  { page: "/targets", dialog: "update", needs: "deploy_target" },
  { page: "/targets", dialog: "roll-back", needs: "firing" },
  { page: "/targets", dialog: "record", needs: "firing" },
  { page: "/targets", dialog: "delete-record", needs: "firing" },
] as const satisfies readonly DialogEntry[];

type Entries = (typeof dialogs)[number];
/** A page that has dialogs. */
export type DialogPage = Entries["page"];
/** The words of a page's dialogs. */
export type DialogOf<P extends DialogPage> = Extract<Entries, { page: P }>["dialog"];

/** What an address opens: the word, the id of what it is about, and what else it says, such as a field. */
export interface OpenDialog<P extends DialogPage> {
  kind: DialogOf<P>;
  id: number;
  /** What follows the id and its dot. */
  rest: string;
  /** Everything behind the word, for what is known by a name: tags have dots of their own. */
  subject: string;
}

/** The dialog that an address opens on a page; none for a word that the page does not have. */
export function readDialog<P extends DialogPage>(page: P, dialog: string | undefined): OpenDialog<P> | null {
  const [kind = "", ...parts] = (dialog ?? "").split(".");
  const [id = "", ...rest] = parts;
  const known = dialogs.some((one) => one.page === page && one.dialog === kind);
  return known ? { kind: kind as DialogOf<P>, id: Number(id), rest: rest.join("."), subject: parts.join(".") } : null;
}
