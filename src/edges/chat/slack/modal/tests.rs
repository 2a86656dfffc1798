use super::*;
use proptest::prelude::*;
use slack_morphism::blocks::SlackView;
use smokejumper_intents::forms::FORMS;

fn held(form: &Form) -> Held {
    Held { verb: form.verb.to_owned(), incident: Some(12), channel: Some("C012".into()), message: None }
}

fn offered() -> Offered {
    let numbered = |prefix: &'static str| {
        (1..150).map(move |n| (format!("{prefix}-{n}"), format!("{prefix}-{n} <!channel> {}", "x".repeat(99))))
    };
    Offered { items: numbered("T").collect(), incidents: numbered("INC").collect() }
}

/// What somebody's client sends back for what they filled in.
fn submitted(view: &Value, fill: impl Fn(&str) -> String) -> Value {
    let mut values = Map::new();
    for block in view["blocks"].as_array().unwrap().iter().filter(|block| block["type"] == "input") {
        let (name, element) = (block["block_id"].as_str().unwrap(), &block["element"]);
        let text = fill(name);
        let state = match element["type"].as_str().unwrap() {
            "users_select" => json!({ "type": "users_select", "selected_user": "U0ANA" }),
            "static_select" => json!({ "type": "static_select", "selected_option": element["options"][0] }),
            _ if text.is_empty() => json!({ "type": "plain_text_input", "value": null }),
            _ => json!({ "type": "plain_text_input", "value": text }),
        };
        values.insert(name.to_owned(), json!({ FIELD: state }));
    }
    let mut view = view.clone();
    view["state"] = json!({ "values": values });
    view
}

fn check(view: &Value) {
    let _: SlackView = serde_json::from_value(view.clone()).unwrap();
    assert!(text::size(view["title"]["text"].as_str().unwrap()) <= MAX_TITLE);
    assert!(view["private_metadata"].as_str().is_none_or(|held| text::size(held) <= MAX_METADATA));
    let blocks = view["blocks"].as_array().unwrap();
    assert!((1..=100).contains(&blocks.len()));
    for block in blocks.iter().filter(|block| block["type"] == "input") {
        assert!(view["submit"]["text"].as_str().is_some_and(|submit| text::size(submit) <= MAX_TITLE));
        let element = &block["element"];
        assert!(element["max_length"].as_u64().is_none_or(|most| (1..=3_000).contains(&most)));
        assert!(element["placeholder"]["text"].as_str().is_none_or(|hint| text::size(hint) <= MAX_HINT));
        if let Some(options) = element["options"].as_array() {
            assert!((1..=100).contains(&options.len()));
            for option in options {
                assert!(text::size(option["text"]["text"].as_str().unwrap()) <= MAX_LABEL);
                assert!(text::size(option["value"].as_str().unwrap()) <= MAX_LABEL);
            }
        }
        assert!(
            block["element"]["initial_option"].is_null()
                || element["options"].as_array().unwrap().contains(&element["initial_option"])
        );
    }
}

#[test]
fn every_form_goes_out_and_comes_back() {
    for form in FORMS {
        for offered in [offered(), Offered::default()] {
            let view = view(form, &held(form), &offered, &Values::default());
            check(&view);
            let (found, back, values) = read(&submitted(&view, |name| format!("  {name}\u{202e} said "))).unwrap();
            assert_eq!((found.verb, back), (form.verb, held(form)));
            for field in form.fields {
                let value = values.optional(field.name).unwrap();
                match field.kind {
                    Kind::Person => assert_eq!(value, "<@U0ANA>"),
                    Kind::Choice(words) => assert_eq!(value, words[0].0),
                    Kind::Item if !offered.items.is_empty() => assert_eq!(value, "T-1"),
                    Kind::Incident if !offered.incidents.is_empty() => assert_eq!(value, "INC-1"),
                    _ => assert_eq!(value, format!("{} said", field.name)),
                }
            }
        }
    }
}

#[test]
fn what_is_known_is_filled_in() {
    let form = forms::find("declare").unwrap();
    let sent = [("title", "checkout is down"), ("severity", "2"), ("service", "")];
    let known = Values::of(form, &sent.map(|(n, v)| (n.to_owned(), v.to_owned()))).unwrap();
    let view = view(form, &held(form), &Offered::default(), &known);
    check(&view);
    assert_eq!(view["blocks"][0]["element"]["initial_value"], "checkout is down");
    assert_eq!(view["blocks"][1]["element"]["initial_option"]["value"], "2");
    assert!(view["blocks"][2]["element"].get("initial_value").is_none());
}

#[test]
fn what_is_wrong_stands_beside_its_field() {
    for (verb, sent, field) in [
        ("declare", vec![("title", "x"), ("service", "a/b")], "service"),
        ("assign", vec![("person", "@here")], "person"),
        ("silence", vec![("matchers", "a=b"), ("length", "5w")], "length"),
        ("update", vec![], "conditions"),
    ] {
        let form = forms::find(verb).unwrap();
        let sent: Vec<_> = sent.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        let misread = (form.fill)(&Values::of(form, &sent).unwrap()).unwrap_err();
        let answer = errors(form, &misread);
        assert_eq!(answer["response_action"], "errors");
        let said = answer["errors"][field].as_str().unwrap();
        assert!(!said.is_empty() && text::size(said) <= MAX_ERROR, "{answer}");
    }
}

#[test]
fn a_view_that_is_not_ours_is_nobody_s() {
    let form = forms::find("update").unwrap();
    let view = submitted(&view(form, &held(form), &Offered::default(), &Values::default()), |_| "x".into());
    assert!(read(&view).is_some());
    for (path, value) in [
        ("/callback_id", json!("form-nothing")),
        ("/callback_id", json!("form-resolve")),
        ("/private_metadata", json!("")),
        ("/private_metadata", json!("{\"verb\":\"resolve\"}")),
        ("/state/values", json!({ "admin": { FIELD: { "value": "1" } } })),
    ] {
        let mut forged = view.clone();
        *forged.pointer_mut(path).unwrap() = value;
        assert!(read(&forged).is_none(), "{path}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn whatever_comes_back_is_read_or_refused(which in 0..FORMS.len(), text in any::<String>()) {
        let form = FORMS[which];
        let view = view(form, &held(form), &Offered::default(), &Values::default());
        let (form, _, values) = read(&submitted(&view, |_| text.clone())).unwrap();
        if let Err(misread) = (form.fill)(&values) {
            let errors = errors(form, &misread);
            prop_assert_eq!(errors["errors"].as_object().unwrap().len(), 1);
        }
    }
}
