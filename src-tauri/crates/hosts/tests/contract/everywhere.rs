//! One contract for every provider, against tapes with the provider's real shapes. Each tape tells of the same small world:
//! Ada, her organization, two repositories of it, two branches, a tag, a folder.

use crate::keeper::{account, pasted};
use crate::server::{Scripted, hosts};
use slipway_core::ErrorCode;
use slipway_core::code::{CommitId, RefKind, RefName, RepoPath, TreeEntryKind};
use slipway_core::host::{
    CodeHosts, CommitReport, Granted, HostAccess, HostOwner, HostProvider, HostRepository, Moved, Need, NewHook,
    OwnerKind, ReportState, RepositoryPath, RepositoryQuery,
};
use slipway_core::{Failure, Secret};
use tokio_util::sync::CancellationToken;

/// What differs between the worlds.
struct World {
    provider: HostProvider,
    product: &'static str,
    authorization: &'static str,
    owners: &'static [(&'static str, OwnerKind)],
    own: &'static str,
    web: &'static str,
    old: &'static str,
    gone: &'static str,
    clone_url: &'static str,
    /// What moved at the second look.
    moved: Option<&'static str>,
    hook: &'static str,
    clone_user: &'static str,
}

const ADA: (&str, OwnerKind) = ("ada", OwnerKind::Own);
const ACME: (&str, OwnerKind) = ("acme", OwnerKind::Organization);

const WORLDS: &[World] = &[
    World {
        provider: HostProvider::Github,
        product: "GitHub Enterprise Server 3.14.2",
        authorization: "Bearer t0ken",
        owners: &[ADA, ACME],
        own: "ada/tool",
        web: "acme/web",
        old: "acme/old",
        gone: "acme/gone",
        clone_url: "/acme/web.git",
        moved: Some("ada/tool"),
        hook: "12345678",
        clone_user: "x-access-token",
    },
    World {
        provider: HostProvider::Gitlab,
        product: "GitLab",
        authorization: "Bearer t0ken",
        owners: &[ADA, ("acme", OwnerKind::Group)],
        own: "ada/tool",
        web: "acme/web",
        old: "acme/sub/old",
        gone: "acme/gone",
        clone_url: "/git/acme/web.git",
        moved: None,
        hook: "77",
        clone_user: "oauth2",
    },
    World {
        provider: HostProvider::Gitee,
        product: "Gitee",
        authorization: "Bearer t0ken",
        owners: &[ADA, ACME, ("corp", OwnerKind::Enterprise)],
        own: "ada/tool",
        web: "acme/web",
        old: "acme/old",
        gone: "acme/gone",
        clone_url: "/acme/web.git",
        moved: Some("ada/tool"),
        hook: "55",
        clone_user: "oauth2",
    },
    World {
        provider: HostProvider::Coding,
        product: "CODING",
        authorization: "token t0ken",
        owners: &[ADA, ("site", OwnerKind::Project)],
        own: "acme/lab/tool",
        web: "acme/site/web",
        old: "acme/site/old",
        gone: "acme/site/gone",
        clone_url: "/acme/site/web.git",
        moved: Some("acme/lab/tool"),
        hook: "h-1",
        clone_user: "ada@example.com",
    },
    World {
        provider: HostProvider::Gitea,
        product: "Forgejo 11.0.1+gitea-1.22.0",
        authorization: "Bearer t0ken",
        owners: &[ADA, ACME],
        own: "ada/tool",
        web: "acme/web",
        old: "acme/old",
        gone: "acme/gone",
        clone_url: "/acme/web.git",
        moved: Some("ada/tool"),
        hook: "31",
        clone_user: "ada@example.com",
    },
    World {
        provider: HostProvider::Bitbucket,
        product: "Bitbucket Cloud",
        authorization: "Basic YWRhQGV4YW1wbGUuY29tOnQwa2Vu",
        owners: &[ADA, ACME],
        own: "ada/tool",
        web: "acme/web",
        old: "acme/old",
        gone: "acme/gone",
        clone_url: "/acme/web.git",
        moved: Some("acme/old"),
        hook: "{h1}",
        clone_user: "x-bitbucket-api-token-auth",
    },
];

struct Visit {
    server: Scripted,
    hosts: slipway_hosts::Hosts,
    access: HostAccess,
    world: &'static World,
    cancel: CancellationToken,
}

async fn visits() -> Vec<Visit> {
    let mut visits = Vec::new();
    for world in WORLDS {
        let server = Scripted::tape(world.provider).await;
        let access = account(server.address(world.provider), pasted("t0ken"));
        visits.push(Visit { server, hosts: hosts(), access, world, cancel: CancellationToken::new() });
    }
    visits
}

fn path(text: &str) -> RepositoryPath {
    RepositoryPath(text.to_owned())
}

fn sha(digit: &str) -> CommitId {
    CommitId::new(digit.repeat(40)).unwrap()
}

impl Visit {
    fn name(&self) -> &str {
        self.world.provider.as_str()
    }

    fn web(&self) -> RepositoryPath {
        path(self.world.web)
    }

    async fn owner(&self, index: usize) -> HostOwner {
        self.hosts.owners(&self.access, &self.cancel).await.unwrap()[index].clone()
    }

    /// All pages.
    async fn repositories(&self, owner: HostOwner, search: &str) -> Vec<HostRepository> {
        let mut query = RepositoryQuery { owner, search: search.to_owned(), page: None };
        let mut all = Vec::new();
        loop {
            let page = self.hosts.repositories(&self.access, &query, &self.cancel).await.unwrap();
            all.extend(page.items);
            if page.next.is_none() {
                return all;
            }
            query.page = page.next;
        }
    }

    async fn refs(&self, kind: RefKind, search: &str) -> Vec<(String, Option<CommitId>)> {
        let page = self.hosts.refs(&self.access, &self.web(), kind, search, None, &self.cancel).await.unwrap();
        assert_eq!(page.next, None, "{}", self.name());
        page.items.into_iter().map(|one| (one.name.to_string(), one.commit)).collect()
    }
}

fn code<T: std::fmt::Debug>(result: Result<T, Failure>) -> ErrorCode {
    result.unwrap_err().code
}

#[tokio::test]
async fn seed_3_1_every_source_says_what_it_is_and_whose_token_it_has() {
    for visit in visits().await {
        let name = visit.name();
        let facts = visit.hosts.probe(&visit.access.address, &visit.cancel).await.unwrap();
        let product = [Some(facts.product), facts.version].into_iter().flatten().collect::<Vec<_>>().join(" ");
        assert_eq!(product, visit.world.product);
        let anonymous = visit.server.seen();
        assert!(
            anonymous.iter().all(|seen| seen.header("authorization").is_none()),
            "{name}: a probe carries no token"
        );

        let identity = visit.hosts.identity(&visit.access, &[Need::Read], &visit.cancel).await.unwrap();
        assert_eq!((identity.login.as_str(), identity.name.as_str()), ("ada", "Ada L."), "{name}");
        let told = matches!(identity.granted, Granted::Known { .. });
        let tells =
            [HostProvider::Github, HostProvider::Gitlab, HostProvider::Bitbucket].contains(&visit.world.provider);
        assert_eq!(told, tells, "{name}");
        // Bitbucket's header names OAuth scopes, and this is an API token: what it lacks is named.
        let lacks = visit.world.provider == HostProvider::Bitbucket;
        assert_eq!(!identity.missing.is_empty(), lacks, "{name}: {:?}", identity.missing);
        let ends = [HostProvider::Github, HostProvider::Gitlab].contains(&visit.world.provider);
        let expected = ends.then(|| "2027-03-01T00:00:00+00:00".to_owned());
        assert_eq!(identity.expires_at.map(|at| at.to_rfc3339()), expected, "{name}");

        let sent = visit.server.seen().into_iter().skip(anonymous.len());
        for seen in sent {
            assert_eq!(seen.header("authorization"), Some(visit.world.authorization), "{name}");
            assert!(seen.header("user-agent").unwrap().starts_with("slipway/"), "{name}");
            assert!(
                !seen.query.iter().any(|(_, value)| value.contains("t0ken")),
                "{name}: a token is never in an address"
            );
        }
    }
}

#[tokio::test]
async fn seed_2_4_seed_2_5_organization_or_group_then_repository() {
    for visit in visits().await {
        let name = visit.name();
        let owners = visit.hosts.owners(&visit.access, &visit.cancel).await.unwrap();
        let found: Vec<_> = owners.iter().map(|owner| (owner.path.as_str(), owner.kind)).collect();
        assert_eq!(found, visit.world.owners, "{name}");

        let own = visit.repositories(visit.owner(0).await, "").await;
        assert_eq!(own.iter().map(|one| one.path.0.as_str()).collect::<Vec<_>>(), [visit.world.own], "{name}");
        assert!(!own[0].private, "{name}");

        let acme = visit.repositories(visit.owner(1).await, "").await;
        let mut paths: Vec<_> = acme.iter().map(|one| one.path.0.as_str()).collect();
        paths.sort_unstable();
        assert_eq!(paths, [visit.world.old, visit.world.web], "{name}: both pages");
        let searched = visit.repositories(visit.owner(1).await, "we").await;
        assert_eq!(searched.iter().map(|one| one.path.0.as_str()).collect::<Vec<_>>(), [visit.world.web], "{name}");

        let web = visit.hosts.repository(&visit.access, &visit.web(), &visit.cancel).await.unwrap();
        assert_eq!(
            (web.id.trim_matches(['{', '}', 'u']), web.name.as_str(), web.private),
            ("2", "web", true),
            "{name}"
        );
        assert_eq!(web.default_branch.as_deref(), Some("main"), "{name}");
        assert_eq!(web.clone_url, format!("{}{}", visit.server.url, visit.world.clone_url), "{name}");
        assert!(web.ssh_url.unwrap().starts_with("git@host:"), "{name}");
        let at = web.pushed_at.unwrap().timestamp();
        assert_eq!(at, 1_799_996_400, "{name}");

        let gone = visit.hosts.repository(&visit.access, &path(visit.world.gone), &visit.cancel).await;
        assert_eq!(code(gone), ErrorCode::SourceNotFound, "{name}");
    }
}

#[tokio::test]
async fn seed_3_9_branches_tags_commits_and_folders_are_listed() {
    for visit in visits().await {
        let name = visit.name();
        let main = ("refs/heads/main".to_owned(), Some(sha("a")));
        let release = ("refs/heads/release/1.0".to_owned(), Some(sha("b")));
        // The third branch on each tape has a name that git forbids.
        assert_eq!(visit.refs(RefKind::Branch, "").await, [main, release.clone()], "{name}");
        assert_eq!(visit.refs(RefKind::Branch, "release/1").await, [release], "{name}");
        assert_eq!(visit.refs(RefKind::Tag, "").await, [("refs/tags/v1.0".to_owned(), Some(sha("a")))], "{name}");

        let commit = visit.hosts.commit(&visit.access, &visit.web(), "release/1.0", &visit.cancel).await.unwrap();
        assert_eq!((commit.id, commit.parents), (sha("a"), vec![sha("b")]), "{name}");
        assert_eq!((commit.summary.as_str(), commit.message.contains("details")), ("Add a page", true), "{name}");
        assert_eq!((commit.author.as_str(), commit.author_email.as_str()), ("Ada", "ada@example.com"), "{name}");
        assert_eq!(commit.committed_at.timestamp(), 1_799_996_400, "{name}");
        let nowhere = visit.hosts.commit(&visit.access, &visit.web(), "nowhere", &visit.cancel).await;
        assert_eq!(code(nowhere), ErrorCode::RefNotFound, "{name}");

        for folder in ["app", ""] {
            let folder = RepoPath::new(folder).unwrap();
            let listed = visit.hosts.list_folder(&visit.access, &visit.web(), &sha("a"), &folder, &visit.cancel).await;
            let entries: Vec<_> = listed.unwrap().into_iter().map(|entry| (entry.name, entry.kind)).collect();
            let expected = [
                ("docker".to_owned(), TreeEntryKind::Folder),
                ("Dockerfile".to_owned(), TreeEntryKind::File),
                ("lib".to_owned(), TreeEntryKind::Submodule),
            ];
            assert_eq!(entries, expected, "{name}");
        }
    }
}

#[tokio::test]
async fn what_moved_is_one_request_that_tells_what_it_can() {
    for visit in visits().await {
        let name = visit.name();
        // The own account's list is on the tape in front of these looks.
        visit.repositories(visit.owner(0).await, "").await;
        let watched = [visit.web()];
        let first = visit.hosts.what_moved(&visit.access, &watched, None, &visit.cancel).await.unwrap();
        assert_eq!(first.moved, Moved::CannotTell, "{name}: nothing is known before the first look");
        let second = visit.hosts.what_moved(&visit.access, &watched, first.mark.as_ref(), &visit.cancel).await.unwrap();
        let moved: Vec<_> = match &second.moved {
            Moved::Repositories(rows) => rows.iter().map(|row| row.path.0.as_str()).collect(),
            Moved::Unchanged => panic!("{name}: a push was lost"),
            Moved::CannotTell => vec![],
        };
        assert_eq!(moved, visit.world.moved.into_iter().collect::<Vec<_>>(), "{name}");
        assert_eq!(second.requests, u32::from(visit.world.moved.is_some()), "{name}");
        assert!(second.next_after.as_secs() >= 30 && second.sweep_after > second.next_after, "{name}");
    }
}

#[tokio::test]
async fn hooks_are_made_once_and_removed() {
    for visit in visits().await {
        let name = visit.name();
        let hook = NewHook {
            url: "https://slipway.example/hook/s3".to_owned(),
            secret: Secret::new("h00k"),
            verify_tls: true,
        };
        let made = visit.hosts.create_hook(&visit.access, &visit.web(), &hook, &visit.cancel).await.unwrap();
        assert_eq!((made.id.as_str(), made.url, made.active), (visit.world.hook, hook.url, true), "{name}");
        let listed = visit.hosts.hooks(&visit.access, &visit.web(), &visit.cancel).await.unwrap();
        assert_eq!(listed.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), [visit.world.hook], "{name}");
        // One was there already for the same address: it made room.
        let removed = visit
            .server
            .seen()
            .iter()
            .filter(|seen| seen.method == "DELETE" || seen.query.iter().any(|(_, value)| value == "DeleteServiceHook"))
            .count();
        assert_eq!(removed, 1, "{name}");
        let asked = visit.server.seen().into_iter().find(|seen| seen.body.contains("h00k")).unwrap();
        assert!(asked.body.contains("https://slipway.example/hook/s3"), "{name}");
        visit.hosts.delete_hook(&visit.access, &visit.web(), "gone", &visit.cancel).await.unwrap();
    }
}

#[tokio::test]
async fn reports_say_how_a_build_stands() {
    for visit in visits().await {
        let name = visit.name();
        let mut report = CommitReport {
            commit: sha("a"),
            ref_name: Some(RefName::branch("main").unwrap()),
            state: ReportState::Pending,
            context: "slipway/web".to_owned(),
            description: format!("Build #12 {}", "x".repeat(400)),
            target_url: None,
            previous: None,
        };
        report.previous = visit.hosts.report(&visit.access, &visit.web(), &report, &visit.cancel).await.unwrap();
        assert_eq!(report.previous.is_some(), visit.world.provider == HostProvider::Gitee, "{name}");
        report.state = ReportState::Success;
        visit.hosts.report(&visit.access, &visit.web(), &report, &visit.cancel).await.unwrap();
        let last = visit.server.seen().pop().unwrap();
        assert!(last.body.to_lowercase().contains("success"), "{name}: {}", last.body);
        assert!(last.body.contains("Build #12") && last.body.len() < 700, "{name}: {}", last.body);
        assert_eq!(last.method == "PATCH", visit.world.provider == HostProvider::Gitee, "{name}");
    }
}

#[tokio::test]
async fn clone_logins_are_what_each_host_wants() {
    for visit in visits().await {
        let login = visit.hosts.clone_login(&visit.access, &visit.cancel).await.unwrap();
        assert_eq!(login.username, visit.world.clone_user);
        assert_eq!(login.password.expose(), "t0ken");
        assert_eq!(visit.server.lines(), Vec::<String>::new(), "{}: no request is needed", visit.name());
    }
}
