commands! {
    /// Version, data folder, recovery notice and the engine's state.
    Read "system.status" system::Nothing => system::SystemStatus, [Engine], system::status;
    /// The settings of the application.
    Read "settings.get" system::Nothing => settings::SettingsView, [Settings], settings::get;
    /// Changes the settings.
    Write "settings.save" settings::SettingsInput => system::Nothing, [Settings, Builds], settings::save;

    /// All code repositories with their health.
    Read "code_repositories.list" system::Nothing => Vec<code_repositories::CodeRepositoryView>, [CodeRepositories], code_repositories::list;
    /// Adds a code repository; nothing that exists now builds.
    Write "code_repositories.add" code_repositories::AddRequest => code_repositories::Added, [CodeRepositories], code_repositories::add;
    /// Changes a code repository; without a password the stored one stays as long as the host does.
    Write "code_repositories.edit" code_repositories::EditRequest => system::Nothing, [CodeRepositories], code_repositories::edit;
    /// Removes a code repository with its mirror.
    Write "code_repositories.delete" code_repositories::Which => system::Nothing, [CodeRepositories], code_repositories::delete;
    /// Tries to reach a place before it is saved.
    Read "code_repositories.test" code_repositories::TestRequest => slipway_core::code::RemoteRefs, [], code_repositories::test;
    /// Looks at a code repository now.
    Write "code_repositories.check" code_repositories::Which => system::Nothing, [CodeRepositories, Builds], code_repositories::check;
    /// Branches and tags as the remote has them now.
    Read "code_repositories.refs" code_repositories::Which => slipway_core::code::RemoteRefs, [CodeRepositories], code_repositories::refs;
    /// A folder at the head of a ref, for the pickers.
    Read "code_repositories.folder" code_repositories::FolderRequest => Vec<slipway_core::code::TreeEntry>, [CodeRepositories], code_repositories::folder;
}
