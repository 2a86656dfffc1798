//! Requests and checks against a real server on loopback.

use super::bench::{Bench, CANARY, output};
use crate::world::wait::ends;
use smokejumper::flow::fact::Ended;
use smokejumper::ports::Runner;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// Answers every connection with what `answer` makes of the request's head and its number, and remembers the requests.
struct Server {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn new(answer: impl Fn(&str, usize) -> Vec<u8> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let seen: Arc<Mutex<Vec<String>>> = Arc::default();
        let log = Arc::clone(&seen);
        std::thread::spawn(move || {
            for (stream, number) in listener.incoming().zip(1..) {
                let Ok(mut stream) = stream else { continue };
                let request = read_request(&mut stream);
                let reply = answer(&request, number);
                log.lock().unwrap().push(request);
                // A client that has seen enough hangs up.
                let _ = stream.write_all(&reply);
            }
        });
        Self { address, seen }
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

/// Head and body; our requests have a length or no body.
fn read_request(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut one = [0];
    while !bytes.ends_with(b"\r\n\r\n") && stream.read(&mut one).is_ok_and(|read| read == 1) {
        bytes.push(one[0]);
    }
    let head = String::from_utf8_lossy(&bytes).to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).map_or(0, |n| n.parse().unwrap());
    let mut body = vec![0; length];
    let _ = stream.read_exact(&mut body);
    format!("{}{}", String::from_utf8_lossy(&bytes), String::from_utf8_lossy(&body))
}

fn reply(status: &str, headers: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n{headers}\r\n{body}", body.len())
        .into_bytes()
}

#[tokio::test]
async fn a_request_goes_out_as_it_was_shown() {
    let server = Server::new(|_, _| reply("202 Accepted", "", "restarting, token=abcdef123456"));
    let bench = Bench::new();
    let book = format!(
        "[[params]]\nname = \"what\"\nhelp = \"x\"\nkind = \"pattern\"\npattern = '.*'\n[[steps]]\n\
         http = {{ post = \"http://{}/restart/{{what}}?why={{what}}\", body = '{{\"what\":\"{{what}}\"}}', \
         headers = {{ authorization = {{ secret = \"token\" }} }} }}\n",
        server.address
    );
    let outcome = bench.run(&bench.plan(&book, &[("what", "a/../b?c=\"d\" #e")])).await;
    assert_eq!(outcome.ended, Ended::Succeeded);
    assert_eq!(outcome.steps[0].code, Some(202));
    assert_eq!(output(&outcome).head, "restarting, token=[redacted]");
    let seen = server.seen();
    assert!(
        seen[0].starts_with(
            "POST /restart/a%2F..%2Fb%3Fc%3D%22d%22%20%23e?why=a%2F..%2Fb%3Fc%3D%22d%22%20%23e HTTP/1.1\r\n"
        ),
        "{}",
        seen[0]
    );
    assert!(seen[0].contains(&format!("authorization: {CANARY}\r\n")));
    assert!(seen[0].ends_with(r#"{"what":"a/../b?c=\"d\" #e"}"#), "{}", seen[0]);
    assert!(!format!("{outcome:?}").contains(CANARY));
}

#[tokio::test]
async fn redirects_are_answers_and_failures_say_what_was_seen() {
    let elsewhere = Server::new(|_, _| reply("200 OK", "", "elsewhere"));
    let location = format!("location: http://{}/\r\n", elsewhere.address);
    let server = Server::new(move |_, _| reply("302 Found", &location, ""));
    let bench = Bench::new();
    let step =
        |address: SocketAddr| format!("[[steps]]\nhttp = {{ post = \"http://{address}/x\" }}\ntimeout = \"300ms\"\n");
    let outcome = bench.run(&bench.plan(&step(server.address), &[])).await;
    assert_eq!(outcome.ended, Ended::Failed { step: 1, why: "it answered 302".to_owned() });
    assert!(elsewhere.seen().is_empty());

    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let outcome = bench.run(&bench.plan(&step(free), &[])).await;
    assert!(matches!(&outcome.ended, Ended::NotStarted { why } if why.contains("refused")), "{outcome:?}");

    // Accepts by the kernel's backlog, and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let plan = bench.plan(&step(silent.local_addr().unwrap()), &[]);
    let outcome = ends("a silent server", bench.run(&plan)).await;
    assert!(matches!(&outcome.ended, Ended::Unknown { why } if why.contains("no answer came in time")), "{outcome:?}");

    let rude = Server::new(|_, _| Vec::new());
    let outcome = bench.run(&bench.plan(&step(rude.address), &[])).await;
    assert!(matches!(&outcome.ended, Ended::Unknown { why } if why.contains("may have had its effect")), "{outcome:?}");
}

#[tokio::test]
async fn a_huge_answer_is_cut() {
    let server = Server::new(|_, _| reply("200 OK", "", &"x".repeat(20_000_000)));
    let bench = Bench::new();
    let book = format!("[[steps]]\nhttp = {{ get = \"http://{}/\" }}\n", server.address);
    let outcome = ends("a huge answer", bench.run(&bench.plan(&book, &[]))).await;
    assert_eq!(outcome.ended, Ended::Succeeded);
    assert!(format!("{outcome:?}").len() < 100_000);
}

#[tokio::test]
async fn checks_are_tried_until_they_pass() {
    let server = Server::new(|_, number| {
        if number < 3 { reply("503 Service Unavailable", "", "") } else { reply("200 OK", "", "all is well") }
    });
    let bench = Bench::new();
    let marker = bench.free("second");
    bench.script(
        "probe.sh",
        &format!("#!/bin/sh\n[ -e {0} ] || {{ touch {0}; echo not yet; exit 1; }}\necho there\n", marker.display()),
    );
    let plan = bench.plan(
        &format!(
            "[[steps]]\nexec = [\"/bin/true\"]\n[[verify]]\nhttp = {{ get = \"http://{}/health\", status = 200, contains = \"well\" }}\n\
             within = \"20s\"\nevery = \"100ms\"\n[[verify]]\ncommand = [\"./probe.sh\"]\nwithin = \"20s\"\nevery = \"100ms\"\n",
            server.address
        ),
        &[],
    );
    let verdict = ends("a verdict", bench.hands.verify(&plan)).await;
    assert!(verdict.passed, "{verdict:?}");
    assert_eq!(server.seen().len(), 3);
    assert_eq!(verdict.checks[0].saw, "status 200");
    assert!(
        verdict.checks[0].what.starts_with("GET http://127.0.0.1:") && verdict.checks[0].what.contains("answers 200")
    );
    assert_eq!(verdict.checks[1].saw, "there");
}

#[tokio::test]
async fn checks_that_do_not_pass_say_what_was_seen_last() {
    let prometheus = Server::new(|_, _| {
        let value = "{\"metric\":{},\"value\":[1,\"0.25\"]}";
        reply(
            "200 OK",
            "",
            &format!("{{\"status\":\"success\",\"data\":{{\"resultType\":\"vector\",\"result\":[{value}]}}}}"),
        )
    });
    let bench = Bench::new();
    let book = |is: &str, query: &str| {
        format!(
            "[[params]]\nname = \"service\"\nhelp = \"x\"\nkind = \"service\"\n[[steps]]\nexec = [\"/bin/true\"]\n[[verify]]\n\
             promql = {{ server = \"http://{}\", query = '{query}', is = \"{is}\" }}\nwithin = \"200ms\"\nevery = \"100ms\"\n",
            prometheus.address
        )
    };
    let query = "rate(errors{service=\"{service}\"}[1m])";
    let plan = bench.plan(&book("< 0.05", query), &[("service", "checkout")]);
    let verdict = ends("a verdict", bench.hands.verify(&plan)).await;
    assert!(!verdict.passed && verdict.after_ms >= 100);
    assert_eq!(verdict.checks[0].saw, "0.25");
    assert!(prometheus.seen().len() >= 2, "it was tried again");
    assert!(prometheus.seen()[0].starts_with("GET /api/v1/query?query=rate%28errors%7Bservice%3D%22checkout%22%7D"));
    let plan = bench.plan(&book("< 0.5", query), &[("service", "checkout")]);
    assert!(bench.hands.verify(&plan).await.passed);
}
