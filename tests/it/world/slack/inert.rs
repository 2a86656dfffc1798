//! Outside text is inert: the oracle that looks into everything the bot sends.
//!
//! Nobody may be called by it in numbers, nothing of it may be a link, and what was registered as hostile may never stand
//! where Slack reads markup.

use super::truth::Truth;
use serde_json::Value;

/// What calls everybody, a group, or one person, where Slack reads markup.
const MENTIONS: &[&str] = &["<!channel", "<!here", "<!everyone", "<!subteam", "<!group", "<@"];

/// Text that Slack reads as markup.
pub fn markup(truth: &mut Truth, whence: &str, text: &str) {
    for mention in MENTIONS.iter().filter(|m| text.contains(**m)) {
        truth.violation(format!("{whence}: `{mention}` in markup: {}", short(text)));
    }
    let hostile: Vec<String> = truth.hostile.iter().filter(|h| holds(text, h)).cloned().collect();
    for string in hostile {
        truth.violation(format!("{whence}: text from outside as markup: {string:?} in {}", short(text)));
    }
    for target in text.split('<').skip(1).filter_map(|rest| rest.split(['|', '>']).next()) {
        if target.starts_with("http") || target.starts_with("mailto:") {
            link(truth, whence, target);
        }
    }
}

/// Whether `text` holds the string as it is, or escaped so that it still shows as it is. What is escaped calls nobody, but
/// bold, links and emoji in it are still read.
fn holds(text: &str, hostile: &str) -> bool {
    text.contains(hostile) || text.contains(&super::truth::escaped(hostile))
}

/// The text beside blocks: shown in notifications. Mentions in it would still call people.
pub fn fallback(truth: &mut Truth, whence: &str, text: &str) {
    for mention in MENTIONS.iter().filter(|m| text.contains(**m)) {
        truth.violation(format!("{whence}: `{mention}` in the text for notifications: {}", short(text)));
    }
}

/// A topic or a purpose: Slack makes links and mentions of what is in it.
pub fn topic(truth: &mut Truth, what: &str, text: &str) {
    for mention in MENTIONS.iter().filter(|m| text.contains(**m)) {
        truth.violation(format!("{what}: `{mention}` in it: {}", short(text)));
    }
    let links: Vec<String> = words(text).filter(|w| w.contains("://")).map(str::to_owned).collect();
    for target in links {
        link(truth, what, &target);
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c.is_whitespace() || "<>|()".contains(c))
}

/// Somewhere a click leads.
pub fn link(truth: &mut Truth, whence: &str, target: &str) {
    let hostile =
        truth.hostile.iter().any(|h| target.contains(h.as_str()) || (h.contains("://") && same_host(h, target)));
    if hostile {
        truth.violation(format!("{whence}: a link from outside: {}", short(target)));
    }
}

fn same_host(one: &str, other: &str) -> bool {
    let host = |url: &str| url.split("://").nth(1).and_then(|r| r.split(['/', '?', '#']).next()).map(str::to_owned);
    host(one).is_some() && host(one) == host(other)
}

/// Everything in blocks.
pub fn blocks(truth: &mut Truth, whence: &str, value: &Value) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| blocks(truth, whence, item)),
        Value::Object(map) => {
            match map.get("type").and_then(Value::as_str) {
                Some("mrkdwn" | "markdown") => {
                    markup(truth, whence, map.get("text").and_then(Value::as_str).unwrap_or_default());
                }
                Some("broadcast" | "usergroup") => truth.violation(format!("{whence}: a mention of many: {value}")),
                Some("image") => truth.violation(format!("{whence}: an image: {value}")),
                Some("text" | "link") if map.contains_key("style") => {
                    // Emphasis is ours; code is how values are shown.
                    let bold = value["style"]["bold"] == true || value["style"]["italic"] == true;
                    let text = value["text"].as_str().unwrap_or_default().to_owned();
                    if bold && truth.hostile.iter().any(|h| text.contains(h.as_str())) {
                        truth.violation(format!("{whence}: text from outside with emphasis: {}", short(&text)));
                    }
                }
                // Slack turns `:fire:` in plain text into a picture only where it is asked to.
                Some("plain_text") if map.get("emoji") == Some(&Value::Bool(true)) => {
                    let text = value["text"].as_str().unwrap_or_default().to_owned();
                    if truth.hostile.iter().any(|h| text.contains(h.as_str())) {
                        truth.violation(format!("{whence}: text from outside with emoji: {}", short(&text)));
                    }
                }
                _ => {}
            }
            for name in ["url", "image_url", "title_link"] {
                if let Some(target) = map.get(name).and_then(Value::as_str) {
                    link(truth, whence, target);
                }
            }
            for inner in map.values() {
                blocks(truth, whence, inner);
            }
        }
        _ => {}
    }
}

fn short(text: &str) -> String {
    text.chars().take(160).collect()
}
