//! Lists that come in pages: `tags/list` and `_catalog`. A list is whole or an error, never short.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use http::StatusCode;
use serde::de::DeserializeOwned;
use url::Url;

use super::allowance::{Allowed, too_many};
use super::answer::{cut, not_understood, unexpected, unreadable};
use super::client::Client;
use super::session::AccessScope;
use crate::http::{Entries, Request, Response, next_query};
use crate::registry::RegistryError;

/// More pages than this are a server that never ends.
const MAX_PAGES: usize = 1000;

/// The most entries of one list. What a look-up may read of all lists together is the client's allowance.
const MAX_ENTRIES: usize = 200_000;

/// The entries of a page, and one more for a list that is too long.
pub(super) type Items = Entries<String, { MAX_ENTRIES + 1 }>;

/// Page sizes that servers have by default are multiples of this; a list of such a length may be one page of more.
const ROUND: usize = 50;

/// One kind of list.
pub(super) trait Page: DeserializeOwned {
    /// As what its items count.
    const OF: Allowed;

    /// What the page holds.
    fn into_items(self) -> Items;
}

/// Every item of the list at `url`, of which the first page was answered already.
pub(super) async fn all<P: Page>(
    client: &Client,
    scope: &AccessScope,
    url: Url,
    first: &Response,
) -> Result<Vec<String>, RegistryError> {
    let asked = HashSet::from([url.clone()]);
    let mut list = List { client, url, items: HashMap::new(), asked };
    client.confirm_speaker(first)?;
    let mut next = list.read::<P>(first)?;
    while let Some(page) = next {
        client.allowance.take(Allowed::Pages, 1)?;
        let by_guess = page.by_guess;
        let response = client.send(scope, Request::get(page.url)).await?;
        // A server that knows no `last` may say so; it gave its whole list before.
        if by_guess && matches!(response.status.as_u16(), 400 | 404 | 405) {
            break;
        }
        client.confirm_speaker(&response)?;
        next = list.read::<P>(&response)?;
    }
    Ok(list.in_order())
}

/// The list as far as it was read.
struct List<'a> {
    client: &'a Client,
    url: Url,
    /// Each with its place, because pages may overlap.
    items: HashMap<String, usize>,
    asked: HashSet<Url>,
}

/// The page to ask for next.
struct Next {
    url: Url,
    /// No `Link` named it; the list only looked cut.
    by_guess: bool,
}

impl List<'_> {
    fn read<P: Page>(&mut self, response: &Response) -> Result<Option<Next>, RegistryError> {
        if response.status != StatusCode::OK {
            return Err(unexpected(response));
        }
        let page: P = response.json().map_err(|error| unreadable(response, "a list", &error))?;
        let items = page.into_items();
        let length = items.count;
        let last = items.kept.last().cloned();
        let before = self.items.len();
        self.keep(items, P::OF, response)?;
        if let Some(next) = next_page(&self.url, response)? {
            if !self.asked.insert(next.clone()) {
                return Err(not_understood(response, "a list whose pages go in circles".to_owned()));
            }
            return self.ends(response).map(|()| Some(Next { url: next, by_guess: false }));
        }
        let grew = self.items.len() > before;
        let next =
            last.filter(|_| grew && length.is_multiple_of(ROUND)).map(|last| self.after(length, &last));
        let next = next.filter(|url| self.asked.insert(url.clone()));
        match next {
            Some(url) => self.ends(response).map(|()| Some(Next { url, by_guess: true })),
            None => Ok(None),
        }
    }

    /// Whether there are not too many pages by now.
    fn ends(&self, response: &Response) -> Result<(), RegistryError> {
        match self.asked.len() > MAX_PAGES {
            true => Err(cut(response, too_many(MAX_PAGES, "pages"))),
            false => Ok(()),
        }
    }

    fn keep(&mut self, items: Items, of: Allowed, response: &Response) -> Result<(), RegistryError> {
        let too_many = || Err(cut(response, too_many(MAX_ENTRIES, "entries")));
        if items.count > MAX_ENTRIES {
            return too_many();
        }
        let (mut count, mut bytes) = (0, 0);
        for item in items.kept {
            let (place, length) = (self.items.len(), item.len());
            if let Entry::Vacant(entry) = self.items.entry(item) {
                entry.insert(place);
                (count, bytes) = (count + 1, bytes + length);
            }
        }
        self.client.allowance.take(of, count)?;
        self.client.allowance.take(Allowed::Bytes, bytes)?;
        if self.items.len() > MAX_ENTRIES { too_many() } else { Ok(()) }
    }

    fn in_order(self) -> Vec<String> {
        let mut items: Vec<(String, usize)> = self.items.into_iter().collect();
        items.sort_unstable_by_key(|(_, place)| *place);
        items.into_iter().map(|(item, _)| item).collect()
    }

    fn after(&self, length: usize, last: &str) -> Url {
        let mut url = self.url.clone();
        url.query_pairs_mut().clear().append_pair("n", &length.to_string()).append_pair("last", last);
        url
    }
}

/// The page that a `Link` names behind the list at `list`: the list itself, further on. What counts is where to go on: a
/// name and password in the link would be sent instead of ours.
pub(super) fn next_page(list: &Url, response: &Response) -> Result<Option<Url>, RegistryError> {
    let query = next_query(&response.headers).map_err(|error| cut(response, error.to_string()))?;
    Ok(query.map(|query| {
        // GHCR writes `n=0`, which by the specification asks for nothing.
        let kept: Vec<&str> = query.split('&').filter(|pair| *pair != "n=0").collect();
        let mut next = list.clone();
        next.set_query(Some(&kept.join("&")));
        next
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_query_of_a_link_counts() {
        let list: Url = "https://registry.example/v2/g/a/tags/list?n=2".parse().unwrap();
        let next = |link: &'static str| {
            let headers = http::HeaderMap::from_iter([(http::header::LINK, link.parse().unwrap())]);
            let (status, body) = (StatusCode::OK, Default::default());
            next_page(&list, &Response { status, headers, body, url: list.clone(), retry_after: None })
        };
        for same in [
            "</v2/a/tags/list?n=0&last=b>; rel=next",
            "<https://user:password@registry.example/v2/a?last=b#x>; rel=next",
            "<//registry.example:443?last=b>; rel=next",
            "<http://registry.example/v2/g/a/tags/list?last=b>; rel=next",
            "<https://registry.example:8443/v2/g/a/tags/list?last=b>; rel=next",
            "<http://registry-internal:5000/v2/g/a/tags/list?last=b>; rel=next",
        ] {
            let expected = "https://registry.example/v2/g/a/tags/list?last=b";
            assert_eq!(next(same).unwrap().unwrap().as_str(), expected, "{same}");
        }
        assert!(next("<?last=b>; rel='next'").is_err());
    }
}
