//! A browser that keeps one cookie and fills in forms as they are on the page.

use super::house::{HOST, House};
use super::scene::who;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use std::sync::Arc;
use tower::ServiceExt as _;

pub struct Browser {
    pages: axum::Router,
    pub cookie: Option<String>,
}

#[derive(Debug)]
pub struct Page {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Page {
    /// Where a redirect leads.
    pub fn leads_to(&self) -> &str {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.text);
        self.headers[header::LOCATION].to_str().unwrap()
    }

    /// The value of a field in the first form whose action is `action` and that holds `containing`.
    pub fn field(&self, action: &str, containing: &str, name: &str) -> String {
        let form = self
            .form(action, containing)
            .unwrap_or_else(|| panic!("no form {action} with {containing}: {}", self.text));
        let after =
            form.split(&format!("name=\"{name}\" value=\"")).nth(1).unwrap_or_else(|| panic!("no {name} in {form}"));
        unescaped(after.split('"').next().unwrap())
    }

    /// The same, where the field need not be there.
    pub fn optional(&self, action: &str, containing: &str, name: &str) -> Option<String> {
        let form = self
            .form(action, containing)
            .unwrap_or_else(|| panic!("no form {action} with {containing}: {}", self.text));
        let after = form.split(&format!("name=\"{name}\" value=\"")).nth(1)?;
        Some(unescaped(after.split('"').next().unwrap()))
    }

    pub fn form(&self, action: &str, containing: &str) -> Option<&str> {
        self.text
            .split("<form")
            .skip(1)
            .map(|form| form.split("</form>").next().unwrap())
            .find(|form| form.contains(&format!("action=\"{action}\"")) && form.contains(containing))
    }
}

fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

pub fn encoded(fields: &[(&str, &str)]) -> String {
    let encode = |text: &str| {
        text.bytes().fold(String::new(), |out, b| {
            if b.is_ascii_alphanumeric() { out + &char::from(b).to_string() } else { out + &format!("%{b:02X}") }
        })
    };
    fields.iter().map(|(k, v)| format!("{}={}", encode(k), encode(v))).collect::<Vec<_>>().join("&")
}

impl Browser {
    pub fn anonymous(house: &Arc<House>) -> Self {
        Self { pages: house.pages(), cookie: None }
    }

    /// Signed in over a login link, as a person would.
    pub async fn of(house: &Arc<House>, id: &str) -> Self {
        let mut browser = Self::anonymous(house);
        let token = house.logins.mint(who(id)).unwrap();
        let page = browser.sign_in(&token).await;
        assert_eq!(page.leads_to(), "/");
        browser
    }

    /// The same person at other pages of the same house.
    pub fn at(self, pages: axum::Router) -> Self {
        Self { pages, ..self }
    }

    pub async fn sign_in(&mut self, token: &str) -> Page {
        let page = self.post("/login", &[("token", token)]).await;
        if let Some(cookie) = page.headers.get(header::SET_COOKIE) {
            self.cookie = Some(cookie.to_str().unwrap().split(';').next().unwrap().to_owned());
        }
        page
    }

    pub fn request(&self, method: &Method, path: &str) -> axum::http::request::Builder {
        let request = Request::builder().method(method).uri(path).header(header::HOST, HOST);
        match &self.cookie {
            Some(cookie) => request.header(header::COOKIE, cookie),
            None => request,
        }
    }

    pub async fn send(&self, request: Request<Body>) -> Page {
        let response = self.pages.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let text = String::from_utf8(to_bytes(body, 4 << 20).await.unwrap().to_vec()).unwrap();
        Page { status: head.status, headers: head.headers, text }
    }

    /// The answer with its body still to come.
    pub async fn open(&self, path: &str) -> axum::response::Response {
        self.pages.clone().oneshot(self.request(&Method::GET, path).body(Body::empty()).unwrap()).await.unwrap()
    }

    pub async fn get(&self, path: &str) -> Page {
        let path = path.split('#').next().unwrap();
        self.send(self.request(&Method::GET, path).body(Body::empty()).unwrap()).await
    }

    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        let request = self
            .request(&Method::POST, path)
            .header(header::ORIGIN, format!("http://{HOST}"))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request.body(Body::from(encoded(fields))).unwrap()).await
    }

    /// Fills in the composer of a page and sends it.
    pub async fn say(&self, page: &Page, action: &str, text: &str) -> Page {
        let (csrf, nonce) = (page.field(action, "name=\"text\"", "csrf"), page.field(action, "name=\"text\"", "nonce"));
        self.post(action, &[("csrf", &csrf), ("nonce", &nonce), ("text", text)]).await
    }

    /// Fills in the folded form of this verb, and sends it.
    pub async fn fill(&self, page: &Page, verb: &str, fields: &[(&str, &str)]) -> Page {
        let marked = format!("name=\"verb\" value=\"{verb}\"");
        let own = ["csrf", "nonce", "page"].map(|name| (name, page.optional("/form", &marked, name)));
        let own: Vec<(&str, &str)> = own.iter().filter_map(|(name, value)| Some((*name, value.as_deref()?))).collect();
        self.post("/form", &[own.as_slice(), &[("verb", verb)], fields].concat()).await
    }

    /// Presses the button with this label, as a browser without JavaScript does.
    pub async fn press(&self, page: &Page, label: &str) -> Page {
        let marked = format!(">{label}</button>");
        let field = |name| page.field("/press", &marked, name);
        let (csrf, nonce, ask) = (field("csrf"), field("nonce"), field("ask"));
        let mut fields = vec![("csrf", csrf.as_str()), ("nonce", &nonce), ("ask", &ask)];
        let number;
        if page.form("/press", &marked).unwrap().contains("name=\"page\"") {
            number = field("page");
            fields.push(("page", &number));
        }
        self.post("/press", &fields).await
    }
}
