//! Block Kit as Slack checks it: which elements may stand where, how long everything may be, what must be unique.

use serde_json::Value;
use std::collections::BTreeSet;

const IN_MESSAGE: usize = 50;
const IN_VIEW: usize = 100;
/// Characters of text in all blocks of a message together.
const ALL_TEXT: usize = 13_200;
/// Bytes of a view.
const VIEW: usize = 250 * 1_024;
const ID: usize = 255;
const OPTION: usize = 75;

const SELECTS: &[&str] =
    &["static_select", "external_select", "users_select", "conversations_select", "channels_select"];
const MULTI: &[&str] = &[
    "multi_static_select",
    "multi_external_select",
    "multi_users_select",
    "multi_conversations_select",
    "multi_channels_select",
];

/// Every block has an id once Slack has it, given or made up.
pub fn completed(mut blocks: Value, mut id: impl FnMut() -> String) -> Value {
    for block in blocks.as_array_mut().into_iter().flatten() {
        if block["block_id"].is_null() {
            block["block_id"] = Value::String(id());
        }
    }
    blocks
}

struct Check {
    wrong: Vec<String>,
    text: usize,
    actions: BTreeSet<String>,
}

/// What is wrong with the blocks of a message.
pub fn of_message(blocks: &Value) -> Vec<String> {
    let mut check = check(blocks, IN_MESSAGE);
    if check.text > ALL_TEXT {
        check.wrong.push(format!("msg_blocks_too_long: {} characters", check.text));
    }
    check.wrong
}

/// What is wrong with a modal or a home tab.
pub fn of_view(view: &Value) -> Vec<String> {
    let kind = view["type"].as_str().unwrap_or_default();
    let mut check = check(&view["blocks"], IN_VIEW);
    let known: &[&str] = match kind {
        "modal" => &[
            "type",
            "title",
            "blocks",
            "close",
            "submit",
            "private_metadata",
            "callback_id",
            "clear_on_close",
            "notify_on_close",
            "external_id",
            "submit_disabled",
        ],
        "home" => &["type", "blocks", "private_metadata", "callback_id", "external_id"],
        _ => &[],
    };
    check.only("view", view, known);
    if view.to_string().len() > VIEW {
        check.say("view", "view_too_large");
    }
    check.length("private_metadata", &view["private_metadata"], 3_000);
    check.length("callback_id", &view["callback_id"], ID);
    check.length("external_id", &view["external_id"], ID);
    let inputs = view["blocks"].as_array().into_iter().flatten().any(|b| b["type"] == "input");
    match kind {
        "modal" => {
            check.plain("title", &view["title"], 24, true);
            check.plain("submit", &view["submit"], 24, inputs);
            check.plain("close", &view["close"], 24, false);
        }
        "home" => {}
        other => check.say("view", format!("its type is {other:?}")),
    }
    check.wrong
}

fn check(blocks: &Value, most: usize) -> Check {
    let mut check = Check { wrong: Vec::new(), text: 0, actions: BTreeSet::new() };
    let Some(all) = blocks.as_array() else {
        check.say("blocks", "is no array");
        return check;
    };
    if all.len() > most {
        check.say("blocks", format!("{} of them, {most} at most", all.len()));
    }
    let mut ids = BTreeSet::new();
    for (at, block) in all.iter().enumerate() {
        check.block(&format!("/blocks/{at}"), block);
        if let Some(id) = block["block_id"].as_str()
            && !ids.insert(id)
        {
            check.say("blocks", format!("block_id `{id}` twice"));
        }
    }
    check
}

impl Check {
    fn say(&mut self, at: &str, what: impl std::fmt::Display) {
        self.wrong.push(format!("{at}: {what}"));
    }

    fn only(&mut self, at: &str, value: &Value, known: &[&str]) {
        let Some(map) = value.as_object() else { return self.say(at, "is no object") };
        for key in map.keys().filter(|key| !known.contains(&key.as_str())) {
            self.say(at, format!("has no field `{key}`"));
        }
    }

    fn length(&mut self, at: &str, value: &Value, most: usize) {
        if let Some(text) = value.as_str()
            && text.chars().count() > most
        {
            self.say(at, format!("{} characters, {most} at most", text.chars().count()));
        } else if !value.is_null() && !value.is_string() {
            self.say(at, "is no text");
        }
    }

    /// A text object of plain text.
    fn plain(&mut self, at: &str, value: &Value, most: usize, needed: bool) {
        self.text(at, value, most, needed, false);
    }

    fn text(&mut self, at: &str, value: &Value, most: usize, needed: bool, markup: bool) {
        if value.is_null() {
            if needed {
                self.say(at, "is missing");
            }
            return;
        }
        match value["type"].as_str() {
            Some("plain_text") => self.only(at, value, &["type", "text", "emoji"]),
            Some("mrkdwn") if markup => self.only(at, value, &["type", "text", "verbatim"]),
            other => self.say(at, format!("its type is {other:?}")),
        }
        match value["text"].as_str() {
            None | Some("") => self.say(at, "has no text"),
            Some(text) => {
                let count = text.chars().count();
                self.text += count;
                if count > most {
                    self.say(at, format!("{count} characters, {most} at most"));
                }
            }
        }
    }

    fn address(&mut self, at: &str, value: &Value, most: usize) {
        self.length(at, value, most);
        if let Some(url) = value.as_str()
            && !(url.starts_with("https://") || url.starts_with("http://") || url.starts_with("slack://"))
        {
            self.say(at, format!("{url:?} is no address"));
        }
    }

    fn block(&mut self, at: &str, block: &Value) {
        self.length(&format!("{at}/block_id"), &block["block_id"], ID);
        if block["block_id"].as_str() == Some("") {
            self.say(at, "an empty block_id");
        }
        // Unique in its block.
        self.actions.clear();
        let kind = block["type"].as_str().unwrap_or_default();
        match kind {
            "section" => self.section(at, block),
            "header" => {
                self.only(at, block, &["type", "block_id", "text", "level"]);
                self.plain(&format!("{at}/text"), &block["text"], 150, true);
            }
            "divider" => self.only(at, block, &["type", "block_id"]),
            "image" => {
                self.only(at, block, &["type", "block_id", "image_url", "slack_file", "alt_text", "title"]);
                self.image(at, block);
                self.plain(&format!("{at}/title"), &block["title"], 2_000, false);
            }
            "actions" => {
                self.only(at, block, &["type", "block_id", "elements"]);
                let fits = |t: &str| {
                    ["button", "overflow", "datepicker", "timepicker", "datetimepicker", "checkboxes", "radio_buttons"]
                        .contains(&t)
                        || SELECTS.contains(&t)
                        || MULTI.contains(&t)
                };
                self.elements(at, block, 25, fits);
            }
            "context" => {
                self.only(at, block, &["type", "block_id", "elements"]);
                self.elements(at, block, 10, |t| ["image", "plain_text", "mrkdwn"].contains(&t));
            }
            "input" => self.input(at, block),
            "rich_text" => {
                self.only(at, block, &["type", "block_id", "elements"]);
                self.rich(at, block);
            }
            "markdown" => {
                self.only(at, block, &["type", "block_id", "text"]);
                self.length(&format!("{at}/text"), &block["text"], 12_000);
            }
            "table" => self.table(at, block),
            "video" | "file" => self.say(at, format!("a {kind} block is not ours")),
            other => self.say(at, format!("there is no block {other:?}")),
        }
    }

    fn section(&mut self, at: &str, block: &Value) {
        self.only(at, block, &["type", "block_id", "text", "fields", "accessory", "expand"]);
        let fields = block["fields"].as_array().map(Vec::as_slice).unwrap_or_default();
        self.text(&format!("{at}/text"), &block["text"], 3_000, fields.is_empty(), true);
        if fields.len() > 10 {
            self.say(at, format!("{} fields", fields.len()));
        }
        for (n, field) in fields.iter().enumerate() {
            self.text(&format!("{at}/fields/{n}"), field, 2_000, true, true);
        }
        if let Some(accessory) = block.get("accessory").filter(|a| !a.is_null()) {
            let fits = |t: &str| {
                ["button", "overflow", "datepicker", "timepicker", "checkboxes", "radio_buttons", "image"].contains(&t)
                    || SELECTS.contains(&t)
                    || MULTI.contains(&t)
            };
            self.element(&format!("{at}/accessory"), accessory, fits);
        }
    }

    fn elements(&mut self, at: &str, block: &Value, most: usize, fits: impl Fn(&str) -> bool) {
        let Some(all) = block["elements"].as_array() else { return self.say(at, "has no elements") };
        if all.is_empty() || all.len() > most {
            self.say(at, format!("{} elements, 1 to {most}", all.len()));
        }
        for (n, element) in all.iter().enumerate() {
            self.element(&format!("{at}/elements/{n}"), element, &fits);
        }
    }

    fn input(&mut self, at: &str, block: &Value) {
        self.only(at, block, &["type", "block_id", "label", "element", "dispatch_action", "hint", "optional"]);
        self.plain(&format!("{at}/label"), &block["label"], 2_000, true);
        self.plain(&format!("{at}/hint"), &block["hint"], 2_000, false);
        let fits = |t: &str| {
            [
                "plain_text_input",
                "checkboxes",
                "radio_buttons",
                "datepicker",
                "timepicker",
                "datetimepicker",
                "number_input",
                "email_text_input",
                "url_text_input",
                "rich_text_input",
                "file_input",
            ]
            .contains(&t)
                || SELECTS.contains(&t)
                || MULTI.contains(&t)
        };
        self.element(&format!("{at}/element"), &block["element"], fits);
    }

    fn image(&mut self, at: &str, value: &Value) {
        self.length(&format!("{at}/alt_text"), &value["alt_text"], 2_000);
        if !value["alt_text"].is_string() {
            self.say(at, "an image without alt_text");
        }
        self.address(&format!("{at}/image_url"), &value["image_url"], 3_000);
        if value["image_url"].is_null() == value["slack_file"].is_null() {
            self.say(at, "an image_url or a slack_file");
        }
    }

    fn confirm(&mut self, at: &str, value: &Value) {
        if value.is_null() {
            return;
        }
        let at = format!("{at}/confirm");
        self.only(&at, value, &["title", "text", "confirm", "deny", "style"]);
        self.plain(&format!("{at}/title"), &value["title"], 100, true);
        self.text(&format!("{at}/text"), &value["text"], 300, true, true);
        self.plain(&format!("{at}/confirm"), &value["confirm"], 30, true);
        self.plain(&format!("{at}/deny"), &value["deny"], 30, true);
        self.style(&at, &value["style"]);
    }

    fn style(&mut self, at: &str, value: &Value) {
        if !value.is_null() && value != "primary" && value != "danger" {
            self.say(at, format!("the style {value}"));
        }
    }

    fn options(&mut self, at: &str, value: &Value, most: usize, markup: bool) {
        let Some(all) = value.as_array() else { return self.say(at, "has no options") };
        if all.is_empty() || all.len() > most {
            self.say(at, format!("{} options, 1 to {most}", all.len()));
        }
        let mut values = BTreeSet::new();
        for (n, option) in all.iter().enumerate() {
            let at = format!("{at}/{n}");
            self.only(&at, option, &["text", "value", "description", "url"]);
            self.text(&format!("{at}/text"), &option["text"], OPTION, true, markup);
            self.text(&format!("{at}/description"), &option["description"], OPTION, false, markup);
            self.length(&format!("{at}/value"), &option["value"], OPTION);
            match option["value"].as_str() {
                None | Some("") => self.say(&at, "has no value"),
                Some(value) if !values.insert(value) => self.say(&at, format!("the value {value:?} twice")),
                Some(_) => {}
            }
        }
    }

    fn element(&mut self, at: &str, element: &Value, fits: impl Fn(&str) -> bool) {
        let kind = element["type"].as_str().unwrap_or_default();
        if !fits(kind) {
            return self.say(at, format!("{kind:?} cannot stand here"));
        }
        match kind {
            "plain_text" | "mrkdwn" => return self.text(at, element, 2_000, true, true),
            "image" => return self.image(at, element),
            _ => {}
        }
        self.length(&format!("{at}/action_id"), &element["action_id"], ID);
        match element["action_id"].as_str() {
            // Slack would make one up, and nobody would know what was pressed.
            None | Some("") => self.say(at, "has no action_id"),
            Some(id) if !self.actions.insert(id.to_owned()) => {
                self.say(at, format!("action_id `{id}` twice in its block"));
            }
            Some(_) => {}
        }
        self.confirm(at, &element["confirm"]);
        self.plain(&format!("{at}/placeholder"), &element["placeholder"], 150, false);
        match kind {
            "button" => {
                self.only(
                    at,
                    element,
                    &["type", "action_id", "text", "url", "value", "style", "confirm", "accessibility_label"],
                );
                self.plain(&format!("{at}/text"), &element["text"], 75, true);
                self.length(&format!("{at}/value"), &element["value"], 2_000);
                self.address(&format!("{at}/url"), &element["url"], 3_000);
                self.length(&format!("{at}/accessibility_label"), &element["accessibility_label"], 75);
                self.style(at, &element["style"]);
            }
            "overflow" => self.options(&format!("{at}/options"), &element["options"], 5, false),
            "checkboxes" | "radio_buttons" => self.options(&format!("{at}/options"), &element["options"], 10, true),
            "static_select" | "multi_static_select" => self.static_select(at, element),
            "plain_text_input" => {
                self.only(
                    at,
                    element,
                    &[
                        "type",
                        "action_id",
                        "initial_value",
                        "multiline",
                        "min_length",
                        "max_length",
                        "dispatch_action_config",
                        "focus_on_load",
                        "placeholder",
                    ],
                );
                let most = element["max_length"].as_u64().unwrap_or(3_000);
                if most == 0 || most > 3_000 || element["min_length"].as_u64().unwrap_or(0) > most {
                    self.say(at, "its lengths do not fit");
                }
                let initial = element["initial_value"].as_str().map_or(0, |t| t.chars().count());
                if initial as u64 > most {
                    self.say(at, "its initial_value is too long");
                }
            }
            _ => {}
        }
    }

    fn static_select(&mut self, at: &str, element: &Value) {
        let groups = element["option_groups"].as_array();
        let mut known: Vec<&Value> = element["options"].as_array().into_iter().flatten().collect();
        match groups {
            None => self.options(&format!("{at}/options"), &element["options"], 100, false),
            Some(groups) => {
                if groups.is_empty() || groups.len() > 100 || !element["options"].is_null() {
                    self.say(at, "options, or 1 to 100 groups of them");
                }
                for (n, group) in groups.iter().enumerate() {
                    self.plain(&format!("{at}/option_groups/{n}/label"), &group["label"], 75, true);
                    self.options(&format!("{at}/option_groups/{n}/options"), &group["options"], 100, false);
                    known.extend(group["options"].as_array().into_iter().flatten());
                }
            }
        }
        let chosen = std::iter::once(&element["initial_option"]).filter(|o| !o.is_null());
        let chosen = chosen.chain(element["initial_options"].as_array().into_iter().flatten());
        for option in chosen {
            if !known.contains(&option) {
                self.say(at, format!("its initial option is none of its options: {option}"));
            }
        }
    }

    fn rich(&mut self, at: &str, block: &Value) {
        let Some(all) = block["elements"].as_array() else { return self.say(at, "has no elements") };
        if all.is_empty() {
            self.say(at, "has no elements");
        }
        for (n, element) in all.iter().enumerate() {
            let at = format!("{at}/elements/{n}");
            match element["type"].as_str() {
                Some("rich_text_section") => {
                    self.only(&at, element, &["type", "elements"]);
                    self.inline(&at, element);
                }
                Some("rich_text_preformatted") => {
                    self.only(&at, element, &["type", "elements", "border", "language"]);
                    self.inline(&at, element);
                }
                Some("rich_text_quote") => {
                    self.only(&at, element, &["type", "elements", "border"]);
                    self.inline(&at, element);
                }
                Some("rich_text_list") => {
                    self.only(&at, element, &["type", "elements", "style", "indent", "offset", "border"]);
                    if element["style"] != "bullet" && element["style"] != "ordered" {
                        self.say(&at, format!("the style {}", element["style"]));
                    }
                    if element["indent"].as_u64().unwrap_or(0) > 8 {
                        self.say(&at, "indented too far");
                    }
                    for (m, item) in element["elements"].as_array().into_iter().flatten().enumerate() {
                        if item["type"] != "rich_text_section" {
                            self.say(&at, "a list of something else than sections");
                        }
                        self.inline(&format!("{at}/elements/{m}"), item);
                    }
                }
                other => self.say(&at, format!("there is no {other:?}")),
            }
        }
    }

    fn inline(&mut self, at: &str, holder: &Value) {
        let Some(all) = holder["elements"].as_array() else { return self.say(at, "has no elements") };
        if all.is_empty() {
            self.say(at, "has no elements");
        }
        for (n, element) in all.iter().enumerate() {
            let at = format!("{at}/elements/{n}");
            match element["type"].as_str() {
                Some("text") => {
                    self.only(&at, element, &["type", "text", "style"]);
                    match element["text"].as_str() {
                        None | Some("") => self.say(&at, "has no text"),
                        Some(text) => self.text += text.chars().count(),
                    }
                }
                Some("link") => {
                    self.only(&at, element, &["type", "url", "text", "unsafe", "style"]);
                    self.address(&format!("{at}/url"), &element["url"], 3_000);
                    if !element["url"].is_string() {
                        self.say(&at, "has no url");
                    }
                    self.text += element["text"].as_str().map_or(0, |t| t.chars().count());
                }
                Some("user") => self.only(&at, element, &["type", "user_id", "style"]),
                Some("channel") => self.only(&at, element, &["type", "channel_id", "style"]),
                Some("usergroup") => self.only(&at, element, &["type", "usergroup_id", "style"]),
                Some("emoji") => self.only(&at, element, &["type", "name", "unicode"]),
                Some("date") => {
                    self.only(&at, element, &["type", "timestamp", "format", "url", "fallback"]);
                    if !element["timestamp"].is_i64() || !element["format"].as_str().is_some_and(|f| f.contains('{')) {
                        self.say(&at, "a date without timestamp or format");
                    }
                }
                Some("broadcast") => self.only(&at, element, &["type", "range", "style"]),
                Some("color") => self.only(&at, element, &["type", "value"]),
                other => self.say(&at, format!("there is no {other:?}")),
            }
        }
    }

    fn table(&mut self, at: &str, block: &Value) {
        self.only(at, block, &["type", "block_id", "rows", "column_settings"]);
        let rows = block["rows"].as_array().map(Vec::as_slice).unwrap_or_default();
        if rows.is_empty() || rows.len() > 100 {
            self.say(at, format!("{} rows, 1 to 100", rows.len()));
        }
        for (n, row) in rows.iter().enumerate() {
            let at = format!("{at}/rows/{n}");
            let cells = row.as_array().map(Vec::as_slice).unwrap_or_default();
            if cells.is_empty() || cells.len() > 20 {
                self.say(&at, format!("{} cells, 1 to 20", cells.len()));
            }
            for (m, cell) in cells.iter().enumerate() {
                let at = format!("{at}/{m}");
                match cell["type"].as_str() {
                    Some("raw_text") => {
                        self.only(&at, cell, &["type", "text"]);
                        self.text += cell["text"].as_str().map_or(0, |t| t.chars().count());
                    }
                    Some("rich_text") => self.rich(&at, cell),
                    other => self.say(&at, format!("there is no {other:?}")),
                }
            }
        }
    }
}
