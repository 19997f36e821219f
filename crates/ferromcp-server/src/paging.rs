//! Pagination of lists.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/pagination>. A cursor contains the
//! serial number of the last item on the page. It stays valid when items are added or removed, and in every process
//! that registers the same items. It is opaque to clients and validated when it is received.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ferromcp_core::Error;
use ferromcp_core::model::Items;

/// A list method of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum List {
    /// `tools/list`.
    Tools = 1,
    /// `resources/list`.
    Resources = 2,
    /// `resources/templates/list`.
    Templates = 3,
    /// `prompts/list`.
    Prompts = 4,
}

/// A list divided into pages that are serialized once.
pub(crate) struct Pages<T> {
    list: List,
    chunks: Vec<Page<T>>,
    size: usize,
}

struct Page<T> {
    /// Serial numbers of the items, in increasing order.
    serials: Vec<u64>,
    items: Items<T>,
}

impl<T: Clone> Pages<T> {
    /// Divides `items`, each with its serial number, into pages of `size` items.
    pub(crate) fn new(list: List, items: impl Iterator<Item = (u64, T)>, size: usize) -> Self {
        let size = size.max(1);
        let mut chunks = Vec::new();
        let mut items = items.peekable();
        while items.peek().is_some() {
            let (serials, items) = items.by_ref().take(size).unzip();
            chunks.push(Page { serials, items: Items::shared(items) });
        }
        Self { list, chunks, size }
    }

    /// Returns the page after `cursor`, or the first page, with the cursor of the next page.
    ///
    /// # Errors
    /// Fails with -32602 if the cursor does not belong to this list.
    pub(crate) fn page(&self, cursor: Option<&str>) -> Result<(Items<T>, Option<String>), Error> {
        let after = match cursor {
            None => return Ok(self.at(0)),
            Some(cursor) => Position::decode(self.list, cursor)?.serial,
        };
        let next = self.chunks.partition_point(|page| page.serials.last().is_some_and(|last| *last <= after));
        match self.chunks.get(next) {
            None => Ok((Vec::new().into(), None)),
            Some(page) if page.serials.first().is_some_and(|first| *first > after) => Ok(self.at(next)),
            Some(_) => Ok(self.across(next, after)), // the list changed after the cursor was sent
        }
    }

    fn at(&self, index: usize) -> (Items<T>, Option<String>) {
        let Some(page) = self.chunks.get(index) else { return (Vec::new().into(), None) };
        let more = index + 1 < self.chunks.len();
        let next = page.serials.last().filter(|_| more).map(|last| Position::after(*last).encode(self.list));
        (page.items.clone(), next)
    }

    /// Returns a page that starts after the serial number `after`, inside the page at `index`.
    fn across(&self, index: usize, after: u64) -> (Items<T>, Option<String>) {
        let rest = self.chunks[index..].iter().flat_map(|page| page.serials.iter().zip(page.items.iter()));
        let mut rest = rest.filter(|(serial, _)| **serial > after);
        let (serials, items): (Vec<u64>, Vec<T>) =
            rest.by_ref().take(self.size).map(|(serial, item)| (*serial, item.clone())).unzip();
        let next = serials.last().filter(|_| rest.next().is_some());
        let next = next.map(|last| Position::after(*last).encode(self.list));
        (items.into(), next)
    }
}

/// Returns the page of `items` after `cursor`, with the cursor of the next page. For lists that are not cached.
///
/// # Errors
/// Fails with -32602 if the cursor does not belong to this list.
pub(crate) fn page_of<T>(
    list: List,
    items: impl Iterator<Item = (u64, T)>,
    size: usize,
    cursor: Option<&str>,
) -> Result<(Items<T>, Option<String>), Error> {
    let after = cursor.map_or(Ok(Position::START), |cursor| Position::decode(list, cursor))?.serial;
    let mut rest = items.filter(|(serial, _)| *serial > after);
    let (serials, items): (Vec<u64>, Vec<T>) = rest.by_ref().take(size.max(1)).unzip();
    let next = serials.last().filter(|_| rest.next().is_some());
    let next = next.map(|last| Position::after(*last).encode(list));
    Ok((items.into(), next))
}

/// The position of a cursor: after the item with this serial number, or within the items that it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) serial: u64,
    /// The number of preceding items of a template whose resources are listed by a function. `None` after all of them.
    pub(crate) offset: Option<u32>,
}

impl Position {
    /// The position before the first item; serial numbers start at 1.
    pub(crate) const START: Self = Self { serial: 0, offset: None };

    /// Returns the position after an item.
    pub(crate) fn after(serial: u64) -> Self {
        Self { serial, offset: None }
    }

    pub(crate) fn encode(self, list: List) -> String {
        let mut bytes = vec![list as u8];
        bytes.extend(self.serial.to_be_bytes());
        bytes.extend(self.offset.into_iter().flat_map(u32::to_be_bytes));
        bytes.extend(checksum(&bytes).to_be_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Decodes a cursor of `list`.
    ///
    /// # Errors
    /// Fails with -32602 if the cursor does not belong to this list.
    pub(crate) fn decode(list: List, cursor: &str) -> Result<Self, Error> {
        let decode = || {
            let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
            let (body, check) = bytes.split_last_chunk::<4>()?;
            let (first, rest) = body.split_first()?;
            let (serial, offset) = rest.split_first_chunk::<8>()?;
            let offset = if offset.is_empty() { None } else { Some(u32::from_be_bytes(offset.try_into().ok()?)) };
            let valid = *first == list as u8 && *check == checksum(body).to_be_bytes();
            valid.then(|| Self { serial: u64::from_be_bytes(*serial), offset })
        };
        decode().ok_or_else(|| Error::invalid_params("Invalid cursor"))
    }
}

/// Returns the FNV-1a hash, which detects invalid cursors. Forging a cursor gives no access to hidden items.
fn checksum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collect_all(pages: &Pages<u64>) -> Vec<u64> {
        let (mut seen, mut cursor) = (Vec::new(), None);
        loop {
            let (items, next) = pages.page(cursor.as_deref()).unwrap();
            seen.extend_from_slice(&items);
            cursor = next;
            if cursor.is_none() {
                return seen;
            }
        }
    }

    #[test]
    fn pages_contain_every_item_once() {
        // M26-435, S-345, S-349, S-350
        for count in [0, 1, 9, 10, 11, 35] {
            let pages = Pages::new(List::Tools, (1..=count).map(|n| (n, n)), 10);
            assert_eq!(collect_all(&pages), (1..=count).collect::<Vec<_>>());
        }
    }

    #[test]
    fn pages_are_the_same_when_they_are_not_cached() {
        for count in [0, 1, 9, 10, 11, 35] {
            let items = || (1..=count).filter(|n| n % 2 == 1).map(|n| (n, n));
            let cached = Pages::new(List::Tools, items(), 5);
            let mut cursor = None;
            loop {
                let (items, next) = page_of(List::Tools, items(), 5, cursor.as_deref()).unwrap();
                let (expected, expected_next) = cached.page(cursor.as_deref()).unwrap();
                assert_eq!((&*items, &next), (&*expected, &expected_next));
                cursor = next;
                if cursor.is_none() {
                    break;
                }
            }
        }
        assert!(page_of(List::Tools, [(1, 1)].into_iter(), 5, Some("x")).is_err());
    }

    #[test]
    fn cursor_stays_valid_when_list_changes() {
        // M26-433, S-342
        let before = Pages::new(List::Tools, (1..=30).map(|n| (n, n)), 10);
        let (_, cursor) = before.page(None).unwrap();
        let after = Pages::new(List::Tools, (1..=30).filter(|n| n % 3 != 0).map(|n| (n, n)), 10);
        let (items, next) = after.page(cursor.as_deref()).unwrap();
        assert_eq!(*items, [11, 13, 14, 16, 17, 19, 20, 22, 23, 25]);
        let (rest, end) = after.page(next.as_deref()).unwrap();
        assert_eq!((&*rest, end), (&[26, 28, 29][..], None));
    }

    #[test]
    fn cursor_is_rejected_when_invalid_or_of_another_list() {
        // M26-434, M26-439, S-343, S-344
        let tools = Pages::new(List::Tools, (1..=30).map(|n| (n, n)), 10);
        let prompts = Pages::new(List::Prompts, (1..=30).map(|n| (n, n)), 10);
        let (_, cursor) = prompts.page(None).unwrap();
        for bad in ["", "1", "AAAAAAAAAAAAAAAAAA", cursor.as_deref().unwrap()] {
            assert_eq!(tools.page(Some(bad)).unwrap_err().code.0, -32602, "{bad}");
        }
    }
}
