//! The way out: however an inner address is written, named, renamed or redirected to, nobody there gets a connection; what the
//! operator named or allowed is reached. Counted at real listeners.

use async_trait::async_trait;
use smokejumper::egress::{Allowed, Client, Failed, Limits, Names, Outside, Terms};
use smokejumper::ports::Undelivered;
use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Counts its connections and answers each in the same way.
struct Listener {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl Listener {
    async fn at(address: &str, answer: &str) -> Self {
        Self::with(address, answer, drop).await
    }

    /// `after` gets the connection when the answer is written.
    async fn with(address: &str, answer: &str, after: fn(TcpStream)) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::<AtomicUsize>::default();
        let (count, answer) = (Arc::clone(&connections), answer.to_owned());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                let answer = answer.clone();
                tokio::spawn(async move {
                    let mut request = [0; 4_096];
                    let _ = stream.read(&mut request).await;
                    let _ = stream.write_all(answer.as_bytes()).await;
                    after(stream);
                });
            }
        });
        Self { address, connections }
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    fn port(&self) -> u16 {
        self.address.port()
    }
}

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";

fn redirect(to: &str) -> String {
    format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
}

/// Answers each question about a name with the next of its answers, round and round.
#[derive(Default)]
struct Fickle {
    answers: BTreeMap<&'static str, Vec<Vec<IpAddr>>>,
    asked: AtomicUsize,
}

impl Fickle {
    fn new(name: &'static str, answers: &[&[&str]]) -> Arc<Self> {
        let answers = answers.iter().map(|all| all.iter().map(|ip| ip.parse().unwrap()).collect()).collect();
        Arc::new(Self { answers: BTreeMap::from([(name, answers)]), asked: AtomicUsize::new(0) })
    }
}

#[async_trait]
impl Names for Fickle {
    async fn lookup(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let answers = self.answers.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(answers[self.asked.fetch_add(1, Ordering::SeqCst) % answers.len()].clone())
    }
}

fn influenced(hosts: &[String], private: &[&str], names: Arc<dyn Names>, hops: u8) -> Client {
    let allowed = Allowed {
        hosts: hosts.iter().map(|host| host.parse().unwrap()).collect(),
        private: private.iter().map(|cidr| cidr.parse().unwrap()).collect(),
        allow_plaintext: true,
    };
    Client::new(Outside::Influenced(allowed), &terms(names, hops)).unwrap()
}

fn vendor(names: Arc<dyn Names>) -> Client {
    Client::new(Outside::Vendor { allow_plaintext: true }, &terms(names, 0)).unwrap()
}

fn terms(names: Arc<dyn Names>, hops: u8) -> Terms {
    Terms { limits: Limits { hops, ..Limits::default() }, names, ..Terms::default() }
}

/// Ways to write addresses of this machine, of its neighbours, and of a cloud's metadata service.
const FORMS: [&str; 64] = [
    "http://127.0.0.1:{port}/",
    "http://127.1:{port}/",
    "http://127.0.1:{port}/",
    "http://127.127.127.127:{port}/",
    "http://2130706433:{port}/",
    "http://0x7f000001:{port}/",
    "http://0x7f.0x0.0x0.0x1:{port}/",
    "http://0x7f.1:{port}/",
    "http://017700000001:{port}/",
    "http://0177.0.0.01:{port}/",
    "http://0177.1:{port}/",
    "http://00000177.0.0.1:{port}/",
    "http://127.0.0.1.:{port}/",
    "http://0:{port}/",
    "http://0.0.0.0:{port}/",
    "http://[::]:{port}/",
    "http://[::1]:{port}/",
    "http://[0:0:0:0:0:0:0:1]:{port}/",
    "http://[::ffff:127.0.0.1]:{port}/",
    "http://[::ffff:7f00:1]:{port}/",
    "http://[0:0:0:0:0:ffff:127.0.0.1]:{port}/",
    "http://[::127.0.0.1]:{port}/",
    "http://[::ffff:0:127.0.0.1]:{port}/",
    "http://[64:ff9b::127.0.0.1]:{port}/",
    "http://[64:ff9b:1::7f00:1]:{port}/",
    "http://[2002:7f00:1::]:{port}/",
    "http://[fe80::1]:{port}/",
    "http://[fe80::1%25lo]:{port}/",
    "http://[fc00::1]:{port}/",
    "http://[fd00:ec2::254]:{port}/",
    "http://[ff02::1]:{port}/",
    "http://localhost:{port}/",
    "http://LOCALHOST:{port}/",
    "http://localhost.:{port}/",
    "http://a.localhost:{port}/",
    "http://ip6-localhost:{port}/",
    "http://localtest.example:{port}/",
    "http://user@127.0.0.1:{port}/",
    "http://user:pw@127.0.0.1:{port}/",
    "http://sns.eu-west-1.amazonaws.com@127.0.0.1:{port}/",
    "http://sns.eu-west-1.amazonaws.com:80@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}/#sns.eu-west-1.amazonaws.com",
    "http://127.0.0.1:{port}#@sns.eu-west-1.amazonaws.com/",
    "http://127.0.0.1:{port}\\@sns.eu-west-1.amazonaws.com/",
    "http://sns.eu-west-1.amazonaws.com\\@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}?sns.eu-west-1.amazonaws.com",
    "http:127.0.0.1:{port}/",
    "http:/127.0.0.1:{port}/",
    "http:///127.0.0.1:{port}/",
    "http:\\\\127.0.0.1:{port}\\",
    "//127.0.0.1:{port}/",
    " http://127.0.0.1:{port}/",
    "ht\ntp://127.0.0.1:{port}/",
    "http://127.0.0.1\t:{port}/",
    "http://%31%32%37.0.0.1:{port}/",
    "http://127%2e0%2e0%2e1:{port}/",
    "http://①②⑦.⓪.⓪.①:{port}/",
    "http://127。0。0。1:{port}/",
    "http://10.0.0.1:{port}/",
    "http://169.254.169.254/latest/meta-data/",
    "http://[::ffff:169.254.169.254]/latest/meta-data/",
    "http://100.64.0.1:{port}/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:{port}/_",
];

/// Everything this machine listens at under one port: what a form leads to, it would meet.
async fn everywhere() -> Listener {
    match TcpListener::bind("[::]:0").await {
        Ok(_) => Listener::at("[::]:0", OK).await,
        Err(_) => Listener::at("0.0.0.0:0", OK).await,
    }
}

#[tokio::test]
async fn no_way_to_write_an_inner_address_leads_to_it() {
    let listener = everywhere().await;
    let port = listener.port();
    let names = Fickle::new("localtest.example", &[&["127.0.0.1", "::1", "::ffff:10.0.0.1"]]);
    // The second list names inner hosts: then only the address itself is left to refuse.
    let inner = ["127.0.0.1", "[::1]", "[::]", "0.0.0.0", "localhost", "a.localhost", "localtest.example", "10.0.0.1"];
    let lists = [vec!["sns.*.amazonaws.com".to_owned()], inner.iter().map(|host| format!("{host}:{port}")).collect()];
    for hosts in lists {
        for names in [names.clone() as Arc<dyn Names>, Terms::default().names] {
            let client = influenced(&hosts, &[], names, 3);
            for form in FORMS {
                let outcome = client.get(&form.replace("{port}", &port.to_string())).await;
                let unknown_name = matches!(&outcome, Err(Failed::NotSent(_))) && hosts.len() > 1;
                assert!(matches!(outcome, Err(Failed::Refused(_))) || unknown_name, "{form}: {outcome:?}");
            }
        }
    }
    assert_eq!(listener.connections(), 0);
    // And what stands there can be reached, so that the zero means something.
    let hosts = [format!("127.0.0.1:{port}")];
    assert_eq!(
        influenced(&hosts, &["127.0.0.0/8"], names, 0).get(&format!("http://{}/", hosts[0])).await.unwrap().status,
        200
    );
    assert_eq!(listener.connections(), 1);
}

#[tokio::test]
async fn an_operators_address_may_be_private_but_not_nobodys_and_not_the_metadata_service() {
    let listener = everywhere().await;
    let port = listener.port();
    let client = vendor(Terms::default().names);
    for host in ["127.0.0.1", "localhost"] {
        assert_eq!(client.get(&format!("http://{host}:{port}/")).await.unwrap().body, b"ok", "{host}");
    }
    let before = listener.connections();
    for address in [
        "http://0.0.0.0:{port}/",
        "http://[::]:{port}/",
        "http://0:{port}/",
        "http://2130706433:{port}/",
        "http://169.254.169.254/",
        "http://169.254.0.9:{port}/",
        "http://[fe80::1]:{port}/",
        "https://[::ffff:169.254.169.254]/",
        "http://255.255.255.255:{port}/",
        "http://224.0.0.1:{port}/",
        "http://user:pw@127.0.0.1:{port}/",
        "http://127.0.0.1:{port}/#a",
        "ftp://127.0.0.1:{port}/",
    ] {
        let outcome = client.get(&address.replace("{port}", &port.to_string())).await;
        assert!(matches!(outcome, Err(Failed::Refused(_))), "{address}: {outcome:?}");
    }
    let names =
        Fickle::new("metrics.example", &[&["169.254.169.254"], &["169.254.0.9"], &["0.0.0.0"], &["::ffff:0.0.0.0"]]);
    let renamed = vendor(names);
    for _ in 0..8 {
        let outcome = renamed.get(&format!("http://metrics.example:{port}/")).await;
        assert!(matches!(outcome, Err(Failed::Refused(_))), "{outcome:?}");
    }
    assert_eq!(listener.connections(), before);
}

#[tokio::test]
async fn a_name_that_changes_its_address_wins_nothing() {
    let good = Listener::at("127.0.0.2:0", OK).await;
    let inner = Listener::at(&format!("127.0.0.1:{}", good.port()), OK).await;
    let url = format!("http://rebind.example:{}/", good.port());
    let hosts = [format!("rebind.example:{}", good.port())];
    let names = Fickle::new("rebind.example", &[&["127.0.0.2"], &["127.0.0.1"], &["127.0.0.1", "127.0.0.2"]]);
    let client = influenced(&hosts, &["127.0.0.2/32"], names, 0);
    let mut reached = 0;
    for _ in 0..30 {
        match client.get(&url).await {
            Ok(answer) => reached += usize::from(answer.status == 200),
            Err(Failed::Refused(refused)) => assert!(refused.why.contains("127.0.0.1"), "{refused}"),
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!((reached, good.connections(), inner.connections()), (20, 20, 0));
}

#[tokio::test]
async fn each_hop_is_judged_anew() {
    let inner = Listener::at("127.0.0.1:0", OK).await;
    let allowed = Listener::at("127.0.0.2:0", OK).await;
    let targets = [
        (format!("http://{}/", inner.address), false),
        (format!("http://2130706433:{}/", inner.port()), false),
        (format!("//{}/", inner.address), false),
        ("http://169.254.169.254/".to_owned(), false),
        ("file:///etc/passwd".to_owned(), false),
        (format!("http://{}/", allowed.address), true),
    ];
    for (target, good) in targets {
        let first = Listener::at("127.0.0.3:0", &redirect(&target)).await;
        let hosts = [first.address.to_string(), allowed.address.to_string(), inner.address.to_string()];
        let url = format!("http://{}/", first.address);
        let names = || Terms::default().names;
        let unmoved = influenced(&hosts, &["127.0.0.2/31"], names(), 0).get(&url).await.unwrap();
        assert_eq!(unmoved.status, 302, "by default a redirect is an answer like others");
        let moved = influenced(&hosts, &["127.0.0.2/31"], names(), 3).get(&url).await;
        match moved {
            Ok(answer) => assert!(good && answer.body == b"ok", "{target}"),
            Err(error) => assert!(!good && matches!(error, Failed::Refused(_)), "{target}: {error:?}"),
        }
        // A vendor leads nowhere but to itself.
        let vendor = Client::for_vendor_on(&url, true, &terms(names(), 3)).unwrap().get("").await;
        assert!(matches!(vendor, Err(Failed::Refused(_))), "{target}: {vendor:?}");
    }
    assert_eq!((inner.connections(), allowed.connections()), (0, 1));
    let looping = Listener::at("127.0.0.1:0", &redirect("/again")).await;
    let url = format!("http://{}/", looping.address);
    let client = Client::for_vendor_on(&url, false, &terms(Terms::default().names, 3)).unwrap();
    assert_eq!(client.get("").await.unwrap().status, 302, "it ends");
    assert_eq!(looping.connections(), 4);
}

#[test]
fn what_an_operator_writes_is_judged_at_start() {
    let made = |base: &str, plaintext| Client::for_vendor_on(base, plaintext, &Terms::default());
    for good in
        ["https://api.github.com", "http://127.0.0.1:9000/api/v3", "http://localhost:1/", "https://10.0.0.5:8443/x/"]
    {
        assert!(made(good, false).is_ok(), "{good}");
    }
    assert!(made("http://pager.internal/", false).unwrap_err().why.contains("allow_plaintext"));
    assert!(made("http://pager.internal/", true).is_ok());
    for bad in [
        "",
        "api.github.com",
        "https://",
        "https://user@host/",
        "https://host/?a=b",
        "https://host/#f",
        "http://0x7f.1/",
    ] {
        assert!(made(bad, true).is_err(), "{bad}");
    }
}

#[tokio::test]
async fn a_vendor_is_asked_below_its_address_only() {
    let listener = Listener::at("127.0.0.1:0", OK).await;
    let base = format!("http://{}/api/v3", listener.address);
    let client = Client::for_vendor(&base, Limits::default()).unwrap();
    assert_eq!(client.get("repos/a/b?page=2").await.unwrap().status, 200);
    assert_eq!(client.get(&format!("http://{}/api/v3/next", listener.address)).await.unwrap().status, 200);
    for away in ["http://127.0.0.1:1/", "https://api.github.com/", "http://169.254.169.254/"] {
        assert!(matches!(client.get(away).await, Err(Failed::Refused(_))), "{away}");
    }
}

#[tokio::test]
async fn an_answer_is_bounded_in_size_and_time() {
    let endless = format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{}", "x".repeat(300_000));
    let large = Listener::at("127.0.0.1:0", &endless).await;
    let limits = Limits { body: 1_000, whole: Duration::from_millis(300), ..Limits::default() };
    let client = |listener: &Listener| Client::for_vendor(&format!("http://{}", listener.address), limits).unwrap();
    let answer = client(&large).get("").await.unwrap();
    assert!(answer.cut && answer.body.len() == 1_000 && answer.json::<String>().is_err());
    // It says that there will be more, and then nothing.
    let keep = |stream: TcpStream| std::mem::drop(tokio::spawn(async move { hold(stream).await }));
    let slow = Listener::with("127.0.0.1:0", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n1", keep).await;
    assert_eq!(client(&slow).get("").await.unwrap_err(), Failed::TimedOut);
}

/// Until the other side hangs up.
async fn hold(mut stream: TcpStream) {
    let mut rest = [0; 64];
    while stream.read(&mut rest).await.is_ok_and(|read| read > 0) {}
}

#[tokio::test]
async fn what_became_of_a_request_is_told_apart() {
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let mute = Listener::at("127.0.0.1:0", "").await;
    let torn = Listener::at("127.0.0.1:0", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n1").await;
    let busy = "HTTP/1.1 429 Too Many\r\nretry-after: 7\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    let busy = Listener::at("127.0.0.1:0", busy).await;
    let send = async |address: SocketAddr| {
        Client::for_vendor(&format!("http://{address}"), Limits::default()).unwrap().post_json("x", &["a"]).await
    };
    assert!(matches!(send(gone).await.unwrap_err().into(), Undelivered::NotYet { .. }));
    for sent in [&mute, &torn] {
        let error = send(sent.address).await.unwrap_err();
        assert!(matches!(error.clone().into(), Undelivered::Unknown { .. }), "{error:?}");
    }
    assert_eq!((mute.connections(), torn.connections()), (1, 1), "nothing is sent twice");
    let answer = send(busy.address).await.unwrap();
    assert_eq!((answer.status, answer.retry_after_ms()), (429, Some(7_000)));
    let refused = vendor(Terms::default().names).get("http://169.254.169.254/?token=canary").await.unwrap_err();
    assert!(!refused.to_string().contains("canary"), "{refused}");
    assert!(matches!(refused.into(), Undelivered::Never { .. }));
}
