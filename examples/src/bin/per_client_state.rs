//! State of single clients: carts behind unguessable handles, and favorites of authenticated principals.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ferromcp::prelude::*;
use ferromcp::server::{Json, State};

/// Maximum number of carts. Beyond it, the longest idle cart is removed.
const MAX_CARTS: usize = 10_000;
/// Idle time after which a cart expires.
const CART_IDLE: Duration = Duration::from_secs(30 * 60);
/// Maximum number of articles in one cart, and of favorites of one principal.
const MAX_ARTICLES: usize = 100;

/// A cart and the principal that opened it.
struct Cart {
    owner: Option<String>,
    articles: Vec<String>,
    used: Instant,
}

/// All carts by handle.
#[derive(Clone, Default)]
struct Carts(Arc<Mutex<HashMap<String, Cart>>>);

impl Carts {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Cart>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an empty cart.
    fn open(&self, handle: String, owner: Option<&str>) {
        let mut carts = self.lock();
        if carts.len() >= MAX_CARTS {
            carts.retain(|_, cart| cart.used.elapsed() < CART_IDLE);
            let idlest = carts.iter().min_by_key(|(_, cart)| cart.used).map(|(handle, _)| handle.clone());
            idlest.filter(|_| carts.len() >= MAX_CARTS).and_then(|handle| carts.remove(&handle));
        }
        carts.insert(handle, Cart { owner: owner.map(str::to_owned), articles: Vec::new(), used: Instant::now() });
    }

    /// Runs `work` with a cart of this owner. The error is the same for an unknown, an expired and a foreign handle.
    fn with<T>(
        &self,
        handle: &str,
        owner: Option<&str>,
        work: impl FnOnce(&mut Cart) -> Result<T, ToolError>,
    ) -> Result<T, ToolError> {
        match self.lock().get_mut(handle) {
            Some(cart) if cart.owner.as_deref() == owner && cart.used.elapsed() < CART_IDLE => {
                cart.used = Instant::now();
                work(cart)
            }
            _ => Err(ToolError::new("unknown or expired cart; call `open_cart` and use the handle that it returns")),
        }
    }
}

/// Open a shopping cart and return its handle
#[tool]
fn open_cart(ctx: Ctx, State(carts): State<Carts>) -> String {
    let handle = ctx.new_id();
    carts.open(handle.clone(), ctx.identity());
    handle
}

/// Put an article into a cart and return the articles in it
#[tool]
fn add_article(
    /// The handle from `open_cart`
    cart: String,
    #[arg(length(1..=80))] article: String,
    ctx: Ctx,
    State(carts): State<Carts>,
) -> Result<Json<Vec<String>>, ToolError> {
    carts.with(&cart, ctx.identity(), |cart| {
        if cart.articles.len() >= MAX_ARTICLES {
            return Err(ToolError::new(format!("the cart is full ({MAX_ARTICLES} articles)")));
        }
        cart.articles.push(article);
        Ok(Json(cart.articles.clone()))
    })
}

/// The favorites by principal. A real server stores them in a database.
#[derive(Clone, Default)]
struct Favorites(Arc<Mutex<HashMap<String, Vec<String>>>>);

/// Add an article to the user's favorites and return all of them
#[tool]
fn like(
    #[arg(length(1..=80))] article: String,
    ctx: Ctx,
    State(Favorites(all)): State<Favorites>,
) -> Result<Json<Vec<String>>, ToolError> {
    let principal = ctx.identity().ok_or_else(|| ToolError::new("favorites require an authenticated user"))?;
    let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
    let favorites = all.entry(principal.to_owned()).or_default();
    if favorites.len() >= MAX_ARTICLES {
        return Err(ToolError::new(format!("there are {MAX_ARTICLES} favorites already")));
    }
    favorites.push(article);
    Ok(Json(favorites.clone()))
}

fn server() -> Server {
    Server::new("Shop", "1.0.0")
        .tool::<open_cart>()
        .tool::<add_article>()
        .tool::<like>()
        .state(Carts::default())
        .state(Favorites::default())
}

#[tokio::main]
async fn main() -> Result<(), ServeError> {
    server().serve(stdio()).await
}

#[cfg(test)]
mod tests {
    use ferromcp::server::testing::{ClientMode, TestClient};

    use super::*;

    fn add(cart: &str) -> [(&'static str, String); 2] {
        [("cart", cart.to_owned()), ("article", "tea".to_owned())]
    }

    #[tokio::test]
    async fn state_is_separate_when_principals_differ() {
        for mode in ClientMode::ALL {
            let anyone = TestClient::with(server(), mode);
            let (ada, bob) = (anyone.clone().identified("ada"), anyone.clone().identified("bob"));
            let cart = ada.text("open_cart", &()).await;
            assert_eq!(ada.text("add_article", &add(&cart)).await, r#"["tea"]"#);
            for foreign in [&bob, &anyone] {
                let error = foreign.error_text("add_article", &add(&cart)).await;
                assert!(error.contains("unknown or expired cart"), "{error}");
            }
            assert_eq!(ada.text("like", &[("article", "tea")]).await, r#"["tea"]"#);
            assert_eq!(bob.text("like", &[("article", "rum")]).await, r#"["rum"]"#);
            let error = anyone.error_text("like", &[("article", "tea")]).await;
            assert!(error.contains("require an authenticated user"), "{error}");
        }
    }

    #[test]
    fn longest_idle_cart_is_removed_when_limit_is_reached() {
        let carts = Carts::default();
        for index in 0..=MAX_CARTS {
            carts.open(index.to_string(), None);
        }
        assert_eq!(carts.lock().len(), MAX_CARTS);
        assert!(carts.with("0", None, |_| Ok(())).is_err());
        assert!(carts.with("1", None, |_| Ok(())).is_ok());
    }
}
