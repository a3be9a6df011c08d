//! What arrives in the image, and what travels.

use super::support::{Thing, Tree, build, engine, file, forget, fresh, request};

#[tokio::test]
async fn a_same_size_edit_is_in_the_new_image() {
    let (engine, base) = engine().await;
    let (key, mark) = (fresh(), fresh());
    let mut images = Vec::new();
    for text in ["one", "two"] {
        let tree = Tree::files(&[("a", text), ("b", &mark)]);
        let mut wanted = request(tree.clone(), &format!("FROM {base}\nCOPY . /c/\n"));
        wanted.shared_key.clone_from(&key);
        let ran = build(&engine, wanted).await;
        assert_eq!(engine.output_of(ran.image(), &["cat", "/c/a"]).await, text);
        images.push((ran, tree));
    }
    assert_eq!(images[0].1.opened(), ["a", "b"]);
    assert_eq!(images[1].1.opened(), ["a"], "only the changed file travels");
    for (ran, _) in &images {
        forget(&engine, ran).await;
    }
}

#[tokio::test]
async fn an_unchanged_second_build_asks_for_nothing_and_is_cached() {
    let (engine, base) = engine().await;
    let (key, mark) = (fresh(), fresh());
    let dockerfile = format!("FROM {base}\nCOPY . /c/\nRUN echo ran > /r\n");
    for round in 0..2 {
        let tree = Tree::files(&[("a", &mark), ("d/b", "b")]);
        let mut wanted = request(tree.clone(), &dockerfile);
        wanted.shared_key.clone_from(&key);
        let ran = build(&engine, wanted).await;
        assert_eq!(tree.opened().len(), if round == 0 { 2 } else { 0 });
        assert_eq!(ran.step("COPY . /c/").cached, round == 1);
        let run = ran.step("RUN echo ran > /r");
        assert_eq!((run.cached, run.position, run.lines), (round == 1, Some((3, 3)), Some((3, 3))));
        assert!(run.completed.is_some() && run.error.is_none() && !run.internal);
        forget(&engine, &ran).await;
    }
}

#[tokio::test]
async fn modes_links_and_foreign_names_arrive_as_they_are() {
    let (engine, base) = engine().await;
    let tree = Tree::new(&[
        ("bin/run", Thing::Program(b"#!/bin/sh\necho started\n".to_vec())),
        ("bin/data", file(&fresh())),
        ("link", Thing::Link("bin/run".into())),
        ("out", Thing::Link("/etc/passwd".into())),
        ("文档/说明 书.txt", file("你好")),
        ("a.txt", file("a")),
        ("a/b", file("b")),
        ("a-b", file("-")),
        ("empty", file("")),
    ]);
    let ran = build(&engine, request(tree, &format!("FROM {base}\nCOPY . /c/\nCOPY 文档 /d/\n"))).await;
    let script = "cd /c; ./bin/run; stat -c '%a %u %g %n' bin/run bin/data bin; readlink link; readlink out; \
                  cat '文档/说明 书.txt' '/d/说明 书.txt' a.txt a/b a-b; stat -c '%s %Y' empty";
    let seen = engine.output_of(ran.image(), &["sh", "-c", script]).await;
    let expected =
        "started\n755 0 0 bin/run\n644 0 0 bin/data\n755 0 0 bin\nbin/run\n/etc/passwd\n你好你好ab-0 946684800";
    assert_eq!(seen, expected);
    forget(&engine, &ran).await;
}

#[tokio::test]
async fn only_what_copy_names_travels_with_the_targets_of_links() {
    let (engine, base) = engine().await;
    let tree = Tree::new(&[
        ("link", Thing::Link("real/file".into())),
        ("real/file", file(&fresh())),
        ("real/other", file("other")),
        ("conf/a.yml", file("a")),
        ("conf/b.txt", file("b")),
        ("huge/unused", file("unused")),
    ]);
    let ran = build(&engine, request(tree.clone(), &format!("FROM {base}\nCOPY link /l\nCOPY conf/*.yml /y/\n"))).await;
    assert_eq!(tree.opened(), ["conf/a.yml", "real/file"]);
    let seen = engine.output_of(ran.image(), &["sh", "-c", "ls -A /y; head -c 6 /l"]).await;
    assert_eq!(seen, "a.yml\nfresh-");
    forget(&engine, &ran).await;
}

#[tokio::test]
async fn ignore_files_are_obeyed_and_the_one_beside_the_dockerfile_wins() {
    let (engine, base) = engine().await;
    let files = [
        (".dockerignore", "*.log\nsecret\n!keep.log\n.dockerignore\n"),
        ("a.log", "1"),
        ("keep.log", "2"),
        ("secret/key", "3"),
        ("code", "4"),
    ];
    let dockerfile = format!("FROM {base}\nCOPY . /c/\n");
    let list = ["sh", "-c", "cd /c && find . -type f | sort"];

    let tree = Tree::files(&files);
    let ran = build(&engine, request(tree.clone(), &dockerfile)).await;
    assert_eq!(engine.output_of(ran.image(), &list).await, "./code\n./keep.log");
    assert!(!tree.opened().contains(&"secret/key".to_owned()), "what is ignored is not read");
    forget(&engine, &ran).await;

    let tree = Tree::files(&files);
    let mut wanted = request(tree.clone(), &dockerfile);
    wanted.dockerfile_ignore = Some("code\n".into());
    let ran = build(&engine, wanted).await;
    assert_eq!(engine.output_of(ran.image(), &list).await, "./.dockerignore\n./a.log\n./keep.log\n./secret/key");
    forget(&engine, &ran).await;
}

#[tokio::test]
async fn big_files_and_many_files_arrive_whole() {
    let (engine, base) = engine().await;
    let big: Vec<u8> = (0..5_000_003_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let mark = fresh();
    let names: Vec<String> = (0..3000).map(|n| format!("d{}/f{n}", n % 40)).collect();
    let mut things: Vec<(&str, Thing)> = vec![("big", Thing::File(big.clone()))];
    things.extend(names.iter().map(|name| (name.as_str(), file(&format!("{mark}{name}")))));
    let tree = Tree::new(&things);
    let ran = build(&engine, request(tree, &format!("FROM {base}\nCOPY . /c/\n"))).await;
    let seen = engine.output_of(ran.image(), &["sh", "-c", "find /c -type f | wc -l; sha256sum < /c/big"]).await;
    let sum: String = <sha2::Sha256 as sha2::Digest>::digest(&big).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(seen, format!("3001\n{sum}  -"));
    forget(&engine, &ran).await;
}

#[tokio::test]
async fn entries_may_change_their_kind_between_builds() {
    let (engine, base) = engine().await;
    let (key, mark) = (fresh(), fresh());
    let program = Thing::Program(mark.clone().into_bytes());
    for (things, expected) in [
        (vec![("x", file(&mark))], "regular file 644"),
        (vec![("x", program)], "regular file 755"),
        (vec![("x/y", file(&mark))], "directory 755"),
        (vec![("x", Thing::Link("y".into())), ("y", file(&mark))], "symbolic link 777"),
        (vec![("x", file(&mark))], "regular file 644"),
    ] {
        let mut wanted = request(Tree::new(&things), &format!("FROM {base}\nCOPY . /c/\n"));
        wanted.shared_key.clone_from(&key);
        let ran = build(&engine, wanted).await;
        assert_eq!(engine.output_of(ran.image(), &["stat", "-c", "%F %a", "/c/x"]).await, expected);
        forget(&engine, &ran).await;
    }
}

#[tokio::test]
async fn builds_that_share_a_pool_at_the_same_time_do_not_mix() {
    let (engine, base) = engine().await;
    let (key, mark) = (fresh(), fresh());
    let one = |number: usize| {
        let text = format!("{number}{mark}");
        let mut wanted = request(Tree::files(&[("a", &text), ("b", &mark)]), &format!("FROM {base}\nCOPY . /c/\n"));
        wanted.shared_key.clone_from(&key);
        let engine = &engine;
        async move {
            let ran = build(engine, wanted).await;
            assert_eq!(engine.output_of(ran.image(), &["cat", "/c/a"]).await, text);
            forget(engine, &ran).await;
        }
    };
    tokio::join!(one(1), one(2), one(3), one(4));
}

#[tokio::test]
async fn a_very_long_ignore_file_travels_in_the_headers_of_a_call() {
    let (engine, base) = engine().await;
    let mut ignore: String =
        (0..4000).map(|number| format!("some/long/path/that/is/ignored/number-{number}/**\n")).collect();
    ignore.push_str("忽略\n.dockerignore\n");
    let tree = Tree::files(&[(".dockerignore", &ignore), ("忽略/a", "a"), ("kept", &fresh())]);
    let ran = build(&engine, request(tree, &format!("FROM {base}\nCOPY . /c/\n"))).await;
    assert_eq!(engine.output_of(ran.image(), &["ls", "-A", "/c"]).await, "kept");
    forget(&engine, &ran).await;
}

#[tokio::test]
async fn an_empty_context_is_a_context() {
    let (engine, base) = engine().await;
    let ran = build(&engine, request(Tree::files(&[]), &format!("FROM {base}\nCOPY . /c/\n"))).await;
    assert_eq!(engine.output_of(ran.image(), &["ls", "-A", "/c"]).await, "");
    forget(&engine, &ran).await;
}
