//! Lists of hosts that count pages and cannot search.

use crate::transport::{Answer, page_number};
use slipway_core::host::{Page, PageMark};

/// A search reads at most this many pages in one call; the next call goes on where it stopped.
pub(crate) const MOST_PAGES: u32 = 10;

/// Returns whether a name holds what a person typed, whatever the case.
pub(crate) fn holds(name: &str, search: &str) -> bool {
    search.is_empty() || name.to_lowercase().contains(&search.to_lowercase())
}

/// Where a numbered list goes on: what the host says (`total_page`, `X-Next-Page`), else until a page is not full.
pub(crate) fn next_number(answer: &Answer, page: u32, rows: usize, full: usize) -> Option<PageMark> {
    let number = |name: &str| answer.header(name).and_then(|text| text.trim().parse::<u32>().ok());
    let more = match (number("total_page"), answer.header("x-next-page")) {
        (Some(total), _) => page < total,
        (None, Some(next)) => !next.trim().is_empty(),
        // A list longer than asked is not paged at all.
        (None, None) => rows == full,
    };
    more.then(|| PageMark((page + 1).to_string()))
}

/// Numbered pages that are read until something was found, the list ends, or enough was read.
pub(crate) struct Numbered<T> {
    items: Vec<T>,
    next: Option<PageMark>,
    left: u32,
}

impl<T> Numbered<T> {
    /// Begins at a mark; a search goes on over several pages in one call.
    pub(crate) fn from(mark: Option<&PageMark>, searching: bool) -> Self {
        let next = Some(PageMark(page_number(mark).to_string()));
        Self { items: Vec::new(), next, left: if searching { MOST_PAGES } else { 1 } }
    }

    /// Returns the page to read now; `None` when it is enough.
    pub(crate) fn wanted(&mut self) -> Option<u32> {
        let page = page_number(Some(self.next.as_ref()?));
        self.left = self.left.checked_sub(1)?;
        Some(page)
    }

    /// Adds what a page had.
    pub(crate) fn add(&mut self, items: impl Iterator<Item = T>, next: Option<PageMark>) {
        self.items.extend(items);
        self.next = next;
    }

    /// Returns everything as one page.
    pub(crate) fn page(self) -> Page<T> {
        Page { items: self.items, next: self.next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_reads_on_and_a_list_does_not() {
        let read = |searching: bool, last: u32| {
            let mut pages = Numbered::from(Some(&PageMark("3".to_owned())), searching);
            let mut asked = Vec::new();
            while let Some(page) = pages.wanted() {
                asked.push(page);
                pages.add([page].into_iter(), (page < last).then(|| PageMark((page + 1).to_string())));
            }
            (asked, pages.page().next)
        };
        assert_eq!(read(false, 9), (vec![3], Some(PageMark("4".to_owned()))));
        assert_eq!(read(true, 5), (vec![3, 4, 5], None));
        assert_eq!(read(true, 99), ((3..13).collect(), Some(PageMark("13".to_owned()))));
    }

    #[test]
    fn names_hold_what_was_typed_in_any_case() {
        assert!(holds("Web-App", "b-a") && holds("x", "") && !holds("web", "app"));
    }
}
