// Generated from the command table by `cargo run -p slipway-api --bin export-bindings`. Never edited.

export type AccountGuideView = { 
/**
 * Links, scopes and what a registration needs.
 */
guide: HostGuide, 
/**
 * The address as it would be stored.
 */
base_url: HostBase, 
/**
 * The id of the OAuth application that was registered there; its secret stays inside.
 */
client_id: string | null, 
/**
 * The page where the GitHub App that was made is installed on repositories.
 */
install_page: string | null, };

export type AccountPlaceView = { 
/**
 * The account; none after it was unbound.
 */
id: SourceAccountId | null, 
/**
 * The repository's path at the host.
 */
path: RepositoryPath, };

export type AccountRefs = { 
/**
 * In the host's order.
 */
items: Array<HostRef>, 
/**
 * Where the next page begins.
 */
next: PageMark | null, };

export type AccountRemovalView = { 
/**
 * Code repositories that nobody opens any more.
 */
code: Array<NamedCode>, 
/**
 * Rules that stop.
 */
rules: Array<NoticedRule>, 
/**
 * The token is taken back at the host; otherwise the person does it on the page.
 */
can_revoke: boolean, 
/**
 * The host's page of authorized applications or tokens.
 */
revoke_page: string, };

export type AccountRepositories = { 
/**
 * In the host's order, the last pushed first where it can.
 */
items: Array<HostRepository>, 
/**
 * Where the next page begins.
 */
next: PageMark | null, };

export type AccountView = { 
/**
 * Its id.
 */
id: SourceAccountId, 
/**
 * What runs at the host.
 */
provider: HostProvider, 
/**
 * Where the host lives.
 */
base_url: HostBase, 
/**
 * Certificates of an own authority, PEM.
 */
ca_pem: string | null, 
/**
 * The login name.
 */
login: string, 
/**
 * The name for people.
 */
name: string, 
/**
 * How the token came about.
 */
token_kind: TokenKind, 
/**
 * What it is wanted for.
 */
needs: Array<Need>, 
/**
 * What was granted.
 */
granted: Granted, 
/**
 * Asked for and not granted.
 */
missing: Array<string>, 
/**
 * When the token ends; one that is refreshed by itself has no end for a person.
 */
expires_at: string | null, 
/**
 * When it was authorized last.
 */
authorized_at: string, 
/**
 * When it was asked for last, with whatever result.
 */
last_check_at: string | null, 
/**
 * When the host last answered well.
 */
last_ok_at: string | null, 
/**
 * What the host answered last, when that was a failure.
 */
last_failure: Failure | null, 
/**
 * Why its rules are paused; authorizing again resumes them.
 */
paused: Failure | null, 
/**
 * The host's budget, as its last answer told.
 */
rate: RateState | null, 
/**
 * Code repositories that it opens.
 */
code: Array<NamedCode>, 
/**
 * Rules over them.
 */
rules: Array<NoticedRule>, 
/**
 * Seconds since the host was asked last.
 */
checked_seconds_ago: number | null, 
/**
 * Seconds until it is asked what moved; none while nothing waits for it.
 */
next_in_seconds: number | null, };

export type AddAccountWithToken = { 
/**
 * Where.
 */
host: HostForm, 
/**
 * The token.
 */
token: TokenForm, 
/**
 * What the account is wanted for; to read when left out.
 */
needs?: Array<Need>, };

export type AddChannel = { 
/**
 * Its name, unique.
 */
name: string, 
/**
 * Whose shape its messages have.
 */
kind: ChannelKind, 
/**
 * Where to; left out it keeps the stored one.
 */
address?: SecretText, 
/**
 * The signing secret or token; left out it keeps the stored one, an empty one takes it away.
 */
secret?: SecretText, 
/**
 * Allows an address in a private network.
 */
allow_private?: boolean, 
/**
 * What it is told.
 */
events: Array<ChannelEvent>, 
/**
 * It is on.
 */
enabled: boolean, };

export type AddCodeRepository = { 
/**
 * What was typed.
 */
form: CodeRepositoryForm, };

export type AddCredential = { 
/**
 * To which registry.
 */
registry: RegistryId, 
/**
 * Its name, unique in the registry.
 */
name: string, 
/**
 * What was typed.
 */
form: CredentialForm, };

export type AddImageRepository = { 
/**
 * What was typed.
 */
spec: ImageRepositorySpec, };

export type AddRegistry = { 
/**
 * What was typed.
 */
form: RegistryForm, };

export type AddRule = { 
/**
 * To which image repository.
 */
repository: ImageRepositoryId, 
/**
 * What was typed.
 */
spec: RuleSpec, };

export type AddTrigger = { 
/**
 * Whose tags fire it.
 */
repository: ImageRepositoryId, 
/**
 * What was typed.
 */
spec: TriggerSpec, };

export type AddedCodeRepository = { 
/**
 * Its id.
 */
id: CodeRepositoryId, };

export type AddedCredential = { 
/**
 * Its id.
 */
id: CredentialId, };

export type AddedImageRepository = { 
/**
 * Its id.
 */
id: ImageRepositoryId, };

export type AddedRegistry = { 
/**
 * Its id.
 */
id: RegistryId, };

export type AddedRule = { 
/**
 * Its id.
 */
id: RuleId, };

export type AddedTrigger = { 
/**
 * Its id.
 */
id: TriggerId, };

export type AppendUpload = { 
/**
 * Of which file.
 */
id: string, 
/**
 * Where the piece begins.
 */
offset: number, 
/**
 * At most 4 MiB, in base64.
 */
data: string, };

export type ArchiveImageView = { 
/**
 * Its names.
 */
names: Array<string>, 
/**
 * Its platform.
 */
platform: Platform, 
/**
 * Bytes of its layers in the archive.
 */
size: number, };

export type AskAccountGuide = { 
/**
 * Where.
 */
host: HostForm, 
/**
 * What the account is wanted for; to read when left out.
 */
needs?: Array<Need>, };

export type AskedScope = { 
/**
 * Its name at the host, as its page shows it.
 */
name: string, 
/**
 * Why.
 */
reason: ScopeReason, };

export type AuthorizationBegunView = { 
/**
 * Names the session.
 */
session: number, 
/**
 * The page to open in the system browser.
 */
page: string, 
/**
 * What to type there, in the device flow.
 */
device: DeviceCode | null, };

export type AuthorizationStateView = { "kind": "waiting" } | { "kind": "done", 
/**
 * Which.
 */
account: AuthorizedAccount, } | { "kind": "app_made", 
/**
 * The page where it is installed.
 */
install_page: string, } | { "kind": "denied" } | { "kind": "expired" } | { "kind": "cancelled" } | { "kind": "failed", 
/**
 * Why.
 */
failure: Failure, };

export type AuthorizeWayForm = { "kind": "browser" } | { "kind": "device" } | { "kind": "github_app", 
/**
 * Its name at GitHub.
 */
name: string, 
/**
 * The organization that owns it; the person when left out.
 */
organization?: string, };

export type AuthorizedAccount = { 
/**
 * Its id.
 */
id: SourceAccountId, 
/**
 * The same person at the same host was connected already: rules stay, the old tokens are forgotten.
 */
renewed: boolean, 
/**
 * Its login name.
 */
login: string, };

export type BeginAuthorization = { 
/**
 * Where.
 */
host: HostForm, 
/**
 * What the account is wanted for; to read when left out.
 */
needs?: Array<Need>, 
/**
 * The way in.
 */
way: AuthorizeWayForm, 
/**
 * The language of the page that the browser ends on.
 */
language: PageLanguage, 
/**
 * The account that is authorized again; its own host and needs count then.
 */
again?: SourceAccountId, };

export type BeginUpload = { 
/**
 * Its name, for people.
 */
name: string, 
/**
 * Its bytes.
 */
size: number, };

export type BegunUpload = { 
/**
 * Its id.
 */
id: string, };

export type BudgetForm = { 
/**
 * Gigabytes, 1–100,000; left out there is no limit.
 */
disk_budget_gb?: number, };

export type BuildColumn = "state" | "repository" | "rule" | "duration" | "time";

export type BuildComparisonView = { 
/**
 * The newest earlier build of the same rule that succeeded or failed; none for the first.
 */
before: BuildId | null, 
/**
 * Files of the build directory that differ between the commits, as the Dockerfile would name them; `null` when that is
 * not known.
 */
files: Array<string> | null, 
/**
 * There are more such files than these.
 */
more: number, };

export type BuildDetailView = { 
/**
 * Its stages in order.
 */
stages: Array<StageRecord>, 
/**
 * Its steps in order; log lines name them by ordinal.
 */
steps: Array<StepView>, 
/**
 * Its tags and where each stands.
 */
publications: Array<PublicationView>, 
/**
 * Layers of a push that is under way.
 */
push: Array<LayerView>, 
/**
 * Where telling the code host about it stands; none when its rule does not ask for that.
 */
report: ReportStanding | null, 
/**
 * Its id.
 */
id: BuildId, 
/**
 * Its image repository.
 */
repository: ImageRepositoryId, 
/**
 * The number that people see.
 */
number: BuildNumber, 
/**
 * The rule.
 */
rule: RuleId | null, 
/**
 * Why it exists.
 */
kind: BuildKind, 
/**
 * The code.
 */
code: CodeRepositoryId | null, 
/**
 * The ref.
 */
ref_name: RefName | null, 
/**
 * The observation that started it.
 */
observation: ObservationId | null, 
/**
 * The commit.
 */
commit: CommitDetails | null, 
/**
 * Where it stands.
 */
state: BuildState, 
/**
 * The stage that it is in, or ended in.
 */
stage: Stage | null, 
/**
 * Why it was skipped, superseded or paused.
 */
reason: BuildReason | null, 
/**
 * Its parameters.
 */
inputs: BuildInputs, 
/**
 * Its tags, once they are rendered.
 */
tags: Array<Tag>, 
/**
 * The engine.
 */
engine: string, 
/**
 * How often it was tried.
 */
attempt: number, 
/**
 * It is tried again then.
 */
not_before: string | null, 
/**
 * When it was made.
 */
created_at: string, 
/**
 * When it began.
 */
started_at: string | null, 
/**
 * When it ended.
 */
ended_at: string | null, 
/**
 * The image.
 */
image: BuiltImage | null, 
/**
 * What it failed with.
 */
failure: Failure | null, 
/**
 * The lines of the Dockerfile that it failed at, when the failure names them.
 */
failing_lines: LineRange | null, 
/**
 * The build that took its place.
 */
covered_by: BuildId | null, 
/**
 * The build that it repeats.
 */
rerun_of: BuildId | null, 
/**
 * A person wants it to stop.
 */
cancel_requested: boolean, 
/**
 * Lines of its log.
 */
log_lines: number, 
/**
 * Bytes of its log.
 */
log_bytes: number, };

export type BuildDockerfile = { 
/**
 * Into this image repository.
 */
repository: ImageRepositoryId, 
/**
 * Under this tag.
 */
tag: Tag, 
/**
 * The Dockerfile.
 */
dockerfile: DockerfileInput, 
/**
 * What it copies from; nothing when left out.
 */
context?: ContextInput, 
/**
 * How it is built.
 */
options?: BuildOptions, };

export type BuildDockerfileView = { 
/**
 * Where it is in the repository.
 */
path: RepoPath, 
/**
 * In which commit; none when it was uploaded.
 */
commit: CommitId | null, 
/**
 * Its text. Foreign text: shown as text, never as markup.
 */
text: string, 
/**
 * The lines that the build failed at, when the failure or its step names them.
 */
failing_lines: LineRange | null, };

export type BuildId = number;

export type BuildInputs = { 
/**
 * The rule, when one started it.
 */
rule: RuleId | null, 
/**
 * The rule's name then.
 */
rule_name: string | null, 
/**
 * Which code; `None` for an uploaded Dockerfile.
 */
code: CodeRepositoryId | null, 
/**
 * The ref; `None` when a bare commit was asked for.
 */
ref_name: RefName | null, 
/**
 * The commit.
 */
commit: CommitId | null, 
/**
 * The observation that started it; decides what is newer.
 */
observation: ObservationId | null, 
/**
 * Path of the Dockerfile.
 */
dockerfile_path: RepoPath, 
/**
 * The build directory.
 */
context_dir: RepoPath, 
/**
 * How tags are rendered.
 */
version: VersionRule, 
/**
 * Fixed tags instead of rendered ones.
 */
fixed_tags: Array<Tag>, 
/**
 * Capture groups of the rule's pattern on this ref, for the templates: number and name to text.
 */
groups: { [key in string]: string }, 
/**
 * The overwrite tag, when this build moves it.
 */
overwrite_tag: Tag | null, 
/**
 * How it is built.
 */
options: BuildOptions, 
/**
 * The rule's strategy.
 */
strategy: Strategy, 
/**
 * What was uploaded by hand instead of code.
 */
upload?: Upload | null, };

export type BuildKind = "push" | "manual" | "dockerfile" | "rerun" | "upload";

export type BuildList = { 
/**
 * In the order that was asked for.
 */
items: Array<BuildView>, 
/**
 * How many fit the filter.
 */
total: number, 
/**
 * The total was counted to its end.
 */
total_is_exact: boolean, 
/**
 * Ask for the next page with this as `before`.
 */
next: BuildId | null, };

export type BuildNetwork = "default" | "none" | "host";

export type BuildNumber = number;

export type BuildOptions = { 
/**
 * Platforms; empty means the default of `product.md` section 4.
 */
platforms: Array<Platform>, 
/**
 * Build arguments in order. Visible in the parameters: never a place for secrets.
 */
args: Array<NameValue>, 
/**
 * Secrets: mounted as `--mount=type=secret,id=…`, never arguments.
 */
secrets: Array<RuleSecret>, 
/**
 * Target stage.
 */
target: string | null, 
/**
 * The user's own labels.
 */
labels: Array<NameValue>, 
/**
 * Leave out Slipway's `org.opencontainers.image.*` labels.
 */
no_standard_labels: boolean, 
/**
 * Do not use the cache.
 */
no_cache: boolean, 
/**
 * Ask for base images anew.
 */
always_pull: boolean, 
/**
 * Network of RUN steps.
 */
network: BuildNetwork, 
/**
 * Deadline of the build stage in seconds; `None` is one hour.
 */
timeout_seconds: number | null, 
/**
 * Which engine builds: `local`, or `context:<name>` of a Docker context.
 */
engine: string | null, };

export type BuildOrder = { 
/**
 * By this column.
 */
column: BuildColumn, 
/**
 * The largest first.
 */
descending?: boolean, };

export type BuildOverrides = { 
/**
 * Fixed tags instead of the rule's templates.
 */
tags: Array<Tag> | null, 
/**
 * Another Dockerfile.
 */
dockerfile_path: RepoPath | null, 
/**
 * Another build directory.
 */
context_dir: RepoPath | null, 
/**
 * Other options; the rule's are replaced as a whole.
 */
options: BuildOptions | null, 
/**
 * Move the overwrite tag too; the default is yes for the newest commit of the ref, no for an older one.
 */
overwrite: boolean | null, };

export type BuildReason = { "kind": "skip_word", 
/**
 * The word.
 */
word: string, } | { "kind": "path_filter", 
/**
 * How many files changed.
 */
changed: number, 
/**
 * One of them, for the sentence.
 */
example: string | null, } | { "kind": "superseded_by", 
/**
 * The build that covers it.
 */
build: BuildId, } | { "kind": "ref_deleted" } | { "kind": "waiting", 
/**
 * What failed.
 */
failure: Failure, };

export type BuildState = "queued" | "running" | "succeeded" | "failed" | "cancelled" | "superseded" | "skipped" | "paused";

export type BuildTarget = { "kind": "ref", 
/**
 * Which.
 */
name: RefName, } | { "kind": "commit", 
/**
 * At least four hex digits.
 */
id: string, };

export type BuildView = { 
/**
 * Its id.
 */
id: BuildId, 
/**
 * Its image repository.
 */
repository: ImageRepositoryId, 
/**
 * The number that people see.
 */
number: BuildNumber, 
/**
 * The rule.
 */
rule: RuleId | null, 
/**
 * Why it exists.
 */
kind: BuildKind, 
/**
 * The code.
 */
code: CodeRepositoryId | null, 
/**
 * The ref.
 */
ref_name: RefName | null, 
/**
 * The observation that started it.
 */
observation: ObservationId | null, 
/**
 * The commit.
 */
commit: CommitDetails | null, 
/**
 * Where it stands.
 */
state: BuildState, 
/**
 * The stage that it is in, or ended in.
 */
stage: Stage | null, 
/**
 * Why it was skipped, superseded or paused.
 */
reason: BuildReason | null, 
/**
 * Its parameters.
 */
inputs: BuildInputs, 
/**
 * Its tags, once they are rendered.
 */
tags: Array<Tag>, 
/**
 * The engine.
 */
engine: string, 
/**
 * How often it was tried.
 */
attempt: number, 
/**
 * It is tried again then.
 */
not_before: string | null, 
/**
 * When it was made.
 */
created_at: string, 
/**
 * When it began.
 */
started_at: string | null, 
/**
 * When it ended.
 */
ended_at: string | null, 
/**
 * The image.
 */
image: BuiltImage | null, 
/**
 * What it failed with.
 */
failure: Failure | null, 
/**
 * The lines of the Dockerfile that it failed at, when the failure names them.
 */
failing_lines: LineRange | null, 
/**
 * The build that took its place.
 */
covered_by: BuildId | null, 
/**
 * The build that it repeats.
 */
rerun_of: BuildId | null, 
/**
 * A person wants it to stop.
 */
cancel_requested: boolean, 
/**
 * Lines of its log.
 */
log_lines: number, 
/**
 * Bytes of its log.
 */
log_bytes: number, };

export type BuiltImage = { 
/**
 * The engine's id.
 */
id: ImageId, 
/**
 * What it holds.
 */
content: ContentIdentity, 
/**
 * Bytes in the engine's store.
 */
size: number, 
/**
 * The platforms that were built.
 */
platforms: Array<Platform>, };

export type CacheTag = "accounts" | "code_repositories" | "registries" | "image_repositories" | "rules" | "builds" | "log" | "settings" | "versions" | "engine" | "triggers" | "firings" | "targets" | "inbox" | "webhooks" | "channels" | "health" | "disk";

export type CancelledBuild = { 
/**
 * Running until its worker has stopped.
 */
state: BuildState, };

export type CancelledFiring = { 
/**
 * Its state now: one that runs undoes first.
 */
state: FiringState, };

export type ChannelAdded = { 
/**
 * Its id.
 */
id: ChannelId, };

export type ChannelEvent = "build_failed" | "build_recovered" | "build_ended" | "update_failed" | "update_rolled_back" | "update_done" | "attention" | "test";

export type ChannelForm = { 
/**
 * Its name, unique.
 */
name: string, 
/**
 * Whose shape its messages have.
 */
kind: ChannelKind, 
/**
 * Where to; left out it keeps the stored one.
 */
address?: SecretText, 
/**
 * The signing secret or token; left out it keeps the stored one, an empty one takes it away.
 */
secret?: SecretText, 
/**
 * Allows an address in a private network.
 */
allow_private?: boolean, 
/**
 * What it is told.
 */
events: Array<ChannelEvent>, 
/**
 * It is on.
 */
enabled: boolean, };

export type ChannelId = number;

export type ChannelKind = "generic" | "slack" | "wecom" | "dingtalk" | "feishu" | "ntfy";

export type ChannelTested = { 
/**
 * The beginning of the answer; secrets in it are masked.
 */
answer: string, };

export type ChannelView = { 
/**
 * Its id.
 */
id: ChannelId, 
/**
 * Its name.
 */
name: string, 
/**
 * Whose shape its messages have.
 */
kind: ChannelKind, 
/**
 * The host of its address; the rest is a key.
 */
host: string, 
/**
 * A signing secret or token is stored.
 */
has_secret: boolean, 
/**
 * A person allowed an address in a private network.
 */
allow_private: boolean, 
/**
 * What it is told.
 */
events: Array<ChannelEvent>, 
/**
 * It is on.
 */
enabled: boolean, 
/**
 * When a message was taken last.
 */
sent_at: string | null, 
/**
 * What the last message that was given up failed with; gone with the next that is taken.
 */
failure: Failure | null, 
/**
 * When that was.
 */
failed_at: string | null, 
/**
 * Messages that wait.
 */
waiting: number, 
/**
 * What the oldest of them failed with.
 */
trouble: Failure | null, 
/**
 * When it is tried again.
 */
next_try_at: string | null, };

export type CheckDockerfile = { 
/**
 * The text.
 */
text: string, };

export type CheckTags = { 
/**
 * Which.
 */
repository: ImageRepositoryId, };

export type ChecklistView = { 
/**
 * The person does not want to see it.
 */
dismissed: boolean, 
/**
 * Every step is done.
 */
complete: boolean, 
/**
 * The engine was found.
 */
engine: EngineStep, 
/**
 * A build of the sample is green, or any other build.
 */
sample: SampleStep, 
/**
 * An image repository of one's own.
 */
repository: RepositoryStep, 
/**
 * A rule of one's own.
 */
rule: RuleStep, 
/**
 * A registry besides *Local engine*.
 */
registry: RegistryStep, };

export type ClosedSecrets = { 
/**
 * Why: the keychain is locked or away (they open again by themselves), or its key is lost (they are entered again).
 */
failure: Failure, 
/**
 * What they belong to, each once.
 */
owners: Array<SecretOwner>, };

export type CodeFlow = "without_secret" | "with_secret" | "unavailable";

export type CodeRepositoryForm = { 
/**
 * Its name, unique.
 */
name: string, 
/**
 * Where it lives.
 */
location: LocationForm, 
/**
 * Seconds between looks; the application's setting when left out.
 */
poll_interval_seconds?: number, };

export type CodeRepositoryId = number;

export type CodeRepositoryView = { 
/**
 * Its id.
 */
id: CodeRepositoryId, 
/**
 * Its name.
 */
name: string, 
/**
 * Where it lives.
 */
location: LocationView, 
/**
 * The account that opens it; none for code that needs none.
 */
account?: AccountPlaceView, 
/**
 * The branch that HEAD names.
 */
default_branch: RefName | null, 
/**
 * Seconds between looks as set for this repository.
 */
poll_interval_seconds: number | null, 
/**
 * When a look last succeeded.
 */
last_ok_at: string | null, 
/**
 * What the last look failed with.
 */
last_failure: Failure | null, 
/**
 * Seconds since the last look.
 */
checked_seconds_ago: number | null, 
/**
 * Seconds until the next look.
 */
next_in_seconds: number, 
/**
 * It is looked at right now.
 */
checking: boolean, };

export type CollisionView = { 
/**
 * The tag.
 */
tag: Tag, 
/**
 * The refs.
 */
refs: Array<RefName>, };

export type CommitDetails = { 
/**
 * Its id.
 */
id: CommitId, 
/**
 * First line of the message.
 */
summary: string, 
/**
 * The whole message (for skip words), at most 64 KiB.
 */
message: string, 
/**
 * The author's name.
 */
author: string, 
/**
 * The author's address.
 */
author_email: string, 
/**
 * The commit time.
 */
committed_at: string, 
/**
 * First parent first.
 */
parents: Array<CommitId>, };

export type CommitId = string;

export type CommitsBetween = { 
/**
 * In the second and not in the first, newest first, at most as many as were asked for.
 */
added: Array<CommitDetails>, 
/**
 * How many of these there are.
 */
added_total: number, 
/**
 * In the first and not in the second: the code went back, or its history was rewritten.
 */
removed: Array<CommitDetails>, 
/**
 * How many of these there are.
 */
removed_total: number, };

export type CompareVersions = { 
/**
 * Which image repository.
 */
repository: ImageRepositoryId, 
/**
 * A tag or a digest.
 */
a: string, 
/**
 * A tag or a digest.
 */
b: string, 
/**
 * For this platform; the first that both have when left out.
 */
platform?: Platform, };

export type ComparedLayer = { 
/**
 * Where it is.
 */
difference: LayerDifference, 
/**
 * The layer.
 */
layer: VersionLayer, };

export type ConfigDifference = { 
/**
 * Which part.
 */
field: ConfigField, 
/**
 * Name inside it (a variable, a label); none for parts that are one value.
 */
name: string | null, 
/**
 * What the first has.
 */
a: string | null, 
/**
 * What the second has.
 */
b: string | null, };

export type ConfigField = "entrypoint" | "cmd" | "env" | "port" | "volume" | "user" | "workdir" | "stop_signal" | "healthcheck" | "label";

export type ConfigurationText = { 
/**
 * The text.
 */
text: string, };

export type ContainerUse = { 
/**
 * The engine's id.
 */
id: string, 
/**
 * Its name.
 */
name: string, 
/**
 * The image as it was named when the container was made.
 */
image: string, };

export type ContentIdentity = string;

export type ContextInput = { "kind": "folder", 
/**
 * The whole path.
 */
path: string, } | { "kind": "archive", 
/**
 * The whole path.
 */
path: string, } | { "kind": "sent", 
/**
 * Its id.
 */
id: string, };

export type CopiedVersion = { 
/**
 * The manifest; none on *Local engine*.
 */
digest: Digest | null, 
/**
 * False when the tag held exactly this already.
 */
changed: boolean, };

export type CopyVersion = { 
/**
 * From this image repository.
 */
repository: ImageRepositoryId, 
/**
 * A tag or a digest.
 */
from: string, 
/**
 * Under this tag.
 */
to: Tag, 
/**
 * Into this image repository of the same registry; the same one when left out.
 */
into?: ImageRepositoryId, 
/**
 * Replace what the tag holds now.
 */
overwrite?: boolean, };

export type CreateNamespace = { 
/**
 * At this registry.
 */
registry: RegistryId, 
/**
 * With this credential.
 */
credential?: CredentialId, 
/**
 * Its name.
 */
name: string, 
/**
 * Everybody may read in it; else its members only.
 */
public?: boolean, };

export type CredentialForm = { "kind": "anonymous" } | { "kind": "password", 
/**
 * The account.
 */
username: string, 
/**
 * The password; left out it keeps the stored one.
 */
password?: SecretText, } | { "kind": "identity_token", 
/**
 * The token; left out it keeps the stored one.
 */
token?: SecretText, } | { "kind": "docker_config" } | { "kind": "helper", 
/**
 * The suffix of its name.
 */
name: string, } | { "kind": "command", 
/**
 * The account.
 */
username: string, 
/**
 * Program and arguments.
 */
argv: Array<string>, };

export type CredentialId = number;

export type CredentialSourceView = { "kind": "anonymous" } | { "kind": "password", 
/**
 * The account.
 */
username: string, } | { "kind": "identity_token" } | { "kind": "docker_config" } | { "kind": "helper", 
/**
 * The suffix of its name.
 */
name: string, } | { "kind": "command", 
/**
 * The account.
 */
username: string, 
/**
 * Program and arguments.
 */
argv: Array<string>, };

export type CredentialView = { 
/**
 * Its id.
 */
id: CredentialId, 
/**
 * Its name.
 */
name: string, 
/**
 * How it gets its secret.
 */
source: CredentialSourceView, 
/**
 * When it was tested last.
 */
last_test_at: string | null, 
/**
 * How that went, hop by hop.
 */
last_test: Array<HopView>, };

export type DatabaseRecovery = { 
/**
 * What was wrong.
 */
damage: string, 
/**
 * Where the damaged file is now.
 */
kept_aside: string, 
/**
 * The backup that took its place; none when the store began empty.
 */
restored_from: string | null, };

export type DeleteRule = { 
/**
 * Which.
 */
id: RuleId, 
/**
 * Cancel its running builds too.
 */
cancel_running?: boolean, };

export type DeleteTrigger = { 
/**
 * Which.
 */
id: TriggerId, 
/**
 * Cancel what it runs too.
 */
cancel_running?: boolean, };

export type DeletedRule = { 
/**
 * Waiting builds that were cancelled.
 */
cancelled: Array<BuildId>, 
/**
 * Builds that were running.
 */
running: Array<BuildId>, };

export type DeletedTrigger = { 
/**
 * Firings that were running.
 */
running: Array<FiringId>, };

export type DeployImage = { 
/**
 * `host/name:tag`: what people see and what the target is given where the exact image can be proven behind it.
 */
reference: string, 
/**
 * The manifest digest, when it is in a registry.
 */
digest: Digest | null, 
/**
 * The engine's id, when an engine has it.
 */
id: ImageId | null, 
/**
 * What it holds, when that is known; a target that runs this content is left alone.
 */
content: ContentIdentity | null, };

export type DeployNeed = { 
/**
 * Which target.
 */
target: DeployTarget, 
/**
 * What for.
 */
why: DeployNeedKind, };

export type DeployNeedKind = "update" | "runs" | "roll_back";

export type DeployOutcome = { "kind": "deployed", 
/**
 * What runs.
 */
after: TargetState, 
/**
 * Milliseconds between the old one's stop and the new one's start; `None` where the two overlap.
 */
gap_ms: number | null, } | { "kind": "unchanged", 
/**
 * What runs.
 */
after: TargetState, } | { "kind": "refused", 
/**
 * Every reason.
 */
reasons: Array<Refusal>, } | { "kind": "failed", 
/**
 * Why.
 */
failure: Failure, } | { "kind": "rolled_back", 
/**
 * Why.
 */
failure: Failure, 
/**
 * What runs.
 */
after: TargetState, } | { "kind": "broken", 
/**
 * Why it failed.
 */
failure: Failure, 
/**
 * Why undoing failed.
 */
undo: Failure, };

export type DeployPlace = { "kind": "engine", 
/**
 * `local`, or `context:<name>`.
 */
engine: string, } | { "kind": "cluster", 
/**
 * Path of the kubeconfig file.
 */
kubeconfig: string, 
/**
 * Context in that file.
 */
context: string, 
/**
 * The `exec` plugin's command line that a person allowed.
 */
allowed_exec: string | null, };

export type DeployPlan = { 
/**
 * What the target runs before.
 */
before: TargetState, 
/**
 * The steps.
 */
steps: Array<PlanStep>, 
/**
 * What a person should know.
 */
notes: Array<PlanNote>, 
/**
 * What the plan was made from (ids and a version of the target, by name): `apply` refuses when they changed meanwhile.
 */
basis: { [key in string]: string }, };

export type DeployTarget = { "kind": "container", 
/**
 * The engine.
 */
engine: string, 
/**
 * The container's name, without the leading slash.
 */
name: string, } | { "kind": "compose_service", 
/**
 * The engine.
 */
engine: string, 
/**
 * The project (`com.docker.compose.project`).
 */
project: string, 
/**
 * The service (`com.docker.compose.service`).
 */
service: string, } | { "kind": "swarm_service", 
/**
 * An engine that is a manager of the swarm.
 */
engine: string, 
/**
 * The service's name.
 */
name: string, } | { "kind": "kubernetes_container", 
/**
 * Path of the kubeconfig file.
 */
kubeconfig: string, 
/**
 * Context in that file.
 */
context: string, 
/**
 * Namespace.
 */
namespace: string, 
/**
 * Kind of the workload.
 */
workload_kind: WorkloadKind, 
/**
 * Name of the workload.
 */
workload: string, 
/**
 * Name of the container in the pod template.
 */
container: string, 
/**
 * The `exec` plugin's command line as the person saw and allowed it; another one never runs.
 */
allowed_exec: string | null, } | { "kind": "webhook", 
/**
 * Where to POST.
 */
url: string, 
/**
 * Headers to send.
 */
headers: Array<WebhookHeader>, 
/**
 * The sealed key that signs the body (HMAC-SHA256).
 */
signing_secret: SecretId | null, 
/**
 * A person allowed an address in a private network.
 */
allow_private: boolean, };

export type DeployTargetDetail = { 
/**
 * The target.
 */
target: DeployTargetView, 
/**
 * What it can be rolled back to, newest first; the one that runs now is `current`.
 */
versions: Array<EarlierVersionView>, };

export type DeployTargetList = { 
/**
 * The targets.
 */
items: Array<DeployTargetView>, 
/**
 * Engines and clusters that did not answer.
 */
away: Array<PlaceAway>, };

export type DeployTargetView = { 
/**
 * Its row; `null` when nobody had to do with it yet.
 */
id: TargetId | null, 
/**
 * What it is; other commands name it by this.
 */
target: DeployTarget, 
/**
 * What it runs; `null` when that is not known.
 */
state: TargetState | null, 
/**
 * Why that is not known.
 */
failure: Failure | null, 
/**
 * The triggers that update it.
 */
triggers: Array<OwningTriggerView>, 
/**
 * A person rolled it back: its triggers are paused.
 */
pin: TargetPin | null, 
/**
 * What was done to it last, or is done now.
 */
last_firing: FiringView | null, };

export type DeviceCode = { 
/**
 * The code to type.
 */
user_code: string, 
/**
 * The page to type it on.
 */
verification_uri: string, 
/**
 * The same page with the code filled in, where the host gives one.
 */
verification_uri_complete: string | null, 
/**
 * When the code ends.
 */
expires_at: string, };

export type DiagnosticPartView = { 
/**
 * Its file name.
 */
name: string, 
/**
 * Its text, free of secrets.
 */
text: string, };

export type Digest = string;

export type DiskBudgetView = { 
/**
 * How many gigabytes the images may take that Slipway made; `None` for no limit.
 */
disk_budget_gb: number | null, 
/**
 * The last run that removed something or tried to.
 */
last: LastTidiedView | null, };

export type DiskPreviewRequest = { 
/**
 * Everything that nothing needs, not only down to the budget.
 */
everything: boolean, };

export type DiskPreviewView = { 
/**
 * Bytes that the images take now.
 */
used: number, 
/**
 * Bytes that they take then.
 */
left: number, 
/**
 * What goes, in order.
 */
remove: Array<DiskRemovalView>, 
/**
 * What stays because something needs it.
 */
needed: Array<NeededView>, 
/**
 * A build or an update runs: nothing can go now.
 */
busy: boolean, };

export type DiskRemovalView = { 
/**
 * The engine's id.
 */
image: ImageId, 
/**
 * Its names; none is an image whose name moved on.
 */
names: Array<string>, 
/**
 * The build that made it; its record may be gone.
 */
build: BuildId, 
/**
 * When that build began.
 */
made_at: string, 
/**
 * Bytes that come free when all before it are gone.
 */
frees: number, };

export type DiskUseView = { 
/**
 * How many images Slipway made that are there.
 */
images: number, 
/**
 * Bytes that the engine keeps for them alone.
 */
bytes: number, 
/**
 * Bytes of the build cache, whoever's builds filled it; `None` when it could not be counted in time.
 */
cache_bytes: number | null, };

export type DismissChecklist = { 
/**
 * Hidden or shown.
 */
dismissed: boolean, };

export type DockerfileInput = { "kind": "text", 
/**
 * The text.
 */
text: string, } | { "kind": "bytes", 
/**
 * In base64.
 */
data: string, } | { "kind": "path", 
/**
 * The whole path.
 */
path: string, };

export type DockerfileProblem = { 
/**
 * The first problem, with its line where it has one.
 */
problem: Failure | null, };

export type DuplicateRule = { 
/**
 * Which.
 */
id: RuleId, 
/**
 * The copy's name.
 */
name: string, };

export type EarlierVersionView = { 
/**
 * Names it together with `before` in `targets.roll_back`.
 */
firing: FiringId, 
/**
 * It is what ran before that firing.
 */
before: boolean, 
/**
 * The image.
 */
version: TargetVersion, 
/**
 * Its repository, when it is one of ours.
 */
repository: ImageRepositoryId | null, 
/**
 * When that firing ended.
 */
at: string, 
/**
 * The target runs it now.
 */
current: boolean, };

export type EditAccount = { 
/**
 * Which.
 */
id: SourceAccountId, 
/**
 * Certificates of an own authority, PEM; none when left out.
 */
ca_pem?: string, };

export type EditChannel = { 
/**
 * Which.
 */
id: ChannelId, 
/**
 * Its name, unique.
 */
name: string, 
/**
 * Whose shape its messages have.
 */
kind: ChannelKind, 
/**
 * Where to; left out it keeps the stored one.
 */
address?: SecretText, 
/**
 * The signing secret or token; left out it keeps the stored one, an empty one takes it away.
 */
secret?: SecretText, 
/**
 * Allows an address in a private network.
 */
allow_private?: boolean, 
/**
 * What it is told.
 */
events: Array<ChannelEvent>, 
/**
 * It is on.
 */
enabled: boolean, };

export type EditCodeRepository = { 
/**
 * Which.
 */
id: CodeRepositoryId, 
/**
 * What was typed.
 */
form: CodeRepositoryForm, };

export type EditCredential = { 
/**
 * Which.
 */
id: CredentialId, 
/**
 * Its name.
 */
name: string, 
/**
 * What was typed.
 */
form: CredentialForm, };

export type EditImageRepository = { 
/**
 * Which.
 */
id: ImageRepositoryId, 
/**
 * What was typed.
 */
spec: ImageRepositorySpec, };

export type EditRegistry = { 
/**
 * Which.
 */
id: RegistryId, 
/**
 * What was typed.
 */
form: RegistryForm, };

export type EditRule = { 
/**
 * Which.
 */
id: RuleId, 
/**
 * What was typed.
 */
spec: RuleSpec, };

export type EditTrigger = { 
/**
 * Which.
 */
id: TriggerId, 
/**
 * What was typed.
 */
spec: TriggerSpec, };

export type EngineImageSummary = { 
/**
 * The engine's id.
 */
id: ImageId, 
/**
 * `repository:tag` names it has.
 */
tags: Array<string>, 
/**
 * Bytes on disk, shared layers included.
 */
size: number, 
/**
 * Creation time written in the image.
 */
created: string | null, 
/**
 * Slipway made it.
 */
ours: boolean, };

export type EngineStatus = { "kind": "ready", 
/**
 * Version.
 */
version: string, 
/**
 * API version.
 */
api_version: string, 
/**
 * Its own platform.
 */
platform: string, 
/**
 * The endpoint that was used.
 */
endpoint: string, 
/**
 * The Docker context that named it.
 */
context: string | null, 
/**
 * It keeps images of several platforms.
 */
several_platforms: boolean, 
/**
 * Bytes that images and cache take.
 */
disk_bytes: number | null, } | { "kind": "away", 
/**
 * Why.
 */
failure: Failure, };

export type EngineStep = { 
/**
 * It answers.
 */
done: boolean, 
/**
 * Its version.
 */
version: string | null, 
/**
 * Why it does not answer.
 */
failure: Failure | null, };

export type ErrorCode = "invalid_field" | "name_taken" | "not_found" | "wrong_state" | "in_use" | "bad_regex" | "bad_glob" | "bad_tag_template" | "bad_image_reference" | "bad_repository_path" | "bad_ref_name" | "bad_code_location" | "bad_archive" | "bad_configuration" | "source_already_added" | "unknown_command" | "read_only_repository" | "sample_missing" | "source_unreachable" | "source_tls" | "source_unauthorized" | "source_not_found" | "source_not_git" | "ssh_missing" | "ssh_host_key_unknown" | "ssh_host_key_changed" | "ssh_key_refused" | "ssh_key_locked" | "ssh_failed" | "source_redirected" | "source_rate_limited" | "source_server_error" | "not_a_code_host" | "source_scopes_missing" | "source_forbidden" | "source_organization_blocks" | "source_sso_required" | "source_moved" | "source_archived" | "source_unsupported" | "authorization_denied" | "authorization_expired" | "authorization_failed" | "oauth_client_refused" | "source_empty" | "ref_not_found" | "submodule_failed" | "lfs_pointer" | "bad_file_name" | "mirror_damaged" | "dockerfile_missing" | "dockerfile_syntax" | "context_missing" | "bad_ignore_file" | "target_missing" | "copy_source_missing" | "step_failed" | "secret_missing" | "entitlement_refused" | "base_image_missing" | "base_image_platform" | "base_image_unreachable" | "base_image_rate_limited" | "engine_absent" | "engine_forbidden" | "engine_unsupported" | "engine_lost" | "engine_error" | "engine_platforms" | "image_gone" | "registry_unreachable" | "registry_tls" | "registry_plain_http" | "registry_unauthorized" | "registry_denied" | "registry_name_unknown" | "registry_name_invalid" | "manifest_unknown" | "manifest_invalid" | "tag_immutable" | "registry_rate_limited" | "registry_server_error" | "push_interrupted" | "digest_mismatch" | "registry_unsupported" | "not_a_registry" | "credential_helper_failed" | "target_gone" | "target_refused" | "target_changed" | "target_unhealthy" | "image_platform" | "webhook_failed" | "kubeconfig_invalid" | "cluster_unreachable" | "cluster_tls" | "cluster_unauthorized" | "cluster_forbidden" | "cluster_error" | "disk_full" | "engine_disk_full" | "data_read_only" | "network_down" | "channel_unreachable" | "channel_busy" | "channel_refused" | "private_address" | "webhook_listener_failed" | "keychain_locked" | "keychain_absent" | "keychain_key_lost" | "secret_not_entered" | "cancelled" | "timed_out" | "interrupted" | "already_running" | "database_newer" | "database_corrupt" | "internal";

export type Event = { "kind": "build_changed", 
/**
 * Which build.
 */
build: BuildId, 
/**
 * Its image repository.
 */
repository: ImageRepositoryId, } | { "kind": "log_appended", 
/**
 * Which build.
 */
build: BuildId, 
/**
 * How many lines it has now.
 */
upto_line: number, } | { "kind": "push_progressed", 
/**
 * Which build.
 */
build: BuildId, } | { "kind": "queue_changed" } | { "kind": "accounts_changed" } | { "kind": "code_repositories_changed" } | { "kind": "code_repository_checked", 
/**
 * Which.
 */
code: CodeRepositoryId, } | { "kind": "registry_changed", 
/**
 * Which.
 */
registry: RegistryId, } | { "kind": "image_repository_changed", 
/**
 * Which.
 */
repository: ImageRepositoryId, } | { "kind": "rule_changed", 
/**
 * Which.
 */
rule: RuleId, 
/**
 * Its image repository.
 */
repository: ImageRepositoryId, } | { "kind": "versions_changed", 
/**
 * Which repository.
 */
repository: ImageRepositoryId, } | { "kind": "trigger_changed", 
/**
 * Which.
 */
trigger: TriggerId, 
/**
 * Whose tags fire it.
 */
repository: ImageRepositoryId, } | { "kind": "firing_changed", 
/**
 * Which.
 */
firing: FiringId, 
/**
 * What it updates.
 */
target: TargetId, } | { "kind": "firing_logged", 
/**
 * Which.
 */
firing: FiringId, } | { "kind": "targets_changed" } | { "kind": "webhooks_changed" } | { "kind": "disk_changed" } | { "kind": "health_changed" } | { "kind": "settings_changed" } | { "kind": "channels_changed" } | { "kind": "notice_added", 
/**
 * Which.
 */
notice: NoticeId, } | { "kind": "inbox_changed" } | { "kind": "lagged" };

export type EventMessage = { 
/**
 * What happened.
 */
event: Event, 
/**
 * What must be asked anew.
 */
stale: Array<CacheTag>, };

export type Failure = { 
/**
 * What kind of failure, from the closed list.
 */
code: ErrorCode, 
/**
 * What happened and to what, in English; foreign text inside is already masked and free of control characters.
 */
message: string, 
/**
 * The field at fault as a path in the request (`spec.dockerfile_path`), when there is one.
 */
field?: string | null, 
/**
 * Facts for the translated sentence (`line`, `path`, `host`, `suggestions`), by name.
 */
details?: { [key in string]: string }, };

export type FiringDetailView = { 
/**
 * The record.
 */
firing: FiringView, 
/**
 * What the last attempt planned.
 */
plan: Planned | null, 
/**
 * How it ended, with what runs since.
 */
outcome: DeployOutcome | null, 
/**
 * The steps of the last attempt, in order.
 */
steps: Array<FiringStepView>, };

export type FiringId = number;

export type FiringKind = "trigger" | "update" | "roll_back" | "run";

export type FiringLineView = { 
/**
 * When.
 */
at: string, 
/**
 * What. Foreign text: shown as text, never as markup.
 */
text: string, };

export type FiringList = { 
/**
 * Newest first.
 */
items: Array<FiringView>, 
/**
 * How many fit the filter in all.
 */
total: number, 
/**
 * There are older ones.
 */
more: boolean, };

export type FiringReason = { "kind": "paused" } | { "kind": "switched_off" } | { "kind": "superseded_by", 
/**
 * Which.
 */
firing: FiringId, } | { "kind": "newer_runs", 
/**
 * The firing that put it there.
 */
firing: FiringId, } | { "kind": "outside", 
/**
 * What is away.
 */
failure: Failure, } | { "kind": "backoff", 
/**
 * When.
 */
until: string, 
/**
 * What the last try failed with.
 */
failure: Failure, };

export type FiringState = "waiting" | "running" | "succeeded" | "unchanged" | "failed" | "rolled_back" | "broken" | "superseded" | "cancelled" | "skipped";

export type FiringStepView = { 
/**
 * What.
 */
kind: StepKind, 
/**
 * To what.
 */
subject: string, 
/**
 * When it was begun.
 */
started_at: string, 
/**
 * When it ended; `null` while it goes on, or when it was broken off.
 */
ended_at: string | null, 
/**
 * It failed.
 */
failed: boolean, 
/**
 * Ids, names, numbers (`gap_ms`).
 */
facts: { [key in string]: string }, };

export type FiringView = { 
/**
 * Its id.
 */
id: FiringId, 
/**
 * Who wanted it.
 */
kind: FiringKind, 
/**
 * The row of what is updated.
 */
target_id: TargetId, 
/**
 * What is updated.
 */
target: DeployTarget, 
/**
 * The image's repository, when it is one of ours.
 */
repository: ImageRepositoryId | null, 
/**
 * The trigger; `null` for a person's wish.
 */
trigger: TriggerId | null, 
/**
 * The trigger's name at that time.
 */
trigger_name: string | null, 
/**
 * The trigger's condition at that time.
 */
condition: TagCondition | null, 
/**
 * The tag event: greater was observed later.
 */
event: TagEventId, 
/**
 * The build that published the image.
 */
build: BuildId | null, 
/**
 * Where the image came from.
 */
source: TagEventSource, 
/**
 * What the target gets.
 */
version: TargetVersion, 
/**
 * The earlier firing that is gone back to.
 */
back_to: FiringId | null, 
/**
 * Where it stands.
 */
state: FiringState, 
/**
 * What it is at, while it runs.
 */
step: StepKind | null, 
/**
 * How often it was begun.
 */
attempt: number, 
/**
 * Why it waits, or did nothing.
 */
reason: FiringReason | null, 
/**
 * What it failed with, or what the last try failed with.
 */
failure: Failure | null, 
/**
 * A person wants it to end.
 */
cancel_requested: boolean, 
/**
 * When the tag was seen.
 */
observed_at: string, 
/**
 * When the record was made.
 */
created_at: string, 
/**
 * When it was begun first.
 */
started_at: string | null, 
/**
 * When it ended.
 */
ended_at: string | null, };

export type FreedView = { 
/**
 * Bytes.
 */
freed: number, };

export type Granted = { "kind": "known", 
/**
 * Their names at the host.
 */
scopes: Array<string>, } | { "kind": "unknown" };

export type HealthGate = { 
/**
 * Without a health check: seconds that it must stay up, without a restart.
 */
stay_up_seconds: number, 
/**
 * Seconds after which something that is not healthy yet has failed.
 */
deadline_seconds: number, };

export type HealthView = { 
/**
 * Nothing new is begun, because the data folder has no room or cannot be written; ends by itself.
 */
room: RoomShortage | null, 
/**
 * Engines whose disk is full, as far as builds showed.
 */
full_engines: Array<string>, 
/**
 * Secrets that cannot be opened now, with what needs them.
 */
closed: ClosedSecrets | null, };

export type Hop = "resolve" | "connect" | "tls" | "api" | "login" | "read" | "push" | "engine";

export type HopView = { 
/**
 * Which.
 */
hop: Hop, 
/**
 * What was found when it went well.
 */
found: string | null, 
/**
 * What went wrong.
 */
failure: Failure | null, };

export type HostBase = string;

export type HostFacts = { 
/**
 * The product's name (`GitHub`, `GitHub Enterprise Server`, `Forgejo`, …).
 */
product: string, 
/**
 * Its version, where the host tells strangers.
 */
version: string | null, };

export type HostForm = { 
/**
 * What runs there.
 */
provider: HostProvider, 
/**
 * Its address; left out it is the provider's public service.
 */
base_url?: string, 
/**
 * Certificates of an own authority, PEM.
 */
ca_pem?: string, 
/**
 * The consent to plain HTTP.
 */
allow_plain_http?: boolean, };

export type HostGuide = { 
/**
 * The host's product.
 */
provider: HostProvider, 
/**
 * The page where a token is made; filled in beforehand where the host can do that.
 */
token_page: string, 
/**
 * Scopes that a pasted token needs.
 */
token_scopes: Array<AskedScope>, 
/**
 * Beside the token a name is needed (Bitbucket: the e-mail address; CODING project token: its user).
 */
token_username: boolean, 
/**
 * Scopes that OAuth asks for.
 */
oauth_scopes: Array<AskedScope>, 
/**
 * How the code flow works there.
 */
code_flow: CodeFlow, 
/**
 * The device flow exists there.
 */
device_flow: boolean, 
/**
 * The page where an OAuth application is registered.
 */
register_page: string | null, 
/**
 * The exact redirect address to register.
 */
redirect_uri: string, 
/**
 * The box "confidential" must be cleared (GitLab, Gitea).
 */
clear_confidential: boolean, 
/**
 * The page where the person takes an authorization or token back.
 */
revoke_page: string, 
/**
 * A client id was built in.
 */
built_in_client: boolean, 
/**
 * A GitHub App can be made from a manifest.
 */
app_manifest: boolean, 
/**
 * The last day of the service, where it ends (CODING), as `YYYY-MM-DD`.
 */
service_ends: string | null, };

export type HostOwner = { 
/**
 * The host's id.
 */
id: string, 
/**
 * Its path in addresses (`acme`, `acme/platform`).
 */
path: string, 
/**
 * The name for people.
 */
name: string, 
/**
 * What it is.
 */
kind: OwnerKind, };

export type HostProvider = "github" | "gitlab" | "gitee" | "coding" | "gitea" | "bitbucket";

export type HostRef = { 
/**
 * Its full name.
 */
name: RefName, 
/**
 * Its commit (of an annotated tag: the commit behind it), where the host tells.
 */
commit: CommitId | null, };

export type HostRepository = { 
/**
 * The host's id: the same after a rename or a move.
 */
id: string, 
/**
 * Its name.
 */
name: string, 
/**
 * Its path at the host.
 */
path: RepositoryPath, 
/**
 * Not everybody may see it.
 */
private: boolean, 
/**
 * Short name of the default branch; `None` while it is empty or when the list does not say.
 */
default_branch: string | null, 
/**
 * Read-only for everybody.
 */
archived: boolean, 
/**
 * Address for cloning over HTTPS (HTTP on a host that was consented to).
 */
clone_url: string, 
/**
 * Address for cloning over SSH, where there is one.
 */
ssh_url: string | null, 
/**
 * Its page.
 */
web_url: string, 
/**
 * The last push (on Gitea and Bitbucket: the last change of any kind), where the list says.
 */
pushed_at: string | null, };

export type ImageChoice = { "kind": "tag", 
/**
 * Which repository.
 */
repository: ImageRepositoryId, 
/**
 * Which tag.
 */
tag: Tag, } | { "kind": "name", 
/**
 * As typed.
 */
name: string, };

export type ImageId = string;

export type ImageNeed = "container" | "deploy" | "build" | "version" | "other_name";

export type ImageRepositoryId = number;

export type ImageRepositoryList = { 
/**
 * By name.
 */
items: Array<ImageRepositoryRow>, 
/**
 * How many fit the filter in all.
 */
total: number, };

export type ImageRepositoryRemovalView = { 
/**
 * Names of the rules.
 */
rules: Array<string>, 
/**
 * Names of the triggers.
 */
triggers: Array<string>, 
/**
 * How many build records.
 */
builds: number, 
/**
 * Builds that are not over; they must be cancelled first.
 */
active: Array<BuildId>, };

export type ImageRepositoryRow = { 
/**
 * The repository.
 */
repository: ImageRepositoryView, 
/**
 * Its rules.
 */
rules: number, 
/**
 * Its build records.
 */
builds: number, 
/**
 * Builds that are not over.
 */
active_builds: number, 
/**
 * The newest build.
 */
last_build: BuildId | null, };

export type ImageRepositorySpec = { 
/**
 * The registry that it lives in.
 */
registry: RegistryId, 
/**
 * `namespace/name` or deeper, without the host.
 */
name: RepositoryName, 
/**
 * Where its images come from.
 */
source: ImageSource, 
/**
 * Which credential of the registry it uses; `None` for *Local engine*.
 */
credential: CredentialId | null, 
/**
 * Short description, at most 100 characters.
 */
summary: string, 
/**
 * Description in Markdown, at most 1,000 characters.
 */
description: string, 
/**
 * Tags that are written once: regular expressions over the whole tag. Checked before a build starts.
 */
write_once: Array<string>, };

export type ImageRepositoryView = { 
/**
 * Its id.
 */
id: ImageRepositoryId, 
/**
 * What was typed.
 */
spec: ImageRepositorySpec, 
/**
 * The number that the next build gets.
 */
next_build_number: BuildNumber, 
/**
 * Why nothing can be pushed there.
 */
read_only_reason: Failure | null, 
/**
 * When it was added.
 */
created_at: string, };

export type ImageSource = "platform" | "dockerfile" | "pushed_locally" | "published_by_others";

export type ImageSourceInput = { "kind": "local", 
/**
 * A name of it.
 */
name: string, } | { "kind": "archive", 
/**
 * The whole path.
 */
path: string, } | { "kind": "sent", 
/**
 * Its id.
 */
id: string, };

export type ImportChoice = { 
/**
 * What is here and differs is changed too; otherwise only what is new is added. Nothing is ever removed.
 */
change: boolean, 
/**
 * The person agrees to plain HTTP where the file asks for it: consents are never in a file.
 */
allow_plain_http: boolean, };

export type ImportItem = { 
/**
 * What it is.
 */
object: ImportObject, 
/**
 * Its name; empty for the settings.
 */
name: string, 
/**
 * What it belongs to: the repository of a rule or a trigger, the registry of a credential, the host of a registry, the
 * address or folder of a code source.
 */
of: string | null, 
/**
 * What else a person should know of it: the code source that a rule builds; of settings that are new, the fields that
 * would change.
 */
detail: string | null, 
/**
 * Where it stands in the file (`repositories[2].rules[0]`).
 */
place: string, 
/**
 * How it compares with what is here.
 */
state: ImportState, 
/**
 * What a person has to do about it afterwards; empty unless the import writes it.
 */
needs: Array<ImportNeed>, };

export type ImportNeed = { "kind": "source_password" } | { "kind": "account", 
/**
 * The address of its code host.
 */
host: string, } | { "kind": "folder_missing", 
/**
 * The folder.
 */
path: string, } | { "kind": "login" } | { "kind": "proxy_password" } | { "kind": "build_secrets", 
/**
 * Their ids.
 */
ids: Array<string>, } | { "kind": "proxies", 
/**
 * Their addresses.
 */
addresses: Array<string>, } | { "kind": "mirrors", 
/**
 * Each upstream with its mirrors.
 */
lists: Array<RegistryMirrors>, } | { "kind": "arguments", 
/**
 * Their names.
 */
names: Array<string>, } | { "kind": "labels", 
/**
 * Their names.
 */
names: Array<string>, } | { "kind": "webhook_secrets", 
/**
 * Names of the headers.
 */
headers: Array<string>, 
/**
 * The signing key too.
 */
signed: boolean, 
/**
 * The address's login or key too.
 */
address: boolean, } | { "kind": "private_consent" } | { "kind": "cluster_consent" } | { "kind": "switched_off" };

export type ImportObject = "settings" | "source" | "registry" | "credential" | "repository" | "rule" | "trigger";

export type ImportReport = { 
/**
 * Everything that the file says, in the order in which it is imported.
 */
items: Array<ImportItem>, 
/**
 * The file asks for plain HTTP somewhere.
 */
asks_plain_http: boolean, };

export type ImportRequest = { 
/**
 * The file's text, at most 10 MB.
 */
text: string, 
/**
 * What the person chose.
 */
choice: ImportChoice, };

export type ImportState = { "kind": "new" } | { "kind": "same" } | { "kind": "differs", 
/**
 * In these fields, as paths in the file's object.
 */
fields: Array<string>, } | { "kind": "refused", 
/**
 * Why.
 */
failure: Failure, };

export type Inbox = { 
/**
 * Newest first.
 */
items: Array<NoticeView>, 
/**
 * Unread notices in all.
 */
unread: number, 
/**
 * Notices in all.
 */
total: number, 
/**
 * Ask for the next page with this as `before`.
 */
next: NoticeId | null, };

export type Instance = { 
/**
 * The engine's or cluster's id.
 */
id: string, 
/**
 * Its name.
 */
name: string, 
/**
 * Its image, as its configuration names it.
 */
image: string, 
/**
 * Its health.
 */
health: TargetHealth, 
/**
 * Running since.
 */
started_at: string | null, };

export type KeepBuildSecret = { 
/**
 * The id that the Dockerfile names.
 */
id: string, 
/**
 * The value; goes in and never comes out.
 */
value: SecretText, };

export type KeepReason = "unread" | "attachment" | "write_once" | "used" | "foreign" | "age_unknown" | "newest" | "among_newest" | "recent" | "pattern" | "same_image" | "part_of_index";

export type KeepTargetSecret = { 
/**
 * What it is for (`header X-Token`, `signing key`), for people.
 */
purpose: string, 
/**
 * The value; goes in and never comes out.
 */
value: SecretText, };

export type Kept = { 
/**
 * Why.
 */
reason: KeepReason, 
/**
 * The container, the deploy target or the other tag.
 */
by: string | null, };

export type KeptBuildSecret = { 
/**
 * Its id.
 */
secret: SecretId, };

export type KeptImageView = { 
/**
 * Which.
 */
image: ImageId, 
/**
 * Why.
 */
failure: Failure, };

export type KeptTargetSecret = { 
/**
 * Its id.
 */
secret: SecretId, };

export type KubeContextView = { 
/**
 * Its name.
 */
name: string, 
/**
 * Address of its cluster, as far as the file says.
 */
server: string | null, 
/**
 * The namespace that it begins in.
 */
namespace: string | null, 
/**
 * The program that it would run to sign in, for a person to allow.
 */
exec: string | null, };

export type LastTidiedView = { 
/**
 * When.
 */
at: string, 
/**
 * How many images went.
 */
removed: number, 
/**
 * Bytes that came free.
 */
freed: number, 
/**
 * A person wanted it; else it ran by itself.
 */
by_person: boolean, };

export type LayerDifference = "shared" | "removed" | "added";

export type LayerState = "waiting" | "pushing" | "pushed" | "exists" | "mounted";

export type LayerView = { 
/**
 * Short id.
 */
layer: string, 
/**
 * What happens to it.
 */
state: LayerState, 
/**
 * Bytes so far.
 */
current: number, 
/**
 * Bytes in all; 0 when unknown.
 */
total: number, };

export type LineRange = { 
/**
 * The first.
 */
first: number, 
/**
 * The last; the first again for one line.
 */
last: number, };

export type ListAccountBranches = { 
/**
 * Which account.
 */
id: SourceAccountId, 
/**
 * Which repository.
 */
path: RepositoryPath, 
/**
 * Branches when left out.
 */
kind?: RefKind, 
/**
 * Part of the name.
 */
search?: string, 
/**
 * Where to go on.
 */
page?: PageMark, };

export type ListAccountRepositories = { 
/**
 * Which account.
 */
id: SourceAccountId, 
/**
 * Whose, as `accounts.organizations` gave it.
 */
owner: HostOwner, 
/**
 * Part of the name.
 */
search?: string, 
/**
 * Where to go on.
 */
page?: PageMark, };

export type ListArchive = { 
/**
 * Which archive.
 */
source: ImageSourceInput, };

export type ListBuilds = { 
/**
 * Of this image repository.
 */
repository?: ImageRepositoryId, 
/**
 * Of this rule.
 */
rule?: RuleId, 
/**
 * In one of these states; any when empty.
 */
states?: Array<BuildState>, 
/**
 * Whose ref contains this.
 */
ref_contains?: string, 
/**
 * Of this kind.
 */
kind?: BuildKind, 
/**
 * Whose ref, commit, message, author or rule contains this.
 */
search?: string, 
/**
 * Sorted by a column; newest first when left out. With a text to look for, the newest thousand that hold it are sorted.
 */
order?: BuildOrder, 
/**
 * Those that come after this one in the list: the `next` of the page before.
 */
before?: BuildId, 
/**
 * How many at most, 1–500; 50 when left out.
 */
limit?: number, };

export type ListEngineImages = { 
/**
 * Fuzzy search over the names.
 */
search?: string, };

export type ListFirings = { 
/**
 * Of this image repository.
 */
repository?: ImageRepositoryId, 
/**
 * Of this trigger.
 */
trigger?: TriggerId, 
/**
 * Of this target.
 */
target?: TargetId, 
/**
 * Those that this build caused.
 */
build?: BuildId, 
/**
 * In this state.
 */
state?: FiringState, 
/**
 * Of this kind.
 */
kind?: FiringKind, 
/**
 * Whose trigger's name or tag contains this.
 */
search?: string, 
/**
 * Only older ones than this.
 */
before?: FiringId, 
/**
 * How many at most, 1–200; 20 when it is left out.
 */
limit?: number, };

export type ListFolder = { 
/**
 * Which code repository.
 */
id: CodeRepositoryId, 
/**
 * At which ref; the default branch when left out.
 */
ref_name?: RefName, 
/**
 * Which folder; the root when left out.
 */
folder?: RepoPath, };

export type ListImageRepositories = { 
/**
 * In this registry.
 */
registry?: RegistryId, 
/**
 * Whose name or summary contains this.
 */
search?: string, 
/**
 * How many to leave out in front.
 */
offset?: number, 
/**
 * How many at most; 0 means all.
 */
limit?: number, };

export type ListKubeContexts = { 
/**
 * The whole path of the file.
 */
kubeconfig: string, };

export type ListNamespaces = { 
/**
 * Which.
 */
registry: RegistryId, 
/**
 * With this credential; anonymous when left out.
 */
credential?: CredentialId, };

export type ListNotices = { 
/**
 * Older than this one.
 */
before?: NoticeId, 
/**
 * How many at most, 1–500; 50 when left out.
 */
limit?: number, 
/**
 * Only those that nobody read.
 */
unread_only?: boolean, };

export type ListRules = { 
/**
 * Which.
 */
repository: ImageRepositoryId, };

export type ListServiceGroups = { 
/**
 * Where.
 */
place: DeployPlace, };

export type ListServices = { 
/**
 * Where.
 */
place: DeployPlace, 
/**
 * Which group.
 */
group: ServiceGroup, };

export type ListTriggers = { 
/**
 * Of this repository; left out of all.
 */
repository?: ImageRepositoryId, };

export type ListVersions = { 
/**
 * Of this image repository.
 */
repository: ImageRepositoryId, 
/**
 * Fuzzy search over the tags.
 */
search?: string, 
/**
 * Order; newest or greatest first.
 */
sort?: VersionSort, 
/**
 * The other way round.
 */
ascending?: boolean, 
/**
 * Rows before the page.
 */
offset?: number, 
/**
 * Rows of the page, 1–200; 50 when left out.
 */
limit?: number, 
/**
 * Ask the registry now, whatever is remembered.
 */
refresh?: boolean, };

export type ListedService = { 
/**
 * Choose it by this.
 */
target: DeployTarget, 
/**
 * What it runs.
 */
state: TargetState, };

export type LocationForm = { "kind": "git_url", 
/**
 * `https://…`, or `http://…` with the consent.
 */
url: string, 
/**
 * User name, when the repository is private.
 */
username?: string, 
/**
 * The password or token; goes in and never comes out.
 */
password?: SecretText, 
/**
 * Certificates of an own authority, PEM.
 */
ca_pem?: string, 
/**
 * The consent to plain HTTP.
 */
allow_plain_http?: boolean, } | { "kind": "ssh", 
/**
 * `user@host:path` or `ssh://…`.
 */
url: string, } | { "kind": "local_clone", 
/**
 * Its folder, absolute.
 */
path: string, } | { "kind": "account", 
/**
 * The account whose token opens it.
 */
account: SourceAccountId, 
/**
 * The repository's path at the host.
 */
path: RepositoryPath, };

export type LocationView = { "kind": "git_url", 
/**
 * The URL.
 */
url: string, 
/**
 * User name.
 */
username: string | null, 
/**
 * A password or token is stored.
 */
has_password: boolean, 
/**
 * Certificates of an own authority, PEM.
 */
ca_pem: string | null, 
/**
 * Plain HTTP was agreed to.
 */
allow_plain_http: boolean, } | { "kind": "ssh", 
/**
 * `user@host:path` or `ssh://…`.
 */
url: string, } | { "kind": "local_clone", 
/**
 * Its folder.
 */
path: string, };

export type LogLineView = { 
/**
 * Its number, from 0.
 */
number: number, 
/**
 * Ordinal of its step.
 */
step: number | null, 
/**
 * Which output.
 */
stream: LogStream, 
/**
 * When, by the engine's clock.
 */
at: string | null, 
/**
 * At most 16 KiB of it.
 */
text: string, 
/**
 * The file has more of this line.
 */
clipped: boolean, };

export type LogPage = { 
/**
 * The lines.
 */
lines: Array<LogLineView>, 
/**
 * Lines of the whole log now.
 */
total: number, };

export type LogSearchView = { 
/**
 * How many lines hold the text: exact.
 */
count: number, 
/**
 * Their numbers.
 */
lines: Array<number>, };

export type LogStream = "out" | "err";

export type ManagedBy = { "kind": "compose", 
/**
 * The project.
 */
project: string, 
/**
 * The service.
 */
service: string, } | { "kind": "swarm", 
/**
 * The service.
 */
service: string, } | { "kind": "kubernetes", 
/**
 * The pod.
 */
pod: string, } | { "kind": "other", 
/**
 * The label that gave it away.
 */
label: string, } | { "kind": "slipway" };

export type ManifestText = { 
/**
 * JSON, as the registry stores it.
 */
text: string, };

export type MarkNoticesRead = { 
/**
 * This one.
 */
id: NoticeId, 
/**
 * All older ones too: with the newest that the person saw, that is all.
 */
and_older?: boolean, };

export type MatchedTriggerView = "branch" | "any_branch" | "new_tag" | "pattern";

export type NameValue = { 
/**
 * The name.
 */
name: string, 
/**
 * The value.
 */
value: string, };

export type NamedCode = { 
/**
 * Its id.
 */
id: CodeRepositoryId, 
/**
 * Its name.
 */
name: string, };

export type Namespace = { 
/**
 * Its name.
 */
name: string, 
/**
 * Repositories in it that the registry lists.
 */
listed: number, 
/**
 * Image repositories in it that Slipway knows.
 */
known: number, 
/**
 * Whether everybody may read in it, where the registry says so.
 */
public: boolean | null, };

export type NamespaceCreation = "here" | "first_push" | "account" | "console" | "repository" | "free";

export type NamespaceList = { 
/**
 * By name.
 */
namespaces: Array<Namespace>, 
/**
 * How a new one comes to exist.
 */
creation: NamespaceCreation, 
/**
 * Why the registry could not list them; those of known repositories are there all the same.
 */
catalogue_failure: Failure | null, };

export type Need = "read" | "statuses" | "hooks";

export type NeededView = { 
/**
 * Why.
 */
why: ImageNeed, 
/**
 * How many.
 */
images: number, };

export type NetworkChoice = { "kind": "default" } | { "kind": "named", 
/**
 * Its name.
 */
name: string, };

export type Nothing = Record<symbol, never>;

export type NoticeFacts = { "kind": "build_failed", 
/**
 * Which.
 */
build: NoticedBuild, 
/**
 * What it failed with.
 */
code: ErrorCode, } | { "kind": "build_recovered", 
/**
 * Which.
 */
build: NoticedBuild, } | { "kind": "update_failed", 
/**
 * Which.
 */
update: NoticedUpdate, 
/**
 * What it failed with.
 */
code: ErrorCode, 
/**
 * Failed (nothing was touched), rolled back (the earlier image serves), or broken.
 */
state: FiringState, } | { "kind": "update_recovered", 
/**
 * Which.
 */
update: NoticedUpdate, } | { "kind": "account_paused", 
/**
 * Which.
 */
account: NoticedAccount, 
/**
 * Why.
 */
code: ErrorCode, } | { "kind": "account_resumed", 
/**
 * Which.
 */
account: NoticedAccount, } | { "kind": "code_unreachable", 
/**
 * Which.
 */
code_repository: CodeRepositoryId, 
/**
 * Its name.
 */
name: string, 
/**
 * What the last look failed with.
 */
code: ErrorCode, 
/**
 * Looks fail since then.
 */
since: string, } | { "kind": "code_reachable", 
/**
 * Which.
 */
code_repository: CodeRepositoryId, 
/**
 * Its name.
 */
name: string, } | { "kind": "credential_refused", 
/**
 * The registry.
 */
registry: RegistryId, 
/**
 * Its name.
 */
registry_name: string, 
/**
 * The credential.
 */
credential: CredentialId, 
/**
 * Its name.
 */
credential_name: string, 
/**
 * How it was refused.
 */
code: ErrorCode, } | { "kind": "retention_failed", 
/**
 * The image repository.
 */
repository: ImageRepositoryId, 
/**
 * Its name.
 */
repository_name: string, 
/**
 * Why.
 */
code: ErrorCode, } | { "kind": "database_damaged" } | { "kind": "database_recovered", 
/**
 * Where the damaged file is now.
 */
kept_aside: string, 
/**
 * The backup that took its place; none when the store began empty.
 */
restored_from: string | null, } | { "kind": "away", 
/**
 * The last moment that is known to have been watched.
 */
from: string, 
/**
 * When watching began again.
 */
to: string, 
/**
 * Builds for pushes of that time.
 */
caught_up: number, };

export type NoticeId = number;

export type NoticeKind = "build_failed" | "build_recovered" | "update_failed" | "update_recovered" | "account_paused" | "account_resumed" | "code_unreachable" | "code_reachable" | "credential_refused" | "retention_failed" | "database_damaged" | "database_recovered" | "away";

export type NoticeView = { 
/**
 * Its id.
 */
id: NoticeId, 
/**
 * When it was written.
 */
at: string, 
/**
 * A person read it.
 */
read: boolean, 
/**
 * How much it matters.
 */
severity: Severity, 
/**
 * The address inside the window of what it is about.
 */
route: string, 
/**
 * What it says.
 */
facts: NoticeFacts, };

export type NoticedAccount = { 
/**
 * The account.
 */
account: SourceAccountId, 
/**
 * Its login name.
 */
login: string, 
/**
 * The host's name.
 */
host: string, 
/**
 * How many rules hang on it.
 */
rules: number, };

export type NoticedBuild = { 
/**
 * The build.
 */
build: BuildId, 
/**
 * Its number.
 */
number: BuildNumber, 
/**
 * Its image repository.
 */
repository: ImageRepositoryId, 
/**
 * The repository's name.
 */
repository_name: string, 
/**
 * The rule's name; none for an uploaded Dockerfile.
 */
rule_name: string | null, 
/**
 * The ref; none for a bare commit or an uploaded Dockerfile.
 */
ref_name: RefName | null, };

export type NoticedRule = { 
/**
 * The rule.
 */
rule: RuleId, 
/**
 * Its name.
 */
rule_name: string, 
/**
 * Its image repository.
 */
repository: ImageRepositoryId, 
/**
 * The repository's name.
 */
repository_name: string, };

export type NoticedUpdate = { 
/**
 * The record.
 */
firing: FiringId, 
/**
 * What was updated, as people call it.
 */
target_name: string, 
/**
 * The tag that it was to get; its image's name when no tag named it.
 */
version: string, 
/**
 * The trigger's name; none when a person wanted it.
 */
trigger_name: string | null, };

export type OauthApplicationView = { 
/**
 * What runs at the host.
 */
provider: HostProvider, 
/**
 * Where the host lives.
 */
base_url: HostBase, 
/**
 * Its id at the host.
 */
client_id: string, 
/**
 * A secret is stored.
 */
has_secret: boolean, 
/**
 * The port of the registered redirect address, where the host compares it.
 */
redirect_port: number | null, 
/**
 * The page where a GitHub App is installed on repositories.
 */
install_page: string | null, };

export type ObservationId = number;

export type OwnerKind = "own" | "organization" | "group" | "enterprise" | "project";

export type OwningTriggerView = { 
/**
 * Its id.
 */
id: TriggerId, 
/**
 * Its name.
 */
name: string, 
/**
 * Whose tags fire it.
 */
repository: ImageRepositoryId, 
/**
 * It is on.
 */
enabled: boolean, };

export type PageLanguage = "en" | "zh";

export type PageMark = string;

export type PathFilters = { 
/**
 * Globs of which one must match.
 */
include: Array<string>, 
/**
 * Globs of files that do not count.
 */
exclude: Array<string>, };

export type PlaceAway = { 
/**
 * Which.
 */
place: DeployPlace, 
/**
 * Why.
 */
failure: Failure, };

export type PlanNote = { "kind": "short_gap" } | { "kind": "compose_up_returns", 
/**
 * The Compose files, when the containers say where they are.
 */
files: string | null, } | { "kind": "port_kept", 
/**
 * The port.
 */
port: number, } | { "kind": "no_candidate", 
/**
 * Why, in English (`host network`).
 */
why: string, } | { "kind": "local_image_only" } | { "kind": "rollback_added" };

export type PlanStep = { 
/**
 * What is done.
 */
kind: StepKind, 
/**
 * To what: the name of an image, container, network, service, workload, or a host.
 */
subject: string, 
/**
 * More facts by name (`image`, `to`, `seconds`, `order`, `parallelism`, `replicas`, …).
 */
facts?: { [key in string]: string }, };

export type Planned = { "kind": "ready", 
/**
 * The steps.
 */
plan: DeployPlan, } | { "kind": "unchanged", 
/**
 * What it runs.
 */
before: TargetState, } | { "kind": "refused", 
/**
 * Every reason.
 */
reasons: Array<Refusal>, 
/**
 * What it runs.
 */
before: TargetState, };

export type Platform = { 
/**
 * `linux`
 */
os: string, 
/**
 * `amd64`, `arm64`, …
 */
architecture: string, 
/**
 * `v7`, …
 */
variant?: string | null, };

export type PreflightView = { 
/**
 * What keeps it from being saved.
 */
errors: Array<Failure>, 
/**
 * What a person should know.
 */
warnings: Array<Failure>, 
/**
 * The ref that was looked at.
 */
on_ref: RefName | null, };

export type PreviewRefView = { 
/**
 * Which.
 */
name: RefName, 
/**
 * Which trigger it matches.
 */
trigger: MatchedTriggerView, 
/**
 * Its tags; empty when they cannot be rendered.
 */
tags: Array<Tag>, 
/**
 * Why there are none.
 */
failure: Failure | null, };

export type PreviewRetention = { 
/**
 * On this image repository.
 */
repository: ImageRepositoryId, 
/**
 * The rule.
 */
rule: RetentionRule, };

export type PreviewRule = { 
/**
 * Which code.
 */
code: CodeRepositoryId, 
/**
 * Which pushes.
 */
triggers?: PushTriggers, 
/**
 * How the image is tagged.
 */
version: VersionRule, };

export type PreviewTrigger = { 
/**
 * Whose tags.
 */
repository: ImageRepositoryId, 
/**
 * The condition.
 */
condition: TagCondition, };

export type ProxyForm = { 
/**
 * `http://host:port` or `https://host:port`, without a login.
 */
url: string, 
/**
 * User name.
 */
username?: string, 
/**
 * The password; left out it keeps the stored one while the address stays.
 */
password?: SecretText, };

export type ProxyView = { 
/**
 * `http://host:port` or `https://host:port`.
 */
url: string, 
/**
 * User name.
 */
username: string | null, 
/**
 * A password is stored.
 */
has_password: boolean, };

export type PublicationState = "waiting" | "pushing" | "done" | "unchanged" | "kept_newer" | "failed";

export type PublicationView = { 
/**
 * The tag.
 */
tag: Tag, 
/**
 * The full reference.
 */
target: string, 
/**
 * Where it stands.
 */
state: PublicationState, 
/**
 * How often it was tried.
 */
attempt: number, 
/**
 * It is tried again then.
 */
not_before: string | null, 
/**
 * The digest at the registry.
 */
digest: Digest | null, 
/**
 * What it failed with.
 */
failure: Failure | null, };

export type PublishedAddress = { 
/**
 * Address of the host that it is bound to; `0.0.0.0` and `::` mean every address.
 */
host_ip: string, 
/**
 * Port of the host.
 */
host_port: number, 
/**
 * Port inside.
 */
container_port: number, 
/**
 * `tcp`, `udp` or `sctp`.
 */
protocol: string, };

export type PublishedPort = { 
/**
 * Port inside.
 */
container_port: number, 
/**
 * Port of the host; `None` lets the engine choose.
 */
host_port: number | null, 
/**
 * Only for this machine (`127.0.0.1`). Swarm services are always open.
 */
only_local: boolean, 
/**
 * `tcp` or `udp`.
 */
protocol: string, };

export type PushTriggers = { 
/**
 * Push to one of these branches (推送到指定分支触发), short names.
 */
branches: Array<string>, 
/**
 * Push to any branch (推送到分支时触发构建).
 */
any_branch: boolean, 
/**
 * A new tag, or a tag that was moved (推送新标签时触发构建).
 */
new_tag: boolean, 
/**
 * The full or the short ref name matches this regular expression, not anchored (符合分支或标签规则时构建).
 */
pattern: string | null, };

export type QueueRow = { 
/**
 * The build.
 */
build: BuildView, 
/**
 * Why it waits; none while it runs.
 */
waits_for: WaitReason | null, };

export type RateState = { 
/**
 * Requests in one window.
 */
limit: number | null, 
/**
 * Requests that are left in it.
 */
remaining: number | null, 
/**
 * When the window ends, by this machine's clock (the difference to the host's is taken out).
 */
resets_at: string | null, };

export type ReadLog = { 
/**
 * Which build.
 */
id: BuildId, 
/**
 * From this line on; the end of the log when left out.
 */
from?: number, 
/**
 * How many, at most 10,000.
 */
count: number, 
/**
 * Of this step alone.
 */
step?: number, };

export type ReauthorizeAccount = { 
/**
 * Which account.
 */
id: SourceAccountId, 
/**
 * The token.
 */
token: TokenForm, };

export type ReceivedUpload = { 
/**
 * Bytes so far.
 */
received: number, };

export type RefKind = "branch" | "tag";

export type RefName = string;

export type Refusal = { "kind": "auto_remove" } | { "kind": "links", 
/**
 * The linked containers.
 */
names: Array<string>, } | { "kind": "shared_by", 
/**
 * Their names.
 */
names: Array<string>, } | { "kind": "managed", 
/**
 * Who.
 */
by: ManagedBy, } | { "kind": "paused" } | { "kind": "stopped" } | { "kind": "scaled_to_zero" } | { "kind": "restarting" } | { "kind": "dying" } | { "kind": "our_own_spare" } | { "kind": "rollout_under_way" } | { "kind": "owned_by", 
/**
 * `kind/name`.
 */
owner: string, } | { "kind": "no_such_container", 
/**
 * The containers that it has.
 */
names: Array<string>, } | { "kind": "exec_not_allowed", 
/**
 * Its command line.
 */
command: string, } | { "kind": "private_address", 
/**
 * The host.
 */
host: string, } | { "kind": "clear_text", 
/**
 * The host.
 */
host: string, } | { "kind": "platform", 
/**
 * The image's.
 */
image: string, 
/**
 * The target's.
 */
target: string, } | { "kind": "unfaithful", 
/**
 * The setting, as the engine names it.
 */
setting: string, 
/**
 * Why, in English.
 */
why: string, };

export type RegistryForm = { 
/**
 * Its name.
 */
name: string, 
/**
 * Host with optional port.
 */
host: RegistryHost, 
/**
 * Speak plain HTTP.
 */
plain_http?: boolean, 
/**
 * Certificates of an own authority, PEM.
 */
ca_pem?: string, };

export type RegistryHost = string;

export type RegistryId = number;

export type RegistryKind = "local_engine" | "oci";

export type RegistryMirrors = { 
/**
 * The upstream host (`docker.io`).
 */
upstream: string, 
/**
 * Mirror hosts in the order they are asked; the upstream itself comes last.
 */
mirrors: Array<string>, };

export type RegistryStep = { 
/**
 * There is one.
 */
done: boolean, 
/**
 * The first.
 */
registry: RegistryId | null, };

export type RegistryView = { 
/**
 * Its id.
 */
id: RegistryId, 
/**
 * Its name.
 */
name: string, 
/**
 * What it is.
 */
kind: RegistryKind, 
/**
 * Its host; none for *Local engine*.
 */
host: RegistryHost | null, 
/**
 * Plain HTTP is spoken.
 */
plain_http: boolean, 
/**
 * Certificates of an own authority, PEM.
 */
ca_pem: string | null, 
/**
 * Its credentials by name.
 */
credentials: Array<CredentialView>, };

export type RemoteRef = { 
/**
 * Its name.
 */
name: RefName, 
/**
 * What the ref points at: the commit, or the tag object of an annotated tag (so that a re-created tag is a move).
 */
object: CommitId, 
/**
 * The commit behind it, where the remote told (peeled tags); for branches the same as `object`.
 */
commit: CommitId | null, };

export type RemoteRefs = { 
/**
 * The branch that HEAD names, when the remote says so.
 */
default_branch: RefName | null, 
/**
 * Branches and tags, sorted by name. Names that are illegal by [`RefName::new`] are left out and counted.
 */
refs: Array<RemoteRef>, 
/**
 * How many refs had names that cannot be used.
 */
unusable: number, };

export type Replicas = { 
/**
 * Asked for.
 */
wanted: number, 
/**
 * Up (and healthy, where that is known).
 */
ready: number, };

export type RepoPath = string;

export type ReportStanding = { "kind": "reported", 
/**
 * What it was told.
 */
state: ReportState, 
/**
 * When.
 */
at: string, } | { "kind": "waiting", 
/**
 * What the last try failed with.
 */
failure: Failure | null, 
/**
 * When it is tried again; none is as soon as the account can.
 */
next_try_at: string | null, } | { "kind": "refused", 
/**
 * Why.
 */
failure: Failure, } | { "kind": "replaced" };

export type ReportState = "pending" | "success" | "failure" | "cancelled";

export type RepositoryName = string;

export type RepositoryPath = string;

export type RepositoryStep = { 
/**
 * There is one.
 */
done: boolean, 
/**
 * The first by name.
 */
repository: ImageRepositoryId | null, };

export type RerunBuild = { 
/**
 * Which.
 */
id: BuildId, 
/**
 * Values in place of the build's; none means the same inputs.
 */
overrides?: BuildOverrides, };

export type ResumedTarget = { 
/**
 * The firing that catches up with what was left out; `null` when nothing was.
 */
firing: FiringId | null, };

export type RetentionOf = { 
/**
 * Which.
 */
repository: ImageRepositoryId, };

export type RetentionPreview = { 
/**
 * Every tag, those that go first, each part newest first.
 */
tags: Array<RetentionVerdict>, 
/**
 * How many go.
 */
removed: number, 
/**
 * Tags that are still being read and count as kept; an event says when more is known.
 */
pending: number, };

export type RetentionProgress = { 
/**
 * Tags that went.
 */
removed: number, 
/**
 * Tags that are to go; 0 while they are still looked for.
 */
of: number, };

export type RetentionRule = { 
/**
 * The newest so many tags.
 */
keep_newest: number | null, 
/**
 * What was pushed, or else made, within so many days.
 */
keep_days: number | null, 
/**
 * Tags that this regular expression matches as a whole.
 */
keep_pattern: string | null, 
/**
 * Tags that somebody else pushed may go too.
 */
include_foreign: boolean, };

export type RetentionRun = { 
/**
 * When it ended.
 */
at: string, 
/**
 * A person started it.
 */
by_person: boolean, 
/**
 * Tags that went.
 */
removed: number, 
/**
 * Tags that were to go and stayed, because something changed meanwhile, or the engine or the registry refused.
 */
left: number, 
/**
 * Why the registry refused to remove one of those that stayed.
 */
refused: Failure | null, 
/**
 * Why it broke off.
 */
failure: Failure | null, };

export type RetentionVerdict = { 
/**
 * The tag.
 */
tag: Tag, 
/**
 * When it was pushed or made.
 */
at: string | null, 
/**
 * Why it stays; none: it goes.
 */
kept: Kept | null, };

export type RetentionView = { 
/**
 * The saved rule; none: switched off.
 */
rule: RetentionRule | null, 
/**
 * How the last run went.
 */
last_run: RetentionRun | null, 
/**
 * The run that is under way.
 */
running: RetentionProgress | null, };

export type Revocation = { "kind": "revoked" } | { "kind": "by_hand", 
/**
 * The page.
 */
page: string, };

export type RollBackTarget = { 
/**
 * To what this firing brought …
 */
firing: FiringId, 
/**
 * … or to what ran before it.
 */
before?: boolean, };

export type RoomShortage = { 
/**
 * `disk_full` or `data_read_only`, with the folder in its details.
 */
failure: Failure, 
/**
 * Bytes that are free; `None` where the system does not say.
 */
free_bytes: number | null, 
/**
 * Work goes on when so many bytes are free.
 */
needed_bytes: number, };

export type RuleId = number;

export type RulePreviewView = { 
/**
 * Refs that start the rule.
 */
matching: Array<PreviewRefView>, 
/**
 * How many refs were looked at.
 */
of: number, 
/**
 * Tags that several refs would get.
 */
collisions: Array<CollisionView>, };

export type RuleSecret = { 
/**
 * The id that the Dockerfile names.
 */
id: string, 
/**
 * The sealed value.
 */
secret: SecretId, };

export type RuleSpec = { 
/**
 * The rule's name, unique within its image repository, 1–64 characters.
 */
name: string, 
/**
 * Which code.
 */
code: CodeRepositoryId, 
/**
 * Which pushes.
 */
triggers: PushTriggers, 
/**
 * Path filters over the changed files.
 */
paths: PathFilters, 
/**
 * Honour `[skip ci]`, `[ci skip]`, `[skip build]` in the commit message.
 */
skip_words: boolean, 
/**
 * The Dockerfile, relative to the repository root.
 */
dockerfile_path: RepoPath, 
/**
 * The build directory, relative to the repository root.
 */
context_dir: RepoPath, 
/**
 * How the image is tagged.
 */
version: VersionRule, 
/**
 * The fixed tag that is moved on success (覆盖镜像版本), such as `latest`.
 */
overwrite_tag: Tag | null, 
/**
 * How it is built.
 */
options: BuildOptions, 
/**
 * What happens when pushes come faster than builds.
 */
strategy: Strategy, 
/**
 * Off: pushes are ignored and count as seen; "Build now" still works (自动触发).
 */
auto_trigger: boolean, 
/**
 * Tell the code host how each build of a commit stands. Works for code of an account; ignored for other code.
 */
report_status: boolean, };

export type RuleStep = { 
/**
 * There is one.
 */
done: boolean, 
/**
 * The oldest.
 */
rule: RuleId | null, 
/**
 * Its image repository.
 */
repository: ImageRepositoryId | null, };

export type RuleView = { 
/**
 * Its id.
 */
id: RuleId, 
/**
 * The repository that it fills.
 */
repository: ImageRepositoryId, 
/**
 * What was typed.
 */
spec: RuleSpec, 
/**
 * When it was made.
 */
created_at: string, 
/**
 * When it was changed last.
 */
updated_at: string, };

export type RunAs = { "kind": "container", 
/**
 * Start it again after it ended and with the engine (`unless-stopped`), or leave it.
 */
restart: boolean, } | { "kind": "swarm_service", 
/**
 * How many tasks.
 */
replicas: number, };

export type RunImageRequest = { 
/**
 * On which engine; `local` when it is left out.
 */
engine?: string, 
/**
 * Name of the container or service.
 */
name: string, 
/**
 * Which image.
 */
image: ImageChoice, 
/**
 * As what.
 */
run_as: RunAs, 
/**
 * Ports to publish.
 */
ports?: Array<PublishedPort>, 
/**
 * Environment.
 */
environment?: Array<NameValue>, 
/**
 * Named volumes.
 */
volumes?: Array<RunVolume>, 
/**
 * The network.
 */
network?: NetworkChoice, 
/**
 * When it counts as serving.
 */
gate?: HealthGate, };

export type RunRetention = { 
/**
 * In this image repository.
 */
repository: ImageRepositoryId, 
/**
 * The rule.
 */
rule: RetentionRule, 
/**
 * The tags that a person agreed to: none but these go.
 */
tags: Array<Tag>, };

export type RunVolume = { 
/**
 * The volume's name; made when it does not exist.
 */
volume: string, 
/**
 * Absolute path inside.
 */
path: string, 
/**
 * It cannot be written inside.
 */
read_only: boolean, };

export type RunningImage = { 
/**
 * As the target's configuration names it: a tag, a digest or an id.
 */
reference: string, 
/**
 * The engine's id; a cluster says what the kubelet reported.
 */
id: ImageId | null, 
/**
 * `repository@digest` names that it has.
 */
digests: Array<string>, 
/**
 * What it holds; `None` when the image is gone from the engine or belongs to a cluster.
 */
content: ContentIdentity | null, };

export type SampleStep = { 
/**
 * A build succeeded.
 */
done: boolean, 
/**
 * The sample's folder, a normal clone once it was made.
 */
folder: string, 
/**
 * Its code.
 */
code: CodeRepositoryId | null, 
/**
 * Its image repository.
 */
repository: ImageRepositoryId | null, 
/**
 * Its rule.
 */
rule: RuleId | null, 
/**
 * Its newest build.
 */
build: BuildId | null, };

export type SampleView = { 
/**
 * Its folder: a normal clone.
 */
folder: string, 
/**
 * Its code.
 */
code: CodeRepositoryId, 
/**
 * Its image repository.
 */
repository: ImageRepositoryId, 
/**
 * Its rule.
 */
rule: RuleId, 
/**
 * The build.
 */
build: BuildId, };

export type SaveOauthApplication = { 
/**
 * Where.
 */
host: HostForm, 
/**
 * Its id at the host.
 */
client_id: string, 
/**
 * Its secret, where the host wants one; left out it keeps the stored one while the id stays.
 */
client_secret?: SecretText, 
/**
 * The port of the registered redirect address, where the host compares it.
 */
redirect_port?: number, };

export type SaveRetention = { 
/**
 * Of this image repository.
 */
repository: ImageRepositoryId, 
/**
 * The rule; none switches it off.
 */
rule: RetentionRule | null, };

export type ScopeReason = "profile" | "organizations" | "repositories" | "code" | "statuses" | "hooks";

export type SearchLog = { 
/**
 * Which build.
 */
id: BuildId, 
/**
 * The exact text.
 */
text: string, 
/**
 * Letters of both cases are the same.
 */
any_case?: boolean, 
/**
 * Line numbers from here on.
 */
from?: number, 
/**
 * How many line numbers, at most 10,000.
 */
limit: number, };

export type SecretId = number;

export type SecretOwner = { "kind": "code_repository", 
/**
 * Which.
 */
id: CodeRepositoryId, 
/**
 * Its name.
 */
name: string, } | { "kind": "source_account", 
/**
 * Which.
 */
id: SourceAccountId, 
/**
 * Its login name.
 */
name: string, 
/**
 * The address of its host.
 */
host: string, } | { "kind": "oauth_application", 
/**
 * The address of its host.
 */
host: string, } | { "kind": "credential", 
/**
 * Which.
 */
id: CredentialId, 
/**
 * Its registry.
 */
registry: RegistryId, 
/**
 * Its name.
 */
name: string, 
/**
 * The registry's name.
 */
registry_name: string, } | { "kind": "rule", 
/**
 * Which.
 */
id: RuleId, 
/**
 * Its image repository.
 */
repository: ImageRepositoryId, 
/**
 * Its name.
 */
name: string, } | { "kind": "trigger", 
/**
 * Which.
 */
id: TriggerId, 
/**
 * Whose tags fire it.
 */
repository: ImageRepositoryId, 
/**
 * Its name.
 */
name: string, } | { "kind": "webhook", 
/**
 * Which.
 */
id: WebhookId, 
/**
 * The repository's path at the host.
 */
name: string, } | { "kind": "channel", 
/**
 * Which.
 */
id: ChannelId, 
/**
 * Its name.
 */
name: string, } | { "kind": "code_proxy" } | { "kind": "registry_proxy" };

export type SecretText = string;

export type ServiceGroup = { "kind": "containers", 
/**
 * How many.
 */
count: number, } | { "kind": "compose_project", 
/**
 * Its name.
 */
name: string, 
/**
 * How many services.
 */
count: number, } | { "kind": "swarm_services", 
/**
 * How many.
 */
count: number, } | { "kind": "namespace", 
/**
 * Its name.
 */
name: string, };

export type SetAutoTrigger = { 
/**
 * Which.
 */
id: RuleId, 
/**
 * On or off.
 */
on: boolean, };

export type SetTriggerEnabled = { 
/**
 * Which.
 */
id: TriggerId, 
/**
 * On or off.
 */
enabled: boolean, };

export type SettingsInput = { 
/**
 * How many builds run at the same time on one engine, 1–16.
 */
concurrency: number, 
/**
 * Seconds between two looks at a code repository, 5–86,400.
 */
poll_seconds: number, 
/**
 * Proxy towards code hosts.
 */
code_proxy?: ProxyForm, 
/**
 * Proxy towards registries.
 */
registry_proxy?: ProxyForm, 
/**
 * Ordered mirrors of upstream registries.
 */
mirrors?: Array<RegistryMirrors>, 
/**
 * Kinds of notices that nobody wants in the inbox; left out they stay as they are.
 */
muted_notices?: Array<NoticeKind>, 
/**
 * Closing the window leaves the application watching in the tray; left out it stays as it is.
 */
close_to_tray?: boolean, 
/**
 * The desktop starts the application when the person logs in; left out it stays as it is.
 */
start_at_login?: boolean, };

export type SettingsView = { 
/**
 * How many builds run at the same time on one engine.
 */
concurrency: number, 
/**
 * Seconds between two looks at a code repository.
 */
poll_seconds: number, 
/**
 * Proxy towards code hosts.
 */
code_proxy: ProxyView | null, 
/**
 * Proxy towards registries.
 */
registry_proxy: ProxyView | null, 
/**
 * Ordered mirrors of upstream registries.
 */
mirrors: Array<RegistryMirrors>, 
/**
 * Kinds of notices that nobody wants in the inbox.
 */
muted_notices: Array<NoticeKind>, 
/**
 * Closing the window leaves the application watching in the tray, where there is one.
 */
close_to_tray: boolean, 
/**
 * The desktop starts the application, without its window, when the person logs in.
 */
start_at_login: boolean, };

export type Severity = "info" | "success" | "warning" | "error";

export type ShrinkRequest = { 
/**
 * Gigabytes.
 */
keep_gb: number, };

export type SourceAccountId = number;

export type SpeakRequest = { 
/**
 * Which.
 */
language: PageLanguage, };

export type Stage = "checkout" | "build" | "push" | "triggers";

export type StageOutcome = "succeeded" | "failed" | "cancelled" | "skipped";

export type StageRecord = { 
/**
 * Which.
 */
stage: Stage, 
/**
 * When it began.
 */
started_at: string, 
/**
 * When it ended; `None` while it runs.
 */
ended_at: string | null, 
/**
 * How it ended.
 */
outcome: StageOutcome | null, };

export type StartBuild = { 
/**
 * Which rule.
 */
rule: RuleId, 
/**
 * Branch, tag or commit.
 */
target: BuildTarget, 
/**
 * Values in place of the rule's.
 */
overrides?: BuildOverrides, };

export type StartedBuild = { 
/**
 * Its id.
 */
id: BuildId, };

export type StartedFiring = { 
/**
 * Its id.
 */
firing: FiringId, };

export type StarterFileView = { 
/**
 * Its name, beside the Dockerfile.
 */
name: string, 
/**
 * Its text.
 */
text: string, };

export type StarterId = "hello_nginx" | "static_site" | "node" | "node_static" | "python" | "go" | "rust" | "java_maven" | "java_gradle" | "php" | "dotnet";

export type StarterSuggestion = { 
/**
 * Which.
 */
id: StarterId, 
/**
 * The file that speaks for it.
 */
because_of: string, };

export type StarterSuggestions = { 
/**
 * The Dockerfile that is there already, also under a near name.
 */
dockerfile: string | null, 
/**
 * The best first; empty when nothing speaks for any.
 */
starters: Array<StarterSuggestion>, };

export type StarterView = { 
/**
 * Which; the console has its words.
 */
id: StarterId, 
/**
 * The Dockerfile first, then what belongs beside it.
 */
files: Array<StarterFileView>, 
/**
 * The port that the image listens on.
 */
port: number, };

export type StepKey = string;

export type StepKind = "pull" | "start_candidate" | "check_candidate" | "remove_candidate" | "create" | "stop_old" | "rename_old" | "rename_new" | "start_new" | "check_new" | "remove_earlier" | "update_spec" | "watch_rollout" | "call" | "remove_new" | "restore_name" | "start_old" | "check_old" | "restore_spec";

export type StepLinesView = { 
/**
 * Ordinal of the step.
 */
step: number, 
/**
 * Its first line.
 */
first: number, 
/**
 * How many lines.
 */
count: number, };

export type StepView = { 
/**
 * Its place.
 */
ordinal: number, 
/**
 * The engine clipped its log.
 */
clipped: boolean, 
/**
 * Warnings of the frontend.
 */
warning: string | null, 
/**
 * Its key.
 */
key: StepKey, 
/**
 * Its name, masked (build arguments leak into step names).
 */
name: string, 
/**
 * The Dockerfile stage, when it has a name (`[build 2/5]`).
 */
stage: string | null, 
/**
 * Position in its stage: `(2, 5)`; `None` for internal steps.
 */
position: [number, number] | null, 
/**
 * The engine's own doing (loading the context, exporting): shown folded.
 */
internal: boolean, 
/**
 * Start, by the engine's clock.
 */
started: string | null, 
/**
 * End, by the engine's clock.
 */
completed: string | null, 
/**
 * It came from the cache.
 */
cached: boolean, 
/**
 * What it failed with.
 */
error: string | null, 
/**
 * First and last line of the Dockerfile that it belongs to, 1-based.
 */
lines: [number, number] | null, };

export type Strategy = "newest_per_ref" | "every_push";

export type SuggestStarters = { 
/**
 * For which code.
 */
code: CodeRepositoryId, 
/**
 * At the head of this ref; the default branch when left out.
 */
ref_name?: RefName, 
/**
 * For this folder; the root when left out.
 */
folder?: RepoPath, };

export type SwitchChannel = { 
/**
 * Which.
 */
id: ChannelId, 
/**
 * On.
 */
enabled: boolean, };

export type SwitchWebhook = { 
/**
 * Which code repository.
 */
code: CodeRepositoryId, };

export type SystemStatus = { 
/**
 * Slipway's version.
 */
version: string, 
/**
 * The data folder.
 */
data_dir: string, 
/**
 * What the engine says.
 */
engine: EngineStatus, 
/**
 * Set when the database was damaged at start: what was done about it.
 */
database_recovery: DatabaseRecovery | null, };

export type Tag = string;

export type TagCondition = { "kind": "all" } | { "kind": "tags", 
/**
 * As typed: separated by `;`, `,` or lines.
 */
list: string, } | { "kind": "pattern", 
/**
 * The expression.
 */
pattern: string, };

export type TagEventId = number;

export type TagEventSource = "build" | "upload" | "local" | "registry" | "manual";

export type TagWatchView = { 
/**
 * The last look that went well.
 */
last_ok_at: string | null, 
/**
 * What the last look failed with; `null` after one that went well.
 */
last_failure: Failure | null, 
/**
 * When a registry is looked at next.
 */
next_look_at: string | null, };

export type TargetHealth = "healthy" | "running" | "starting" | "unhealthy" | "restarting" | "paused" | "stopped" | "none";

export type TargetId = number;

export type TargetPin = { 
/**
 * The firing that rolled back.
 */
firing: FiringId, 
/**
 * What the target is pinned to.
 */
version: TargetVersion, 
/**
 * Since when.
 */
since: string, };

export type TargetState = { 
/**
 * The image that serves. Of several instances with different images, the one that differs from the new one matters;
 * `mixed` says so.
 */
image: RunningImage | null, 
/**
 * Instances run different images.
 */
mixed: boolean, 
/**
 * Health of the whole.
 */
health: TargetHealth, 
/**
 * How many instances are wanted and ready.
 */
replicas: Replicas, 
/**
 * Where it can be reached.
 */
addresses: Array<PublishedAddress>, 
/**
 * Containers, tasks or pods.
 */
instances: Array<Instance>, 
/**
 * Who looks after it besides us.
 */
managed_by: ManagedBy | null, 
/**
 * Why it cannot be updated as it is; empty when it can.
 */
problems: Array<Refusal>, };

export type TargetVersion = { 
/**
 * The tag; `None` when only the image itself is known.
 */
tag: Tag | null, 
/**
 * The exact image.
 */
image: DeployImage, };

export type TestChannel = { 
/**
 * The stored one: what the form leaves out is taken from it.
 */
id?: ChannelId, 
/**
 * As it is typed.
 */
form?: ChannelForm, };

export type TestCodeRepository = { 
/**
 * What was typed.
 */
form: CodeRepositoryForm, 
/**
 * The stored one whose password is lent.
 */
existing?: CodeRepositoryId, };

export type TestRegistry = { 
/**
 * Which registry.
 */
registry: RegistryId, 
/**
 * With which credential; without login when left out.
 */
credential?: CredentialId, 
/**
 * On which repository.
 */
repository: RepositoryName, };

export type TidiedView = { 
/**
 * How many images.
 */
removed: number, 
/**
 * Bytes that came free.
 */
freed: number, 
/**
 * What was to go and stayed.
 */
kept: Array<KeptImageView>, 
/**
 * A build or an update began: the rest stays for now.
 */
broken_off: boolean, };

export type TidyRequest = { 
/**
 * The images that were shown.
 */
images: Array<ImageId>, 
/**
 * As it was shown.
 */
everything: boolean, };

export type TokenForm = { 
/**
 * The token; goes in and never comes out.
 */
token: SecretText, 
/**
 * The name that some hosts want beside it.
 */
username?: string, 
/**
 * It belongs to a repository, project or workspace and names no person.
 */
is_resource?: boolean, };

export type TokenKind = "oauth" | "personal" | "resource";

export type TreeEntry = { 
/**
 * Its name inside the folder.
 */
name: string, 
/**
 * What it is.
 */
kind: TreeEntryKind, 
/**
 * Size in bytes, for files.
 */
size: number | null, };

export type TreeEntryKind = "file" | "executable" | "symlink" | "folder" | "submodule";

export type TriggerId = number;

export type TriggerPreviewView = { 
/**
 * The tags that match, sorted.
 */
matching: Array<Tag>, 
/**
 * How many tags are there.
 */
of: number, };

export type TriggerSpec = { 
/**
 * Unique among all triggers, see [`check_name`].
 */
name: string, 
/**
 * Which tags fire it.
 */
condition: TagCondition, 
/**
 * What it updates.
 */
target: DeployTarget, 
/**
 * When the new image counts as serving.
 */
gate: HealthGate, 
/**
 * Off: new tags are ignored and count as seen.
 */
enabled: boolean, };

export type TriggerView = { 
/**
 * Its id.
 */
id: TriggerId, 
/**
 * Whose tags fire it.
 */
repository: ImageRepositoryId, 
/**
 * The row of what it updates.
 */
target: TargetId, 
/**
 * What was typed.
 */
spec: TriggerSpec, 
/**
 * It is paused, because a person rolled its target back to this. `targets.resume` or `triggers.resume` takes it away.
 */
pin: TargetPin | null, 
/**
 * What it did last, or does now.
 */
last_firing: FiringView | null, 
/**
 * How looking for new tags goes.
 */
watch: TagWatchView, 
/**
 * When it was made.
 */
created_at: string, 
/**
 * When it was changed last.
 */
updated_at: string, };

export type TrustHostKey = { 
/**
 * An address at the host.
 */
url: string, 
/**
 * The fingerprint that a person compared (`SHA256:…`), from the failure's details.
 */
fingerprint: string, };

export type UpdateTargetNow = { 
/**
 * Which target.
 */
target: DeployTarget, 
/**
 * To which image.
 */
image: ImageChoice, 
/**
 * When it counts as serving.
 */
gate?: HealthGate, };

export type Upload = { "kind": "dockerfile", 
/**
 * Where it is kept.
 */
folder: string, 
/**
 * Where the context came from: a folder or an archive; none when there is only the Dockerfile.
 */
context: string | null, 
/**
 * Files of the context.
 */
files: number, 
/**
 * Bytes of the context.
 */
bytes: number, } | { "kind": "local_image", 
/**
 * The name that was picked.
 */
name: string, 
/**
 * The image behind it then.
 */
image: ImageId, } | { "kind": "archive", 
/**
 * Where it is kept, when it was sent; none for a file that stays where it is.
 */
folder: string | null, 
/**
 * The file on this machine, or the name under which it was sent.
 */
path: string, 
/**
 * Which image of the archive; none when it has one.
 */
image: string | null, };

export type UploadImage = { 
/**
 * Into this image repository.
 */
repository: ImageRepositoryId, 
/**
 * Under this tag.
 */
tag: Tag, 
/**
 * Where it comes from.
 */
source: ImageSourceInput, 
/**
 * Which image of an archive; needed when it has several.
 */
image?: string, 
/**
 * Take it also when it is for another platform than the engine's.
 */
other_platform?: boolean, };

export type Version = { 
/**
 * The tag.
 */
tag: Tag, 
/**
 * The manifest's digest at the registry; none on *Local engine*.
 */
digest: Digest | null, 
/**
 * The engine's id, on *Local engine* ("this engine only").
 */
image: ImageId | null, 
/**
 * Bytes: packed layers at a registry (all platforms), the image's size on *Local engine*.
 */
size: number | null, 
/**
 * Its platforms.
 */
platforms: Array<Platform>, 
/**
 * Creation time written in the image.
 */
created: string | null, 
/**
 * When Slipway put it there.
 */
pushed_at: string | null, 
/**
 * How it came there.
 */
origin: VersionOrigin, 
/**
 * The tag or digest that it was copied from.
 */
copied_from: string | null, 
/**
 * The build behind it.
 */
build: VersionBuild | null, 
/**
 * It holds what the newest build of the repository made.
 */
newest: boolean, 
/**
 * The tag is written once by the repository's patterns.
 */
write_once: boolean, 
/**
 * The full name.
 */
reference: string, 
/**
 * The command that fetches it by its tag; none on *Local engine*.
 */
pull: string | null, 
/**
 * The command that fetches exactly this content.
 */
pull_by_digest: string | null, 
/**
 * Why its details could not be read.
 */
failure: Failure | null, };

export type VersionBuild = { 
/**
 * Its id.
 */
id: BuildId, 
/**
 * The number that people see.
 */
number: BuildNumber, 
/**
 * Why it exists.
 */
kind: BuildKind, 
/**
 * The rule's name then.
 */
rule_name: string | null, 
/**
 * The code that it was built from.
 */
code: CodeRepositoryId | null, 
/**
 * The ref.
 */
ref_name: RefName | null, 
/**
 * The commit.
 */
commit: CommitDetails | null, };

export type VersionCommands = { 
/**
 * `docker login`; the password is asked for.
 */
login: string | null, 
/**
 * Fetches it by its tag.
 */
pull: string | null, 
/**
 * Fetches exactly this content.
 */
pull_by_digest: string | null, 
/**
 * Names a local image for this repository.
 */
tag: string, 
/**
 * Sends it there.
 */
push: string | null, 
/**
 * Runs it.
 */
run: string, };

export type VersionComparison = { 
/**
 * The first.
 */
a: Version, 
/**
 * The second.
 */
b: Version, 
/**
 * The platform that was compared; none when an image does not say.
 */
platform: Platform | null, 
/**
 * Platforms that only one of them has.
 */
other_platforms: Array<Platform>, 
/**
 * Layers in order: shared ones, then those of the first only, then those of the second only.
 */
layers: Array<ComparedLayer>, 
/**
 * Differences of the configuration.
 */
config: Array<ConfigDifference>, 
/**
 * Size of the second minus that of the first, in bytes.
 */
size_difference: number, 
/**
 * The commits between them, when both were built from the same code.
 */
commits: CommitsBetween | null, 
/**
 * Why the commits could not be read.
 */
commits_failure: Failure | null, };

export type VersionConfig = { 
/**
 * Entry point.
 */
entrypoint: Array<string>, 
/**
 * Command.
 */
cmd: Array<string>, 
/**
 * Environment, `NAME=value`, in order.
 */
env: Array<string>, 
/**
 * Exposed ports.
 */
ports: Array<string>, 
/**
 * Volumes.
 */
volumes: Array<string>, 
/**
 * User.
 */
user: string, 
/**
 * Working directory.
 */
workdir: string, 
/**
 * Stop signal.
 */
stop_signal: string, 
/**
 * Command of the health check.
 */
healthcheck: Array<string>, 
/**
 * Labels.
 */
labels: { [key in string]: string }, };

export type VersionDetail = { 
/**
 * The row.
 */
version: Version, 
/**
 * Media type of the manifest.
 */
media_type: string | null, 
/**
 * One image for each platform.
 */
images: Array<VersionImage>, 
/**
 * Further manifests of an index that are no images (signatures, provenance).
 */
attachments: number, 
/**
 * Other tags that hold the same, as far as they are known.
 */
known_siblings: Array<Tag>, 
/**
 * Shortcut commands.
 */
commands: VersionCommands, };

export type VersionImage = { 
/**
 * Its platform; none when the image does not say.
 */
platform: Platform | null, 
/**
 * Digest of its own manifest.
 */
digest: Digest | null, 
/**
 * Digest of its configuration: the image id on engines with graph drivers.
 */
config_digest: Digest | null, 
/**
 * Bytes of its layers and configuration.
 */
size: number, 
/**
 * Creation time written in the image.
 */
created: string | null, 
/**
 * Who made it, as written in the image.
 */
author: string | null, 
/**
 * Instructions and layers, from the bottom up.
 */
layers: Array<VersionLayer>, 
/**
 * The instructions do not fit the layers; they stand apart.
 */
unaligned: boolean, 
/**
 * What a container starts with.
 */
config: VersionConfig, };

export type VersionLayer = { 
/**
 * The layer's digest (a diff id on *Local engine*); none for an instruction that made no layer.
 */
digest: string | null, 
/**
 * Bytes; 0 without a layer.
 */
size: number, 
/**
 * What made it; none where the image does not say.
 */
instruction: string | null, 
/**
 * When.
 */
created: string | null, };

export type VersionOrigin = "built" | "uploaded" | "copied" | "elsewhere";

export type VersionPage = { 
/**
 * The rows.
 */
items: Array<Version>, 
/**
 * Tags that fit the search.
 */
total: number, 
/**
 * Tags in all.
 */
all: number, 
/**
 * Rows of this page whose details are still being read; an event says when they are there.
 */
pending: number, 
/**
 * With a sort by creation time or size: how many of the tags could be sorted so far.
 */
sorted: number, 
/**
 * When the registry was asked for its tags.
 */
checked_at: string, 
/**
 * The versions are in the engine's own store.
 */
local: boolean, };

export type VersionRemoval = { 
/**
 * One entry for each manifest (registry) or tag (*Local engine*).
 */
groups: Array<VersionRemovalGroup>, 
/**
 * Every tag that goes: name exactly these when you confirm.
 */
tags: Array<Tag>, 
/**
 * Asked-for tags that do not exist any more.
 */
missing: Array<Tag>, };

export type VersionRemovalGroup = { 
/**
 * The manifest; none on *Local engine*.
 */
digest: Digest | null, 
/**
 * The image; on *Local engine*.
 */
image: ImageId | null, 
/**
 * All tags on it that go.
 */
tags: Array<Tag>, 
/**
 * Those of them that were not asked for.
 */
siblings: Array<Tag>, 
/**
 * Builds that made it.
 */
builds: Array<VersionBuild>, 
/**
 * Running containers that were made from it: it cannot be removed while there are any.
 */
containers: Array<ContainerUse>, 
/**
 * Targets of triggers that need it: it can be removed all the same, but then they cannot get it any more.
 */
needed: Array<DeployNeed>, };

export type VersionRule = { "kind": "parts", 
/**
 * Literal text in front.
 */
prefix: string, 
/**
 * Branch or tag name.
 */
ref_name: boolean, 
/**
 * Update time, `YYYYMMDDHHmmss` in the machine's zone.
 */
update_time: boolean, 
/**
 * Commit, 7 digits.
 */
commit: boolean, } | { "kind": "templates", 
/**
 * At least one.
 */
templates: Array<string>, };

export type VersionSort = "pushed" | "name" | "created" | "size";

export type VersionTags = { 
/**
 * Which image repository.
 */
repository: ImageRepositoryId, 
/**
 * Which tags; to delete: every tag that goes.
 */
tags: Array<Tag>, };

export type WaitReason = { "kind": "slots", 
/**
 * How many builds are ahead of it.
 */
ahead: number, } | { "kind": "same_ref", 
/**
 * That build.
 */
build: BuildId, } | { "kind": "backoff", 
/**
 * When.
 */
until: string, 
/**
 * What failed.
 */
failure: Failure, } | { "kind": "outside", 
/**
 * What failed.
 */
failure: Failure, };

export type WebhookHeader = { 
/**
 * Its name.
 */
name: string, 
/**
 * Its sealed value: most of these are authorisations.
 */
value: SecretId, };

export type WebhookId = number;

export type WebhookListenerForm = { 
/**
 * Listen.
 */
enabled: boolean, 
/**
 * `127.0.0.1:43118`; port 0 takes a free one at each start.
 */
address: string, 
/**
 * `https://hooks.example.com`; left out it is the address itself.
 */
public_url?: string, };

export type WebhookListenerState = { "kind": "off" } | { "kind": "listening", 
/**
 * Where.
 */
address: string, } | { "kind": "failed", 
/**
 * Why.
 */
failure: Failure, };

export type WebhookListenerView = { 
/**
 * It is wanted.
 */
enabled: boolean, 
/**
 * Address and port of this machine.
 */
address: string, 
/**
 * How hosts reach it, when that is not the address itself.
 */
public_url: string | null, 
/**
 * Whether it listens.
 */
state: WebhookListenerState, 
/**
 * What hosts are given; none while it does not listen, or nobody said how it is reached.
 */
reached_at: string | null, 
/**
 * Only this machine reaches the address.
 */
only_this_machine: boolean, 
/**
 * Requests that were refused before they belonged to a webhook, since the start.
 */
refused: number, 
/**
 * Why the last one was.
 */
last_refusal: WebhookRefusal | null, 
/**
 * When it was.
 */
last_refused_at: string | null, };

export type WebhookRefusal = "host" | "origin" | "method" | "path" | "content_type" | "too_large" | "too_slow" | "too_many" | "unsigned" | "wrong_signature" | "too_old" | "unreadable" | "replayed" | "not_checked";

export type WebhookState = { "kind": "registering" } | { "kind": "registered" } | { "kind": "inactive" } | { "kind": "vanished" } | { "kind": "failing", 
/**
 * Why.
 */
failure: Failure, } | { "kind": "removing", 
/**
 * Why that did not work yet.
 */
failure: Failure | null, } | { "kind": "left_behind" };

export type WebhookView = { 
/**
 * Its id.
 */
id: WebhookId, 
/**
 * What a delivery wakes; none once it was removed.
 */
code: CodeRepositoryId | null, 
/**
 * Whose token makes and removes it; none once it was unbound.
 */
account: SourceAccountId | null, 
/**
 * What runs at the host.
 */
provider: HostProvider, 
/**
 * Where the host lives.
 */
base_url: HostBase, 
/**
 * The repository's path there.
 */
repository: RepositoryPath, 
/**
 * Where the host delivers to, without the part that is nobody's business: `https://hooks.example.com/hooks/3f2a…`.
 */
address: string | null, 
/**
 * How it stands.
 */
state: WebhookState, 
/**
 * When the host was asked about it last.
 */
checked_at: string | null, 
/**
 * Deliveries that were taken.
 */
delivered: number, 
/**
 * When the last one was.
 */
last_delivery_at: string | null, 
/**
 * Deliveries that were refused.
 */
refused: number, 
/**
 * Why the last one was.
 */
last_refusal: WebhookRefusal | null, 
/**
 * When it was.
 */
last_refused_at: string | null, };

export type WhichAccount = { 
/**
 * Which.
 */
id: SourceAccountId, };

export type WhichAuthorization = { 
/**
 * Which.
 */
session: number, };

export type WhichBuild = { 
/**
 * Which.
 */
id: BuildId, };

export type WhichChannel = { 
/**
 * Which.
 */
id: ChannelId, };

export type WhichCodeRepository = { 
/**
 * Which.
 */
id: CodeRepositoryId, };

export type WhichCredential = { 
/**
 * Which.
 */
id: CredentialId, };

export type WhichDeployTarget = { 
/**
 * What it is.
 */
target: DeployTarget, };

export type WhichFiring = { 
/**
 * Which.
 */
id: FiringId, };

export type WhichImageRepository = { 
/**
 * Which.
 */
id: ImageRepositoryId, };

export type WhichNotice = { 
/**
 * Which.
 */
id: NoticeId, };

export type WhichRegistry = { 
/**
 * Which.
 */
id: RegistryId, };

export type WhichRule = { 
/**
 * Which.
 */
id: RuleId, };

export type WhichTargetRow = { 
/**
 * Its row.
 */
id: TargetId, };

export type WhichTrigger = { 
/**
 * Which.
 */
id: TriggerId, };

export type WhichUpload = { 
/**
 * Which.
 */
id: string, };

export type WhichVersion = { 
/**
 * Which image repository.
 */
repository: ImageRepositoryId, 
/**
 * A tag or a digest.
 */
reference: string, };

export type WhichWebhook = { 
/**
 * Which.
 */
id: WebhookId, };

export type WorkloadKind = "deployment" | "stateful_set" | "daemon_set" | "cron_job";

export type WriteStarter = { 
/**
 * Which clone.
 */
code: CodeRepositoryId, 
/**
 * Which starter.
 */
starter: StarterId, 
/**
 * Into this folder; the root when left out.
 */
folder?: RepoPath, };

export type WrittenStarter = { 
/**
 * New files, whole paths.
 */
written: Array<string>, 
/**
 * Files that were there and stay as they are.
 */
kept: Array<string>, };

/** Every command with its request and response. */
export interface Commands {
  /** Version, data folder, recovery notice and the engine's state. */
  "system.status": { request: Nothing; response: SystemStatus };
  /** Room on disks, and secrets that cannot be opened. */
  "health.get": { request: Nothing; response: HealthView };
  /** Looks again at disks, full engines and the keychain. */
  "health.check": { request: Nothing; response: Nothing };
  /** Gives up the lost key of the stored secrets: they are entered again and sealed with a new one. */
  "health.use_new_key": { request: Nothing; response: Nothing };
  /** What somebody who helps needs to know, free of secrets, to be read before it is saved. */
  "diagnostics.get": { request: Nothing; response: Array<DiagnosticPartView> };
  /** The settings of the application. */
  "settings.get": { request: Nothing; response: SettingsView };
  /** Changes the settings. */
  "settings.save": { request: SettingsInput; response: Nothing };
  /** The configuration as the text of a file, free of secrets and consents. */
  "configuration.export": { request: Nothing; response: ConfigurationText };
  /** What an import of a file would do; nothing is changed. */
  "configuration.check_import": { request: ImportRequest; response: ImportReport };
  /** Imports a file: adds what is new, changes what differs when that is chosen, removes nothing; all of it or nothing. */
  "configuration.import": { request: ImportRequest; response: ImportReport };
  /** The disk budget, and what the last run did. */
  "disk.budget": { request: Nothing; response: DiskBudgetView };
  /** Sets the disk budget. */
  "disk.save_budget": { request: BudgetForm; response: Nothing };
  /** What Slipway's images and the build cache take on the local engine. */
  "disk.usage": { request: Nothing; response: DiskUseView };
  /** Which images would go: down to the budget, or everything that nothing needs. */
  "disk.preview": { request: DiskPreviewRequest; response: DiskPreviewView };
  /** Removes images that were shown and that still nothing needs. */
  "disk.tidy": { request: TidyRequest; response: TidiedView };
  /** Shrinks the engine's build cache, which all builds on it share. */
  "disk.shrink_cache": { request: ShrinkRequest; response: FreedView };
  /** How far a person is: engine, sample, own repository, own rule, registry. */
  "overview.checklist": { request: Nothing; response: ChecklistView };
  /** Hides the checklist, or shows it again. */
  "overview.dismiss_checklist": { request: DismissChecklist; response: Nothing };
  /** Makes what is missing of the bundled sample and builds it; needs no account, no registry and no network. */
  "sample.build": { request: Nothing; response: SampleView };
  /** Notices, newest first, with how many are unread. */
  "inbox.list": { request: ListNotices; response: Inbox };
  /** One notice. */
  "inbox.get": { request: WhichNotice; response: NoticeView };
  /** Marks one notice as read, or it and all older ones. */
  "inbox.mark_read": { request: MarkNoticesRead; response: Nothing };
  /** Removes a notice and all older ones. */
  "inbox.clear": { request: WhichNotice; response: Nothing };
  /** The notification channels, with how they stand. */
  "channels.list": { request: Nothing; response: Array<ChannelView> };
  /** Adds a notification channel. */
  "channels.add": { request: AddChannel; response: ChannelAdded };
  /** Changes a notification channel; what waits for it is tried at once. */
  "channels.edit": { request: EditChannel; response: Nothing };
  /** Switches a notification channel on or off. */
  "channels.switch": { request: SwitchChannel; response: Nothing };
  /** Removes a notification channel with what waits for it. */
  "channels.delete": { request: WhichChannel; response: Nothing };
  /** Sends a test message once, by a channel as it is stored or as it is typed. */
  "channels.test": { request: TestChannel; response: ChannelTested };
  /** Notes the language that the person uses: messages of channels speak it, too. */
  "settings.speak": { request: SpeakRequest; response: Nothing };
  /** The starters: Dockerfiles for code that has none. */
  "starters.list": { request: Nothing; response: Array<StarterView> };
  /** Which starters fit some code, the best first. */
  "starters.suggest": { request: SuggestStarters; response: StarterSuggestions };
  /** Writes a starter's files into the work tree of a local clone where they are not yet; commits nothing. */
  "starters.write": { request: WriteStarter; response: WrittenStarter };
  /** What a code host asks for before it lets somebody in: pages, scopes, fields of a registration. */
  "accounts.guide": { request: AskAccountGuide; response: AccountGuideView };
  /** Looks without any login whether a provider answers at an address. */
  "accounts.probe": { request: HostForm; response: HostFacts };
  /** All source accounts with their health and what hangs on them. */
  "accounts.list": { request: Nothing; response: Array<AccountView> };
  /** Connects an account with a pasted token; the same person at the same host keeps the id and its rules. */
  "accounts.add_with_token": { request: AddAccountWithToken; response: AuthorizedAccount };
  /** Gives an account another pasted token of the same person; its rules go on. */
  "accounts.reauthorize_with_token": { request: ReauthorizeAccount; response: AuthorizedAccount };
  /** Changes the authority that an account's host is checked by. */
  "accounts.edit": { request: EditAccount; response: Nothing };
  /** Asks the host whose the account's token is and what it may. */
  "accounts.check": { request: WhichAccount; response: Nothing };
  /** What unbinding an account would stop, and where its token is taken back. */
  "accounts.removal": { request: WhichAccount; response: AccountRemovalView };
  /** Unbinds an account: takes the token back at the host where it can, and forgets it here. */
  "accounts.delete": { request: WhichAccount; response: Revocation };
  /** Begins to authorize in the system browser, on another device, or by making a GitHub App. */
  "accounts.authorize_begin": { request: BeginAuthorization; response: AuthorizationBegunView };
  /** How an authorization stands. */
  "accounts.authorize_state": { request: WhichAuthorization; response: AuthorizationStateView };
  /** Cancels an authorization. */
  "accounts.authorize_cancel": { request: WhichAuthorization; response: Nothing };
  /** The OAuth applications that were registered by hand, by host. */
  "accounts.applications": { request: Nothing; response: Array<OauthApplicationView> };
  /** Sets the OAuth application of a host. */
  "accounts.save_application": { request: SaveOauthApplication; response: Nothing };
  /** Forgets the OAuth application of a host; accounts that came from it go on. */
  "accounts.delete_application": { request: HostForm; response: Nothing };
  /** Where repositories of an account can be: its own, organizations, groups. */
  "accounts.organizations": { request: WhichAccount; response: Array<HostOwner> };
  /** A page of an owner's repositories. */
  "accounts.repositories": { request: ListAccountRepositories; response: AccountRepositories };
  /** A page of a repository's branches or tags. */
  "accounts.branches": { request: ListAccountBranches; response: AccountRefs };
  /** The webhook listener: settings, state, and what it refused. */
  "webhooks.listener": { request: Nothing; response: WebhookListenerView };
  /** Changes the webhook listener; an address that cannot be had is in its state. */
  "webhooks.save_listener": { request: WebhookListenerForm; response: Nothing };
  /** All webhooks at code hosts: wanted, on their way out, left behind. */
  "webhooks.list": { request: Nothing; response: Array<WebhookView> };
  /** Asks the host of some code for a webhook; what it says is in the webhook's state. */
  "webhooks.switch_on": { request: SwitchWebhook; response: Nothing };
  /** Removes the webhook of some code at its host. */
  "webhooks.switch_off": { request: SwitchWebhook; response: Nothing };
  /** Asks the host about a webhook now; one that vanished is made again, one that is to go is removed again. */
  "webhooks.check": { request: WhichWebhook; response: Nothing };
  /** Forgets a webhook that could not be removed at its host. */
  "webhooks.forget": { request: WhichWebhook; response: Nothing };
  /** All code repositories with their health. */
  "code_repositories.list": { request: Nothing; response: Array<CodeRepositoryView> };
  /** Adds a code repository; nothing that exists now builds. */
  "code_repositories.add": { request: AddCodeRepository; response: AddedCodeRepository };
  /** Changes a code repository; without a password the stored one stays as long as the host does. */
  "code_repositories.edit": { request: EditCodeRepository; response: Nothing };
  /** Removes a code repository with its mirror. */
  "code_repositories.delete": { request: WhichCodeRepository; response: Nothing };
  /** Tries to reach a place before it is saved. */
  "code_repositories.test": { request: TestCodeRepository; response: RemoteRefs };
  /** Confirms the key of an SSH host that was shown by its fingerprint. */
  "code_repositories.trust_host_key": { request: TrustHostKey; response: Nothing };
  /** Looks at a code repository now. */
  "code_repositories.check": { request: WhichCodeRepository; response: Nothing };
  /** Branches and tags as the remote has them now. */
  "code_repositories.refs": { request: WhichCodeRepository; response: RemoteRefs };
  /** A folder at the head of a ref, for the pickers. */
  "code_repositories.folder": { request: ListFolder; response: Array<TreeEntry> };
  /** All registries with their credentials, *Local engine* first. */
  "registries.list": { request: Nothing; response: Array<RegistryView> };
  /** Adds an OCI registry. */
  "registries.add": { request: AddRegistry; response: AddedRegistry };
  /** Changes an OCI registry; its host only while no password is bound to it. */
  "registries.edit": { request: EditRegistry; response: Nothing };
  /** Removes an OCI registry with its credentials. */
  "registries.delete": { request: WhichRegistry; response: Nothing };
  /** Adds a credential to a registry. */
  "registries.add_credential": { request: AddCredential; response: AddedCredential };
  /** Changes a credential. */
  "registries.edit_credential": { request: EditCredential; response: Nothing };
  /** Removes a credential. */
  "registries.delete_credential": { request: WhichCredential; response: Nothing };
  /** Tests read and push rights hop by hop, by beginning and cancelling an upload. */
  "registries.test": { request: TestRegistry; response: Array<HopView> };
  /** Namespaces of a registry, and how a new one comes to exist. */
  "registries.namespaces": { request: ListNamespaces; response: NamespaceList };
  /** Makes a namespace at a registry that allows it. */
  "registries.create_namespace": { request: CreateNamespace; response: Nothing };
  /** Image repositories with counts, by name. */
  "image_repositories.list": { request: ListImageRepositories; response: ImageRepositoryList };
  /** One image repository. */
  "image_repositories.get": { request: WhichImageRepository; response: ImageRepositoryView };
  /** Adds an image repository; read-only, with the reason, when its credential cannot push. */
  "image_repositories.add": { request: AddImageRepository; response: AddedImageRepository };
  /** Changes an image repository and asks again whether it can be pushed to. */
  "image_repositories.edit": { request: EditImageRepository; response: Nothing };
  /** What deleting an image repository would take with it. */
  "image_repositories.removal": { request: WhichImageRepository; response: ImageRepositoryRemovalView };
  /** Removes an image repository with its rules and records; images and tags stay where they are. */
  "image_repositories.delete": { request: WhichImageRepository; response: Nothing };
  /** A page of versions; details that are still being read follow with an event. */
  "versions.list": { request: ListVersions; response: VersionPage };
  /** Everything about one version: images, layers with their instructions, configuration, commands. */
  "versions.get": { request: WhichVersion; response: VersionDetail };
  /** The exact text of a manifest. */
  "versions.manifest": { request: WhichVersion; response: ManifestText };
  /** What differs between two versions: layers, configuration, size, commits. */
  "versions.compare": { request: CompareVersions; response: VersionComparison };
  /** What would go with these tags, and what uses it. */
  "versions.removal": { request: VersionTags; response: VersionRemoval };
  /** Removes versions; every tag that goes must be named. */
  "versions.delete": { request: VersionTags; response: Nothing };
  /** Puts what a tag or digest holds under another tag, also of another repository of the same registry. */
  "versions.copy": { request: CopyVersion; response: CopiedVersion };
  /** The retention rule of an image repository, its last run, and the one that is under way. */
  "retention.get": { request: RetentionOf; response: RetentionView };
  /** What a retention rule would remove and why the rest stays (模拟执行); changes nothing. */
  "retention.preview": { request: PreviewRetention; response: RetentionPreview };
  /** Saves a retention rule, or switches it off. */
  "retention.save": { request: SaveRetention; response: Nothing };
  /** Begins to remove what a rule lets go, of the tags that a person agreed to (立即执行). */
  "retention.run": { request: RunRetention; response: Nothing };
  /** Stops the removal that is under way. */
  "retention.stop": { request: RetentionOf; response: Nothing };
  /** Begins to send a file; its bytes follow in pieces. */
  "uploads.begin": { request: BeginUpload; response: BegunUpload };
  /** Sends a piece of a file. */
  "uploads.append": { request: AppendUpload; response: ReceivedUpload };
  /** Forgets a file that was being sent. */
  "uploads.discard": { request: WhichUpload; response: Nothing };
  /** The images of an archive as `docker save` writes it, or in the OCI layout. */
  "uploads.archive_images": { request: ListArchive; response: Array<ArchiveImageView> };
  /** Uploads an image: a local one, or one of an archive. */
  "uploads.image": { request: UploadImage; response: StartedBuild };
  /** The named images of the local engine, newest first. */
  "engine.images": { request: ListEngineImages; response: Array<EngineImageSummary> };
  /** Builds an uploaded Dockerfile. */
  "uploads.dockerfile": { request: BuildDockerfile; response: StartedBuild };
  /** What is wrong with the text of a Dockerfile; nothing when it is fine. */
  "uploads.check_dockerfile": { request: CheckDockerfile; response: DockerfileProblem };
  /** The rules of an image repository, by name. */
  "rules.list": { request: ListRules; response: Array<RuleView> };
  /** One rule. */
  "rules.get": { request: WhichRule; response: RuleView };
  /** Adds a rule; what its code holds now counts as handled. */
  "rules.add": { request: AddRule; response: AddedRule };
  /** Changes a rule; what it has built and handled stays. */
  "rules.edit": { request: EditRule; response: Nothing };
  /** Copies a rule under another name, switched off. */
  "rules.duplicate": { request: DuplicateRule; response: AddedRule };
  /** Turns a rule on or off; off, pushes count as seen. */
  "rules.set_auto_trigger": { request: SetAutoTrigger; response: Nothing };
  /** Deletes a rule: records stay, waiting builds are cancelled, running ones when asked for. */
  "rules.delete": { request: DeleteRule; response: DeletedRule };
  /** Seals a secret that a rule's builds mount. */
  "rules.keep_secret": { request: KeepBuildSecret; response: KeptBuildSecret };
  /** Which known refs a rule matches and what their images would be called. */
  "rules.preview": { request: PreviewRule; response: RulePreviewView };
  /** Checks a rule against its code, its base images and its registry before it is saved. */
  "rules.preflight": { request: AddRule; response: PreflightView };
  /** A page of builds, newest first. */
  "builds.list": { request: ListBuilds; response: BuildList };
  /** Everything about a build but its log. */
  "builds.get": { request: WhichBuild; response: BuildDetailView };
  /** The Dockerfile of a build as it was built, with the lines that it failed at. */
  "builds.dockerfile": { request: WhichBuild; response: BuildDockerfileView };
  /** The build that a build is compared with, and the files that changed between their commits. */
  "builds.compare": { request: WhichBuild; response: BuildComparisonView };
  /** Builds a rule now: a branch, a tag or a commit. */
  "builds.start": { request: StartBuild; response: StartedBuild };
  /** Runs a build again, with the same inputs or with changes. */
  "builds.rerun": { request: RerunBuild; response: StartedBuild };
  /** Cancels a build in whatever phase it is. */
  "builds.cancel": { request: WhichBuild; response: CancelledBuild };
  /** Removes the record and the log of a build that is over. */
  "builds.delete": { request: WhichBuild; response: Nothing };
  /** Everything unfinished, with the reason why it waits. */
  "builds.queue": { request: Nothing; response: Array<QueueRow> };
  /** Lines of a log: from a line on, of one step, or its end. */
  "builds.log": { request: ReadLog; response: LogPage };
  /** Counts the lines of a log that hold a text, exactly, and names them. */
  "builds.log_search": { request: SearchLog; response: LogSearchView };
  /** How much of a log each step wrote. */
  "builds.log_steps": { request: WhichBuild; response: Array<StepLinesView> };
  /** Image triggers by name, of one repository or of all. */
  "triggers.list": { request: ListTriggers; response: Array<TriggerView> };
  /** One trigger. */
  "triggers.get": { request: WhichTrigger; response: TriggerView };
  /** Adds a trigger; tags that are there now count as seen. */
  "triggers.add": { request: AddTrigger; response: AddedTrigger };
  /** Changes a trigger. */
  "triggers.edit": { request: EditTrigger; response: Nothing };
  /** Turns a trigger on or off; off, new tags count as seen. */
  "triggers.set_enabled": { request: SetTriggerEnabled; response: Nothing };
  /** Deletes a trigger: records stay, what waits ends, what runs too when asked for. */
  "triggers.delete": { request: DeleteTrigger; response: DeletedTrigger };
  /** Which of the tags that are there now a condition matches. */
  "triggers.preview": { request: PreviewTrigger; response: TriggerPreviewView };
  /** Looks at the tags of a repository now. */
  "triggers.check": { request: CheckTags; response: Nothing };
  /** Takes the pin of a rollback away from what a trigger updates: it goes on with the newest tag that it left out. */
  "triggers.resume": { request: WhichTrigger; response: ResumedTarget };
  /** Seals a header's value or a signing key of a webhook. */
  "triggers.keep_secret": { request: KeepTargetSecret; response: KeptTargetSecret };
  /** A page of trigger records and of what people did to targets, newest first. */
  "firings.list": { request: ListFirings; response: FiringList };
  /** Everything about a firing but its log: plan, steps, result. */
  "firings.get": { request: WhichFiring; response: FiringDetailView };
  /** The log of a firing. */
  "firings.log": { request: WhichFiring; response: Array<FiringLineView> };
  /** Cancels a firing; one that runs undoes what it did. */
  "firings.cancel": { request: WhichFiring; response: CancelledFiring };
  /** Removes the record of a firing that is over. */
  "firings.delete": { request: WhichFiring; response: Nothing };
  /** What runs where: everything on the engines, and what triggers update elsewhere. */
  "targets.list": { request: Nothing; response: DeployTargetList };
  /** One target with what it can go back to. */
  "targets.get": { request: WhichDeployTarget; response: DeployTargetDetail };
  /** The first step of the cascade: engines and clusters. */
  "targets.places": { request: Nothing; response: Array<DeployPlace> };
  /** The contexts of a kubeconfig file; no cluster is asked, and no program runs. */
  "targets.contexts": { request: ListKubeContexts; response: Array<KubeContextView> };
  /** The second step: containers, Compose projects, Swarm services, namespaces. */
  "targets.groups": { request: ListServiceGroups; response: Array<ServiceGroup> };
  /** The third step: what runs in a group, with its image and health. */
  "targets.services": { request: ListServices; response: Array<ListedService> };
  /** Updates a target now, to a chosen image. */
  "targets.update_now": { request: UpdateTargetNow; response: StartedFiring };
  /** Rolls a target back to an image that it ran; its triggers are paused. */
  "targets.roll_back": { request: RollBackTarget; response: StartedFiring };
  /** Takes the pin of a rollback away; the triggers go on with the newest tag that they left out. */
  "targets.resume": { request: WhichTargetRow; response: ResumedTarget };
  /** Runs an image as a new container or Swarm service. */
  "targets.run_image": { request: RunImageRequest; response: StartedFiring };
}

/** Cache tags: what a read provides, what a write invalidates. */
export const commandTags = {
  "system.status": { kind: "read", tags: ["engine"] },
  "health.get": { kind: "read", tags: ["health"] },
  "health.check": { kind: "write", tags: ["health","builds"] },
  "health.use_new_key": { kind: "write", tags: ["health"] },
  "diagnostics.get": { kind: "read", tags: [] },
  "settings.get": { kind: "read", tags: ["settings"] },
  "settings.save": { kind: "write", tags: ["settings","builds"] },
  "configuration.export": { kind: "read", tags: [] },
  "configuration.check_import": { kind: "read", tags: [] },
  "configuration.import": { kind: "write", tags: ["settings","code_repositories","registries","image_repositories","rules","triggers","targets","health"] },
  "disk.budget": { kind: "read", tags: ["settings","disk"] },
  "disk.save_budget": { kind: "write", tags: ["settings","disk"] },
  "disk.usage": { kind: "read", tags: ["disk"] },
  "disk.preview": { kind: "read", tags: ["disk"] },
  "disk.tidy": { kind: "write", tags: ["disk","versions"] },
  "disk.shrink_cache": { kind: "write", tags: ["disk"] },
  "overview.checklist": { kind: "read", tags: ["engine","settings","code_repositories","image_repositories","rules","builds","registries"] },
  "overview.dismiss_checklist": { kind: "write", tags: ["settings"] },
  "sample.build": { kind: "write", tags: ["code_repositories","image_repositories","rules","builds"] },
  "inbox.list": { kind: "read", tags: ["inbox"] },
  "inbox.get": { kind: "read", tags: ["inbox"] },
  "inbox.mark_read": { kind: "write", tags: ["inbox"] },
  "inbox.clear": { kind: "write", tags: ["inbox"] },
  "channels.list": { kind: "read", tags: ["channels"] },
  "channels.add": { kind: "write", tags: ["channels","health"] },
  "channels.edit": { kind: "write", tags: ["channels","health"] },
  "channels.switch": { kind: "write", tags: ["channels"] },
  "channels.delete": { kind: "write", tags: ["channels","health"] },
  "channels.test": { kind: "write", tags: [] },
  "settings.speak": { kind: "write", tags: [] },
  "starters.list": { kind: "read", tags: [] },
  "starters.suggest": { kind: "read", tags: ["code_repositories"] },
  "starters.write": { kind: "write", tags: ["code_repositories"] },
  "accounts.guide": { kind: "read", tags: ["accounts"] },
  "accounts.probe": { kind: "read", tags: [] },
  "accounts.list": { kind: "read", tags: ["accounts","code_repositories","rules"] },
  "accounts.add_with_token": { kind: "write", tags: ["accounts","code_repositories"] },
  "accounts.reauthorize_with_token": { kind: "write", tags: ["accounts","code_repositories"] },
  "accounts.edit": { kind: "write", tags: ["accounts"] },
  "accounts.check": { kind: "write", tags: ["accounts","code_repositories"] },
  "accounts.removal": { kind: "read", tags: ["accounts","code_repositories","rules"] },
  "accounts.delete": { kind: "write", tags: ["accounts","code_repositories","webhooks"] },
  "accounts.authorize_begin": { kind: "write", tags: [] },
  "accounts.authorize_state": { kind: "read", tags: ["accounts"] },
  "accounts.authorize_cancel": { kind: "write", tags: [] },
  "accounts.applications": { kind: "read", tags: ["accounts"] },
  "accounts.save_application": { kind: "write", tags: ["accounts"] },
  "accounts.delete_application": { kind: "write", tags: ["accounts"] },
  "accounts.organizations": { kind: "read", tags: ["accounts"] },
  "accounts.repositories": { kind: "read", tags: ["accounts"] },
  "accounts.branches": { kind: "read", tags: ["accounts"] },
  "webhooks.listener": { kind: "read", tags: ["webhooks"] },
  "webhooks.save_listener": { kind: "write", tags: ["webhooks"] },
  "webhooks.list": { kind: "read", tags: ["webhooks"] },
  "webhooks.switch_on": { kind: "write", tags: ["webhooks","accounts"] },
  "webhooks.switch_off": { kind: "write", tags: ["webhooks"] },
  "webhooks.check": { kind: "write", tags: ["webhooks"] },
  "webhooks.forget": { kind: "write", tags: ["webhooks"] },
  "code_repositories.list": { kind: "read", tags: ["code_repositories"] },
  "code_repositories.add": { kind: "write", tags: ["code_repositories"] },
  "code_repositories.edit": { kind: "write", tags: ["code_repositories","webhooks"] },
  "code_repositories.delete": { kind: "write", tags: ["code_repositories","webhooks"] },
  "code_repositories.test": { kind: "read", tags: [] },
  "code_repositories.trust_host_key": { kind: "write", tags: ["code_repositories","builds"] },
  "code_repositories.check": { kind: "write", tags: ["code_repositories","builds"] },
  "code_repositories.refs": { kind: "read", tags: ["code_repositories"] },
  "code_repositories.folder": { kind: "read", tags: ["code_repositories"] },
  "registries.list": { kind: "read", tags: ["registries"] },
  "registries.add": { kind: "write", tags: ["registries"] },
  "registries.edit": { kind: "write", tags: ["registries","image_repositories"] },
  "registries.delete": { kind: "write", tags: ["registries"] },
  "registries.add_credential": { kind: "write", tags: ["registries"] },
  "registries.edit_credential": { kind: "write", tags: ["registries","image_repositories"] },
  "registries.delete_credential": { kind: "write", tags: ["registries","image_repositories"] },
  "registries.test": { kind: "write", tags: ["registries"] },
  "registries.namespaces": { kind: "read", tags: ["registries","image_repositories"] },
  "registries.create_namespace": { kind: "write", tags: ["registries","image_repositories"] },
  "image_repositories.list": { kind: "read", tags: ["image_repositories"] },
  "image_repositories.get": { kind: "read", tags: ["image_repositories"] },
  "image_repositories.add": { kind: "write", tags: ["image_repositories"] },
  "image_repositories.edit": { kind: "write", tags: ["image_repositories"] },
  "image_repositories.removal": { kind: "read", tags: ["image_repositories","rules","builds"] },
  "image_repositories.delete": { kind: "write", tags: ["image_repositories","rules","builds"] },
  "versions.list": { kind: "read", tags: ["versions"] },
  "versions.get": { kind: "read", tags: ["versions"] },
  "versions.manifest": { kind: "read", tags: ["versions"] },
  "versions.compare": { kind: "read", tags: ["versions"] },
  "versions.removal": { kind: "read", tags: ["versions"] },
  "versions.delete": { kind: "write", tags: ["versions","image_repositories"] },
  "versions.copy": { kind: "write", tags: ["versions","image_repositories"] },
  "retention.get": { kind: "read", tags: ["versions","image_repositories"] },
  "retention.preview": { kind: "read", tags: ["versions"] },
  "retention.save": { kind: "write", tags: ["versions"] },
  "retention.run": { kind: "write", tags: ["versions"] },
  "retention.stop": { kind: "write", tags: ["versions"] },
  "uploads.begin": { kind: "write", tags: [] },
  "uploads.append": { kind: "write", tags: [] },
  "uploads.discard": { kind: "write", tags: [] },
  "uploads.archive_images": { kind: "read", tags: [] },
  "uploads.image": { kind: "write", tags: ["builds","image_repositories"] },
  "engine.images": { kind: "read", tags: ["engine"] },
  "uploads.dockerfile": { kind: "write", tags: ["builds","image_repositories"] },
  "uploads.check_dockerfile": { kind: "read", tags: [] },
  "rules.list": { kind: "read", tags: ["rules"] },
  "rules.get": { kind: "read", tags: ["rules"] },
  "rules.add": { kind: "write", tags: ["rules","image_repositories"] },
  "rules.edit": { kind: "write", tags: ["rules"] },
  "rules.duplicate": { kind: "write", tags: ["rules","image_repositories"] },
  "rules.set_auto_trigger": { kind: "write", tags: ["rules"] },
  "rules.delete": { kind: "write", tags: ["rules","builds","image_repositories"] },
  "rules.keep_secret": { kind: "write", tags: [] },
  "rules.preview": { kind: "read", tags: ["rules","code_repositories"] },
  "rules.preflight": { kind: "read", tags: ["rules","code_repositories","registries","engine"] },
  "builds.list": { kind: "read", tags: ["builds"] },
  "builds.get": { kind: "read", tags: ["builds"] },
  "builds.dockerfile": { kind: "read", tags: ["builds"] },
  "builds.compare": { kind: "read", tags: ["builds"] },
  "builds.start": { kind: "write", tags: ["builds","image_repositories"] },
  "builds.rerun": { kind: "write", tags: ["builds","image_repositories"] },
  "builds.cancel": { kind: "write", tags: ["builds","image_repositories"] },
  "builds.delete": { kind: "write", tags: ["builds","log","image_repositories"] },
  "builds.queue": { kind: "read", tags: ["builds"] },
  "builds.log": { kind: "read", tags: ["log"] },
  "builds.log_search": { kind: "read", tags: ["log"] },
  "builds.log_steps": { kind: "read", tags: ["log"] },
  "triggers.list": { kind: "read", tags: ["triggers","firings"] },
  "triggers.get": { kind: "read", tags: ["triggers","firings"] },
  "triggers.add": { kind: "write", tags: ["triggers","targets","image_repositories"] },
  "triggers.edit": { kind: "write", tags: ["triggers","targets"] },
  "triggers.set_enabled": { kind: "write", tags: ["triggers","targets"] },
  "triggers.delete": { kind: "write", tags: ["triggers","firings","targets","image_repositories"] },
  "triggers.preview": { kind: "read", tags: ["versions"] },
  "triggers.check": { kind: "write", tags: ["triggers","firings"] },
  "triggers.resume": { kind: "write", tags: ["triggers","firings","targets"] },
  "triggers.keep_secret": { kind: "write", tags: [] },
  "firings.list": { kind: "read", tags: ["firings"] },
  "firings.get": { kind: "read", tags: ["firings"] },
  "firings.log": { kind: "read", tags: ["firings"] },
  "firings.cancel": { kind: "write", tags: ["firings","targets"] },
  "firings.delete": { kind: "write", tags: ["firings","targets"] },
  "targets.list": { kind: "read", tags: ["targets","firings","triggers"] },
  "targets.get": { kind: "read", tags: ["targets","firings","triggers"] },
  "targets.places": { kind: "read", tags: ["targets"] },
  "targets.contexts": { kind: "read", tags: [] },
  "targets.groups": { kind: "read", tags: ["targets"] },
  "targets.services": { kind: "read", tags: ["targets"] },
  "targets.update_now": { kind: "write", tags: ["firings","targets"] },
  "targets.roll_back": { kind: "write", tags: ["firings","targets","triggers"] },
  "targets.resume": { kind: "write", tags: ["firings","targets","triggers"] },
  "targets.run_image": { kind: "write", tags: ["firings","targets"] },
} as const;
