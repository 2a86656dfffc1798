//! CloudWatch through Amazon SNS, with a fake SNS over real HTTP that signs with a key of its own: only what it signed for a topic
//! of ours is believed, only its own addresses are asked, and a subscription is confirmed once it is proven.

use crate::world::door::{MemoryDoor, Noon};
use crate::world::watch::Watch;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, StatusCode};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};
use smokejumper::config::source::{Auth, SnsTrust, Source};
use smokejumper::edges::alerts::{self, Limits, Scrub};
use smokejumper::egress::Allowed;
use smokejumper::flow::moment::At;
use smokejumper::flow::signal::AlertStatus;
use smokejumper::ports::Clock;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};
use tower::ServiceExt as _;

const TOPIC: &str = "arn:aws:sns:eu-west-1:123456789012:alarms";
/// Signed by `openssl dgst -sha1` with the key beside it.
const NOTIFICATION: &str = include_str!("../fixtures/sns/notification.json");
const CERTIFICATE: &str = include_str!("../fixtures/sns/certificate.pem");
const KEY: &[u8] = include_bytes!("../fixtures/sns/key.pkcs8.der");

/// Where its certificate is.
const PEM: &str = "/SimpleNotificationService-0123456789abcdef.pem";

/// What SNS is asked for: certificates and confirmations.
#[derive(Default)]
struct Fake {
    certificates: AtomicUsize,
    confirmations: AtomicUsize,
    /// The status of its answers; 0: 200.
    status: AtomicU16,
}

impl Fake {
    fn answer(&self, counter: &AtomicUsize, body: &'static str) -> (StatusCode, &'static str) {
        counter.fetch_add(1, Ordering::SeqCst);
        (StatusCode::from_u16(self.status.load(Ordering::SeqCst)).unwrap_or(StatusCode::OK), body)
    }
}

struct Town {
    fake: Arc<Fake>,
    address: SocketAddr,
    /// Listens, and must never be asked.
    elsewhere: Arc<Fake>,
    elsewhere_at: SocketAddr,
    door: Arc<MemoryDoor>,
    router: Router,
}

async fn serve(fake: &Arc<Fake>) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = Router::new()
        .route(PEM, get(|State(fake): State<Arc<Fake>>| async move { fake.answer(&fake.certificates, CERTIFICATE) }))
        .route(
            "/",
            get(|State(fake): State<Arc<Fake>>| async move { fake.answer(&fake.confirmations, "<Confirmed/>") }),
        )
        .route(
            &format!("/elsewhere{PEM}"),
            get(|State(fake): State<Arc<Fake>>| async move { fake.answer(&fake.certificates, CERTIFICATE) }),
        )
        .with_state(Arc::clone(fake));
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

impl Town {
    async fn new() -> Self {
        Self::at(Arc::new(Noon)).await
    }

    async fn at(clock: Arc<dyn Clock>) -> Self {
        let (fake, elsewhere) = (Arc::<Fake>::default(), Arc::<Fake>::default());
        let (address, elsewhere_at) = (serve(&fake).await, serve(&elsewhere).await);
        let allowed = Allowed {
            hosts: vec![address.to_string().parse().unwrap()],
            private: vec!["127.0.0.0/8".parse().unwrap()],
            allow_plaintext: false,
        };
        let trust = SnsTrust { topics: vec![TOPIC.to_owned()], allowed, ca_pem: None };
        let (name, kind) = ("aws".to_owned(), "cloudwatch".to_owned());
        let sources = [Source { name, kind, auth: Auth::Sns(Box::new(trust)), mapping: None }];
        let door = Arc::new(MemoryDoor::default());
        let scrub: Scrub = Arc::new(str::to_owned);
        let router = alerts::router(&sources, door.clone(), clock, scrub, Limits::default()).unwrap();
        Self { fake, address, elsewhere, elsewhere_at, door, router }
    }

    /// The recorded notification, with its certificate here.
    fn recorded(&self) -> Value {
        let mut message: Value = serde_json::from_str(NOTIFICATION).unwrap();
        message["SigningCertURL"] = format!("http://{}{PEM}", self.address).into();
        message
    }

    fn subscription(&self) -> Value {
        signed(json!({
            "Type": "SubscriptionConfirmation",
            "MessageId": "165545c9-2a5c-472c-8df2-7ff2be2b3b1b",
            "Token": "2336412f37fb687f5d51e6e2425dacbba",
            "TopicArn": TOPIC,
            "Message": "You have chosen to subscribe to the topic.\nTo confirm the subscription, visit the SubscribeURL.",
            "SubscribeURL": format!("http://{}/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=2336", self.address),
            "Timestamp": "2026-11-20T11:45:12.400Z",
            "SigningCertURL": format!("http://{}{PEM}", self.address),
        }))
    }

    async fn post(&self, message: &Value) -> (StatusCode, Value) {
        let request = Request::post("/alerts/aws").header("content-type", "text/plain; charset=UTF-8");
        let request = request.header("x-amz-sns-message-type", "Notification").body(Body::from(message.to_string()));
        let response = self.router.clone().oneshot(request.unwrap()).await.unwrap();
        let status = response.status();
        let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap_or_default())
    }

    fn nothing_happened(&self) {
        assert_eq!(self.door.deliveries(), 0);
        assert!(self.door.letters().is_empty());
        assert_eq!(self.fake.confirmations.load(Ordering::SeqCst), 0);
        let asked = [&self.elsewhere.certificates, &self.elsewhere.confirmations].map(|n| n.load(Ordering::SeqCst));
        assert_eq!(asked, [0, 0], "somewhere else was asked");
    }
}

/// Signed as version 2, over the fields AWS names, in their order.
fn signed(mut message: Value) -> Value {
    let names: &[&str] = if message["Type"] == "Notification" {
        &["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]
    } else {
        &["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
    };
    let line = |name: &&str| message[*name].as_str().map(|value| format!("{name}\n{value}\n"));
    let text: String = names.iter().filter_map(line).collect();
    let key = RsaKeyPair::from_pkcs8(KEY).unwrap();
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature).unwrap();
    message["SignatureVersion"] = "2".into();
    message["Signature"] = STANDARD.encode(signature).into();
    message
}

#[tokio::test]
async fn an_alarm_is_taken_in_once_in_both_ways_of_signing() {
    let town = Town::new().await;
    let recorded = town.recorded();
    assert_eq!(recorded["SignatureVersion"], "1");
    for message in [recorded.clone(), recorded.clone(), signed(recorded.clone())] {
        let (status, answer) = town.post(&message).await;
        assert_eq!((status, &answer["accepted"]), (StatusCode::OK, &json!(1)), "{answer}");
    }
    assert_eq!(town.door.deliveries(), 1, "its id is its key");
    assert_eq!(town.fake.certificates.load(Ordering::SeqCst), 1, "the certificate is kept");
    let signal = town.door.signals().remove(0);
    assert_eq!((signal.name(), signal.status), ("checkout 5xx", AlertStatus::Firing));
    assert_eq!(signal.key.fingerprint.len(), 64, "a name with a space is kept as a digest");
    assert_eq!(signal.starts_at, At(1_795_175_292_345));
    let label = |name: &str| signal.labels.get(name).map(String::as_str);
    assert_eq!((label("region"), label("metric_namespace")), (Some("eu-west-1"), Some("AWS/ApplicationELB")));
    assert_eq!(label("LoadBalancer"), Some("app/checkout/50dc6c495c0c9188"));
    assert!(signal.link.as_deref().unwrap().ends_with("#alarmsV2:alarm/checkout%205xx"), "{:?}", signal.link);
    let with_alarm = |id: &str, change: fn(&mut Value)| {
        let mut message = town.recorded();
        let mut alarm: Value = serde_json::from_str(message["Message"].as_str().unwrap()).unwrap();
        change(&mut alarm);
        message["Message"] = alarm.to_string().into();
        message["MessageId"] = id.into();
        signed(message)
    };
    let over = with_alarm("2", |alarm| {
        alarm["NewStateValue"] = "OK".into();
        alarm["StateChangeTime"] = "2026-11-20T11:58:12.345+0000".into();
    });
    town.post(&over).await;
    let resolved = town.door.signals().into_iter().find(|s| s.status == AlertStatus::Resolved).unwrap();
    assert_eq!(resolved.key, signal.key);
    assert!(resolved.rank() > signal.rank() && resolved.ends_at == Some(At(1_795_175_892_345)));
    let quiet = with_alarm("3", |alarm| alarm["NewStateValue"] = "INSUFFICIENT_DATA".into());
    assert_eq!(town.post(&quiet).await.1["ignored"], json!(1));
    let mut other = town.recorded();
    other["Message"] = "Hello from another program".into();
    assert_eq!(town.post(&signed(other)).await.1["ignored"], json!(1));
    assert_eq!(town.door.deliveries(), 2);
}

#[tokio::test]
async fn what_is_forged_changes_nothing_and_asks_nobody_else() {
    let town = Town::new().await;
    let recorded = town.recorded();
    let mut forged = Vec::new();
    // Whatever is signed, changed at every sixth of its characters.
    for field in ["Message", "MessageId", "Subject", "Timestamp", "Signature"] {
        let text: Vec<char> = recorded[field].as_str().unwrap().chars().collect();
        for at in (0..text.len()).step_by(6) {
            let mut changed = text.clone();
            changed[at] = if changed[at] == 'x' { 'y' } else { 'x' };
            forged.push((field, changed.into_iter().collect::<String>().into()));
        }
    }
    assert!(forged.len() > 200);
    let elsewhere = format!("http://{}{PEM}", town.elsewhere_at);
    let here = town.address;
    forged.extend([
        ("TopicArn", json!("arn:aws:sns:eu-west-1:666666666666:alarms")),
        ("Type", json!("UnsubscribeConfirmation")),
        ("SignatureVersion", json!("2")),
        ("SignatureVersion", json!("3")),
        ("SignatureVersion", Value::Null),
        ("Signature", json!("")),
        ("SigningCertURL", elsewhere.clone().into()),
        ("SigningCertURL", format!("http://{here}@{}{PEM}", town.elsewhere_at).into()),
        ("SigningCertURL", format!("http://{here}#@{}{PEM}", town.elsewhere_at).into()),
        ("SigningCertURL", format!("{elsewhere}?{here}.pem").into()),
        (
            "SigningCertURL",
            json!("https://sns.eu-west-1.amazonaws.com.evil.example/SimpleNotificationService-0123456789abcdef.pem"),
        ),
        ("SigningCertURL", json!("file:///etc/ssl/cert.pem")),
        ("SigningCertURL", format!("http://{here}/").into()),
        ("SigningCertURL", format!("http://{here}/none.pem").into()),
        ("SigningCertURL", format!("http://{here}{PEM}?x=y.pem").into()),
        ("SigningCertURL", format!("http://{here}/?x={PEM}").into()),
        ("SigningCertURL", format!("http://{here}/elsewhere{PEM}").into()),
        ("SigningCertURL", format!("http://{here}/{PEM}").into()),
        ("SigningCertURL", json!("")),
    ]);
    for (field, value) in forged {
        let mut message = recorded.clone();
        message[field] = value;
        let (status, answer) = town.post(&message).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{field} {}: {answer}", message[field]);
    }
    assert_eq!(town.post(&json!({ "Type": "Notification" })).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(town.post(&json!([])).await.0, StatusCode::UNAUTHORIZED);
    town.nothing_happened();
    assert_eq!(town.post(&recorded).await.0, StatusCode::OK, "and the real one is still good");
}

#[tokio::test]
async fn a_subscription_is_confirmed_when_it_is_proven_and_of_a_topic_of_ours() {
    let town = Town::new().await;
    let good = town.subscription();
    let mut unsigned = good.clone();
    unsigned["Signature"] = town.recorded()["Signature"].clone();
    let mut of_others = good.clone();
    of_others["TopicArn"] = "arn:aws:sns:eu-west-1:666666666666:alarms".into();
    let mut leads_away = good.clone();
    leads_away["SubscribeURL"] = format!("http://{}/?Action=ConfirmSubscription", town.elsewhere_at).into();
    for message in [unsigned, signed(of_others), signed(leads_away)] {
        assert_eq!(town.post(&message).await.0, StatusCode::UNAUTHORIZED);
    }
    town.nothing_happened();
    let (status, answer) = town.post(&good).await;
    assert_eq!((status, &answer["ignored"]), (StatusCode::OK, &json!(1)), "{answer}");
    assert_eq!(town.fake.confirmations.load(Ordering::SeqCst), 1);
    let mut ended = good;
    ended["Type"] = "UnsubscribeConfirmation".into();
    assert_eq!(town.post(&signed(ended)).await.0, StatusCode::OK);
    assert_eq!(town.fake.confirmations.load(Ordering::SeqCst), 1, "an ended subscription is not begun again");
    assert_eq!(town.door.deliveries(), 0);
}

#[tokio::test]
async fn trouble_at_sns_is_put_off_and_not_believed() {
    let town = Town::new().await;
    town.fake.status.store(503, Ordering::SeqCst);
    assert_eq!(town.post(&town.recorded()).await.0, StatusCode::SERVICE_UNAVAILABLE);
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let mut away = town.recorded();
    away["SigningCertURL"] = format!("http://{gone}{PEM}").into();
    assert_eq!(town.post(&away).await.0, StatusCode::UNAUTHORIZED, "not one of SNS' addresses");
    town.nothing_happened();
    town.fake.status.store(0, Ordering::SeqCst);
    assert_eq!(town.post(&town.recorded()).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_certificate_outside_its_dates_proves_nothing() {
    // It is good from 10:31 of the day to 2126.
    for (at, status) in [
        (At(1_795_168_800_000), StatusCode::UNAUTHORIZED),
        (At(1_795_176_000_000), StatusCode::OK),
        (At(5_000_000_000_000), StatusCode::UNAUTHORIZED),
    ] {
        let town = Town::at(Arc::new(Watch::at(at))).await;
        for _ in 0..2 {
            assert_eq!(town.post(&town.recorded()).await.0, status, "{}", at.rfc3339());
        }
    }
}
