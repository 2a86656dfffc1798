//! What happens to the bot in one simulated life: made from a seed, small enough to read when it fails.

use super::dice::Dice;
use crate::world::town::{ACCOUNTS, RUNBOOKS, SOURCE, START, account, signal};
use smokejumper::flow::event::Event;
use smokejumper::flow::fact::RoomChange;
use smokejumper::flow::identity::{PersonId, Platform};
use smokejumper::flow::incident::IncidentId;
use smokejumper::flow::moment::{DAY, HOUR, MINUTE, SECOND};
use smokejumper::flow::signal::{AlertStatus, Delivery, Signal};
use smokejumper_intents::intent::{Ask, Intent, Item, When, Who};
use smokejumper_intents::quoted::{Keep, Quoted};
use smokejumper_intents::word::{Milestone, Role, Severity, State};

/// One thing that happens from outside.
#[derive(Clone, Debug)]
pub enum Step {
    /// Somebody hands something in, under a key that a repetition shares.
    Handed { source: &'static str, key: String, event: Event },
    /// The clock is set by so much (ms).
    Clock(i64),
    /// A file that plans name is replaced by this content.
    File(&'static str),
    /// The reviewed file of a runbook changes.
    Revised(usize),
    /// Whoever's phone rings, counted from the newest, presses acknowledge.
    Pressed(usize),
    /// Somebody may not approve any more.
    Left(PersonId),
    /// Slack can be reached no more, or again.
    Away(bool),
    /// An account turns out to belong to somebody else.
    Linked { from: usize, to: usize },
}

/// How rough a life is: per mille of calls or moments.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::struct_excessive_bools)] // what there is in a life, and what not
pub struct Weather {
    /// The process ends.
    pub crash: usize,
    /// A call of the store fails, before or after it took effect.
    pub store: usize,
    /// A platform, memory or the directory fails, before or after it took effect.
    pub vendor: usize,
    /// Per mille of moments in which an idle engine takes its next turn: it may lag far behind its deliveries.
    pub turns: usize,
    /// Slack is connected too: a platform on which nothing may be repeated blindly.
    pub slack: bool,
    /// Follow-ups become issues.
    pub tracker: bool,
    /// People are on call, their phones can ring, and they are reminded of what is owed.
    pub phones: bool,
    /// The end comes with a restart; if not, the process that lived through the weather must get over it by itself.
    pub restart: bool,
}

#[derive(Clone, Debug)]
pub struct Script {
    pub weather: Weather,
    pub steps: Vec<Step>,
}

impl Script {
    pub fn of(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let weather = Weather {
            crash: dice.pick(&[0, 4, 15]),
            store: dice.pick(&[0, 15, 60]),
            vendor: dice.pick(&[0, 50, 200]),
            turns: dice.pick(&[300, 300, 300, 5]),
            slack: dice.chance(200),
            restart: dice.chance(600),
            // From dice of its own: the lives of old seeds stay what they were.
            tracker: Dice::new(seed.rotate_left(17)).chance(400),
            phones: Dice::new(seed.rotate_left(23)).chance(250),
        };
        let outage = weather.slack && Dice::new(seed.rotate_left(37)).chance(500);
        let mut author = Author { dice, steps: Vec::new(), key: 0 };
        let length = 2 + author.dice.below(11);
        author.alert();
        for _ in 0..length {
            author.scene();
        }
        if weather.phones {
            author.dice = Dice::new(seed.rotate_left(29));
            author.phones();
        }
        if weather.slack {
            author.dice = Dice::new(seed.rotate_left(31));
            author.rooms();
        }
        if weather.tracker {
            author.dice = Dice::new(seed.rotate_left(43));
            author.owed();
        }
        if outage {
            author.dice = Dice::new(seed.rotate_left(41));
            author.outage();
        }
        Self { weather, steps: author.steps }
    }
}

struct Author {
    dice: Dice,
    steps: Vec<Step>,
    key: u32,
}

const SERVICES: [&str; 4] = ["checkout", "payments", "search", ""];

impl Author {
    fn scene(&mut self) {
        match self.dice.below(100) {
            0..=21 => self.alert(),
            22..=26 => self.storm(),
            27..=51 => self.remediation(),
            52..=69 => self.act(),
            70..=79 => self.team(),
            80..=85 => self.again(),
            86..=91 => self.clock(),
            _ => self.meddling(),
        }
    }

    fn hand(&mut self, source: &'static str, event: Event) {
        self.key += 1;
        let key = format!("k{}", self.key);
        self.steps.push(Step::Handed { source, key, event });
    }

    fn deliver(&mut self, signals: Vec<Signal>) {
        self.hand(SOURCE, Event::Signals(Delivery { source: SOURCE.to_owned(), group: None, signals }));
    }

    fn ask(&mut self, by: usize, incident: Option<u32>, intent: Intent) {
        self.hand("ask:console", Event::Asked { by: account(by), ask: Ask { incident, intent } });
    }

    /// One alert, firing or resolved, in one of its flaps.
    fn signal(&mut self) -> Signal {
        let dice = &mut self.dice;
        let status = if dice.chance(350) { AlertStatus::Resolved } else { AlertStatus::Firing };
        let starts_at = START.plus(dice.ms(0, 3) * MINUTE);
        let ends_at = if dice.chance(800) { Some(starts_at.plus(dice.ms(1, 9) * SECOND)) } else { None };
        let name = dice.pick(&["HighErrorRate", "Latency"]);
        let service = dice.pick(&SERVICES);
        signal(name, service, u32::try_from(dice.below(2)).unwrap(), status, starts_at, ends_at)
    }

    fn alert(&mut self) {
        let signals = (0..=self.dice.below(3)).map(|_| self.signal()).collect();
        self.deliver(signals);
    }

    /// More services at once than incidents may open.
    fn storm(&mut self) {
        let fires = |n| signal("Down", &format!("svc-{n}"), 0, AlertStatus::Firing, START, None);
        let all: Vec<_> = (0..6).map(fires).collect();
        let cut = self.dice.below(6);
        let (one, other) = all.split_at(cut);
        for part in [one, other] {
            if !part.is_empty() {
                self.deliver(part.to_vec());
            }
        }
    }

    /// A delivery comes once more: from a peer under another key, or the same one again.
    fn again(&mut self) {
        let handed: Vec<_> = self.steps.iter().filter(|s| matches!(s, Step::Handed { .. })).cloned().collect();
        let Some(Step::Handed { source, key, event }) = handed.get(self.dice.below(handed.len())).cloned() else {
            return;
        };
        if source == SOURCE && self.dice.chance(500) {
            self.hand(source, event);
        } else {
            self.steps.push(Step::Handed { source, key, event });
        }
    }

    fn incident(&mut self) -> u32 {
        self.dice.pick(&[1, 1, 1, 2, 3])
    }

    fn anybody(&mut self) -> usize {
        self.dice.below(ACCOUNTS.len())
    }

    /// A run is asked for, and a few people decide.
    fn remediation(&mut self) {
        let (incident, by, book) = (self.incident(), self.anybody(), self.dice.below(RUNBOOKS.len()));
        let params = vec![("target".to_owned(), self.dice.pick(&["web", "db"]).to_owned())];
        self.ask(by, Some(incident), Intent::Run { runbook: RUNBOOKS[book].0.to_owned(), params, dry: false });
        for _ in 0..self.dice.below(4) {
            let (by, request) = (self.anybody(), self.dice.pick(&[None, None, Some(1), Some(2)]));
            let intent = if self.dice.chance(100) {
                Intent::Deny { request, reason: None }
            } else {
                Intent::Approve { request, plan: None }
            };
            self.ask(by, Some(incident), intent);
        }
    }

    fn act(&mut self) {
        let (by, incident) = (self.anybody(), self.incident());
        let key = self.key;
        let dice = &mut self.dice;
        let intent = match dice.below(12) {
            0 | 1 => {
                let title = format!("{} is slow ({key})", dice.pick(&["checkout", "search", "the shop"]));
                return self.ask(by, None, Intent::Declare { title, severity: Some(Severity::Sev2), service: None });
            }
            2 => Intent::Acknowledge,
            3 => Intent::TakeRole { role: Role::Commander, who: Who::Me },
            4 => Intent::SetSeverity { severity: dice.pick(&Severity::ALL) },
            5 => Intent::Note { text: format!("note {key}") },
            6 | 7 => Intent::Resolve { cause: Some("bad config".to_owned()), fix: None },
            8 => Intent::Feedback { right: false, cause: Some("expired certificate".to_owned()) },
            9 => Intent::FollowUp { title: format!("mend {key}"), owner: None, due: None, link: None },
            10 => Intent::FollowUpDone { follow_up: 1 },
            _ => Intent::SetState {
                state: dice.pick(&[State::Investigating, State::Mitigated, State::Closed, State::Cancelled]),
                note: None,
            },
        };
        self.ask(by, Some(incident), intent);
    }

    /// Among everything else people are called, put reminders off, and press buttons on their phones.
    fn phones(&mut self) {
        for _ in 0..=self.dice.below(4) {
            let (by, incident) = (self.anybody(), self.incident());
            let who = Who::Named(self.dice.pick(&["ana", "kim", "nobody"]).to_owned());
            let minutes = self.dice.pick(&[Some(30), Some(90), None]);
            let before = self.steps.len();
            match self.dice.below(5) {
                0 => self.ask(by, Some(incident), Intent::Page { who, message: None }),
                1 => self.ask(by, Some(incident), Intent::Snooze { minutes }),
                2 => self.steps.push(Step::Clock(11 * MINUTE)),
                _ => self.steps.push(Step::Pressed(self.dice.below(3))),
            }
            let at = 1 + self.dice.below(before);
            if let Some(step) = self.steps.pop() {
                self.steps.insert(at.min(self.steps.len()), step);
            }
        }
    }

    /// Among everything else people change rooms by hand, and keep what was written in them: the same message more than once.
    fn rooms(&mut self) {
        for _ in 0..=self.dice.below(5) {
            let (by, number) = (self.anybody(), self.incident());
            let (before, dice) = (self.steps.len(), &mut self.dice);
            if dice.chance(400) {
                let message = dice.below(2);
                let text = format!("what was written {message}");
                let id = format!("T1/C{number}/{message}");
                let message = Quoted::new(&id, &text, START.0 + dice.ms(0, 60) * SECOND, None, None).unwrap();
                let what = dice.pick(&[Keep::Timeline, Keep::Timeline, Keep::Task]);
                self.ask(by, Some(number), Intent::Keep { message, what });
            } else {
                let change = dice.pick(&[
                    RoomChange::Archived,
                    RoomChange::Unarchived,
                    RoomChange::Renamed("the-big-one".to_owned()),
                    RoomChange::Gone { why: "channel_not_found".to_owned() },
                ]);
                let room = format!("room-{number}");
                let incident = IncidentId(number);
                self.hand("slack", Event::RoomChanged { incident, platform: Platform::Slack, room, change });
            }
            let at = 1 + self.dice.below(before);
            if let Some(step) = self.steps.pop() {
                self.steps.insert(at.min(self.steps.len()), step);
            }
        }
    }

    /// Slack is away for a while, in which things happen that are told there.
    fn outage(&mut self) {
        let before = self.steps.len();
        self.steps.push(Step::Away(true));
        for n in 0..=self.dice.below(4) {
            let (by, incident) = (self.anybody(), self.incident());
            let conditions = format!("so it stands in outage {n}");
            let update = Intent::Update { conditions, actions: None, needs: None };
            let intent = self.dice.pick(&[Intent::TakeRole { role: Role::Commander, who: Who::Me }, update]);
            self.ask(by, Some(incident), intent);
            let minutes = self.dice.ms(0, 12);
            self.steps.push(Step::Clock(minutes * MINUTE));
        }
        self.steps.push(Step::Away(false));
        let block = self.steps.split_off(before);
        let at = 1 + self.dice.below(before);
        self.steps.splice(at.min(before)..at.min(before), block);
    }

    /// Among everything else something is owed, which becomes an issue.
    fn owed(&mut self) {
        for n in 0..=self.dice.below(3) {
            let before = self.steps.len();
            let intent = Intent::FollowUp { title: format!("owed {n}"), owner: None, due: None, link: None };
            self.ask(0, Some(1), intent);
            let at = 1 + self.dice.below(before);
            if let Some(step) = self.steps.pop() {
                self.steps.insert(at.min(self.steps.len()), step);
            }
        }
    }

    /// What a team does besides: some of it cannot be taken back.
    fn team(&mut self) {
        let (by, incident) = (self.anybody(), self.incident());
        let key = self.key;
        let dice = &mut self.dice;
        let who = dice.pick(&[Who::Me, Who::Named("kim".to_owned()), Who::Named("ben".to_owned())]);
        let intent = match dice.below(14) {
            0..=2 => Intent::Merge { into: dice.pick(&[1, 2, 3]) },
            3 => Intent::MakePrivate,
            4 => Intent::Task { title: format!("drain {key}"), owner: dice.chance(500).then_some(who) },
            5 => Intent::TaskDone { task: 1 },
            6 => Intent::Assign { item: dice.pick(&[None, Some(Item::Task(1)), Some(Item::FollowUp(1))]), who },
            7 => Intent::Update { conditions: format!("so it stands {key}"), actions: None, needs: None },
            8 => Intent::Rename { title: format!("named anew {key}") },
            9 => {
                let milestone = dice.pick(&Milestone::ALL);
                Intent::Correct { milestone, when: When::Ago { minutes: dice.pick(&[0, 5, 90]) } }
            }
            10 => Intent::SetState { state: State::Declined, note: None },
            11 | 12 => {
                let matchers = format!("service=\"{}\"", dice.pick(&["checkout", "payments", "search"]));
                let minutes = dice.pick(&[1, 20, 1_000]);
                let silence =
                    Intent::Silence { matchers, minutes, comment: Some(format!("quiet {key}")), anyway: true };
                // Who is linked to nobody is refused.
                let by = ACCOUNTS.iter().position(|known| known.1.is_some() && known.0 == ACCOUNTS[by].0).unwrap_or(0);
                self.ask(by, None, silence);
                return self.hand("tick", Event::Tick);
            }
            _ => {
                self.ask(by, None, Intent::EndSilence { silence: 1 });
                return self.hand("tick", Event::Tick);
            }
        };
        self.ask(by, Some(incident), intent);
    }

    fn clock(&mut self) {
        let ms = self.dice.pick(&[-DAY, -HOUR, -MINUTE, MINUTE, 20 * MINUTE, HOUR, DAY]);
        self.steps.push(Step::Clock(ms));
    }

    fn meddling(&mut self) {
        let step = match self.dice.below(4) {
            0 => Step::File(self.dice.pick(&["good", "bad"])),
            1 => Step::Revised(self.dice.below(RUNBOOKS.len())),
            2 => Step::Left(PersonId(self.dice.pick(&["ana", "ben", "eva"]).to_owned())),
            _ => Step::Linked { from: self.anybody(), to: self.anybody() },
        };
        self.steps.push(step);
    }
}
