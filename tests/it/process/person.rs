//! A person at the console of a running server: signed in by the link that `serve` or `login` prints.

use super::bot::{Address, Bot, client};

pub struct Person {
    client: reqwest::Client,
    at: Address,
    cookie: String,
}

impl Person {
    /// Uses the login link of `serve` up, as a browser does.
    pub async fn sign_in(bot: &Bot) -> Self {
        Self::with_link(bot, &bot.login_url()).await
    }

    /// The same with any link.
    pub async fn with_link(bot: &Bot, link: &str) -> Self {
        let client = client();
        let page = client.get(link).send().await.unwrap();
        assert_eq!(page.status(), 200, "{link}");
        let (_, token) = link.split_once("token=").unwrap();
        let base = bot.address().base();
        let answer = client
            .post(format!("{base}/login"))
            .header("origin", &base)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(format!("token={token}"))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 303);
        let cookie = answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        Self { client, at: bot.address().clone(), cookie }
    }

    pub async fn status(&self, path: &str) -> u16 {
        let asked = self.client.get(format!("{}{path}", self.at.base())).header("cookie", &self.cookie).send();
        asked.await.unwrap().status().as_u16()
    }

    pub async fn page(&self, path: &str) -> String {
        let answer = self.client.get(format!("{}{path}", self.at.base())).header("cookie", &self.cookie).send().await;
        let answer = answer.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        answer.text().await.unwrap()
    }

    /// Says words in an incident's room; the page they led to.
    pub async fn say(&self, incident: u32, words: &str) -> String {
        let page = self.page(&format!("/incidents/{incident}")).await;
        let (_, form) = page.split_once(&format!("action=\"/incidents/{incident}/say\"")).expect("there is a composer");
        let field = |name: &str| {
            let (_, rest) = form.split_once(&format!("name=\"{name}\" value=\"")).expect(name);
            rest.split('"').next().unwrap().to_owned()
        };
        let pairs = [("csrf", field("csrf")), ("nonce", field("nonce")), ("text", words.to_owned())];
        let body: Vec<String> = pairs.iter().map(|(k, v)| format!("{k}={}", encoded(v))).collect();
        let base = self.at.base();
        let answer = self
            .client
            .post(format!("{base}/incidents/{incident}/say"))
            .header("origin", &base)
            .header("cookie", &self.cookie)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body.join("&"))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 303, "{words}");
        let to = answer.headers()["location"].to_str().unwrap().split('#').next().unwrap().to_owned();
        self.page(&to).await
    }
}

fn encoded(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}
