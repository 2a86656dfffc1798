//! Looks whether a run helped: probes, tried again until they pass or their time is over. A probe changes nothing by contract.

use super::exec::Exit;
use super::http::Answer;
use super::output::harmless;
use super::{Hands, http};
use crate::flow::fact::{CheckResult, Verdict};
use crate::flow::plan::{FileDigest, Plan, PlannedCheck, Probe, Request};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// Of what was seen last, in characters: a line in a chat.
const MAX_SAW: usize = 200;
/// Samples of a query's answer looked at; more means that the query is not about one thing.
const MAX_SAMPLES: usize = 10_000;

/// All checks at the same time, each until it passes or its own time is over.
pub async fn verify(hands: &Hands, plan: &Plan) -> Verdict {
    let start = Instant::now();
    let checks = futures::future::join_all(plan.verify.iter().map(|check| watch(hands, check, &plan.files))).await;
    Verdict {
        passed: !checks.is_empty() && checks.iter().all(|check| check.passed),
        checks,
        after_ms: i64::try_from(start.elapsed().as_millis()).unwrap_or(i64::MAX),
    }
}

async fn watch(hands: &Hands, check: &PlannedCheck, files: &[FileDigest]) -> CheckResult {
    let ms = |ms: i64| Duration::from_millis(u64::try_from(ms).unwrap_or(0));
    let until = Instant::now() + ms(check.within_ms);
    loop {
        let begun = Instant::now();
        let (passed, saw) = probe(hands, &check.probe, files).await;
        let again = begun + ms(check.every_ms.max(1));
        if passed || again > until {
            let saw = harmless(&hands.redactor.redact(&saw)).replace('\n', " ");
            return CheckResult { what: check.probe.shown(), passed, saw: saw.chars().take(MAX_SAW).collect() };
        }
        sleep_until(again).await;
    }
}

async fn probe(hands: &Hands, probe: &Probe, files: &[FileDigest]) -> (bool, String) {
    match probe {
        Probe::Http { request, contains } => match hands.answer(request).await {
            Ok(Answer::Status { status, raw, .. }) => {
                let found = contains.as_ref().is_none_or(|text| String::from_utf8_lossy(&raw).contains(text.as_str()));
                let passed = request.expect_status.contains(&status) && found;
                (passed, if found { format!("status {status}") } else { format!("status {status}, text not found") })
            }
            Err(why) | Ok(Answer::NotSent(why) | Answer::Lost(why)) => (false, why),
            Ok(Answer::TimedOut) => (false, "no answer in time".to_owned()),
        },
        Probe::Command { argv, timeout_ms } => {
            let done = hands.process(argv, &[], None, *timeout_ms, files).await;
            let last = |text: &str| text.trim().lines().last().unwrap_or_default().to_owned();
            let said = if done.output.tail.is_empty() { last(&done.output.head) } else { last(&done.output.tail) };
            match done.exit {
                Exit::Code(0) => (true, if said.is_empty() { "exit code 0".to_owned() } else { said }),
                Exit::Code(code) => (false, format!("exit code {code} {said}")),
                Exit::NotStarted(why) | Exit::Failed(why) | Exit::Lost(why) => (false, why),
                Exit::TimedOut => (false, "did not end in time".to_owned()),
            }
        }
        Probe::Promql { server, query, op, value, timeout_ms } => {
            match query_now(hands, server, query, *timeout_ms).await {
                Err(why) => (false, why),
                Ok(samples) => {
                    let failing = samples.iter().find(|&&sample| !op.holds(sample, *value));
                    let shown = failing.or(samples.first()).map_or("no samples".to_owned(), f64::to_string);
                    (!samples.is_empty() && failing.is_none(), shown)
                }
            }
        }
    }
}

/// Values of an instant query, by Prometheus' HTTP API v1.
async fn query_now(hands: &Hands, server: &str, query: &str, timeout_ms: i64) -> Result<Vec<f64>, String> {
    let address = format!("{}/api/v1/query", server.trim_end_matches('/'));
    let url = reqwest::Url::parse_with_params(&address, [("query", query)]).map_err(|e| format!("{address}: {e}"))?;
    let request = Request {
        method: "GET".to_owned(),
        url: url.into(),
        headers: Vec::new(),
        body: None,
        expect_status: vec![200],
        timeout_ms,
    };
    match http::send(&hands.client, &request, &[], &hands.redactor).await {
        Answer::Status { raw, status, .. } => samples(&raw).map_err(|why| format!("status {status}: {why}")),
        Answer::NotSent(why) | Answer::Lost(why) => Err(why),
        Answer::TimedOut => Err("no answer in time".to_owned()),
    }
}

/// `{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1435781451.781,"1"]}]}}`, or a scalar.
fn samples(body: &[u8]) -> Result<Vec<f64>, String> {
    let answer: serde_json::Value = serde_json::from_slice(body).map_err(|_| "not an answer of Prometheus")?;
    if answer["status"] != "success" {
        return Err(answer["error"].as_str().unwrap_or("not an answer of Prometheus").to_owned());
    }
    let number = |value: &serde_json::Value| value[1].as_str().and_then(|text| text.parse::<f64>().ok());
    let data = &answer["data"];
    let found: Option<Vec<f64>> = match data["resultType"].as_str() {
        Some("scalar") => number(&data["result"]).map(|value| vec![value]),
        Some("vector") => data["result"]
            .as_array()
            .and_then(|all| all.iter().take(MAX_SAMPLES).map(|sample| number(&sample["value"])).collect()),
        _ => None,
    };
    found.ok_or_else(|| "the query must give an instant vector or a scalar".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_prometheus_are_read() {
        let vector = br#"{"status":"success","data":{"resultType":"vector","result":[
            {"metric":{"job":"a"},"value":[1435781451.781,"0.5"]},{"metric":{},"value":[1435781451.781,"NaN"]}]}}"#;
        let read = samples(vector).unwrap();
        assert!((read[0] - 0.5).abs() < f64::EPSILON && read[1].is_nan());
        assert_eq!(
            samples(br#"{"status":"success","data":{"resultType":"scalar","result":[1.5,"+Inf"]}}"#).unwrap(),
            [f64::INFINITY]
        );
        assert_eq!(
            samples(br#"{"status":"success","data":{"resultType":"vector","result":[]}}"#).unwrap(),
            [] as [f64; 0]
        );
        let error = samples(br#"{"status":"error","errorType":"bad_data","error":"parse error"}"#);
        assert_eq!(error.unwrap_err(), "parse error");
        for bad in ["", "[]", "{}", r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#] {
            assert!(samples(bad.as_bytes()).is_err());
        }
    }
}
