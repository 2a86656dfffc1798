use super::*;
use crate::flow::runbook::{Check, EnvValue, Risk};
use proptest::prelude::*;
use regex::Regex;

fn hole(name: &str) -> Piece {
    Piece::Hole(name.to_owned())
}

fn text(text: &str) -> Piece {
    Piece::Text(text.to_owned())
}

fn param(name: &str, kind: ParamKind) -> Param {
    Param { name: name.to_owned(), help: format!("the {name}"), kind, default: None }
}

fn runbook(params: Vec<Param>, steps: Vec<StepTemplate>) -> Runbook {
    Runbook {
        name: "restart".to_owned(),
        title: "Restart".to_owned(),
        when: Vec::new(),
        params,
        steps,
        verify: Vec::new(),
        risk: Risk::Low,
        approvals: 1,
        revision: "ab".to_owned(),
        files: Vec::new(),
    }
}

fn exec(argv: Vec<Piece>) -> StepTemplate {
    StepTemplate::Exec { argv, env: Vec::new(), cwd: None, timeout_ms: 1_000 }
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn anything() -> ParamKind {
    ParamKind::Pattern(Regex::new("^(?s:.*)$").unwrap())
}

#[test]
fn one_hole_is_exactly_one_argument() {
    let book = runbook(
        vec![param("what", anything())],
        vec![exec(vec![text("/bin/echo"), text("--"), hole("what"), text("end")])],
    );
    for value in ["a b", "$(id)", "; rm -rf /", "`id`", "a --flag", "x' y\" z", "*", "~", "{what}", "${IFS}", "a=b"] {
        let plan = render(&book, IncidentId(1), &pairs(&[("what", value)]), &BTreeMap::new()).unwrap();
        let Step::Exec { argv, .. } = &plan.steps[0] else { panic!("an exec step") };
        assert_eq!(argv, &["/bin/echo", "--", value, "end"]);
        assert!(plan.shown()[0].is_ascii());
    }
}

#[test]
fn every_kind_refuses_flags_files_and_what_cannot_be_seen() {
    let kinds = [
        ParamKind::Name,
        ParamKind::Hostname,
        ParamKind::Integer { min: -10, max: 10 },
        ParamKind::OneOf(vec!["-o".to_owned(), "@x".to_owned(), "a\u{202e}b".to_owned(), String::new()]),
        anything(),
        ParamKind::Service,
    ];
    let long = "a".repeat(MAX_VALUE + 1);
    for kind in kinds {
        let param = param("p", kind);
        for value in [
            "",
            "-o",
            "-5",
            "--kubeconfig=/x",
            "-oProxyCommand=id",
            "@/etc/passwd",
            "..",
            ".",
            "a\nb",
            "a\0b",
            "a\rb",
            "a\u{7f}b",
            "a\u{85}b",
            "a\u{1b}[31mb",
            "a\u{202e}b",
            "a\u{2066}b",
            "a\u{200b}b",
            "a\u{feff}b",
            "a\u{2028}b",
            "a\u{ad}b",
            "a\u{e0041}b",
            long.as_str(),
        ] {
            assert!(accept(&param, value, &BTreeMap::new()).is_err(), "{:?} {value:?}", param.kind);
        }
    }
}

#[test]
fn kinds_take_what_they_name_and_nothing_else() {
    let services = BTreeMap::from([("checkout".to_owned(), Service::default())]);
    let long_label = format!("{}.example", "a".repeat(64));
    for (kind, good, bad) in [
        (
            ParamKind::Name,
            vec!["checkout", "a.b-c", "0"],
            vec!["A", "a_b", "a-", ".a", "a..b", "a/b", "a b", &long_label],
        ),
        (ParamKind::Hostname, vec!["Db1.example.com", "10.0.0.1"], vec!["a_b", "a:80", "a.", "[::1]", "http://a"]),
        (ParamKind::Integer { min: 1, max: 20 }, vec!["1", "20"], vec!["0", "21", "+5", "05", "1.0", "1e1", " 1", "٣"]),
        (ParamKind::OneOf(vec!["blue".into(), "green".into()]), vec!["blue"], vec!["Blue", "blu", "blue "]),
        (ParamKind::Pattern(Regex::new("^(?:a|ab)$").unwrap()), vec!["a", "ab"], vec!["b", "abb", "xa"]),
        (ParamKind::Service, vec!["checkout"], vec!["checkuot", "Checkout", "other"]),
    ] {
        let param = param("p", kind);
        for value in good {
            assert_eq!(accept(&param, value, &services), Ok(()), "{:?} {value:?}", param.kind);
        }
        for value in bad {
            assert!(accept(&param, value, &services).is_err(), "{:?} {value:?}", param.kind);
        }
    }
    let service = param("service", ParamKind::Service);
    assert_eq!(accept(&service, "checkuot", &services).unwrap_err().1.as_deref(), Some("checkout"));
    assert_eq!(accept(&service, "anything_1", &BTreeMap::new()), Ok(()), "without a catalogue any name will do");
}

#[test]
fn all_that_is_wrong_is_said_at_once_with_what_to_type() {
    let mut book = runbook(
        vec![
            param("service", ParamKind::OneOf(vec!["checkout".to_owned()])),
            param("replicas", ParamKind::Integer { min: 1, max: 9 }),
            param("zone", ParamKind::Name),
        ],
        vec![exec(vec![text("/bin/true")])],
    );
    book.params[2].default = Some("eu-1".to_owned());
    let given = pairs(&[("service", "checkuot"), ("replcas", "3"), ("service", "checkout")]);
    let errors = render(&book, IncidentId(1), &given, &BTreeMap::new()).unwrap_err();
    assert_eq!(
        errors,
        [
            ParamError::Unknown { name: "replcas".to_owned(), nearest: Some("replicas".to_owned()) },
            ParamError::Twice { name: "service".to_owned() },
            ParamError::Bad {
                name: "service".to_owned(),
                why: "must be one of checkout".to_owned(),
                nearest: Some("checkout".to_owned())
            },
            ParamError::Missing { name: "replicas".to_owned(), help: "the replicas".to_owned() },
        ]
    );
    let refusal = refusal(&book, &errors);
    assert_eq!(refusal.try_instead.as_deref(), Some("run restart service=checkout replicas=… zone=eu-1"));
    let plan = render(&book, IncidentId(1), &pairs(&[("replicas", "3"), ("service", "checkout")]), &BTreeMap::new());
    assert_eq!(plan.unwrap().params, pairs(&[("service", "checkout"), ("replicas", "3"), ("zone", "eu-1")]));
}

#[test]
fn requests_keep_their_host_and_shape_whatever_the_value() {
    let template = HttpTemplate {
        method: "POST".to_owned(),
        origin: "http://127.0.0.1:8080".to_owned(),
        path: vec![text("/api/"), hole("what"), text("/restart?why="), hole("what")],
        headers: vec![("authorization".to_owned(), EnvValue::Secret("token".to_owned()))],
        body: Some(vec![text("{\"what\":\""), hole("what"), text("\"}")]),
        expect_status: vec![200, 204],
        timeout_ms: 5_000,
    };
    let mut book = runbook(vec![param("what", anything())], vec![StepTemplate::Http(template.clone())]);
    book.verify = vec![Check {
        probe: ProbeTemplate::Http { request: template, contains: Some("ok".to_owned()) },
        within_ms: 60_000,
        every_ms: 2_000,
    }];
    for value in ["a/../b", "x@evil.example", "a?b#c", "a\"}", "a\\", "é", "%2e%2e", "a&b=c", "\\evil"] {
        let plan = render(&book, IncidentId(1), &pairs(&[("what", value)]), &BTreeMap::new()).unwrap();
        let Step::Http(request) = &plan.steps[0] else { panic!("a request") };
        let url = reqwest::Url::parse(&request.url).unwrap();
        assert_eq!((url.host_str(), url.port()), (Some("127.0.0.1"), Some(8080)));
        assert_eq!(url.path_segments().unwrap().count(), 3, "{value}: {url}");
        assert_eq!(url.query_pairs().collect::<Vec<_>>(), [("why".into(), value.into())]);
        let body: serde_json::Value = serde_json::from_str(request.body.as_ref().unwrap()).unwrap();
        assert_eq!(body, serde_json::json!({ "what": value }));
        assert!(plan.shown().iter().all(|line| line.is_ascii()));
        assert!(plan.shown()[0].contains("authorization: <secret token>"));
    }
}

proptest! {
    #[test]
    fn no_value_changes_the_number_or_place_of_arguments(value in "\\PC{0,40}") {
        let book = runbook(vec![param("p", anything())], vec![exec(vec![text("/bin/x"), hole("p"), text("z")])]);
        if let Ok(plan) = render(&book, IncidentId(1), &[("p".to_owned(), value.clone())], &BTreeMap::new()) {
            let Step::Exec { argv, .. } = &plan.steps[0] else { panic!("an exec step") };
            prop_assert_eq!(argv, &["/bin/x".to_owned(), value.clone(), "z".to_owned()]);
            prop_assert!(!value.starts_with(['-', '@']) && !value.contains(is_unseen) && !value.is_empty());
        }
    }
}
