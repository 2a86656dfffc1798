//! Screens as text: what a person sees in channels, forms and on their home tab.

use super::truth::{BOT, Kind, Message, Truth};
use serde_json::Value;
use std::fmt::Write as _;

/// All of it: channels in the order in which they were made, then the home tab, then the form on top.
pub fn screen(truth: &Truth, user: &str) -> String {
    let mut all: Vec<String> = Vec::new();
    for channel in truth.channels.values().filter(|c| c.members.contains(user) && !c.deleted) {
        all.push(self::channel(truth, user, &channel.id));
    }
    all.extend(home(truth, user));
    all.extend(form(truth, user));
    if let Some(notices) = truth.notices.get(user) {
        all.extend(notices.iter().map(|notice| format!("(!) {notice}\n")));
    }
    all.join("\n")
}

pub fn channel(truth: &Truth, user: &str, id: &str) -> String {
    let channel = &truth.channels[id];
    let mut out = match channel.kind {
        Kind::Public => format!("#{}", channel.name),
        Kind::Private => format!("🔒{}", channel.name),
        Kind::Direct => "@smokejumper".to_owned(),
    };
    if channel.archived {
        out.push_str(" (archived)");
    }
    if !channel.topic.is_empty() {
        write!(out, " · {}", plain(truth, &channel.topic)).unwrap();
    }
    out.push('\n');
    for bookmark in &channel.bookmarks {
        writeln!(out, "🔖 {} {}", bookmark.title, bookmark.link).unwrap();
    }
    if channel.kind != Kind::Direct {
        let people = channel.members.iter().map(|m| name(truth, m)).collect::<Vec<_>>().join(", ");
        writeln!(out, "people: {people}").unwrap();
    }
    let seen = |m: &&Message| !m.deleted && m.only_for.as_ref().is_none_or(|only| only == user);
    for message in channel.messages.iter().filter(seen) {
        let answer = message.thread_ts.as_ref().is_some_and(|thread| *thread != message.ts);
        let thread_is_here = channel.messages.iter().any(|m| Some(&m.ts) == message.thread_ts.as_ref());
        if answer && thread_is_here {
            continue;
        }
        out.push_str(&one(truth, message, channel.pins.contains(&message.ts), ""));
        for below in channel
            .messages
            .iter()
            .filter(seen)
            .filter(|m| m.ts != message.ts && m.thread_ts.as_ref() == Some(&message.ts))
        {
            out.push_str(&one(truth, below, channel.pins.contains(&below.ts), "    ↳ "));
        }
    }
    out
}

fn one(truth: &Truth, message: &Message, pinned: bool, before: &str) -> String {
    if message.subtype.is_some_and(|s| s != "bot_message") {
        return format!("{before}— {} {}\n", name(truth, &message.user), plain(truth, &message.text));
    }
    let mut head = format!("{before}{}", name(truth, &message.user));
    if message.only_for.is_some() {
        head.push_str(" (only you see this)");
    }
    if pinned {
        head.push_str(" 📌");
    }
    if message.edited {
        head.push_str(" (edited)");
    }
    let body = match message.blocks.as_array().filter(|b| !b.is_empty()) {
        Some(blocks) => blocks.iter().map(|b| block(truth, b)).collect::<Vec<_>>().join("\n"),
        None => plain(truth, &message.text),
    };
    let indent = " ".repeat(before.chars().count() + 2);
    let mut out = format!("{head}\n");
    for line in body.lines() {
        out.push_str(format!("{indent}{line}").trim_end());
        out.push('\n');
    }
    let mut marks: Vec<&str> = message.reactions.iter().map(|(emoji, _)| emoji.as_str()).collect();
    marks.sort_unstable();
    if !marks.is_empty() {
        writeln!(out, "{indent}:{}:", marks.join(": :")).unwrap();
    }
    out
}

/// Messages that everybody reads, the pinned ones apart, in order.
pub fn said(truth: &Truth, user: &str, id: &str) -> String {
    let channel = &truth.channels[id];
    let open = |m: &&Message| !m.deleted && m.only_for.is_none() && m.subtype.is_none_or(|s| s == "bot_message");
    assert!(channel.members.contains(user) || channel.kind == Kind::Public, "{user} cannot see it");
    let shown = channel.messages.iter().filter(open).filter(|m| !channel.pins.contains(&m.ts));
    shown.map(|m| one(truth, m, false, if m.thread_ts.is_some() { "    ↳ " } else { "" })).collect()
}

pub fn pinned(truth: &Truth, id: &str) -> String {
    let channel = &truth.channels[id];
    let shown = channel.messages.iter().filter(|m| !m.deleted && channel.pins.contains(&m.ts));
    shown.map(|m| one(truth, m, true, "")).collect()
}

/// What one person alone was told, in channels and in their conversation with the bot, by time.
pub fn alone(truth: &Truth, user: &str) -> Vec<String> {
    let own = |c: &&super::truth::Channel| c.members.contains(user) && !c.deleted;
    let mut all: Vec<&Message> = Vec::new();
    for channel in truth.channels.values().filter(own) {
        let direct = channel.kind == Kind::Direct;
        let fits = |m: &&Message| m.only_for.as_deref() == Some(user) || (direct && m.user == BOT);
        all.extend(channel.messages.iter().filter(|m| !m.deleted).filter(fits));
    }
    all.sort_by(|a, b| a.ts.cmp(&b.ts));
    all.iter().map(|m| one(truth, m, false, "")).collect()
}

pub fn home(truth: &Truth, user: &str) -> Option<String> {
    let home = truth.homes.get(user)?;
    let blocks = home.content["blocks"].as_array().into_iter().flatten();
    let body = blocks.map(|b| block(truth, b)).collect::<Vec<_>>().join("\n");
    Some(format!("home tab\n{}\n", indented(&body)))
}

pub fn form(truth: &Truth, user: &str) -> Option<String> {
    let top = truth.stacks.get(user)?.last()?;
    let view = &truth.views[top].content;
    let text = |v: &Value| v["text"].as_str().unwrap_or_default().to_owned();
    let blocks = view["blocks"].as_array().into_iter().flatten();
    let body = blocks.map(|b| block(truth, b)).collect::<Vec<_>>().join("\n");
    let mut out = format!("form: {}\n{}\n", text(&view["title"]), indented(&body));
    let close = if view["close"].is_object() { text(&view["close"]) } else { "Close".to_owned() };
    let submit = if view["submit"].is_object() { format!(" ({})", text(&view["submit"])) } else { String::new() };
    writeln!(out, "  ({close}){submit}").unwrap();
    Some(out)
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}").trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

pub fn name(truth: &Truth, id: &str) -> String {
    if id == BOT {
        return "Smokejumper".to_owned();
    }
    truth.users.get(id).map_or_else(|| id.to_owned(), |user| user.real_name.clone())
}

/// Markup as it is shown, without its emphasis.
fn plain(truth: &Truth, text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        out.push_str(before);
        let Some((inside, tail)) = after.split_once('>') else {
            out.push('<');
            rest = after;
            continue;
        };
        let (target, label) = inside.split_once('|').unwrap_or((inside, ""));
        let shown = match target.chars().next() {
            Some('@') => format!("@{}", name(truth, &target[1..])),
            Some('#') => format!("#{}", truth.channels.get(&target[1..]).map_or(label, |c| c.name.as_str())),
            _ if label.is_empty() => target.to_owned(),
            _ => format!("[{label}]({target})"),
        };
        out.push_str(&shown);
        rest = tail;
    }
    out.push_str(rest);
    out.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

fn object(truth: &Truth, value: &Value) -> String {
    let text = value["text"].as_str().unwrap_or_default();
    if value["type"] == "mrkdwn" { plain(truth, text) } else { text.to_owned() }
}

fn element(truth: &Truth, value: &Value) -> String {
    match value["type"].as_str().unwrap_or_default() {
        "button" if value["style"] == "primary" => format!("[*{}*]", object(truth, &value["text"])),
        "button" if value["style"] == "danger" => format!("[!{}!]", object(truth, &value["text"])),
        "button" => format!("[{}]", object(truth, &value["text"])),
        "overflow" => format!("[⋯ {}]", options(value)),
        "plain_text" | "mrkdwn" => object(truth, value),
        "plain_text_input" => {
            let initial = value["initial_value"].as_str().unwrap_or_default();
            let hint = value["placeholder"]["text"].as_str().unwrap_or_default();
            if initial.is_empty() { format!("______ {hint}").trim_end().to_owned() } else { format!("_{initial}_") }
        }
        "static_select" | "radio_buttons" | "checkboxes" | "multi_static_select" => {
            let mut chosen: Vec<&str> = vec![value["initial_option"]["text"]["text"].as_str().unwrap_or_default()];
            chosen.extend(
                value["initial_options"].as_array().into_iter().flatten().filter_map(|o| o["text"]["text"].as_str()),
            );
            chosen.retain(|c| !c.is_empty());
            let hint = value["placeholder"]["text"].as_str().unwrap_or_default();
            let shown = if chosen.is_empty() { hint.to_owned() } else { chosen.join(", ") };
            format!("▾ {shown} ({})", options(value))
        }
        "users_select" | "multi_users_select" => {
            let chosen = value["initial_user"].as_str().map(|u| name(truth, u)).unwrap_or_default();
            format!("▾ @{chosen}")
        }
        other => format!("<{other}>"),
    }
}

fn options(value: &Value) -> String {
    let groups = value["option_groups"].as_array().into_iter().flatten();
    let grouped = groups.flat_map(|g| g["options"].as_array().into_iter().flatten());
    let all = value["options"].as_array().into_iter().flatten().chain(grouped);
    all.filter_map(|o| o["text"]["text"].as_str()).collect::<Vec<_>>().join(" | ")
}

fn block(truth: &Truth, value: &Value) -> String {
    match value["type"].as_str().unwrap_or_default() {
        "header" => format!("# {}", object(truth, &value["text"])),
        "divider" => "---".to_owned(),
        "section" => {
            let mut out = object(truth, &value["text"]);
            for field in value["fields"].as_array().into_iter().flatten() {
                write!(out, "\n| {}", object(truth, field).replace('\n', ": ")).unwrap();
            }
            if value["accessory"].is_object() {
                write!(out, "  {}", element(truth, &value["accessory"])).unwrap();
            }
            out.trim_start_matches('\n').to_owned()
        }
        "context" => {
            let all = value["elements"].as_array().into_iter().flatten().map(|e| element(truth, e));
            format!("· {}", all.collect::<Vec<_>>().join(" "))
        }
        "actions" => {
            let all = value["elements"].as_array().into_iter().flatten().map(|e| element(truth, e));
            all.collect::<Vec<_>>().join(" ")
        }
        "input" => {
            let optional = if value["optional"] == true { " (optional)" } else { "" };
            let label = object(truth, &value["label"]);
            let mut out = format!("{label}{optional}: {}", element(truth, &value["element"]));
            if value["hint"].is_object() {
                write!(out, "\n  {}", object(truth, &value["hint"])).unwrap();
            }
            out
        }
        "rich_text" => {
            let all = value["elements"].as_array().into_iter().flatten().map(|e| rich(truth, e));
            all.collect::<Vec<_>>().join("\n")
        }
        "table" => {
            let cell = |c: &Value| {
                if c["type"] == "raw_text" {
                    c["text"].as_str().unwrap_or_default().to_owned()
                } else {
                    block(truth, c)
                }
            };
            let row = |r: &Value| r.as_array().into_iter().flatten().map(cell).collect::<Vec<_>>().join(" | ");
            value["rows"].as_array().into_iter().flatten().map(row).collect::<Vec<_>>().join("\n")
        }
        other => format!("<{other}>"),
    }
}

fn rich(truth: &Truth, value: &Value) -> String {
    let inline = |v: &Value| v["elements"].as_array().into_iter().flatten().map(|e| span(truth, e)).collect::<String>();
    match value["type"].as_str().unwrap_or_default() {
        "rich_text_list" => {
            let depth = usize::try_from(value["indent"].as_u64().unwrap_or(0)).unwrap_or(0);
            let items = value["elements"].as_array().into_iter().flatten();
            items.map(|i| format!("{}• {}", "  ".repeat(depth), inline(i))).collect::<Vec<_>>().join("\n")
        }
        "rich_text_preformatted" => format!("```\n{}\n```", inline(value)),
        "rich_text_quote" => inline(value).lines().map(|l| format!("> {l}")).collect::<Vec<_>>().join("\n"),
        _ => inline(value).trim_end_matches('\n').to_owned(),
    }
}

fn span(truth: &Truth, value: &Value) -> String {
    let text = value["text"].as_str().unwrap_or_default();
    match value["type"].as_str().unwrap_or_default() {
        "text" if value["style"]["code"] == true => format!("`{text}`"),
        "text" if value["style"]["bold"] == true => format!("*{text}*"),
        "text" => text.to_owned(),
        "link" if text.is_empty() => value["url"].as_str().unwrap_or_default().to_owned(),
        "link" => format!("[{text}]({})", value["url"].as_str().unwrap_or_default()),
        "user" => format!("@{}", name(truth, value["user_id"].as_str().unwrap_or_default())),
        "channel" => {
            let id = value["channel_id"].as_str().unwrap_or_default();
            format!("#{}", truth.channels.get(id).map_or(id, |c| c.name.as_str()))
        }
        "emoji" => format!(":{}:", value["name"].as_str().unwrap_or_default()),
        "date" => value["fallback"].as_str().unwrap_or_default().to_owned(),
        other => format!("<{other}>"),
    }
}
