//! CloudWatch alarms through Amazon SNS: the envelope of an HTTP subscription, and the alarm in its `Message`. Pure.
//!
//! Whether SNS really sent it is for `sns`. The message's id, which is signed, is the delivery's key.

use super::sns::envelope::{Envelope, Type};
use super::told::Told;
use super::{Reading, Setting, Unreadable, bounds, text};
use crate::flow::signal::AlertStatus;
use serde::Deserialize;
use std::fmt::Write as _;

/// Dimensions of a metric; CloudWatch allows 30.
const MAX_DIMENSIONS: usize = 30;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Alarm {
    #[serde(rename = "AlarmName")]
    name: String,
    #[serde(rename = "AlarmDescription")]
    description: Option<String>,
    #[serde(rename = "AWSAccountId")]
    account: Option<String>,
    #[serde(rename = "AlarmArn")]
    arn: Option<String>,
    new_state_value: String,
    new_state_reason: Option<String>,
    state_change_time: Option<String>,
    region: Option<String>,
    trigger: Option<Trigger>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Trigger {
    metric_name: Option<String>,
    namespace: Option<String>,
    #[serde(default)]
    dimensions: Vec<Dimension>,
}

#[derive(Debug, Deserialize)]
struct Dimension {
    name: String,
    value: String,
}

/// # Errors
/// [`Unreadable`]: nothing of it can be used.
pub fn read(setting: &Setting<'_>, bytes: &[u8]) -> Result<Reading, Unreadable> {
    let envelope = Envelope::read(bytes).map_err(Unreadable::Malformed)?;
    match envelope.kind {
        Type::Notification => {}
        Type::SubscriptionConfirmation => return Ok(Reading::nothing("a subscription to confirm")),
        Type::UnsubscribeConfirmation => return Ok(Reading::nothing("a subscription that has ended")),
    }
    let Ok(alarm) = serde_json::from_str::<Alarm>(&envelope.message) else {
        return Ok(Reading::nothing("a notification that is no CloudWatch alarm"));
    };
    let status = match alarm.new_state_value.as_str() {
        "ALARM" => AlertStatus::Firing,
        "OK" => AlertStatus::Resolved,
        "INSUFFICIENT_DATA" => return Ok(Reading::nothing("an alarm that has too little data to say anything")),
        other => {
            let what = format!("the alarm's state {:?} is not known", text::line(other, 40));
            return Err(Unreadable::Malformed(what));
        }
    };
    let changed = alarm.state_change_time.as_deref().or(Some(&envelope.timestamp));
    let at = bounds::moment(changed, "StateChangeTime").map_err(Unreadable::Malformed)?;
    // An alarm does not say when it had begun: what ends it counts as newer than everything before.
    let at = at.filter(|at| bounds::plausible(*at, setting.now)).unwrap_or(setting.now);
    let identity = alarm.arn.clone().unwrap_or_else(|| {
        let place = [&alarm.account, &alarm.region].map(|part| part.clone().unwrap_or_default());
        format!("{}/{}/{}", place[0], place[1], alarm.name)
    });
    let page = page(&alarm);
    let told = Told {
        fingerprint: &identity,
        status,
        starts: Some(at),
        ends: Some(at),
        labels: labels(&alarm),
        annotations: vec![
            ("summary", alarm.new_state_reason.as_deref()),
            ("description", alarm.description.as_deref()),
        ],
        link: page.as_deref(),
    };
    Ok(told.reading(setting, &[&envelope.topic, &envelope.message_id]))
}

/// The metric's dimensions under their own names, after what every alarm has.
fn labels(alarm: &Alarm) -> Vec<(&str, Option<&str>)> {
    let trigger = alarm.trigger.as_ref();
    let mut labels = vec![
        ("alertname", Some(alarm.name.as_str())),
        ("region", region(alarm)),
        ("account", alarm.account.as_deref()),
        ("metric", trigger.and_then(|t| t.metric_name.as_deref())),
        // Not `namespace`, which is Kubernetes' and names a service.
        ("metric_namespace", trigger.and_then(|t| t.namespace.as_deref())),
    ];
    let dimensions = trigger.map(|t| t.dimensions.as_slice()).unwrap_or_default();
    labels.extend(dimensions.iter().take(MAX_DIMENSIONS).map(|d| (d.name.as_str(), Some(d.value.as_str()))));
    labels
}

/// `eu-west-1`; the message's own `Region` is a name for people.
fn region(alarm: &Alarm) -> Option<&str> {
    alarm.arn.as_deref()?.split(':').nth(3).filter(|region| !region.is_empty())
}

/// The alarm in the console of AWS, as far as its address is known.
fn page(alarm: &Alarm) -> Option<String> {
    let arn = alarm.arn.as_deref().filter(|arn| arn.starts_with("arn:aws:"))?;
    let region = arn.split(':').nth(3)?;
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if region.is_empty() || !region.chars().all(plain) {
        return None;
    }
    let mut name = String::new();
    for byte in alarm.name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            name.push(char::from(byte));
        } else {
            let _ = write!(name, "%{byte:02X}");
        }
    }
    bounds::link(&format!(
        "https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}#alarmsV2:alarm/{name}"
    ))
}
