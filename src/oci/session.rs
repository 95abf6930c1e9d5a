//! How one registry lets us in: the scheme that it asked for, and the tokens that it gave.
//!
//! Tokens are kept by the scopes that they were asked for. Repositories that will be asked about together share a
//! token; whoever needs it while it is on its way waits for the same request.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared};
use http::HeaderMap;
use url::Url;

use super::challenge::{Challenge, challenges};
use super::credentials::Credentials;
use super::token::{self, ASK, BearerToken, Realm};
use crate::http::{Credential, InvalidSecret, Origin, Transport, redacted};
use crate::registry::RegistryError;
use crate::release::without_user_info;

/// How many scopes one token request carries. GitLab's tokens grow with them, and headers end at 8 KiB.
const SCOPES_PER_TOKEN: usize = 20;

/// What a request needs leave for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum AccessScope {
    /// Reading one repository, by its path.
    Pull(String),
    /// The list of all repositories.
    Catalog,
}

/// One registry's credentials and tokens.
#[derive(Debug)]
pub(super) struct RegistrySession {
    transport: Transport,
    origin: Origin,
    credentials: Arc<Credentials>,
    scheme: Mutex<Option<Scheme>>,
    slots: Mutex<HashMap<AccessScope, Arc<Slot>>>,
}

/// What the registry asked for.
#[derive(Debug, Clone)]
enum Scheme {
    Basic,
    Bearer(Arc<Bearer>),
}

#[derive(Debug)]
struct Bearer {
    realm: Realm,
    /// The registry takes our password as well, without a token.
    takes_basic: bool,
    /// How this registry writes the scope of a repository: what stands before and after its path.
    around_path: (String, String),
}

type Flight = Shared<BoxFuture<'static, Result<BearerToken, RegistryError>>>;

/// The scopes that share a token, and the request that is getting or got it, with its number.
#[derive(Debug)]
struct Slot {
    scopes: Vec<AccessScope>,
    flight: Mutex<(u64, Option<Flight>)>,
}

/// What one request carries to be let in.
#[derive(Debug)]
pub(super) struct Pass {
    pub(super) credential: Credential,
    token: Option<Used>,
}

#[derive(Debug)]
struct Used {
    slot: Arc<Slot>,
    number: u64,
    /// Whether it was got for this very request.
    fresh: bool,
}

impl Pass {
    /// Whether the token covers other repositories, too; some registries read the first scope only.
    pub(super) fn is_shared(&self) -> bool {
        self.token.as_ref().is_some_and(|used| used.slot.scopes.len() > 1)
    }

    /// Whether a token server let us in with it, and not what we were given ourselves.
    pub(super) fn is_token(&self) -> bool {
        self.token.is_some()
    }
}

impl RegistrySession {
    pub(super) fn new(transport: Transport, origin: Origin, credentials: Credentials) -> Self {
        let (scheme, slots) = (Mutex::default(), Mutex::default());
        Self { transport, origin, credentials: Arc::new(credentials), scheme, slots }
    }

    /// Announces repositories that will be asked about together.
    pub(super) fn expect<'a>(&self, paths: impl Iterator<Item = &'a str>) {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let scopes = paths.map(|path| AccessScope::Pull(path.to_owned()));
        let new: Vec<AccessScope> = scopes.filter(|scope| !slots.contains_key(scope)).collect();
        for scopes in new.chunks(SCOPES_PER_TOKEN) {
            let slot = Arc::new(Slot::new(scopes.to_vec()));
            slots.extend(scopes.iter().map(|scope| (scope.clone(), Arc::clone(&slot))));
        }
    }

    /// What a request should carry; `None` as long as the registry asked for nothing.
    pub(super) async fn pass(&self, scope: &AccessScope) -> Result<Option<Pass>, RegistryError> {
        if let Credentials::RegistryToken(token) = &*self.credentials {
            return self.untokened(Credential::bearer(token)).map(Some);
        }
        match self.scheme() {
            None => Ok(None),
            Some(Scheme::Basic) => self.basic(),
            Some(Scheme::Bearer(bearer)) => {
                let slot = self.slot(scope);
                match self.token_pass(&bearer, slot.clone(), None).await {
                    Err(error) if bearer.takes_basic && !is_refusal(&error) => self.without_realm(error),
                    // Some token servers refuse a whole batch for one scope in it.
                    Err(error) if slot.scopes.len() > 1 && is_refusal(&error) => {
                        self.token_pass(&bearer, self.own_slot(scope), None).await.map(Some)
                    }
                    outcome => outcome.map(Some),
                }
            }
        }
    }

    /// A realm that cannot be spoken to keeps nobody out whose password the registry takes itself.
    fn without_realm(&self, error: RegistryError) -> Result<Option<Pass>, RegistryError> {
        let Some(pass) = self.basic()? else { return Err(error) };
        *self.scheme.lock().unwrap_or_else(PoisonError::into_inner) = Some(Scheme::Basic);
        Ok(Some(pass))
    }

    /// What to try after a 401; `None` when there is nothing better than what was `used`.
    pub(super) async fn after_refusal(
        &self,
        headers: &HeaderMap,
        scope: &AccessScope,
        used: Option<Pass>,
    ) -> Result<Option<Pass>, RegistryError> {
        let Some(used) = used else {
            self.learn(headers, scope)?;
            return self.pass(scope).await;
        };
        let (Some(token), Some(Scheme::Bearer(bearer))) = (used.token, self.scheme()) else {
            return Ok(None);
        };
        if !token.fresh {
            return self.token_pass(&bearer, token.slot, Some(token.number)).await.map(Some);
        }
        if token.slot.scopes.len() > 1 {
            return self.token_pass(&bearer, self.own_slot(scope), None).await.map(Some);
        }
        Ok(None)
    }

    /// Whether the token server takes our credentials where nothing in particular is asked for.
    pub(super) async fn is_known(&self) -> bool {
        match self.scheme() {
            Some(Scheme::Bearer(bearer)) => self.start(&bearer, &[]).await.is_ok(),
            Some(Scheme::Basic) | None => false,
        }
    }

    /// Where the registry sends us for tokens, as far as it has said so yet.
    pub(super) fn realm(&self) -> Option<Url> {
        match self.scheme()? {
            Scheme::Bearer(bearer) => Some(bearer.realm.url.clone()),
            Scheme::Basic => None,
        }
    }

    /// Reads from a 401 what the registry wants. The first challenge that we can answer is kept for good.
    pub(super) fn learn(&self, headers: &HeaderMap, scope: &AccessScope) -> Result<(), RegistryError> {
        let found = challenges(headers);
        let mut scheme = self.scheme.lock().unwrap_or_else(PoisonError::into_inner);
        if scheme.is_none() {
            let takes_basic = found.iter().any(|challenge| challenge.scheme == "basic");
            if let Some(challenge) = found.iter().find(|challenge| challenge.scheme == "bearer") {
                *scheme = Some(Scheme::Bearer(Arc::new(self.bearer(challenge, scope, takes_basic)?)));
            } else if takes_basic {
                *scheme = Some(Scheme::Basic);
            }
        }
        Ok(())
    }

    fn bearer(
        &self,
        challenge: &Challenge,
        scope: &AccessScope,
        takes_basic: bool,
    ) -> Result<Bearer, RegistryError> {
        let invalid = |reason: String| RegistryError::Unusable {
            reason: format!("{}: {reason}", self.origin),
            hint: Some(ASK.to_owned()),
        };
        let text = challenge.param("realm").unwrap_or_default();
        let no_url = || invalid(format!("its token realm `{}` is not a URL", without_user_info(text)));
        let url: Url = text.parse().map_err(|_| no_url())?;
        let realm_origin = Origin::of(&url)
            .ok_or_else(|| invalid(format!("its token realm `{}` is not on the web", redacted(&url))))?;
        if self.origin.is_tls() && !realm_origin.is_tls() {
            return Err(invalid(format!("its token realm {} is not encrypted", redacted(&url))));
        }
        let service = challenge.param("service").map(ToOwned::to_owned);
        let around_path = around_path(challenge.param("scope"), scope);
        Ok(Bearer { realm: Realm { url, service }, takes_basic, around_path })
    }

    fn scheme(&self) -> Option<Scheme> {
        self.scheme.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn basic(&self) -> Result<Option<Pass>, RegistryError> {
        let Credentials::Password { user, password } = &*self.credentials else { return Ok(None) };
        self.untokened(Credential::basic(user, password)).map(Some)
    }

    fn untokened(&self, credential: Result<Credential, InvalidSecret>) -> Result<Pass, RegistryError> {
        let credential = credential.map_err(|error| self.unusable(error))?;
        Ok(Pass { credential, token: None })
    }

    async fn token_pass(
        &self,
        bearer: &Arc<Bearer>,
        slot: Arc<Slot>,
        not: Option<u64>,
    ) -> Result<Pass, RegistryError> {
        let (number, flight, fresh) = slot.flight(not, || self.start(bearer, &slot.scopes));
        let token = flight.await?;
        let credential = Credential::bearer(&token.secret).map_err(|error| self.unusable(error))?;
        Ok(Pass { credential, token: Some(Used { slot, number, fresh }) })
    }

    fn start(&self, bearer: &Arc<Bearer>, scopes: &[AccessScope]) -> Flight {
        let (transport, credentials) = (self.transport.clone(), Arc::clone(&self.credentials));
        let (bearer, scopes) =
            (Arc::clone(bearer), scopes.iter().map(|scope| bearer.scope(scope)).collect::<Vec<_>>());
        let registry = self.origin.clone();
        async move {
            let granted = token::fetch(&transport, &bearer.realm, &credentials, &scopes).await?;
            Ok(granted.bound_to(registry))
        }
        .boxed()
        .shared()
    }

    fn slot(&self, scope: &AccessScope) -> Arc<Slot> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Arc::new(Slot::new(vec![scope.clone()]));
        Arc::clone(slots.entry(scope.clone()).or_insert_with(new))
    }

    /// A slot for this scope alone, in place of a shared one.
    fn own_slot(&self, scope: &AccessScope) -> Arc<Slot> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        match slots.get(scope) {
            Some(slot) if slot.scopes.len() == 1 => Arc::clone(slot),
            _ => {
                let slot = Arc::new(Slot::new(vec![scope.clone()]));
                slots.insert(scope.clone(), Arc::clone(&slot));
                slot
            }
        }
    }

    fn unusable(&self, error: InvalidSecret) -> RegistryError {
        RegistryError::Unusable { reason: format!("{}: {error}", self.origin), hint: None }
    }
}

impl Slot {
    fn new(scopes: Vec<AccessScope>) -> Self {
        Self { scopes, flight: Mutex::new((0, None)) }
    }

    /// The request that gets or got the token, but not number `not`; whether the caller has to wait for it.
    fn flight(&self, not: Option<u64>, start: impl FnOnce() -> Flight) -> (u64, Flight, bool) {
        let mut current = self.flight.lock().unwrap_or_else(PoisonError::into_inner);
        let (number, flight) = &mut *current;
        if let Some(flight) = flight
            && not != Some(*number)
            && is_usable(flight)
        {
            return (*number, flight.clone(), flight.peek().is_none());
        }
        let started = start();
        *number += 1;
        *flight = Some(started.clone());
        (*number, started, true)
    }
}

impl Bearer {
    fn scope(&self, scope: &AccessScope) -> String {
        let (before, after) = &self.around_path;
        match scope {
            AccessScope::Pull(path) => format!("{before}{path}{after}"),
            AccessScope::Catalog => "registry:catalog:*".to_owned(),
        }
    }
}

fn is_refusal(error: &RegistryError) -> bool {
    matches!(error, RegistryError::Refused { .. } | RegistryError::Denied { .. })
}

/// A refusal holds for all who share the token; any other failure is tried again by whoever comes later.
fn is_usable(flight: &Flight) -> bool {
    match flight.peek() {
        None => true,
        Some(Ok(token)) => !token.is_stale(),
        Some(Err(error)) => is_refusal(error),
    }
}

/// Registries behind a path of their own name repositories differently in scopes: what this one wrote around the
/// path that was asked for is written around the others.
fn around_path(named: Option<&str>, asked: &AccessScope) -> (String, String) {
    let usual = || ("repository:".to_owned(), ":pull".to_owned());
    let AccessScope::Pull(path) = asked else { return usual() };
    let scopes = named.unwrap_or_default().split_whitespace();
    let around = scopes.filter_map(|scope| scope.split_once(path.as_str())).next();
    around.map_or_else(usual, |(before, after)| (before.to_owned(), after.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_written_as_the_registry_writes_them() {
        let asked = AccessScope::Pull("group/x".to_owned());
        for (named, before, after) in [
            (None, "repository:", ":pull"),
            (Some("repository:group/x:pull"), "repository:", ":pull"),
            (Some("registry:catalog:* repository:proxy/group/x:pull"), "repository:proxy/", ":pull"),
            (Some("repository:other:pull"), "repository:", ":pull"),
        ] {
            assert_eq!(around_path(named, &asked), (before.to_owned(), after.to_owned()), "{named:?}");
        }
    }

    fn realm_of(registry: &str, realm: &str) -> Result<Option<Url>, RegistryError> {
        let transport = Transport::new(crate::http::TransportSettings::default()).unwrap();
        let origin = Origin::of(&registry.parse().unwrap()).unwrap();
        let session = RegistrySession::new(transport, origin, Credentials::Anonymous);
        let mut headers = HeaderMap::new();
        headers.insert("www-authenticate", format!(r#"Bearer realm="{realm}""#).parse().unwrap());
        session.learn(&headers, &AccessScope::Catalog)?;
        Ok(session.realm())
    }

    #[test]
    fn a_realm_is_encrypted_unless_the_registry_is_not() {
        let (plain, secure) = ("http://r.example/", "https://r.example/");
        assert!(realm_of(secure, "https://auth.example/token").unwrap().is_some());
        assert!(realm_of(plain, "http://auth.example/token").unwrap().is_some());
        for realm in ["http://auth.example/token", "auth.example", "file:///token", ""] {
            assert!(matches!(realm_of(secure, realm), Err(RegistryError::Unusable { .. })), "{realm}");
        }
    }
}
