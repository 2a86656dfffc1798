//! `kill -9` while an approved runbook runs: it never runs again, nothing of it is left running, and people are told that
//! nobody knows how it ended.

use super::bot::{Bot, client};
use super::kill::seed;
use super::ledger::{Books, reader};
use super::person::Person;
use super::storm::{Dice, alert, body};
use super::{err, out, smokejumper};
use crate::world::wait::{DEADLINE, moment, seen, until};
use serde_json::json;
use smokejumper::app::console_identity;
use smokejumper::flow::fact::Ended;
use smokejumper::flow::incident::{Incident, IncidentId, Phase};
use smokejumper::ports::Views as _;
use std::path::Path;
use std::time::Duration;

/// Times a run is interrupted.
const ROUNDS: u64 = 4;

/// Two people: the one who signs in at the console approves what the one at the terminal asks for.
fn config() -> String {
    let uid = rustix::process::geteuid().as_raw();
    format!(
        "[runbooks]\nfolder = \"runbooks\"\n\n[[person]]\nid = \"ana\"\nright = \"admin\"\n\n\
         [[person]]\nid = \"bo\"\nright = \"approver\"\nconsole = false\ncli = {uid}\n"
    )
}

/// Each start makes a file; then it takes longer than anybody waits. `mark` is to be found in the list of processes.
fn runbook(traces: &Path, mark: &str) -> String {
    format!(
        "title = \"Take very long\"\nrisk = \"medium\"\napprovals = 1\nwhen = ['service=\"checkout\"']\n\n\
         [[steps]]\nexec = [\"/usr/bin/mktemp\", \"-p\", \"{}\", \"started.XXXXXXXX\"]\n\n\
         [[steps]]\nexec = [\"/bin/sleep\", \"900\", \"{mark}\"]\ntimeout = \"20m\"\n",
        traces.display()
    )
}

/// Processes whose arguments have the mark.
fn living(mark: &str) -> Vec<u32> {
    let processes = std::fs::read_dir("/proc").unwrap().filter_map(|e| e.ok()?.file_name().to_str()?.parse().ok());
    let marked = |pid: &u32| {
        std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|c| c.split(|b| *b == 0).any(|a| a == mark.as_bytes()))
    };
    processes.filter(marked).collect()
}

async fn incident(bot: &Bot) -> Incident {
    let reader = reader(bot).await;
    let incident = reader.incident(&console_identity("ana"), IncidentId(1)).await.unwrap();
    reader.close().await;
    incident.expect("INC-1 is there")
}

#[tokio::test]
async fn an_interrupted_run_is_unknown_and_never_runs_again() {
    let mut dice = Dice::new(seed());
    let mut bot = Bot::new(&config());
    let traces = bot.path("traces");
    std::fs::create_dir(&traces).unwrap();
    std::fs::create_dir(bot.path("runbooks")).unwrap();
    let mark = format!("0.{}{:06}", std::process::id(), dice.below(1_000_000));
    std::fs::write(bot.path("runbooks/take-long.toml"), runbook(&traces, &mark)).unwrap();
    bot.start();
    bot.ready().await;
    let labels = json!({"alertname": "CheckoutDown", "service": "checkout", "severity": "critical"});
    let alert = alert("aa11", &labels, "checkout is down", "2025-11-20T07:00:00Z");
    let answer = client().post(bot.address().alerts()).json(&body("g", "firing", &[alert])).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let reader = reader(&bot).await;
    let ana = console_identity("ana");
    let opened = || async { reader.incident(&ana, IncidentId(1)).await.unwrap() };
    seen("an incident opens", DEADLINE, opened).await;
    reader.close().await;

    let mut person = Person::sign_in(&bot).await;
    for round in 1..=ROUNDS {
        let traces_before = std::fs::read_dir(&traces).unwrap().count();
        let asked = smokejumper(&bot.path(""), &["incident", "--data-dir", "data", "-i", "1", "run", "take-long"]);
        assert!(asked.status.success(), "{}{}", out(&asked), err(&asked));
        person.say(1, &format!("approve {round}")).await;
        if round % 2 == 1 {
            // In the middle of it.
            until("it runs", || living(&mark).first().copied()).await;
        } else {
            moment(Duration::from_micros(dice.below(80_000))).await;
        }
        bot.kill();
        until("nothing of it goes on without us", || living(&mark).is_empty().then_some(())).await;
        bot.start();
        bot.ready().await;
        // Killed before its start was stored it may begin now, once: then it is interrupted after all.
        let number = u32::try_from(round).unwrap();
        let mut ended = false;
        while !ended {
            ended = seen("it is over, or has only begun", DEADLINE, || async {
                match incident(&bot).await.runs[&number].phase {
                    Phase::Finished => Some(true),
                    _ if !living(&mark).is_empty() => Some(false),
                    _ => None,
                }
            })
            .await;
            if !ended {
                bot.kill();
                until("nothing of it goes on without us", || living(&mark).is_empty().then_some(())).await;
                bot.start();
                bot.ready().await;
            }
        }
        let run = &incident(&bot).await.runs[&number];
        let outcome = run.outcome.as_ref().expect("a finished run has an outcome");
        assert!(matches!(outcome.ended, Ended::Unknown { .. }), "{outcome:?}");
        let traces_now = std::fs::read_dir(&traces).unwrap().count();
        println!("round {round}: started {} time(s); {:?}", traces_now - traces_before, outcome.ended);
        assert!(traces_now - traces_before <= 1, "run #{number} was started again");
        person = Person::sign_in(&bot).await;
        let page = person.page("/incidents/1").await;
        assert!(page.to_lowercase().contains("unknown"), "people are told");
    }
    let traces_before = std::fs::read_dir(&traces).unwrap().count();
    bot.kill();
    bot.start();
    bot.ready().await;
    super::ledger::settled(&bot, DEADLINE).await;
    assert_eq!(bot.end().await.code(), Some(0), "{}", bot.errors());
    assert_eq!(std::fs::read_dir(&traces).unwrap().count(), traces_before, "nothing ran again");
    assert_eq!(living(&mark), [0_u32; 0]);
    bot.assert_calm();
    let books = Books::of(&bot).await;
    assert_eq!(books.incidents.len(), 1);
    assert_eq!(books.incidents[0].incident.runs.len() as u64, ROUNDS);
}
