//! Foreign words (branch names, commit titles) inside the markup of others: no mention, no link, no markup of their own.

/// Replaces what could begin a mention (`@all`, `<!channel>`, `<at …>`), a link or an image by its full-width twin, which
/// reads the same and means nothing. Escapes by backslash or entity are not understood by all of these products.
pub(super) fn harmless(text: &str) -> String {
    text.chars().map(twin).collect()
}

const fn twin(sign: char) -> char {
    match sign {
        '@' => '＠',
        '<' => '＜',
        '>' => '＞',
        '[' => '［',
        ']' => '］',
        '*' => '＊',
        '`' => '｀',
        '~' => '～',
        other => other,
    }
}

/// Cuts a text to so many bytes, between characters; a cut one ends in `…`.
pub(super) fn cut(text: String, most: usize) -> String {
    if text.len() <= most {
        return text;
    }
    let mut end = most.saturating_sub('…'.len_utf8());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}…", &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t07_mentions_and_links_lose_their_meaning() {
        assert_eq!(harmless("@all <!channel> [x](http://a)"), "＠all ＜!channel＞ ［x］(http://a)");
        assert_eq!(harmless(r#"<at user_id="all">*b*</at> `c`"#), r#"＜at user_id="all"＞＊b＊＜/at＞ ｀c｀"#);
        assert_eq!(harmless("feature/订单_2 #3"), "feature/订单_2 #3");
    }

    #[test]
    fn a_cut_falls_between_characters() {
        assert_eq!(cut("订单订单".to_owned(), 12), "订单订单");
        assert_eq!(cut("订单订单".to_owned(), 11), "订单…");
        assert_eq!(cut("订单订单".to_owned(), 10), "订单…");
    }
}
