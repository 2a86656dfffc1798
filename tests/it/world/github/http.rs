//! The routes of the fake, each as strict as its documentation.

use super::shapes;
use super::spec;
use super::{
    ANA, APP, APP_SLUG, FakeGitHub, Fault, INSTALLATION, Issue, LOGIN, TOKEN, TOKEN_OF_ANA, Truth, public_key,
};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use smokejumper::flow::moment::{At, HOUR, SECOND};
use std::collections::BTreeMap;

const MAX_BODY: usize = 4 * 1024 * 1024;

/// What a request is answered with.
enum Said {
    Json(u16, Value),
    Header(u16, Vec<(&'static str, String)>, Value),
    Empty(u16),
    Garbage,
    /// The connection ends in the middle of the answer.
    Lost,
}

pub fn router(fake: FakeGitHub) -> Router {
    Router::new().fallback(take).with_state(fake)
}

async fn take(State(fake): State<FakeGitHub>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, MAX_BODY).await.unwrap();
    let path = parts.uri.path().to_owned();
    let query: BTreeMap<String, String> = parts.uri.query().map(pairs).unwrap_or_default();
    let now = fake.now();
    fake.with(|truth| truth.requests.push((now, format!("{} {path}", parts.method))));
    let wrong = spec::request(&parts.method, &path, &query, &body);
    fake.with(|truth| truth.violations.extend(wrong));
    let said = answer(&fake, now, &parts.method, &path, &query, &parts.headers, &body);
    if let Said::Json(status, value) | Said::Header(status, _, value) = &said {
        let wrong = spec::answer(&parts.method, &path, *status, value);
        fake.with(|truth| truth.violations.extend(wrong));
        if (200..300).contains(status) {
            tell(&fake, &parts.method, &path, &body, value);
        }
    }
    let mut response = respond(said);
    // By its own clock, like everything else here.
    let date = jiff::fmt::rfc2822::DateTimePrinter::new()
        .timestamp_to_rfc9110_string(&jiff::Timestamp::from_millisecond(now.0).unwrap())
        .unwrap();
    response.headers_mut().insert("date", date.parse().unwrap());
    response
}

/// The webhook of an issue that was made, closed or reopened through the API.
fn tell(fake: &FakeGitHub, method: &Method, path: &str, body: &[u8], issue: &Value) {
    let Some(hook) = fake.with(|truth| truth.hook.clone()) else { return };
    let asked: Value = serde_json::from_slice(body).unwrap_or_default();
    let action = match (method.as_str(), asked["state"].as_str()) {
        ("POST", _) => "opened",
        ("PATCH", Some("closed")) => "closed",
        ("PATCH", Some("open")) => "reopened",
        _ => return,
    };
    let parts: Vec<&str> = path.split('/').collect();
    let (Some(number), ["", "repos", owner, name, "issues", ..]) = (issue["number"].as_u64(), parts.as_slice()) else {
        return;
    };
    let sender = if action == "closed" { &issue["closed_by"] } else { &issue["user"] };
    let sender = sender["login"].as_str().unwrap_or(LOGIN);
    let (body, signature) = fake.delivery(&format!("{owner}/{name}"), number, action, sender);
    tokio::spawn(async move {
        let request = super::client().post(hook).header("x-github-event", "issues").body(body);
        let told = request.header("x-hub-signature-256", signature).header("content-type", "application/json").send();
        told.await.map_err(|e| println!("the webhook was not delivered: {e}")).ok();
    });
}

fn pairs(query: &str) -> BTreeMap<String, String> {
    let decode = |text: &str| text.replace("%5B", "[").replace("%5D", "]").replace("%3A", ":");
    query.split('&').filter_map(|pair| pair.split_once('=')).map(|(k, v)| (k.to_owned(), decode(v))).collect()
}

fn respond(said: Said) -> Response {
    let json = |status: u16, headers: Vec<(&'static str, String)>, value: Value| {
        let mut response = Response::builder().status(status).header("content-type", "application/json; charset=utf-8");
        for (name, value) in headers {
            response = response.header(name, value);
        }
        response.body(Body::from(value.to_string())).unwrap()
    };
    match said {
        Said::Json(status, value) => json(status, Vec::new(), value),
        Said::Header(status, headers, value) => json(status, headers, value),
        Said::Empty(status) => Response::builder().status(status).body(Body::empty()).unwrap(),
        Said::Garbage => Response::builder().status(StatusCode::CREATED).body(Body::from("<html>")).unwrap(),
        Said::Lost => {
            let cut = futures::stream::iter([Ok(Bytes::from_static(b"{\"num")), Err(std::io::Error::other("cut"))]);
            Response::builder().status(StatusCode::CREATED).body(Body::from_stream(cut)).unwrap()
        }
    }
}

fn message(status: u16, text: &str) -> Said {
    Said::Json(
        status,
        json!({ "message": text, "documentation_url": "https://docs.github.com/rest", "status": status.to_string() }),
    )
}

fn answer(
    fake: &FakeGitHub,
    now: At,
    method: &Method,
    path: &str,
    query: &BTreeMap<String, String>,
    headers: &HeaderMap,
    body: &[u8],
) -> Said {
    let header = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
    fake.with(|truth| {
        if truth.closed(now) {
            truth.violations.push(format!("{method} {path} before Retry-After was over"));
        }
        if header("user-agent").is_empty() {
            truth.violations.push("no User-Agent".to_owned());
            return message(403, "Request forbidden by administrative rules.");
        }
        if header("accept") != "application/vnd.github+json" {
            truth.violations.push(format!("Accept: {}", header("accept")));
            return message(415, "Must accept 'application/json'");
        }
        if !["2022-11-28", "2026-03-10"].contains(&header("x-github-api-version").as_str()) {
            truth.violations.push(format!("X-GitHub-Api-Version: {}", header("x-github-api-version")));
            return message(400, "Unsupported API version");
        }
        if !body.is_empty() && header("content-type") != "application/json" {
            truth.violations.push(format!("Content-Type: {}", header("content-type")));
            return message(415, "Body should be JSON");
        }
        let bearer = header("authorization").strip_prefix("Bearer ").unwrap_or_default().to_owned();
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        if parts.first() == Some(&"app") {
            return app(truth, now, &bearer, &parts);
        }
        let login = match bearer.as_str() {
            TOKEN => LOGIN.to_owned(),
            TOKEN_OF_ANA => ANA.to_owned(),
            token if truth.tokens.get(token).is_some_and(|until| now < *until) => format!("{APP_SLUG}[bot]"),
            _ => return message(401, "Bad credentials"),
        };
        match (method.as_str(), parts.as_slice()) {
            ("GET", ["user"]) if !login.ends_with("[bot]") => Said::Json(200, shapes::me(&login)),
            ("GET", ["user"]) => message(403, "Resource not accessible by integration"),
            (_, ["repos", owner, name, rest @ ..]) => {
                let repository = format!("{owner}/{name}");
                let at = Place { api: &fake.url, repository: &repository, login: &login, now };
                at.answer(truth, method, rest, query, headers, body)
            }
            _ => message(404, "Not Found"),
        }
    })
}

/// `GET /app`, `POST /app/installations/{id}/access_tokens`: with a JWT of the App's.
fn app(truth: &mut Truth, now: At, jwt: &str, parts: &[&str]) -> Said {
    if let Err(why) = proven(now, jwt) {
        truth.violations.push(format!("JWT: {why}"));
        return message(401, "A JSON web token could not be decoded");
    }
    match parts {
        ["app"] => Said::Json(200, shapes::app(APP, APP_SLUG)),
        ["app", "installations", id, "access_tokens"] if id.parse() == Ok(INSTALLATION) => {
            truth.fetched += 1;
            let token = format!("ghs_{}", truth.fetched);
            truth.tokens.insert(token.clone(), now.plus(HOUR));
            let permissions = json!({ "issues": "write", "metadata": "read" });
            Said::Json(
                201,
                json!({ "token": token, "expires_at": now.plus(HOUR).rfc3339(), "permissions": permissions }),
            )
        }
        _ => message(404, "Not Found"),
    }
}

fn proven(now: At, jwt: &str) -> Result<(), String> {
    let (message, signature) = jwt.rsplit_once('.').ok_or("it is no JWT")?;
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|e| e.to_string())?;
    let key = ring::signature::UnparsedPublicKey::new(&ring::signature::RSA_PKCS1_2048_8192_SHA256, public_key());
    key.verify(message.as_bytes(), &signature).map_err(|_| "it is signed by somebody else")?;
    let part = |text: &str| -> Result<Value, String> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|e| e.to_string())?;
        serde_json::from_slice(&bytes).map_err(|e| e.to_string())
    };
    let (head, claims) = message.split_once('.').ok_or("it has no claims")?;
    let (head, claims) = (part(head)?, part(claims)?);
    let number = |name: &str| claims[name].as_i64().ok_or(format!("no {name}"));
    let (issued, expires, now) = (number("iat")?, number("exp")?, now.0 / SECOND);
    if head["alg"] != "RS256" || claims["iss"].as_str().and_then(|id| id.parse().ok()) != Some(APP) {
        return Err(format!("{head} {claims}"));
    }
    if issued > now || expires <= now || expires - now > 600 || expires - issued > 600 {
        return Err(format!("from {issued} to {expires}, and it is {now}"));
    }
    Ok(())
}

/// A request about one repository.
struct Place<'a> {
    api: &'a str,
    repository: &'a str,
    login: &'a str,
    now: At,
}

impl Place<'_> {
    fn answer(
        &self,
        truth: &mut Truth,
        method: &Method,
        rest: &[&str],
        query: &BTreeMap<String, String>,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Said {
        let Some(repository) = truth.repositories.get(self.repository) else { return message(404, "Not Found") };
        if let Some(there) = &repository.moved_to {
            let url = format!("{}/repos/{there}/{}", self.api, rest.join("/"));
            let (status, moved) =
                if method == Method::GET { (301, "Moved Permanently") } else { (307, "Temporary Redirect") };
            return Said::Header(
                status,
                vec![("location", url.clone())],
                json!({ "message": moved, "url": url, "documentation_url": "" }),
            );
        }
        match (method.as_str(), rest) {
            ("GET", ["assignees", login]) if repository.assignable.contains(*login) => Said::Empty(204),
            ("GET", ["issues"]) if repository.issues_off => {
                message(410, "Issues has been disabled in this repository.")
            }
            ("GET", ["issues"]) => self.list(truth, query),
            ("GET", ["issues", number]) => self.show(truth, number.parse().unwrap_or_default(), headers),
            ("POST", ["issues"]) => self.write(truth, true, |at, truth| at.create(truth, body)),
            ("PATCH", ["issues", number]) => {
                let number = number.parse().unwrap_or_default();
                self.write(truth, false, |at, truth| at.change(truth, number, body))
            }
            _ => message(404, "Not Found"),
        }
    }

    /// A change, after the faults that were planned for it.
    fn write(&self, truth: &mut Truth, creates: bool, work: impl FnOnce(&Self, &mut Truth) -> Said) -> Said {
        let fault = truth.faults.pop_front();
        let limit = |truth: &mut Truth, status: u16, after: Option<i64>| {
            truth.close_for(self.now, after.unwrap_or(60));
            let headers = after.map(|s| ("retry-after", s.to_string())).into_iter().collect();
            let text = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.";
            Said::Header(status, headers, json!({ "message": text, "documentation_url": "" }))
        };
        match fault {
            Some(Fault::Lost) => return Said::Lost,
            Some(Fault::BadGateway) => return Said::Json(502, json!({ "message": "Server Error" })),
            Some(Fault::Secondary(after)) => return limit(truth, 403, after),
            Some(Fault::TooMany(after)) => return limit(truth, 429, Some(after)),
            Some(Fault::UsedUp(seconds)) => {
                truth.close_for(self.now, seconds);
                let reset = (self.now.0 / SECOND + seconds).to_string();
                let headers = vec![("x-ratelimit-remaining", "0".to_owned()), ("x-ratelimit-reset", reset)];
                return Said::Header(
                    403,
                    headers,
                    json!({ "message": "API rate limit exceeded", "documentation_url": "" }),
                );
            }
            _ => {}
        }
        // Of an integration it is asked to wait between writes; a person has a rhythm of their own.
        if self.login != ANA && !truth.begins(self.now, creates) {
            return limit(truth, 403, Some(60));
        }
        let said = work(self, truth);
        match fault {
            Some(Fault::EffectThenLost) => Said::Lost,
            Some(Fault::EffectThenGarbage) => Said::Garbage,
            Some(Fault::EffectThenBadGateway) => Said::Json(502, json!({ "message": "Server Error" })),
            _ => said,
        }
    }

    fn create(&self, truth: &mut Truth, body: &[u8]) -> Said {
        let known = ["title", "body", "labels", "assignees", "milestone"];
        let content = match Self::content(truth, body, &known) {
            Ok(content) => content,
            Err(said) => return said,
        };
        let lag = truth.lags.pop_front().unwrap_or_default();
        let repository = truth.repositories.get_mut(self.repository).unwrap();
        if repository.issues_off {
            return message(410, "Issues has been disabled in this repository.");
        }
        let texts = |name: &str| -> Vec<String> { serde_json::from_value(content[name].clone()).unwrap_or_default() };
        let (mut labels, mut assignees) = (texts("labels"), texts("assignees"));
        if assignees.len() > 10 || !assignees.iter().all(|a| repository.assignable.contains(a)) {
            return invalid("assignees");
        }
        if labels.iter().any(|label| label.chars().count() > 50) {
            return invalid("labels");
        }
        if repository.drops_labels {
            (labels, assignees) = (Vec::new(), Vec::new());
        }
        let issue = Issue {
            number: repository.issues.len() as u64 + 1,
            title: content["title"].as_str().unwrap_or_default().to_owned(),
            body: content["body"].as_str().unwrap_or_default().to_owned(),
            labels,
            assignees,
            user: self.login.to_owned(),
            closed_by: None,
            created_at: self.now,
            updated_at: self.now,
            closed_at: None,
            listed_from: self.now.plus(lag),
            deleted: false,
        };
        let shown = shapes::issue(self.api, self.repository, &issue);
        repository.issues.push(issue);
        Said::Json(201, shown)
    }

    fn change(&self, truth: &mut Truth, number: u64, body: &[u8]) -> Said {
        let content =
            match Self::content(truth, body, &["state", "state_reason", "assignees", "labels", "title", "body"]) {
                Ok(content) => content,
                Err(said) => return said,
            };
        let repository = truth.repositories.get_mut(self.repository).unwrap();
        let assignable = repository.assignable.clone();
        let Some(issue) = repository.issues.iter_mut().find(|i| i.number == number) else {
            return message(404, "Not Found");
        };
        if issue.deleted {
            return message(410, "This issue was deleted");
        }
        if let Some(assignees) = content.get("assignees") {
            let wanted: Vec<String> = serde_json::from_value(assignees.clone()).unwrap_or_default();
            if !wanted.iter().all(|a| assignable.contains(a)) {
                return invalid("assignees");
            }
            issue.assignees = wanted;
        }
        match content["state"].as_str() {
            Some("closed") => {
                issue.closed_at.get_or_insert(self.now);
                issue.closed_by = Some(self.login.to_owned());
            }
            Some("open") => (issue.closed_at, issue.closed_by) = (None, None),
            _ => {}
        }
        issue.updated_at = self.now;
        Said::Json(200, shapes::issue(self.api, self.repository, issue))
    }

    fn content(truth: &mut Truth, body: &[u8], known: &[&str]) -> Result<Value, Said> {
        let content: Value = serde_json::from_slice(body).map_err(|_| message(400, "Problems parsing JSON"))?;
        let strange: Vec<_> =
            content.as_object().unwrap().keys().filter(|key| !known.contains(&key.as_str())).collect();
        if !strange.is_empty() {
            truth.violations.push(format!("unknown fields {strange:?}"));
            return Err(invalid("fields"));
        }
        let long = |name: &str, most: usize| content[name].as_str().is_some_and(|text| text.chars().count() > most);
        if long("title", 256) || long("body", 65_536) || content["title"].as_str() == Some("") {
            truth.violations.push("too long, or no title".to_owned());
            return Err(invalid("title"));
        }
        Ok(content)
    }

    fn show(&self, truth: &Truth, number: u64, headers: &HeaderMap) -> Said {
        let Some(issue) = truth.repositories[self.repository].issues.iter().find(|i| i.number == number) else {
            return message(404, "Not Found");
        };
        if issue.deleted {
            return message(410, "This issue was deleted");
        }
        let etag = format!("W/\"{}-{}\"", issue.number, issue.updated_at.0);
        if headers.get("if-none-match").is_some_and(|known| known.as_bytes() == etag.as_bytes()) {
            return Said::Empty(304);
        }
        Said::Header(200, vec![("etag", etag)], shapes::issue(self.api, self.repository, issue))
    }

    fn list(&self, truth: &Truth, query: &BTreeMap<String, String>) -> Said {
        let get = |name: &str| query.get(name).map(String::as_str);
        let number = |name: &str, usual: usize| get(name).and_then(|v| v.parse().ok()).unwrap_or(usual);
        let (per_page, page) = (number("per_page", 30).min(100), number("page", 1).max(1));
        let since = get("since").map(|text| At(text.parse::<jiff::Timestamp>().unwrap().as_millisecond()));
        let mut issues: Vec<&Issue> = truth.repositories[self.repository]
            .issues
            .iter()
            .filter(|i| !i.deleted && i.listed_from <= self.now)
            .filter(|i| get("creator").is_none_or(|login| i.user.eq_ignore_ascii_case(login)))
            .filter(|i| since.is_none_or(|since| i.updated_at >= since))
            .filter(|i| get("state") == Some("all") || (get("state") == Some("closed")) == i.closed_at.is_some())
            .collect();
        issues.sort_by_key(|i| (i.created_at, i.number));
        if get("direction") != Some("asc") {
            issues.reverse();
        }
        let more = issues.len() > page * per_page;
        let shown: Vec<Value> = issues
            .into_iter()
            .skip((page - 1) * per_page)
            .take(per_page)
            .map(|i| shapes::issue(self.api, self.repository, i))
            .collect();
        let link = format!("<{}/repos/{}/issues?page={}>; rel=\"next\"", self.api, self.repository, page + 1);
        Said::Header(200, more.then_some(("link", link)).into_iter().collect(), Value::Array(shown))
    }
}

fn invalid(field: &str) -> Said {
    let error = json!({ "resource": "Issue", "field": field, "code": "invalid" });
    Said::Json(422, json!({ "message": "Validation Failed", "errors": [error], "documentation_url": "" }))
}
