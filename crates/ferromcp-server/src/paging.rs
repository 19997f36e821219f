//! Lists in pages, and the cursors between them.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/pagination>.
//! A cursor names the last item seen, so it stays good while items come and go, and in every
//! process that registers the same things. It is opaque to clients and checked when it comes back.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ferromcp_core::Error;
use ferromcp_core::model::Items;

/// A list a server answers with.
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

/// A list cut into pages whose text is made once.
pub(crate) struct Pages<T> {
    list: List,
    cuts: Vec<Page<T>>,
    size: usize,
}

struct Page<T> {
    /// The serials of the items, rising.
    serials: Vec<u64>,
    items: Items<T>,
}

impl<T: Clone> Pages<T> {
    /// Cuts `items`, each with its serial number, into pages of `size`.
    pub(crate) fn cut(list: List, items: impl Iterator<Item = (u64, T)>, size: usize) -> Self {
        let size = size.max(1);
        let mut cuts = Vec::new();
        let mut items = items.peekable();
        while items.peek().is_some() {
            let (serials, items) = items.by_ref().take(size).unzip();
            cuts.push(Page { serials, items: Items::shared(items) });
        }
        Self { list, cuts, size }
    }

    /// The page behind `cursor`, or the first one, with the cursor of the next.
    ///
    /// # Errors
    /// -32602 when the cursor is not one of this list.
    pub(crate) fn page(&self, cursor: Option<&str>) -> Result<(Items<T>, Option<String>), Error> {
        let after = match cursor {
            None => return Ok(self.at(0)),
            Some(cursor) => decode(self.list, cursor).ok_or_else(|| Error::invalid_params("Invalid cursor"))?,
        };
        let next = self.cuts.partition_point(|page| page.serials.last().is_some_and(|last| *last <= after));
        match self.cuts.get(next) {
            None => Ok((Vec::new().into(), None)),
            Some(page) if page.serials.first().is_some_and(|first| *first > after) => Ok(self.at(next)),
            Some(_) => Ok(self.across(next, after)), // the list changed since the cursor was given out
        }
    }

    fn at(&self, index: usize) -> (Items<T>, Option<String>) {
        let Some(page) = self.cuts.get(index) else { return (Vec::new().into(), None) };
        let more = index + 1 < self.cuts.len();
        (page.items.clone(), page.serials.last().filter(|_| more).map(|last| encode(self.list, *last)))
    }

    /// A page that begins in the middle of the page at `index`, behind the serial `after`.
    fn across(&self, index: usize, after: u64) -> (Items<T>, Option<String>) {
        let rest = self.cuts[index..].iter().flat_map(|page| page.serials.iter().zip(page.items.iter()));
        let mut rest = rest.filter(|(serial, _)| **serial > after);
        let (serials, items): (Vec<u64>, Vec<T>) =
            rest.by_ref().take(self.size).map(|(serial, item)| (*serial, item.clone())).unzip();
        let next = serials.last().filter(|_| rest.next().is_some()).map(|last| encode(self.list, *last));
        (items.into(), next)
    }
}

fn encode(list: List, serial: u64) -> String {
    let mut bytes = [0; 13];
    bytes[0] = list as u8;
    bytes[1..9].copy_from_slice(&serial.to_be_bytes());
    let check = checksum(&bytes[..9]);
    bytes[9..].copy_from_slice(&check.to_be_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

fn decode(list: List, cursor: &str) -> Option<u64> {
    let bytes: [u8; 13] = URL_SAFE_NO_PAD.decode(cursor).ok()?.try_into().ok()?;
    let (body, check) = bytes.split_at(9);
    let sound = body[0] == list as u8 && check == checksum(body).to_be_bytes();
    sound.then(|| u64::from_be_bytes(body[1..].try_into().unwrap_or_default()))
}

/// FNV-1a: tells typos and guesses from cursors; a cursor holds nothing worth forging.
fn checksum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(pages: &Pages<u64>) -> Vec<u64> {
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
    fn pages_cover_the_list_once() {
        // M26-435, S-345, S-349, S-350
        for count in [0, 1, 9, 10, 11, 35] {
            let pages = Pages::cut(List::Tools, (1..=count).map(|n| (n, n)), 10);
            assert_eq!(walk(&pages), (1..=count).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_cursor_survives_changes_of_the_list() {
        // M26-433, S-342
        let before = Pages::cut(List::Tools, (1..=30).map(|n| (n, n)), 10);
        let (_, cursor) = before.page(None).unwrap();
        let after = Pages::cut(List::Tools, (1..=30).filter(|n| n % 3 != 0).map(|n| (n, n)), 10);
        let (items, next) = after.page(cursor.as_deref()).unwrap();
        assert_eq!(*items, [11, 13, 14, 16, 17, 19, 20, 22, 23, 25]);
        let (rest, end) = after.page(next.as_deref()).unwrap();
        assert_eq!((&*rest, end), (&[26, 28, 29][..], None));
    }

    #[test]
    fn foreign_cursors_are_refused() {
        // M26-434, M26-439, S-343, S-344
        let tools = Pages::cut(List::Tools, (1..=30).map(|n| (n, n)), 10);
        let prompts = Pages::cut(List::Prompts, (1..=30).map(|n| (n, n)), 10);
        let (_, cursor) = prompts.page(None).unwrap();
        for bad in ["", "1", "AAAAAAAAAAAAAAAAAA", cursor.as_deref().unwrap()] {
            assert_eq!(tools.page(Some(bad)).unwrap_err().code.0, -32602, "{bad}");
        }
    }
}
