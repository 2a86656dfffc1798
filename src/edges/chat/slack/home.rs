//! The App Home: what waits for somebody, and the way to declare an incident.

use super::blocks::{self, VIEW, plain};
use serde_json::{Value, json};
use smokejumper_intents::reply::Reply;

/// The `action_id` of the button that opens the form to declare.
pub const DECLARE: &str = "declare";

/// The answer to `mine` as a view.
#[must_use]
pub fn view(mine: &Reply) -> Value {
    // Two blocks of our own.
    let most = blocks::Most { blocks: VIEW.blocks - 2, ..VIEW };
    let mut blocks = blocks::blocks(mine, most);
    blocks.push(json!({ "type": "divider" }));
    blocks.push(json!({
        "type": "actions",
        "block_id": "home",
        "elements": [{
            "type": "button",
            "action_id": DECLARE,
            "text": plain("Declare an incident"),
            "style": "primary",
        }],
    }));
    json!({ "type": "home", "callback_id": "home", "blocks": blocks })
}

#[cfg(test)]
mod tests {
    use super::*;
    use slack_morphism::blocks::SlackView;
    use smokejumper_intents::reply::{Line, Section};

    #[test]
    fn however_much_waits_it_fits() {
        let lines = |n: usize| (0..n).map(|n| Line::ours(format!("{n} {}", "x".repeat(500)))).collect();
        let mut mine = Reply::titled("What you have to do");
        for _ in 0..20 {
            mine = mine.section(Section::headed("Your tasks", lines(60)));
        }
        let view = view(&mine);
        let _: SlackView = serde_json::from_value(view.clone()).unwrap();
        assert!(view["blocks"].as_array().unwrap().len() <= 100);
        assert!(view.to_string().contains("more") && view.to_string().len() < 250_000);
    }
}
