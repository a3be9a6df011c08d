#![allow(clippy::unwrap_used)]
use super::*;
use pretty_assertions::assert_eq;
use proptest::prelude::*;

fn parse(text: &str) -> Ignore {
    Ignore::parse(text.as_bytes()).unwrap()
}

/// Asks about a path the way a walker does.
fn walk(ignore: &Ignore, path: &str) -> bool {
    let mut state = ignore.root();
    for (end, _) in path.match_indices('/') {
        state = ignore.folder(&state, &path[..end]).state;
    }
    ignore.file(&state, path)
}

/// The vectors of `reference/registries.md` 5.4, checked there by running the original library.
#[test]
fn vectors_of_the_original_library() {
    let table: &[(&str, &[&str], &[&str])] = &[
        ("dir/", &["dir", "dir/a"], &["x/dir"]),
        ("/foo", &["foo"], &["a/foo"]),
        ("./foo", &["foo"], &[]),
        ("../foo", &[], &["foo"]),
        ("a/../b", &["b"], &["a/b"]),
        (".", &[], &["a", "a/b"]),
        ("/", &[], &["a", "a/b"]),
        ("a/*.txt", &["a/file.txt"], &["a/dir/file.txt"]),
        ("a**/*.txt", &["a/file.txt", "a/dir/dir/file.txt"], &[]),
        ("a**b", &["ab", "a/b", "a/x/b"], &["axb"]),
        ("**/*.txt", &["file.txt", "dir/dir/file.txt"], &[]),
        ("**/.foo", &[".foo"], &["bar.foo"]),
        ("**file", &["file", "dir/file"], &[]),
        ("src/*", &["src/a/b"], &["src"]),
        ("dir/**", &["dir/a"], &["dir"]),
        ("**/foo/**", &["foo/a", "x/foo/y"], &["foo"]),
        ("a*", &["a", "abc", "ab/c"], &[]),
        ("a*b", &[], &["a/b"]),
        ("temp?", &["temp1", "temp1/z"], &["temp", "tempab"]),
        ("[!a]x", &["ax", "!x"], &["bx"]),
        ("*.{js,ts}", &["a.{js,ts}"], &["a.js"]),
        ("FOO", &["FOO"], &["foo"]),
        ("foo # c", &["foo # c"], &["foo"]),
        (" #c", &["#c"], &[]),
        ("\\#x\n\\!x", &["#x", "!x"], &[]),
        ("*\n! foo", &["bar"], &["foo", "foo/b"]),
        ("*\n!dir/*.txt", &["dir/b.go", "dir/s/a.txt"], &["dir/a.txt"]),
        ("node_modules\n!node_modules/keep", &["node_modules/z"], &["node_modules/keep", "node_modules/keep/a"]),
        ("dir/**\n!dir/k", &["dir/z"], &["dir/k", "dir/k/x"]),
        ("**\n!src", &["x"], &["src", "src/a"]),
        ("**/*.md\n!README.md", &["d/README.md"], &["README.md"]),
        ("!a\na", &["a"], &[]),
        ("a\n!a\na", &["a"], &[]),
    ];
    for (file, ignored, kept) in table {
        let ignore = parse(file);
        for (paths, expected) in [(ignored, true), (kept, false)] {
            for path in *paths {
                assert_eq!(ignore.is_ignored(path), expected, "{file:?} on {path:?}");
                assert_eq!(walk(&ignore, path), expected, "{file:?} on {path:?}, walking");
            }
        }
    }
}

#[test]
fn more_lines_as_the_reference_describes_them() {
    let table: &[(&str, &[&str], &[&str])] = &[
        ("\u{feff}foo\r\n\r\n#bar\r\n  baz  \r\n", &["foo", "baz"], &["bar", "#bar"]),
        ("**", &["a", "a/b", ".x"], &["", "."]),
        ("**/", &["a", "a/b"], &[]),
        ("[^a]x", &["bx"], &["ax"]),
        ("[a-c\\]]", &["b", "]"], &["d"]),
        ("[&&~~]", &["&", "~"], &["a"]),
        ("a+b(c)$.|", &["a+b(c)$.|"], &["aab(c)$."]),
        ("\\*\n\\d", &["*", "d"], &["x", "1"]),
        ("a?c", &["a中c"], &["a/c"]),
        ("中文/**", &["中文/文件"], &["中文"]),
        ("**/a/*b", &["a/xb", "q/a/b/c"], &["a/x"]),
        ("*\n!a/b\n!a/c", &["a/d", "a"], &["a/b", "a/c"]),
        ("a/f\n!a", &[], &["a/f"]),
        ("", &[], &["a"]),
    ];
    for (file, ignored, kept) in table {
        let ignore = parse(file);
        for (paths, expected) in [(ignored, true), (kept, false)] {
            for path in *paths {
                assert_eq!(ignore.is_ignored(path), expected, "{file:?} on {path:?}");
            }
        }
    }
}

#[test]
fn a_bad_line_is_named() {
    for bad in ["!", "!  ", "[", "[]a]", "[a-]", "[-x]", "[^]", "a[b", "x\\", "[b-a]", "!/", "[\\"] {
        let failure = Ignore::parse(format!("ok\n# c\n{bad}\nok").as_bytes()).unwrap_err();
        assert_eq!(failure.code, ErrorCode::BadIgnoreFile, "{bad}");
        assert_eq!(failure.details["line"], "3", "{bad}");
        let failure = Ignore::from_patterns(&["ok", bad]).err();
        assert_eq!(failure.map(|failure| failure.code), Some(ErrorCode::BadIgnoreFile), "{bad}");
    }
}

#[test]
fn patterns_from_the_engine_are_the_same_as_the_file() {
    let ignore = Ignore::from_patterns(&["*", "!dir/*.txt", ""]).unwrap();
    assert!(ignore.is_ignored("x") && ignore.is_ignored("dir/b.go") && !ignore.is_ignored("dir/a.txt"));
    assert!(Ignore::from_patterns::<String>(&[]).unwrap().is_empty());
}

#[test]
fn a_folder_is_skipped_only_when_nothing_below_can_be_kept() {
    let table = [
        ("dir", "dir", true),
        ("dir", "dir/sub", true),
        ("dir", "other", false),
        ("dir/**", "dir", false),
        ("dir\n!dir/keep", "dir", false),
        ("dir\n!dir/keep", "dir/sub", true),
        ("dir\n!dirt", "dir", true),
        ("dir\n!dirt*", "dir", true),
        ("dir\n!d*", "dir", false),
        ("dir\n!**/keep", "dir/sub", false),
        ("!**/keep\ndir", "dir", true),
        ("*\n!src", "other", true),
        ("*\n!src", "src", false),
        ("*\n!src/*/x", "src", false),
        ("*\n!src/a/x", "src/b", true),
        ("*", "", false),
    ];
    for (file, folder, expected) in table {
        assert_eq!(parse(file).may_skip_folder(folder), expected, "{file:?} on {folder:?}");
    }
}

#[test]
fn t22_a_large_tree_is_cheap() {
    let file: String = (0..100).map(|n| format!("**/build{n}/*.o\n!keep{n}\n")).collect();
    let ignore = parse(&file);
    let mut state = ignore.root();
    for path in ["a", "a/build7"] {
        state = ignore.folder(&state, path).state;
    }
    let ignored =
        (0..2000).filter(|n| ignore.file(&state, &format!("a/build7/{n}.{}", if n % 2 == 0 { "o" } else { "c" })));
    assert_eq!(ignored.count(), 1000);
}

proptest! {
    #[test]
    fn any_bytes_are_parsed_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
        if let Err(failure) = Ignore::parse(&bytes) {
            prop_assert!(failure.details.contains_key("line"));
        }
    }

    #[test]
    fn walking_answers_like_asking_and_skipping_loses_nothing(
        lines in proptest::collection::vec("!?[ab*?/]{1,5}", 0..5),
        path in "[ab]{1,2}(/[ab]{1,2}){0,3}",
    ) {
        let Ok(ignore) = Ignore::parse(lines.join("\n").as_bytes()) else { return Ok(()) };
        prop_assert_eq!(walk(&ignore, &path), ignore.is_ignored(&path));
        for (end, _) in path.match_indices('/') {
            if ignore.may_skip_folder(&path[..end]) {
                prop_assert!(ignore.is_ignored(&path), "{:?} is below a skipped folder", path);
            }
        }
    }
}
