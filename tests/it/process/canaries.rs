//! F35: secrets of forty shapes come in by alerts, environment, configuration and the output of a runbook; nothing that this process
//! keeps, says or shows has any of them.

use super::bot::{Bot, client};
use super::ledger::settled;
use super::person::Person;
use super::storm::{alert, body};
use super::{err, out, smokejumper};
use crate::world::wait::{DEADLINE, seen};
use serde_json::json;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// In pieces, so that no scanner takes this file for a leak; each with what it stands in, and the part that must not be found.
fn canaries() -> Vec<(String, String)> {
    let long = "Zq7Wm2vJx9fKp4Rtd8LzBn3Hc6Ys1Ua5Ge0Qi";
    let piece = |n: usize| long[..n].to_owned();
    let shaped = [
        format!("AKIA{}", "IOSFODNN7EXAMPLX"),
        format!("ASIA{}", "IOSFODNN7EXAMPLY"),
        format!("ghp_{}", piece(36)),
        format!("gho_{}", piece(36)),
        format!("ghs_{}", piece(35)),
        format!("ghu_{}", piece(34)),
        format!("ghr_{}", piece(33)),
        format!("github_pat_{}", piece(36)),
        format!("glpat-{}", piece(22)),
        format!("npm_{}", piece(36)),
        format!("AIza{}", piece(35)),
        format!("sk_live_{}", piece(24)),
        format!("rk_live_{}", piece(25)),
        format!("sk_test_{}", piece(26)),
        format!("sk-{}", piece(30)),
        format!("xoxb-{}", "123456789012-AbCdEfGhIjKl"),
        format!("xoxp-{}", "223456789012-AbCdEfGhIjKl"),
        format!("xoxa-{}", "323456789012-AbCdEfGhIjKl"),
        format!("xoxr-{}", "423456789012-AbCdEfGhIjKl"),
        format!("xapp-{}", "1-A0123456789-0123456789"),
        format!("https://hooks.slack.com/{}", "services/T00000000/B00000000/Xq7Wm2vJx9fKp4Rt"),
        format!("https://discord.com/api/{}", "webhooks/1234567890/Yq7Wm2vJx9fKp4Rt"),
        format!("eyJhbGciOiJI{}.eyJzdWIiOiI{}.{}", "UzI1NiJ9", "xMjM0NTYifQ", piece(20)),
        format!("MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.{}", piece(27)),
    ];
    let mut all: Vec<(String, String)> = shaped.into_iter().map(|secret| (secret.clone(), secret)).collect();
    let value = |n: usize| format!("cnry{n:02}Tm4Vx8Kq2Wz6");
    let around = [
        "password=@",
        "passwd: @",
        "\"secret\": \"@\"",
        "token='@'",
        "api_key=@",
        "apikey: @",
        "access_key=@",
        "client_secret=@",
        "private-key: @",
        "Authorization: Bearer @",
        "Authorization: Basic @",
        "bearer @==",
        "Cookie: session=@",
        "Set-Cookie: sid=@",
        "postgres://ana:@@db.example/x",
        "https://bo:@@example.org/",
        "passphrase = \"@\"",
        "credentials=@",
    ];
    all.extend(around.iter().enumerate().map(|(n, frame)| (frame.replacen('@', &value(n), 1), value(n))));
    all
}

/// Values only we know: they have no shape, and are known by being configured.
const CONFIGURED: [&str; 3] = ["plain-9Kd2-cfg-canary", "plain-7Hs1-env-canary", "plain-3Zx8-file-canary"];

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

fn hits(place: &str, bytes: &[u8], canaries: &[String]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    canaries.iter().filter(|canary| text.contains(canary.as_str())).map(|canary| format!("{place}: {canary}")).collect()
}

#[tokio::test]
async fn no_secret_is_kept_said_or_shown() {
    let canaries = canaries();
    assert!(canaries.len() >= 40);
    let secret_file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(secret_file.path(), CONFIGURED[2]).unwrap();
    let uid = rustix::process::geteuid().as_raw();
    let config = format!(
        "[runbooks]\nfolder = \"runbooks\"\n[[person]]\nid = \"ana\"\nright = \"admin\"\n\
         [[person]]\nid = \"bo\"\nright = \"approver\"\nconsole = false\ncli = {uid}\n\
         [secrets]\ninline = \"{}\"\nscrape = {{ env = \"CANARY\" }}\nfiled = {{ file = \"{}\" }}\n[metrics]\ntoken = \"scrape\"\n\
         [log]\nfilter = \"debug,hyper=info,sqlx=info,h2=info\"\n",
        CONFIGURED[0],
        secret_file.path().display()
    );
    let mut bot = Bot::new(&config);
    std::fs::create_dir(bot.path("runbooks")).unwrap();
    // Prints what it was given, and every shape there is.
    let said = canaries.iter().map(|(text, _)| text.as_str()).collect::<Vec<_>>().join("\n");
    std::fs::write(bot.path("runbooks/said.txt"), &said).unwrap();
    let book = format!(
        "title = \"Leak\"\nrisk = \"low\"\napprovals = 1\nwhen = ['service=\"checkout\"']\n\n[[steps]]\nexec = [\"/bin/cat\", \"{}\"]\n\n\
         [[steps]]\nexec = [\"/usr/bin/env\"]\nenv = {{ A = {{ secret = \"inline\" }}, B = {{ secret = \"scrape\" }}, C = {{ secret = \"filed\" }} }}\n",
        bot.path("runbooks/said.txt").display()
    );
    std::fs::write(bot.path("runbooks/leak.toml"), book).unwrap();
    bot.start_as(&[], &[("CANARY", CONFIGURED[1])]);
    bot.ready().await;
    for (n, (text, _)) in canaries.iter().enumerate() {
        let labels = json!({"alertname": "Leak", "service": "checkout", "severity": "critical", "detail": text});
        let mut one = alert(&format!("c{n}"), &labels, &format!("it says {text}"), "2025-11-20T07:00:00Z");
        one["annotations"]["description"] = json!(format!("configured {} and {}", CONFIGURED[n % 3], text));
        let sent = client().post(bot.address().alerts()).json(&body("g", "firing", &[one])).send().await.unwrap();
        assert_eq!(sent.status(), 200);
        // And once so that it cannot be read, which keeps a sample.
        let torn = format!("{{\"version\": \"4\", \"alerts\": [\"{}", text.replace('"', "\\\""));
        let request = client().post(bot.address().alerts()).header("content-type", "application/json").body(torn);
        assert_eq!(request.send().await.unwrap().status(), 400);
    }
    settled(&bot, DEADLINE).await;
    let asked = smokejumper(&bot.path(""), &["incident", "--data-dir", "data", "-i", "1", "run", "leak"]);
    assert!(asked.status.success(), "{}{}", out(&asked), err(&asked));
    let person = Person::sign_in(&bot).await;
    person.say(1, "approve 1").await;
    settled(&bot, DEADLINE).await;
    let page = seen("its output is shown", DEADLINE, || async {
        Some(person.page("/incidents/1").await).filter(|page| page.contains("[redacted]"))
    })
    .await;

    let known: Vec<String> = canaries.iter().map(|(_, s)| s.clone()).chain(CONFIGURED.map(str::to_owned)).collect();
    let mut found = hits("the page", page.as_bytes(), &known);
    let scrape =
        client().get(format!("{}/metrics", bot.address().base())).bearer_auth(CONFIGURED[1]).send().await.unwrap();
    assert_eq!(scrape.status(), 200);
    found.extend(hits("/metrics", scrape.text().await.unwrap().as_bytes(), &known));
    found.extend(hits("arguments", &std::fs::read(format!("/proc/{}/cmdline", bot.pid())).unwrap(), &known));
    let env = [("CANARY", CONFIGURED[1])];
    for args in [vec!["backup", "copy.gz"], vec!["doctor"], vec!["check"], vec!["audit", "export"], vec!["export"]] {
        let args = [args.as_slice(), &["--config", "smokejumper.toml", "--data-dir", "data"]].concat();
        let output = super::command(&bot.path(""), &args).envs(env).output().unwrap();
        assert!(output.status.code() != Some(70), "{args:?}: {}", err(&output));
        found.extend(hits(args[0], out(&output).as_bytes(), &known));
        found.extend(hits(args[0], err(&output).as_bytes(), &known));
    }
    let mut copy = Vec::new();
    flate2::read::GzDecoder::new(std::fs::File::open(bot.path("copy.gz")).unwrap()).read_to_end(&mut copy).unwrap();
    assert!(copy.len() > 10_000);
    found.extend(hits("backup", &copy, &known));
    assert_eq!(bot.end().await.code(), Some(0), "{}", bot.errors());
    found.extend(hits("log", bot.errors().as_bytes(), &known));
    found.extend(hits("standard output", bot.said().as_bytes(), &known));
    for file in files(&bot.data()) {
        found.extend(hits(&file.display().to_string(), &std::fs::read(&file).unwrap_or_default(), &known));
    }
    println!(
        "{} secrets by alert, dead letter and output of a runbook; {} of the configuration; found: {}",
        canaries.len(),
        CONFIGURED.len(),
        found.len()
    );
    assert!(found.is_empty(), "{found:#?}");
}
