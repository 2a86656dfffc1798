//! Socket Mode: Slack reaches us over a connection that we open, so nobody needs a port from outside.
//!
//! One socket at a time; before one closes the next is open (at most two). Whatever comes is taken in at once, side by side, and
//! acknowledged as soon as it is stored. A socket that gives no sign of life for three pings is given up. Knows frames; what is
//! in them is for the intake.

use super::payload::Frame;
use super::read::{Kind, shaped, unreadable};
use super::{Intake, Seat, Taken};
use crate::edges::chat::slack::trouble::{Cause, Trouble};
use crate::egress::{Client, Failed, Heard, Limits, Socket, Terms};
use crate::flow::moment::At;
use ring::rand::{SecureRandom as _, SystemRandom};
use serde::Deserialize;
use serde_json::json;
use smokejumper_intents::inert;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until, timeout};

/// Between two pings. With [`SILENCE`] a connection nobody is at the other end of is noticed well within 30 s (I14).
const PING_EVERY: Duration = Duration::from_secs(5);
/// Three of them unanswered.
const SILENCE: Duration = Duration::from_secs(15);
/// For looking up, connecting, TLS and handshake; Slack says hello at once.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
const HELLO_WITHIN: Duration = Duration::from_secs(10);
/// Bytes of a frame: a message of 40,000 characters with its blocks, several times over.
const MAX_FRAME: usize = 2 * 1024 * 1024;
/// The one that was replaced is listened to for this long: what was on its way there still comes.
const LINGER: Duration = Duration::from_secs(10);
/// What was taken in is acknowledged on the socket it came by, if that takes no longer at the end.
const LAST_WORDS: Duration = Duration::from_secs(5);
/// Longer than Slack ever asks for; more is cut.
const LONGEST_WAIT: Duration = Duration::from_mins(5);
/// What sockets tell: one that leaves and one that ends, with room to spare.
const MAX_NEWS: usize = 16;
/// Characters of a reason nobody knew when this was written.
const MAX_WORDS: usize = 200;
/// Acknowledgements that wait to be written.
const MAX_ACKS: usize = 256;
/// Frames that came before the hello.
const MAX_EARLY: usize = 16;
/// A connection that lasts this long was a good one: the next follows at once.
const GOOD: Duration = Duration::from_secs(10);
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// A socket is tried again within the time in which deafness must show.
const LONGEST_PAUSE: Duration = Duration::from_secs(20);

/// What there is of an opened socket.
struct Opened {
    socket: Socket,
    early: Vec<String>,
}

/// Why none could be opened, in words, and how long Slack wants to be left alone.
struct Shut {
    why: String,
    wait: Duration,
}

impl Shut {
    const fn new(why: String) -> Self {
        Self { why, wait: Duration::ZERO }
    }
}

/// What a socket tells of itself.
enum News {
    /// It will close soon; why.
    Leaving(String),
    Ended(String),
}

/// What is wanted of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    Stay,
    /// There is another: what is still on its way here is taken in for a while.
    Linger,
}

/// A socket at work. It ends when this is dropped.
struct Line {
    id: u64,
    since: Instant,
    wanted: watch::Sender<Wanted>,
}

/// Keeps a socket open until told to stop.
pub struct Sockets {
    intake: Arc<Intake>,
    client: Client,
    terms: Terms,
}

impl std::fmt::Debug for Sockets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sockets").finish_non_exhaustive()
    }
}

impl Sockets {
    /// # Errors
    /// The address, for whoever wrote it.
    pub fn new(intake: Arc<Intake>) -> Result<Self, String> {
        let configured = intake.slack.configured();
        let limits = Limits { connect: CONNECT_WITHIN, body: MAX_FRAME, ..Limits::default() };
        let terms = Terms { limits, ..Terms::default() };
        let client = Client::for_vendor_on(&configured.api_url, configured.allow_plaintext, &terms)
            .map_err(|refused| format!("[slack] api_url: {refused}"))?;
        Ok(Self { intake, client, terms })
    }

    /// Until told to stop: then nothing more is taken in, and what was is done.
    pub async fn keep(self, mut stop: watch::Receiver<bool>) {
        let (tell, mut told) = mpsc::channel::<(u64, News)>(MAX_NEWS);
        let mut at_work = JoinSet::new();
        let mut lines = Lines::default();
        let standing = &self.intake.standing;
        standing.deaf(self.now(), "not connected yet".to_owned());
        let mut opening = Some(Box::pin(self.open(Duration::ZERO)));
        loop {
            let opened = async {
                match opening.as_mut() {
                    Some(opening) => opening.await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = heard(&mut stop) => break,
                opened = opened => {
                    opening = None;
                    match opened {
                        Ok(opened) => {
                            standing.opened(self.now(), lines.opened > 0);
                            tracing::info!(sockets = standing.get().sockets, "connected to Slack");
                            let (wanted, heeds) = watch::channel(Wanted::Stay);
                            let id = lines.take_over(wanted);
                            let line = Carrier { intake: Arc::clone(&self.intake), id, tell: tell.clone() };
                            at_work.spawn(line.carry(opened, heeds, stop.clone()));
                        }
                        Err(Shut { why, wait }) => {
                            lines.failures = lines.failures.saturating_add(1);
                            let pause = pause(lines.failures).max(wait);
                            tracing::warn!(%why, ?pause, "no connection to Slack");
                            standing.trouble(why);
                            opening = Some(Box::pin(self.open(pause)));
                        }
                    }
                }
                Some((id, news)) = told.recv() => {
                    if let News::Ended(why) = &news
                        && standing.closed(self.now(), why)
                    {
                        tracing::warn!(%why, "the connection to Slack is gone");
                    }
                    if lines.hear(id, &news) && opening.is_none() {
                        opening = Some(Box::pin(self.open(pause(lines.failures))));
                    }
                }
                Some(_) = at_work.join_next() => {}
            }
        }
        drop((opening, lines));
        while at_work.join_next().await.is_some() {}
        self.intake.finish().await;
    }

    fn now(&self) -> At {
        self.intake.slack.clock().now()
    }

    async fn open(&self, after: Duration) -> Result<Opened, Shut> {
        sleep(after).await;
        let url = self.intake.slack.connections_open().await.map_err(|trouble| shut(&trouble))?;
        let connected = self.client.socket(&url, &self.terms).await;
        let mut socket = connected.map_err(|failed| {
            Shut::new(match failed {
                Failed::Refused(refused) => format!("Slack's socket is not where it may be: {}", refused.why),
                other => other.to_string(),
            })
        })?;
        match timeout(HELLO_WITHIN, greeted(&mut socket)).await {
            Ok(Ok(early)) => Ok(Opened { socket, early }),
            Ok(Err(why)) => Err(Shut::new(why)),
            Err(_) => Err(Shut::new("no hello came".to_owned())),
        }
    }
}

/// Waits for the hello; gives what came before it.
async fn greeted(socket: &mut Socket) -> Result<Vec<String>, String> {
    let mut early = Vec::new();
    loop {
        match socket.next().await {
            Heard::Text(text) => match shaped::<Frame>(&text) {
                Ok(frame) if frame.kind == "hello" => return Ok(early),
                Ok(frame) if frame.kind == "disconnect" => return Err(farewell(&frame)),
                _ if early.len() < MAX_EARLY => early.push(text),
                _ => return Err("no hello among the first frames".to_owned()),
            },
            Heard::Sign => {}
            Heard::Ended(why) => return Err(why),
        }
    }
}

/// The sockets at work, at most two: the one that is listened to, and the one it took over from.
#[derive(Default)]
struct Lines {
    current: Option<Line>,
    old: Option<Line>,
    /// Opened so far.
    opened: u64,
    /// In a row; a socket that lasted ends the row.
    failures: u32,
}

impl Lines {
    /// A new one is there: the one before may go when it likes.
    fn take_over(&mut self, wanted: watch::Sender<Wanted>) -> u64 {
        let id = self.opened;
        self.opened += 1;
        self.old = self.current.replace(Line { id, since: Instant::now(), wanted });
        if let Some(old) = &self.old {
            old.wanted.send_replace(Wanted::Linger);
        }
        id
    }

    /// Whether another one is needed.
    fn hear(&mut self, id: u64, news: &News) -> bool {
        self.old.take_if(|line| line.id == id && matches!(news, News::Ended(_)));
        let Some(line) = self.current.as_ref().filter(|line| line.id == id) else { return false };
        self.failures = if line.since.elapsed() >= GOOD { 0 } else { self.failures.saturating_add(1) };
        match news {
            News::Leaving(why) => {
                tracing::info!(%why, "Slack is about to close the connection; the next is opened first");
                // Never three: the one before this is let go of.
                self.old = None;
            }
            News::Ended(_) => self.current = None,
        }
        true
    }
}

fn shut(trouble: &Trouble) -> Shut {
    let wait = match &trouble.cause {
        Cause::Limited { after_ms } => u64::try_from(*after_ms).map(Duration::from_millis).unwrap_or_default(),
        _ => Duration::ZERO,
    };
    Shut { why: trouble.to_string(), wait: wait.min(LONGEST_WAIT) }
}

/// Why a socket goes, in words.
fn farewell(frame: &Frame) -> String {
    match frame.reason.as_deref() {
        Some("warning") => "it will be closed in a moment".to_owned(),
        Some("refresh_requested") => "Slack asked for a fresh one".to_owned(),
        Some("too_many_websockets") => {
            "too many sockets are open for this app: is another Smokejumper, or another program, using its app token?"
                .to_owned()
        }
        Some("link_disabled") => "Socket Mode was turned off: turn it on under Socket Mode (api.slack.com/apps), or \
            set mode = \"http\""
            .to_owned(),
        other => inert::shorten(&inert::line(&format!("Slack hung up: {}", other.unwrap_or("no reason"))), MAX_WORDS),
    }
}

/// None after a good connection; then longer and longer, half of it by chance, so that not everybody comes at once.
fn pause(failures: u32) -> Duration {
    let Some(doublings) = failures.checked_sub(1) else { return Duration::ZERO };
    let most = FIRST_PAUSE.saturating_mul(1 << doublings.min(6)).min(LONGEST_PAUSE);
    let mut chance = [0_u8; 1];
    // Without randomness everybody comes at the same time, which is bearable.
    let _ = SystemRandom::new().fill(&mut chance);
    most / 2 + most.mul_f64(f64::from(u8::from_le_bytes(chance)) / 512.0)
}

/// How a socket ends.
enum End {
    /// Nobody is there any more.
    Dead(String),
    /// We go: what was taken in is acknowledged first.
    Left(&'static str),
}

/// Carries one socket.
struct Carrier {
    intake: Arc<Intake>,
    id: u64,
    tell: mpsc::Sender<(u64, News)>,
}

impl Carrier {
    async fn carry(self, opened: Opened, heeds: watch::Receiver<Wanted>, stop: watch::Receiver<bool>) {
        let Opened { mut socket, early } = opened;
        let (to_say, mut acks) = mpsc::channel::<String>(MAX_ACKS);
        for text in early {
            self.take(text, &to_say).await;
        }
        let why = match self.work(&mut socket, &to_say, &mut acks, heeds, stop).await {
            End::Dead(why) => why,
            End::Left(why) => {
                drop(to_say);
                let last_words = async {
                    while let Some(ack) = acks.recv().await {
                        if socket.say(ack).await.is_err() {
                            return;
                        }
                    }
                };
                let _ = timeout(LAST_WORDS, last_words).await;
                socket.close().await;
                why.to_owned()
            }
        };
        let _ = self.tell.send((self.id, News::Ended(why))).await;
    }

    async fn work(
        &self,
        socket: &mut Socket,
        to_say: &mpsc::Sender<String>,
        acks: &mut mpsc::Receiver<String>,
        mut heeds: watch::Receiver<Wanted>,
        mut stop: watch::Receiver<bool>,
    ) -> End {
        let mut pings = interval(PING_EVERY);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut sign = Instant::now();
        let mut until: Option<Instant> = None;
        loop {
            let over = async {
                match until {
                    Some(until) => sleep_until(until).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                next = socket.next() => match next {
                    Heard::Text(text) => {
                        sign = Instant::now();
                        self.take(text, to_say).await;
                    }
                    Heard::Sign => sign = Instant::now(),
                    Heard::Ended(why) => return End::Dead(why),
                },
                Some(ack) = acks.recv() => if let Err(why) = socket.say(ack).await {
                    return End::Dead(why);
                },
                _ = pings.tick() => {
                    if sign.elapsed() >= SILENCE {
                        return End::Dead(format!("no sign of life for {SILENCE:?}"));
                    }
                    if let Err(why) = socket.ping().await {
                        return End::Dead(why);
                    }
                }
                changed = heeds.changed() => match changed {
                    Ok(()) => until = Some(Instant::now() + LINGER),
                    Err(_) => return End::Left("another one took over"),
                },
                () = over => return End::Left("another one took over"),
                () = heard(&mut stop) => return End::Left("Smokejumper stops"),
            }
        }
    }

    /// Takes one frame in, beside the others.
    async fn take(&self, text: String, to_say: &mpsc::Sender<String>) {
        let frame = match shaped::<Frame>(&text) {
            Ok(frame) => frame,
            Err(unreadable) => {
                return self.aside(to_say, text, move |intake, text, _| async move {
                    let id = shaped::<Marked>(&text).ok().and_then(|marked| marked.envelope_id);
                    intake.bury(unreadable, &text).await.acknowledging(id)
                });
            }
        };
        if frame.kind == "disconnect" {
            let _ = self.tell.send((self.id, News::Leaving(farewell(&frame)))).await;
            return;
        }
        if frame.kind == "hello" {
            return;
        }
        let kind = match frame.kind.as_str() {
            "slash_commands" => Kind::Command,
            "interactive" => Kind::Interaction,
            "events_api" => Kind::Event,
            _ => {
                return self.aside(to_say, text, move |intake, text, _| async move {
                    let unreadable = unreadable("a frame of a kind nobody knows");
                    intake.bury(unreadable, &text).await.acknowledging(frame.envelope_id)
                });
            }
        };
        self.aside(to_say, text, move |intake, text, seat| async move {
            let taken = match frame.payload {
                Some(payload) => intake.take(seat, kind, payload.get()).await,
                None => intake.bury(unreadable("an envelope with nothing in it"), &text).await,
            };
            taken.acknowledging(frame.envelope_id)
        });
    }

    /// Beside everything else, if there is a place: otherwise it is not acknowledged, and comes again.
    fn aside<F>(
        &self,
        to_say: &mpsc::Sender<String>,
        text: String,
        work: impl FnOnce(Arc<Intake>, String, Seat) -> F + Send + 'static,
    ) where
        F: Future<Output = Option<String>> + Send + 'static,
    {
        let Some(seat) = self.intake.seat() else { return };
        let (intake, to_say) = (Arc::clone(&self.intake), to_say.clone());
        tokio::spawn(async move {
            if let Some(ack) = work(intake, text, seat).await {
                // The socket may be gone: then it comes again on another, and is the same.
                let _ = to_say.send(ack).await;
            }
        });
    }
}

/// All that is looked for in a frame that is none.
#[derive(Deserialize)]
struct Marked {
    envelope_id: Option<String>,
}

impl Taken {
    /// What is said to that on a socket; `None`: nothing, so that it comes again.
    fn acknowledging(self, envelope_id: Option<String>) -> Option<String> {
        let id = envelope_id?;
        match self {
            Self::Done(None) => Some(json!({ "envelope_id": id }).to_string()),
            Self::Done(Some(payload)) | Self::Not(Some(payload)) => {
                Some(json!({ "envelope_id": id, "payload": payload }).to_string())
            }
            Self::Not(None) => None,
        }
    }
}

/// The word to stop; nobody left to say it says it, too.
async fn heard(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}
