//! Build contexts, folders, files and differences.

use crate::support::*;
use slipway_core::ErrorCode;
use slipway_core::code::{ChangedPaths, TreeEntryKind};
use slipway_core::ports::{CodeStore, ContextKind};
use slipway_testkit::GitRepository;

#[tokio::test]
async fn a_context_is_the_commits_bytes_with_modes_links_and_names() {
    let (repository, store) = (GitRepository::new().await, store());
    repository
        .write("Dockerfile", "FROM scratch\r\n")
        .write(".gitattributes", "* text=auto eol=crlf\nkept.txt export-ignore\n")
        .write("kept.txt", "line\n")
        .write_executable("bin/run.sh", "#!/bin/sh\n")
        .symlink("bin/link", "../kept.txt")
        .symlink("outside", "/etc/passwd")
        .write("文档/说明.txt", "内容")
        .write("a-b", "sorts before a/")
        .write("a/x", "")
        .write("empty", "");
    let head = repository.commit("everything").await;
    let access = of(&repository);
    assert_eq!(store.fetch_branch(&access, "main").await, commit(&head));
    let context = store.context(&access, &commit(&head), "").await;
    assert_eq!(
        walk(&*context, ""),
        [
            ".gitattributes",
            "Dockerfile",
            "a/",
            "a/x",
            "a-b",
            "bin/",
            "bin/link -> ../kept.txt",
            "bin/run.sh*",
            "empty",
            "kept.txt",
            "outside -> /etc/passwd",
            "文档/",
            "文档/说明.txt",
        ]
    );
    for entry in context.list("").unwrap() {
        match entry.name.as_str() {
            // Stored with CRLF before the attribute, or normalised by git: in both cases the blob's own bytes.
            "kept.txt" => assert_eq!(read(&*context, &entry).unwrap(), b"line\n"),
            "empty" => assert_eq!(read(&*context, &entry).unwrap(), b""),
            _ => {}
        }
    }
    let id = repository.git(&["rev-parse", "HEAD:文档/说明.txt"]).await;
    let entries = context.list("文档").unwrap();
    let ContextKind::File { id: given, size, executable } = &entries[0].kind else { panic!("no file") };
    assert_eq!(given.0.iter().map(|byte| format!("{byte:02x}")).collect::<String>(), id);
    assert_eq!((*size, *executable), (6, false));
}

#[tokio::test]
async fn a_folder_of_the_commit_is_a_context_of_its_own() {
    let (repository, store) = (GitRepository::new().await, store());
    repository.write("app/src/main.c", "x").write("app/Dockerfile", "y").write("other/z", "z").symlink("way", "app");
    let head = commit(&repository.commit("first").await);
    let access = of(&repository);
    store.fetch_branch(&access, "main").await;
    let context = store.context(&access, &head, "app").await;
    assert_eq!(walk(&*context, ""), ["Dockerfile", "src/", "src/main.c"]);
    // A folder deep inside may be asked for first.
    let fresh = store.context(&access, &head, "app").await;
    assert_eq!(fresh.list("src").unwrap()[0].name, "main.c");
    for (folder, expected) in [
        ("missing", ErrorCode::ContextMissing),
        ("app/Dockerfile", ErrorCode::ContextMissing),
        ("way", ErrorCode::BadRepositoryPath),
        ("way/src", ErrorCode::BadRepositoryPath),
    ] {
        let failure = store.open_context(ID, &access, &head, &path(folder), &never()).await.err().unwrap();
        assert_eq!(failure.code, expected, "{folder}");
        let failure = store.list_folder(ID, &head, &path(folder)).await.unwrap_err();
        assert_eq!(failure.code, expected, "{folder}");
    }
}

#[tokio::test]
async fn an_empty_commit_is_an_empty_context() {
    let (repository, store) = (GitRepository::new().await, store());
    let head = commit(&repository.commit("nothing").await);
    store.fetch_branch(&of(&repository), "main").await;
    let context = store.context(&of(&repository), &head, "").await;
    assert!(context.list("").unwrap().is_empty());
    assert!(store.list_folder(ID, &head, &path("")).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_lfs_pointer_is_refused_where_it_is_read_and_named() {
    let (repository, store) = (GitRepository::new().await, store());
    let pointer = format!("version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 12\n", "0".repeat(64));
    repository.write("assets/big.bin", &pointer).write("README", "see https://git-lfs.github.com/spec/v1");
    let head = commit(&repository.commit("first").await);
    store.fetch_branch(&of(&repository), "main").await;
    let context = store.context(&of(&repository), &head, "").await;
    let readme = &context.list("").unwrap()[0];
    assert!(read(&*context, readme).is_ok());
    let entry = &context.list("assets").unwrap()[0];
    let failure = read(&*context, entry).unwrap_err();
    assert_eq!(failure.code, ErrorCode::LfsPointer);
    assert_eq!(failure.details["path"], "assets/big.bin");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn names_that_no_engine_can_take_are_refused() {
    use std::os::unix::ffi::OsStrExt;
    let (repository, store) = (GitRepository::new().await, store());
    let name = std::ffi::OsStr::from_bytes(b"caf\xe9");
    std::fs::write(repository.path().join(name), "x").unwrap();
    let head = commit(&repository.commit("latin").await);
    store.fetch_branch(&of(&repository), "main").await;
    let context = store.context(&of(&repository), &head, "").await;
    assert_eq!(context.list("").unwrap_err().code, ErrorCode::BadFileName);
    assert_eq!(store.list_folder(ID, &head, &path("")).await.unwrap()[0].name, "caf\u{fffd}");
}

#[tokio::test]
async fn t12_a_tree_with_names_that_leave_the_folder_is_refused() {
    let (repository, store) = (GitRepository::new().await, store());
    repository.write("a", "1").commit("first").await;
    let blob = repository.git(&["rev-parse", "HEAD:a"]).await;
    let raw: Vec<u8> = (0..20).map(|at| u8::from_str_radix(&blob[at * 2..at * 2 + 2], 16).unwrap()).collect();
    for name in ["..", ".git", ".GIT", "."] {
        let mut tree = format!("100644 {name}\0").into_bytes();
        tree.extend_from_slice(&raw);
        std::fs::write(repository.path().join("raw"), tree).unwrap();
        let tree = repository.git(&["hash-object", "-t", "tree", "-w", "--literally", "raw"]).await;
        let head = repository.git(&["commit-tree", "-m", "hostile", &tree]).await;
        repository.git(&["update-ref", "refs/heads/hostile", &head]).await;
        store.fetch_branch(&of(&repository), "hostile").await;
        let context = store.context(&of(&repository), &commit(&head), "").await;
        assert_eq!(context.list("").unwrap_err().code, ErrorCode::BadFileName, "{name}");
    }
}

#[tokio::test]
async fn several_threads_read_one_context() {
    let (repository, store) = (GitRepository::new().await, store());
    for number in 0..60 {
        repository.write(&format!("d{}/f{number}", number % 5), format!("content {number}"));
    }
    let head = commit(&repository.commit("files").await);
    store.fetch_branch(&of(&repository), "main").await;
    let context = store.context(&of(&repository), &head, "").await;
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for folder in context.list("").unwrap() {
                    for file in context.list(&folder.name).unwrap() {
                        let bytes = read(&*context, &file).unwrap();
                        assert_eq!(String::from_utf8(bytes).unwrap(), format!("content {}", &file.name[1..]));
                    }
                }
            });
        }
    });
}

#[tokio::test]
async fn folders_come_first_and_files_tell_their_size() {
    let (repository, store) = (GitRepository::new().await, store());
    repository.write("z/x", "1").write("b", "12345").write_executable("a", "1").symlink("l", "b");
    let head = commit(&repository.commit("first").await);
    store.fetch_branch(&of(&repository), "main").await;
    let entries = store.list_folder(ID, &head, &path("")).await.unwrap();
    let seen: Vec<_> = entries.iter().map(|entry| (entry.name.as_str(), entry.kind, entry.size)).collect();
    assert_eq!(
        seen,
        [
            ("z", TreeEntryKind::Folder, None),
            ("a", TreeEntryKind::Executable, Some(1)),
            ("b", TreeEntryKind::File, Some(5)),
            ("l", TreeEntryKind::Symlink, None),
        ]
    );
}

#[tokio::test]
async fn t13_files_are_read_without_following_anything() {
    let (repository, store) = (GitRepository::new().await, store());
    repository.write("d/Dockerfile", "FROM scratch").symlink("link", "d/Dockerfile").symlink("way", "d");
    let head = commit(&repository.commit("first").await);
    store.fetch_branch(&of(&repository), "main").await;
    let read = async |text: &str, limit| store.read_file(ID, &head, &path(text), limit).await;
    assert_eq!(read("d/Dockerfile", 12).await.unwrap().unwrap(), "FROM scratch");
    assert_eq!(read("d/missing", 99).await.unwrap(), None);
    assert_eq!(read("d/Dockerfile/x", 99).await.unwrap(), None);
    for (text, limit) in [("link", 99), ("way/Dockerfile", 99), ("d", 99), ("d/Dockerfile", 11)] {
        assert_eq!(read(text, limit).await.unwrap_err().code, ErrorCode::BadRepositoryPath, "{text}");
    }
}

#[tokio::test]
async fn a_rename_counts_as_both_names_and_a_mode_change_counts() {
    let (repository, store) = (GitRepository::new().await, store());
    let from =
        repository.write("old", "same").write("mode", "x").write("gone", "x").write("kept", "x").commit("1").await;
    repository.git(&["mv", "old", "sub-new"]).await;
    repository.remove("gone").write_executable("mode", "x").write("d/新", "x");
    let to = repository.commit("2").await;
    store.fetch_branch(&of(&repository), "main").await;
    let changed = store.changed_paths(ID, &commit(&from), &commit(&to)).await.unwrap();
    let ChangedPaths::Known { paths } = changed else { panic!("unknown base") };
    assert_eq!(paths, ["d/新", "gone", "mode", "old", "sub-new"]);
}
