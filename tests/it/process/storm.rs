//! An alert storm as Alertmanager would send it, and what must be true once it was all accepted.

use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Alertmanager's groups; each is sent in order, all of them at once.
pub const GROUPS: usize = 20;
pub const SERVICES: usize = 60;
const NAMES: [&str; 4] = ["HighErrorRate", "HighLatency", "PodCrashLooping", "TargetDown"];
/// Alerts in one delivery, at most.
const LARGEST: u64 = 40;

/// A storm.
pub struct Storm {
    /// Bodies of each group, in the order in which they are sent.
    pub groups: Vec<Vec<Value>>,
    /// By fingerprint.
    pub truth: BTreeMap<String, Truth>,
}

/// What must be known of an alert in the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Truth {
    pub service: String,
    pub resolved: bool,
    /// Different deliveries that spoke of it.
    pub count: u64,
}

/// Chance that can be had again: splitmix64.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Less than `n`.
    pub fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }
}

/// Service number `n`; every twelfth has nothing but warnings, and opens no incident.
pub fn service(n: usize) -> String {
    format!("service-{n:02}")
}

pub fn is_quiet(n: usize) -> bool {
    n % 12 == 11
}

struct Alert {
    value: Value,
    fingerprint: String,
    service: String,
}

impl Storm {
    /// `alerts` different ones. The first of a service is critical, or one after it: then those before are brought in.
    pub fn new(seed: u64, alerts: usize) -> Self {
        let mut dice = Dice::new(seed);
        let mut storm = Self { groups: Vec::new(), truth: BTreeMap::new() };
        for group in 0..GROUPS {
            let all = made(group, alerts / GROUPS, &mut dice);
            let bodies = storm.bodies(group, &all, &mut dice);
            storm.groups.push(bodies);
        }
        storm
    }

    pub fn deliveries(&self) -> usize {
        self.groups.iter().map(Vec::len).sum()
    }

    /// Everything once, in parts; now and then a part again as it was, or some of it with other words around it; and in the
    /// end a tenth of it resolved.
    fn bodies(&mut self, group: usize, all: &[Alert], dice: &mut Dice) -> Vec<Value> {
        let mut bodies = Vec::new();
        let mut told = BTreeSet::new();
        let mut rest = all;
        while !rest.is_empty() {
            let size = usize::try_from(1 + dice.below(LARGEST)).unwrap().min(rest.len());
            let (part, after) = rest.split_at(size);
            rest = after;
            let part: Vec<&Alert> = part.iter().collect();
            self.tell(group, &part, false, &mut told, &mut bodies);
            match dice.below(5) {
                0 => self.tell(group, &part, false, &mut told, &mut bodies),
                1 => {
                    let some: Vec<&Alert> = part.iter().filter(|_| dice.below(2) == 0).copied().collect();
                    self.tell(group, &some, false, &mut told, &mut bodies);
                }
                _ => {}
            }
        }
        let over: Vec<&Alert> = all.iter().filter(|_| dice.below(10) == 0).collect();
        for part in over.chunks(4) {
            self.tell(group, part, true, &mut told, &mut bodies);
        }
        bodies
    }

    fn tell(
        &mut self,
        group: usize,
        part: &[&Alert],
        resolved: bool,
        told: &mut BTreeSet<Vec<String>>,
        bodies: &mut Vec<Value>,
    ) {
        if part.is_empty() {
            return;
        }
        let statement: Vec<String> = part.iter().map(|a| format!("{} {resolved}", a.fingerprint)).collect();
        let new = told.insert(statement);
        for alert in part {
            let truth = self.truth.entry(alert.fingerprint.clone()).or_insert_with(|| Truth {
                service: alert.service.clone(),
                resolved: false,
                count: 0,
            });
            truth.resolved |= resolved;
            truth.count += u64::from(new);
        }
        let status = if resolved { "resolved" } else { "firing" };
        let alerts = part.iter().map(|alert| {
            let mut value = alert.value.clone();
            value["status"] = json!(status);
            value["endsAt"] = json!(if resolved { "2025-11-20T07:59:00Z" } else { "0001-01-01T00:00:00Z" });
            value
        });
        bodies.push(body(
            &format!("{{}}/{{group=\"{group}\"}}:{{group=\"{group}\"}}"),
            status,
            &alerts.collect::<Vec<_>>(),
        ));
    }
}

/// A webhook, version 4, as Alertmanager 0.25 sends it.
pub fn body(group_key: &str, status: &str, alerts: &[Value]) -> Value {
    json!({
        "receiver": "smokejumper", "status": status, "alerts": alerts, "groupLabels": {"team": "shop"},
        "commonLabels": {"team": "shop"}, "commonAnnotations": {}, "externalURL": "http://alertmanager.example:9093",
        "version": "4", "groupKey": group_key, "truncatedAlerts": 0,
    })
}

/// One alert of a body.
pub fn alert(fingerprint: &str, labels: &Value, summary: &str, starts_at: &str) -> Value {
    json!({
        "status": "firing", "labels": labels, "annotations": {"summary": summary}, "startsAt": starts_at,
        "endsAt": "0001-01-01T00:00:00Z", "fingerprint": fingerprint,
        "generatorURL": "http://prometheus.example:9090/graph?g0.expr=up+%3D%3D+0&g0.tab=1",
    })
}

fn made(group: usize, alerts: usize, dice: &mut Dice) -> Vec<Alert> {
    let mut services: Vec<usize> = (0..SERVICES / GROUPS).map(|i| group * (SERVICES / GROUPS) + i).collect();
    services.rotate_left(usize::try_from(dice.below(3)).unwrap());
    // Which alert of each service is surely critical: its first, or one of the next nine.
    let loud: Vec<usize> = services.iter().map(|_| usize::try_from(dice.below(2) * dice.below(10)).unwrap()).collect();
    let one = |n: usize, dice: &mut Dice| {
        let (of, nth) = (n % services.len(), n / services.len());
        let critical = !is_quiet(services[of]) && (nth == loud[of] || (nth > loud[of] && dice.below(5) == 0));
        let service = service(services[of]);
        let fingerprint = format!("{:016x}", dice.next());
        let name = NAMES[usize::try_from(dice.below(4)).unwrap()];
        let labels = json!({
            "alertname": name,
            "service": service, "severity": if critical { "critical" } else { "warning" }, "team": "shop",
            "instance": format!("{service}-{nth}:8080"), "namespace": "shop", "group": group.to_string(),
        });
        let starts_at = format!("2025-11-20T07:{:02}:{:02}.{:03}Z", dice.below(58), dice.below(60), dice.below(1000));
        let value = alert(&fingerprint, &labels, &format!("{service} is not well on instance {nth}"), &starts_at);
        Alert { value, fingerprint, service }
    };
    (0..alerts).map(|n| one(n, dice)).collect()
}
