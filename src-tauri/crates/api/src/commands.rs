commands! {
    /// Version, data folder, recovery notice and the engine's state.
    Read "system.status" system::Nothing => system::SystemStatus, [Engine], system::status;
    /// Room on disks, and secrets that cannot be opened.
    Read "health.get" system::Nothing => health::HealthView, [Health], health::get;
    /// Looks again at disks, full engines and the keychain.
    Write "health.check" system::Nothing => system::Nothing, [Health, Builds], health::check;
    /// Gives up the lost key of the stored secrets: they are entered again and sealed with a new one.
    Write "health.use_new_key" system::Nothing => system::Nothing, [Health], health::use_new_key;
    /// What somebody who helps needs to know, free of secrets, to be read before it is saved.
    Read "diagnostics.get" system::Nothing => Vec<health::DiagnosticPartView>, [], health::diagnostics;
    /// The settings of the application.
    Read "settings.get" system::Nothing => settings::SettingsView, [Settings], settings::get;
    /// Changes the settings.
    Write "settings.save" settings::SettingsInput => system::Nothing, [Settings, Builds], settings::save;

    /// The configuration as the text of a file, free of secrets and consents.
    Read "configuration.export" system::Nothing => configuration::ConfigurationText, [], configuration::export;
    /// What an import of a file would do; nothing is changed.
    Read "configuration.check_import" configuration::ImportRequest => slipway_core::configuration::ImportReport, [], configuration::check_import;
    /// Imports a file: adds what is new, changes what differs when that is chosen, removes nothing; all of it or nothing.
    Write "configuration.import" configuration::ImportRequest => slipway_core::configuration::ImportReport, [Settings, CodeRepositories, Registries, ImageRepositories, Rules, Triggers, Targets, Health], configuration::import;

    /// The disk budget, and what the last run did.
    Read "disk.budget" system::Nothing => disk::DiskBudgetView, [Settings, Disk], disk::budget;
    /// Sets the disk budget.
    Write "disk.save_budget" disk::BudgetForm => system::Nothing, [Settings, Disk], disk::save_budget;
    /// What Slipway's images and the build cache take on the local engine.
    Read "disk.usage" system::Nothing => disk::DiskUseView, [Disk], disk::usage;
    /// Which images would go: down to the budget, or everything that nothing needs.
    Read "disk.preview" disk::DiskPreviewRequest => disk::DiskPreviewView, [Disk], disk::preview;
    /// Removes images that were shown and that still nothing needs.
    Write "disk.tidy" disk::TidyRequest => disk::TidiedView, [Disk, Versions], disk::tidy;
    /// Shrinks the engine's build cache, which all builds on it share.
    Write "disk.shrink_cache" disk::ShrinkRequest => disk::FreedView, [Disk], disk::shrink_cache;

    /// How far a person is: engine, sample, own repository, own rule, registry.
    Read "overview.checklist" system::Nothing => overview::ChecklistView, [Engine, Settings, CodeRepositories, ImageRepositories, Rules, Builds, Registries], overview::checklist;
    /// Hides the checklist, or shows it again.
    Write "overview.dismiss_checklist" overview::DismissRequest => system::Nothing, [Settings], overview::dismiss;
    /// Makes what is missing of the bundled sample and builds it; needs no account, no registry and no network.
    Write "sample.build" system::Nothing => overview::SampleView, [CodeRepositories, ImageRepositories, Rules, Builds], overview::build_sample;

    /// Notices, newest first, with how many are unread.
    Read "inbox.list" inbox::ListRequest => inbox::Inbox, [Inbox], inbox::list;
    /// One notice.
    Read "inbox.get" inbox::Which => inbox::NoticeView, [Inbox], inbox::get;
    /// Marks one notice as read, or it and all older ones.
    Write "inbox.mark_read" inbox::MarkReadRequest => system::Nothing, [Inbox], inbox::mark_read;
    /// Removes a notice and all older ones.
    Write "inbox.clear" inbox::Which => system::Nothing, [Inbox], inbox::clear;

    /// The notification channels, with how they stand.
    Read "channels.list" system::Nothing => Vec<channels::ChannelView>, [Channels], channels::list;
    /// Adds a notification channel.
    Write "channels.add" channels::AddRequest => channels::ChannelAdded, [Channels, Health], channels::add;
    /// Changes a notification channel; what waits for it is tried at once.
    Write "channels.edit" channels::EditRequest => system::Nothing, [Channels, Health], channels::edit;
    /// Switches a notification channel on or off.
    Write "channels.switch" channels::SwitchRequest => system::Nothing, [Channels], channels::switch;
    /// Removes a notification channel with what waits for it.
    Write "channels.delete" channels::Which => system::Nothing, [Channels, Health], channels::delete;
    /// Sends a test message once, by a channel as it is stored or as it is typed.
    Write "channels.test" channels::TestRequest => channels::ChannelTested, [], channels::test;
    /// Notes the language that the person uses: messages of channels speak it, too.
    Write "settings.speak" channels::SpeakRequest => system::Nothing, [], channels::speak;

    /// The starters: Dockerfiles for code that has none.
    Read "starters.list" system::Nothing => Vec<starters::StarterView>, [], starters::list;
    /// Which starters fit some code, the best first.
    Read "starters.suggest" starters::SuggestRequest => starters::StarterSuggestions, [CodeRepositories], starters::suggest;
    /// Writes a starter's files into the work tree of a local clone where they are not yet; commits nothing.
    Write "starters.write" starters::WriteRequest => starters::WrittenStarter, [CodeRepositories], starters::write;

    /// What a code host asks for before it lets somebody in: pages, scopes, fields of a registration.
    Read "accounts.guide" accounts::GuideRequest => accounts::AccountGuideView, [Accounts], accounts::guide;
    /// Looks without any login whether a provider answers at an address.
    Read "accounts.probe" accounts::HostForm => slipway_core::host::HostFacts, [], accounts::probe;
    /// All source accounts with their health and what hangs on them.
    Read "accounts.list" system::Nothing => Vec<accounts::AccountView>, [Accounts, CodeRepositories, Rules], accounts::list;
    /// Connects an account with a pasted token; the same person at the same host keeps the id and its rules.
    Write "accounts.add_with_token" accounts::AddWithTokenRequest => accounts::AuthorizedAccount, [Accounts, CodeRepositories], accounts::add_with_token;
    /// Gives an account another pasted token of the same person; its rules go on.
    Write "accounts.reauthorize_with_token" accounts::ReauthorizeRequest => accounts::AuthorizedAccount, [Accounts, CodeRepositories], accounts::reauthorize_with_token;
    /// Changes the authority that an account's host is checked by.
    Write "accounts.edit" accounts::EditRequest => system::Nothing, [Accounts], accounts::edit;
    /// Asks the host whose the account's token is and what it may.
    Write "accounts.check" accounts::Which => system::Nothing, [Accounts, CodeRepositories], accounts::check;
    /// What unbinding an account would stop, and where its token is taken back.
    Read "accounts.removal" accounts::Which => accounts::AccountRemovalView, [Accounts, CodeRepositories, Rules], accounts::removal;
    /// Unbinds an account: takes the token back at the host where it can, and forgets it here.
    Write "accounts.delete" accounts::Which => slipway_core::host::Revocation, [Accounts, CodeRepositories, Webhooks], accounts::delete;
    /// Begins to authorize in the system browser, on another device, or by making a GitHub App.
    Write "accounts.authorize_begin" authorizations::BeginRequest => authorizations::AuthorizationBegunView, [], authorizations::begin;
    /// How an authorization stands.
    Read "accounts.authorize_state" authorizations::WhichSession => authorizations::AuthorizationStateView, [Accounts], authorizations::state;
    /// Cancels an authorization.
    Write "accounts.authorize_cancel" authorizations::WhichSession => system::Nothing, [], authorizations::cancel;
    /// The OAuth applications that were registered by hand, by host.
    Read "accounts.applications" system::Nothing => Vec<authorizations::OauthApplicationView>, [Accounts], authorizations::applications;
    /// Sets the OAuth application of a host.
    Write "accounts.save_application" authorizations::SaveApplicationRequest => system::Nothing, [Accounts], authorizations::save_application;
    /// Forgets the OAuth application of a host; accounts that came from it go on.
    Write "accounts.delete_application" accounts::HostForm => system::Nothing, [Accounts], authorizations::delete_application;
    /// Where repositories of an account can be: its own, organizations, groups.
    Read "accounts.organizations" accounts::Which => Vec<slipway_core::host::HostOwner>, [Accounts], accounts::organizations;
    /// A page of an owner's repositories.
    Read "accounts.repositories" accounts::RepositoriesRequest => accounts::AccountRepositories, [Accounts], accounts::repositories;
    /// A page of a repository's branches or tags.
    Read "accounts.branches" accounts::BranchesRequest => accounts::AccountRefs, [Accounts], accounts::branches;

    /// The webhook listener: settings, state, and what it refused.
    Read "webhooks.listener" system::Nothing => webhooks::WebhookListenerView, [Webhooks], webhooks::listener;
    /// Changes the webhook listener; an address that cannot be had is in its state.
    Write "webhooks.save_listener" webhooks::WebhookListenerForm => system::Nothing, [Webhooks], webhooks::save_listener;
    /// All webhooks at code hosts: wanted, on their way out, left behind.
    Read "webhooks.list" system::Nothing => Vec<webhooks::WebhookView>, [Webhooks], webhooks::list;
    /// Asks the host of some code for a webhook; what it says is in the webhook's state.
    Write "webhooks.switch_on" webhooks::SwitchRequest => system::Nothing, [Webhooks, Accounts], webhooks::switch_on;
    /// Removes the webhook of some code at its host.
    Write "webhooks.switch_off" webhooks::SwitchRequest => system::Nothing, [Webhooks], webhooks::switch_off;
    /// Asks the host about a webhook now; one that vanished is made again, one that is to go is removed again.
    Write "webhooks.check" webhooks::Which => system::Nothing, [Webhooks], webhooks::check;
    /// Forgets a webhook that could not be removed at its host.
    Write "webhooks.forget" webhooks::Which => system::Nothing, [Webhooks], webhooks::forget;

    /// All code repositories with their health.
    Read "code_repositories.list" system::Nothing => Vec<code_repositories::CodeRepositoryView>, [CodeRepositories], code_repositories::list;
    /// Adds a code repository; nothing that exists now builds.
    Write "code_repositories.add" code_repositories::AddRequest => code_repositories::Added, [CodeRepositories], code_repositories::add;
    /// Changes a code repository; without a password the stored one stays as long as the host does.
    Write "code_repositories.edit" code_repositories::EditRequest => system::Nothing, [CodeRepositories, Webhooks], code_repositories::edit;
    /// Removes a code repository with its mirror.
    Write "code_repositories.delete" code_repositories::Which => system::Nothing, [CodeRepositories, Webhooks], code_repositories::delete;
    /// Tries to reach a place before it is saved.
    Read "code_repositories.test" code_repositories::TestRequest => slipway_core::code::RemoteRefs, [], code_repositories::test;
    /// Confirms the key of an SSH host that was shown by its fingerprint.
    Write "code_repositories.trust_host_key" code_repositories::TrustRequest => system::Nothing, [CodeRepositories, Builds], code_repositories::trust_host_key;
    /// Looks at a code repository now.
    Write "code_repositories.check" code_repositories::Which => system::Nothing, [CodeRepositories, Builds], code_repositories::check;
    /// Branches and tags as the remote has them now.
    Read "code_repositories.refs" code_repositories::Which => slipway_core::code::RemoteRefs, [CodeRepositories], code_repositories::refs;
    /// A folder at the head of a ref, for the pickers.
    Read "code_repositories.folder" code_repositories::FolderRequest => Vec<slipway_core::code::TreeEntry>, [CodeRepositories], code_repositories::folder;

    /// All registries with their credentials, *Local engine* first.
    Read "registries.list" system::Nothing => Vec<registries::RegistryView>, [Registries], registries::list;
    /// Adds an OCI registry.
    Write "registries.add" registries::AddRequest => registries::Added, [Registries], registries::add;
    /// Changes an OCI registry; its host only while no password is bound to it.
    Write "registries.edit" registries::EditRequest => system::Nothing, [Registries, ImageRepositories], registries::edit;
    /// Removes an OCI registry with its credentials.
    Write "registries.delete" registries::Which => system::Nothing, [Registries], registries::delete;
    /// Adds a credential to a registry.
    Write "registries.add_credential" registries::AddCredentialRequest => registries::AddedCredential, [Registries], registries::add_credential;
    /// Changes a credential.
    Write "registries.edit_credential" registries::EditCredentialRequest => system::Nothing, [Registries, ImageRepositories], registries::edit_credential;
    /// Removes a credential.
    Write "registries.delete_credential" registries::WhichCredential => system::Nothing, [Registries, ImageRepositories], registries::delete_credential;
    /// Tests read and push rights hop by hop, by beginning and cancelling an upload.
    Write "registries.test" registries::TestRequest => Vec<registries::HopView>, [Registries], registries::test;

    /// Namespaces of a registry, and how a new one comes to exist.
    Read "registries.namespaces" versions::NamespacesRequest => slipway_core::namespace::NamespaceList, [Registries, ImageRepositories], versions::namespaces;
    /// Makes a namespace at a registry that allows it.
    Write "registries.create_namespace" versions::CreateNamespaceRequest => system::Nothing, [Registries, ImageRepositories], versions::create_namespace;

    /// Image repositories with counts, by name.
    Read "image_repositories.list" image_repositories::ListRequest => image_repositories::ImageRepositoryList, [ImageRepositories], image_repositories::list;
    /// One image repository.
    Read "image_repositories.get" image_repositories::Which => image_repositories::ImageRepositoryView, [ImageRepositories], image_repositories::get;
    /// Adds an image repository; read-only, with the reason, when its credential cannot push.
    Write "image_repositories.add" image_repositories::AddRequest => image_repositories::Added, [ImageRepositories], image_repositories::add;
    /// Changes an image repository and asks again whether it can be pushed to.
    Write "image_repositories.edit" image_repositories::EditRequest => system::Nothing, [ImageRepositories], image_repositories::edit;
    /// What deleting an image repository would take with it.
    Read "image_repositories.removal" image_repositories::Which => image_repositories::ImageRepositoryRemovalView, [ImageRepositories, Rules, Builds], image_repositories::removal;
    /// Removes an image repository with its rules and records; images and tags stay where they are.
    Write "image_repositories.delete" image_repositories::Which => system::Nothing, [ImageRepositories, Rules, Builds], image_repositories::delete;

    /// A page of versions; details that are still being read follow with an event.
    Read "versions.list" versions::ListRequest => slipway_core::version::VersionPage, [Versions], versions::list;
    /// Everything about one version: images, layers with their instructions, configuration, commands.
    Read "versions.get" versions::GetRequest => slipway_core::version::VersionDetail, [Versions], versions::get;
    /// The exact text of a manifest.
    Read "versions.manifest" versions::GetRequest => versions::ManifestText, [Versions], versions::manifest;
    /// What differs between two versions: layers, configuration, size, commits.
    Read "versions.compare" versions::CompareRequest => slipway_core::version::VersionComparison, [Versions], versions::compare;
    /// What would go with these tags, and what uses it.
    Read "versions.removal" versions::TagsRequest => slipway_core::version::VersionRemoval, [Versions], versions::removal;
    /// Removes versions; every tag that goes must be named.
    Write "versions.delete" versions::TagsRequest => system::Nothing, [Versions, ImageRepositories], versions::delete;
    /// Puts what a tag or digest holds under another tag, also of another repository of the same registry.
    Write "versions.copy" versions::CopyRequest => versions::Copied, [Versions, ImageRepositories], versions::copy;

    /// The retention rule of an image repository, its last run, and the one that is under way.
    Read "retention.get" retention::Which => retention::RetentionView, [Versions, ImageRepositories], retention::get;
    /// What a retention rule would remove and why the rest stays (模拟执行); changes nothing.
    Read "retention.preview" retention::PreviewRequest => slipway_core::retention::RetentionPreview, [Versions], retention::preview;
    /// Saves a retention rule, or switches it off.
    Write "retention.save" retention::SaveRequest => system::Nothing, [Versions], retention::save;
    /// Begins to remove what a rule lets go, of the tags that a person agreed to (立即执行).
    Write "retention.run" retention::RunRequest => system::Nothing, [Versions], retention::run;
    /// Stops the removal that is under way.
    Write "retention.stop" retention::Which => system::Nothing, [Versions], retention::stop;

    /// Begins to send a file; its bytes follow in pieces.
    Write "uploads.begin" uploads::BeginRequest => uploads::Begun, [], uploads::begin;
    /// Sends a piece of a file.
    Write "uploads.append" uploads::AppendRequest => uploads::Received, [], uploads::append;
    /// Forgets a file that was being sent.
    Write "uploads.discard" uploads::WhichUpload => system::Nothing, [], uploads::discard;
    /// The images of an archive as `docker save` writes it, or in the OCI layout.
    Read "uploads.archive_images" uploads::ArchiveRequest => Vec<uploads::ArchiveImageView>, [], uploads::archive_images;
    /// Uploads an image: a local one, or one of an archive.
    Write "uploads.image" uploads::ImageRequest => builds::Started, [Builds, ImageRepositories], uploads::image;
    /// The named images of the local engine, newest first.
    Read "engine.images" uploads::EngineImagesRequest => Vec<slipway_core::image::EngineImageSummary>, [Engine], uploads::engine_images;
    /// Builds an uploaded Dockerfile.
    Write "uploads.dockerfile" uploads::DockerfileRequest => builds::Started, [Builds, ImageRepositories], uploads::dockerfile;
    /// What is wrong with the text of a Dockerfile; nothing when it is fine.
    Read "uploads.check_dockerfile" uploads::CheckDockerfileRequest => uploads::DockerfileProblem, [], uploads::check_dockerfile;

    /// The rules of an image repository, by name.
    Read "rules.list" rules::ListRequest => Vec<rules::RuleView>, [Rules], rules::list;
    /// One rule.
    Read "rules.get" rules::Which => rules::RuleView, [Rules], rules::get;
    /// Adds a rule; what its code holds now counts as handled.
    Write "rules.add" rules::AddRequest => rules::Added, [Rules, ImageRepositories], rules::add;
    /// Changes a rule; what it has built and handled stays.
    Write "rules.edit" rules::EditRequest => system::Nothing, [Rules], rules::edit;
    /// Copies a rule under another name, switched off.
    Write "rules.duplicate" rules::DuplicateRequest => rules::Added, [Rules, ImageRepositories], rules::duplicate;
    /// Turns a rule on or off; off, pushes count as seen.
    Write "rules.set_auto_trigger" rules::AutoTriggerRequest => system::Nothing, [Rules], rules::set_auto_trigger;
    /// Deletes a rule: records stay, waiting builds are cancelled, running ones when asked for.
    Write "rules.delete" rules::DeleteRequest => rules::Deleted, [Rules, Builds, ImageRepositories], rules::delete;
    /// Seals a secret that a rule's builds mount.
    Write "rules.keep_secret" rules::KeepSecretRequest => rules::KeptSecret, [], rules::keep_secret;
    /// Which known refs a rule matches and what their images would be called.
    Read "rules.preview" rules::PreviewRequest => rules::RulePreviewView, [Rules, CodeRepositories], rules::preview;
    /// Checks a rule against its code, its base images and its registry before it is saved.
    Read "rules.preflight" rules::AddRequest => rules::PreflightView, [Rules, CodeRepositories, Registries, Engine], rules::preflight;

    /// A page of builds, newest first.
    Read "builds.list" builds::ListRequest => builds::BuildList, [Builds], builds::list;
    /// Everything about a build but its log.
    Read "builds.get" builds::Which => builds::BuildDetailView, [Builds], builds::get;
    /// The Dockerfile of a build as it was built, with the lines that it failed at.
    Read "builds.dockerfile" builds::Which => builds::BuildDockerfileView, [Builds], builds::dockerfile;
    /// The build that a build is compared with, and the files that changed between their commits.
    Read "builds.compare" builds::Which => builds::BuildComparisonView, [Builds], builds::compare;
    /// Builds a rule now: a branch, a tag or a commit.
    Write "builds.start" builds::StartRequest => builds::Started, [Builds, ImageRepositories], builds::start;
    /// Runs a build again, with the same inputs or with changes.
    Write "builds.rerun" builds::RerunRequest => builds::Started, [Builds, ImageRepositories], builds::rerun;
    /// Cancels a build in whatever phase it is.
    Write "builds.cancel" builds::Which => builds::Cancelled, [Builds, ImageRepositories], builds::cancel;
    /// Removes the record and the log of a build that is over.
    Write "builds.delete" builds::Which => system::Nothing, [Builds, Log, ImageRepositories], builds::delete;
    /// Everything unfinished, with the reason why it waits.
    Read "builds.queue" system::Nothing => Vec<builds::QueueRow>, [Builds], builds::queue;
    /// Lines of a log: from a line on, of one step, or its end.
    Read "builds.log" build_logs::LogRequest => build_logs::LogPage, [Log], build_logs::page;
    /// Counts the lines of a log that hold a text, exactly, and names them.
    Read "builds.log_search" build_logs::LogSearchRequest => build_logs::LogSearchView, [Log], build_logs::search;
    /// How much of a log each step wrote.
    Read "builds.log_steps" builds::Which => Vec<build_logs::StepLinesView>, [Log], build_logs::steps;

    /// Image triggers by name, of one repository or of all.
    Read "triggers.list" triggers::ListRequest => Vec<triggers::TriggerView>, [Triggers, Firings], triggers::list;
    /// One trigger.
    Read "triggers.get" triggers::Which => triggers::TriggerView, [Triggers, Firings], triggers::get;
    /// Adds a trigger; tags that are there now count as seen.
    Write "triggers.add" triggers::AddRequest => triggers::Added, [Triggers, Targets, ImageRepositories], triggers::add;
    /// Changes a trigger.
    Write "triggers.edit" triggers::EditRequest => system::Nothing, [Triggers, Targets], triggers::edit;
    /// Turns a trigger on or off; off, new tags count as seen.
    Write "triggers.set_enabled" triggers::EnableRequest => system::Nothing, [Triggers, Targets], triggers::set_enabled;
    /// Deletes a trigger: records stay, what waits ends, what runs too when asked for.
    Write "triggers.delete" triggers::DeleteRequest => triggers::Deleted, [Triggers, Firings, Targets, ImageRepositories], triggers::delete;
    /// Which of the tags that are there now a condition matches.
    Read "triggers.preview" triggers::PreviewRequest => triggers::TriggerPreviewView, [Versions], triggers::preview;
    /// Looks at the tags of a repository now.
    Write "triggers.check" triggers::CheckRequest => system::Nothing, [Triggers, Firings], triggers::check;
    /// Takes the pin of a rollback away from what a trigger updates: it goes on with the newest tag that it left out.
    Write "triggers.resume" triggers::Which => triggers::Resumed, [Triggers, Firings, Targets], triggers::resume;
    /// Seals a header's value or a signing key of a webhook.
    Write "triggers.keep_secret" triggers::KeepSecretRequest => triggers::KeptSecret, [], triggers::keep_secret;

    /// A page of trigger records and of what people did to targets, newest first.
    Read "firings.list" firings::ListRequest => firings::FiringList, [Firings], firings::list;
    /// Everything about a firing but its log: plan, steps, result.
    Read "firings.get" firings::Which => firings::FiringDetailView, [Firings], firings::get;
    /// The log of a firing.
    Read "firings.log" firings::Which => Vec<firings::FiringLineView>, [Firings], firings::log;
    /// Cancels a firing; one that runs undoes what it did.
    Write "firings.cancel" firings::Which => firings::Cancelled, [Firings, Targets], firings::cancel;
    /// Removes the record of a firing that is over.
    Write "firings.delete" firings::Which => system::Nothing, [Firings, Targets], firings::delete;

    /// What runs where: everything on the engines, and what triggers update elsewhere.
    Read "targets.list" system::Nothing => targets::DeployTargetList, [Targets, Firings, Triggers], targets::list;
    /// One target with what it can go back to.
    Read "targets.get" targets::Which => targets::DeployTargetDetail, [Targets, Firings, Triggers], targets::get;
    /// The first step of the cascade: engines and clusters.
    Read "targets.places" system::Nothing => Vec<slipway_core::trigger::DeployPlace>, [Targets], targets::places;
    /// The contexts of a kubeconfig file; no cluster is asked, and no program runs.
    Read "targets.contexts" targets::ContextsRequest => Vec<targets::KubeContextView>, [], targets::contexts;
    /// The second step: containers, Compose projects, Swarm services, namespaces.
    Read "targets.groups" targets::GroupsRequest => Vec<slipway_core::deploy::ServiceGroup>, [Targets], targets::groups;
    /// The third step: what runs in a group, with its image and health.
    Read "targets.services" targets::ServicesRequest => Vec<slipway_core::deploy::ListedService>, [Targets], targets::services;
    /// Updates a target now, to a chosen image.
    Write "targets.update_now" targets::UpdateRequest => targets::Started, [Firings, Targets], targets::update_now;
    /// Rolls a target back to an image that it ran; its triggers are paused.
    Write "targets.roll_back" targets::RollBackRequest => targets::Started, [Firings, Targets, Triggers], targets::roll_back;
    /// Takes the pin of a rollback away; the triggers go on with the newest tag that they left out.
    Write "targets.resume" targets::WhichRow => triggers::Resumed, [Firings, Targets, Triggers], targets::resume;
    /// Runs an image as a new container or Swarm service.
    Write "targets.run_image" targets::RunRequest => targets::Started, [Firings, Targets], targets::run_image;
}
