use super::*;
use proptest::prelude::*;

fn values() -> impl Strategy<Value = Vec<(String, EnvValue)>> {
    let value = prop_oneof!["[ab]{0,2}".prop_map(EnvValue::Plain), "[ab]{0,2}".prop_map(EnvValue::Secret)];
    proptest::collection::vec(("[ab]{0,2}", value), 0..3)
}

fn request() -> impl Strategy<Value = Request> {
    let statuses = proptest::collection::vec(0u16..3, 0..3);
    ("[ab]{0,2}", "[ab]{0,2}", values(), proptest::option::of("[ab]{0,2}"), statuses, 0i64..3).prop_map(
        |(method, url, headers, body, expect_status, timeout_ms)| Request {
            method,
            url,
            headers,
            body,
            expect_status,
            timeout_ms,
        },
    )
}

/// Small alphabets and short lists, so that plans that differ only in where one field ends are common.
fn plan() -> impl Strategy<Value = Plan> {
    let argv = || proptest::collection::vec("[ab]{0,2}", 0..4);
    let exec = (argv(), values(), proptest::option::of("[ab]{0,2}"), 0i64..3)
        .prop_map(|(argv, env, cwd, timeout_ms)| Step::Exec { argv, env, cwd, timeout_ms });
    let step = prop_oneof![exec, request().prop_map(Step::Http)];
    let op = prop_oneof![Just(Comparison::Lt), Just(Comparison::Ge)];
    let probe = prop_oneof![
        (request(), proptest::option::of("[ab]{0,2}"))
            .prop_map(|(request, contains)| Probe::Http { request, contains }),
        (argv(), 0i64..3).prop_map(|(argv, timeout_ms)| Probe::Command { argv, timeout_ms }),
        ("[ab]{0,2}", "[ab]{0,2}", op, 0i32..3, 0i64..3).prop_map(|(server, query, op, value, timeout_ms)| {
            Probe::Promql { server, query, op, value: value.into(), timeout_ms }
        }),
    ];
    let check =
        (probe, 0i64..3, 0i64..3).prop_map(|(probe, within_ms, every_ms)| PlannedCheck { probe, within_ms, every_ms });
    let pair = ("[ab]{0,2}", "[ab]{0,2}");
    (
        (0u32..3, "[ab]{0,2}", "[ab]{0,2}"),
        proptest::collection::vec(pair, 0..3),
        proptest::collection::vec(step, 0..3),
        proptest::collection::vec(check, 0..2),
        proptest::collection::vec(pair.prop_map(|(path, sha256)| FileDigest { path, sha256 }), 0..3),
    )
        .prop_map(|((incident, runbook, revision), params, steps, verify, files)| Plan {
            incident: IncidentId(incident),
            runbook,
            revision,
            params,
            steps,
            verify,
            files,
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn two_plans_have_the_same_bytes_only_when_they_are_the_same(a in plan(), b in plan()) {
        prop_assert_eq!(a == b, a.canonical() == b.canonical());
        prop_assert_eq!(a == b, a.sha256() == b.sha256());
    }

    #[test]
    fn storing_a_plan_keeps_its_hash(plan in plan()) {
        let stored = serde_json::to_string(&plan).unwrap();
        prop_assert_eq!(serde_json::from_str::<Plan>(&stored).unwrap().sha256(), plan.sha256());
    }
}

/// One plan with every field set, and every single-field change of its JSON, however deep.
#[test]
fn any_change_of_any_field_changes_the_hash() {
    let request = Request {
        method: "POST".to_owned(),
        url: "http://127.0.0.1:8080/restart".to_owned(),
        headers: vec![("authorization".to_owned(), EnvValue::Secret("token".to_owned()))],
        body: Some("{}".to_owned()),
        expect_status: vec![200],
        timeout_ms: 1_000,
    };
    let check = |probe| PlannedCheck { probe, within_ms: 60_000, every_ms: 2_000 };
    let plan = Plan {
        incident: IncidentId(12),
        runbook: "restart".to_owned(),
        revision: "ab".to_owned(),
        params: vec![("service".to_owned(), "checkout".to_owned())],
        steps: vec![
            Step::Exec {
                argv: vec!["/bin/true".to_owned(), "checkout".to_owned()],
                env: vec![("A".to_owned(), EnvValue::Plain("b".to_owned()))],
                cwd: Some("/".to_owned()),
                timeout_ms: 30_000,
            },
            Step::Http(request.clone()),
        ],
        verify: vec![
            check(Probe::Http { request, contains: Some("ok".to_owned()) }),
            check(Probe::Command { argv: vec!["/bin/true".to_owned()], timeout_ms: 500 }),
            check(Probe::Promql {
                server: "http://127.0.0.1:9090".to_owned(),
                query: "up".to_owned(),
                op: Comparison::Eq,
                value: 1.0,
                timeout_ms: 500,
            }),
        ],
        files: vec![FileDigest { path: "/bin/true".to_owned(), sha256: "cd".to_owned() }],
    };
    let whole = serde_json::to_value(&plan).unwrap();
    let mut changed = Vec::new();
    changes(&whole, &mut |value| changed.push(value));
    let mut hashes: Vec<String> = changed
        .into_iter()
        .filter_map(|value| serde_json::from_value::<Plan>(value).ok())
        .map(|plan| plan.sha256())
        .collect();
    let count = hashes.len();
    assert!(count >= 50, "every leaf and list was changed: {count}");
    hashes.push(plan.sha256());
    hashes.sort_unstable();
    hashes.dedup();
    assert_eq!(hashes.len(), count + 1);
}

/// Calls `emit` with copies of `value` that differ in one leaf, or in one list that lacks its last element.
fn changes(value: &serde_json::Value, emit: &mut dyn FnMut(serde_json::Value)) {
    use serde_json::Value;
    match value {
        Value::String(text) if text == "eq" => emit("ne".into()),
        Value::String(text) => emit(format!("{text}x").into()),
        Value::Number(number) => {
            emit(number.as_i64().map_or_else(|| 0.5.into(), |number| (number + 1).into()));
        }
        Value::Array(items) => {
            if !items.is_empty() {
                emit(items[..items.len() - 1].to_vec().into());
            }
            for (at, item) in items.iter().enumerate() {
                changes(item, &mut |changed| {
                    let mut copy = items.clone();
                    copy[at] = changed;
                    emit(copy.into());
                });
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                changes(field, &mut |changed| {
                    let mut copy = fields.clone();
                    copy.insert(name.clone(), changed);
                    emit(copy.into());
                });
            }
        }
        Value::Null | Value::Bool(_) => {}
    }
}
