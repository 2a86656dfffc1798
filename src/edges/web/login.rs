//! Who is at the keyboard: one-time login links, and the sessions they open. One session is one person.
//!
//! Everything is in memory, bounded, and gone with the process: after a restart a person asks for a new link. Knows no HTTP.

use super::secret::{self, Digest, NoEntropy};
use crate::flow::identity::Identity;
use crate::flow::moment::{At, HOUR, MINUTE};
use crate::ports::Clock;
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How long a login link may be used. Long enough to walk to another machine, short enough to be no password.
pub const LINK_LIFE: i64 = 15 * MINUTE;
/// Unused links kept; the one that would expire first gives way.
pub const LINKS: usize = 64;
/// A session ends this long after it began, whatever happens in it.
pub const SESSION_LIFE: i64 = 12 * HOUR;
/// And this long after its person last asked for a page. A page that refreshes itself does not count.
pub const SESSION_IDLE: i64 = HOUR;
/// Sessions kept: a large team with a few browsers each. The one unused for longest gives way.
pub const SESSIONS: usize = 256;
/// Of one person.
pub const SESSIONS_OF_ONE: usize = 16;
/// Answers kept for showing after a redirect.
pub const ANSWERS: usize = 8;
/// How far a clock may be set back before sessions end; they fail closed.
const BACKWARDS: i64 = 5 * MINUTE;

/// Hands out links, opens and knows sessions.
pub struct LoginDesk {
    clock: Arc<dyn Clock>,
    book: Mutex<Book>,
}

/// Somebody who is signed in, as of one request.
#[derive(Clone, Debug)]
pub struct Guest {
    pub session: Digest,
    pub identity: Identity,
    /// Every form of this session carries it.
    pub csrf: String,
    /// Live pages of this session.
    pub live: Arc<AtomicUsize>,
}

/// A session that has just been opened: the cookie's value.
#[derive(Clone, Debug)]
pub struct Opened {
    pub cookie: String,
    pub identity: Identity,
}

/// An answer only its asker sees, kept until it is shown and a little longer, for a reload.
#[derive(Clone, Debug)]
pub struct Answer {
    pub reply: smokejumper_intents::reply::Reply,
    /// What was typed, when it is worth correcting.
    pub typed: Option<String>,
}

#[derive(Default)]
struct Book {
    links: HashMap<Digest, Link>,
    sessions: HashMap<Digest, Session>,
}

struct Link {
    identity: Identity,
    until: At,
}

struct Session {
    identity: Identity,
    csrf: String,
    began: At,
    seen: At,
    answers: VecDeque<(String, Answer)>,
    live: Arc<AtomicUsize>,
}

impl Session {
    fn holds(&self, now: At) -> bool {
        now.plus(BACKWARDS) >= self.seen && now <= self.seen.plus(SESSION_IDLE) && now <= self.began.plus(SESSION_LIFE)
    }
}

impl LoginDesk {
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, book: Mutex::default() }
    }

    /// A token that signs this identity in, once, within [`LINK_LIFE`].
    pub fn mint(&self, identity: Identity) -> Result<String, NoEntropy> {
        let token = secret::token()?;
        let now = self.clock.now();
        let mut book = self.book();
        book.links.retain(|_, link| now <= link.until);
        if book.links.len() >= LINKS
            && let Some(first) = book.links.iter().min_by_key(|(_, link)| link.until).map(|(key, _)| *key)
        {
            book.links.remove(&first);
        }
        book.links.insert(secret::digest(&[&token]), Link { identity, until: now.plus(LINK_LIFE) });
        Ok(token)
    }

    /// Whom the token would sign in. Looking does not use it up.
    #[must_use]
    pub fn peek(&self, token: &str) -> Option<Identity> {
        let now = self.clock.now();
        let book = self.book();
        book.links.get(&secret::digest(&[token])).filter(|link| now <= link.until).map(|link| link.identity.clone())
    }

    /// Uses the token up and opens a session; `None`: unknown, used or expired.
    pub fn redeem(&self, token: &str) -> Result<Option<Opened>, NoEntropy> {
        let (cookie, csrf) = (secret::token()?, secret::token()?);
        let now = self.clock.now();
        let mut book = self.book();
        let Some(link) = book.links.remove(&secret::digest(&[token])).filter(|link| now <= link.until) else {
            return Ok(None);
        };
        book.sessions.retain(|_, session| session.holds(now));
        let of_this_person = book.sessions.values().filter(|s| s.identity == link.identity).count();
        let surplus = if of_this_person >= SESSIONS_OF_ONE {
            book.longest_unused(|session| session.identity == link.identity)
        } else if book.sessions.len() >= SESSIONS {
            book.longest_unused(|_| true)
        } else {
            None
        };
        if let Some(key) = surplus {
            book.sessions.remove(&key);
        }
        let identity = link.identity.clone();
        let session = Session {
            identity: link.identity,
            csrf,
            began: now,
            seen: now,
            answers: VecDeque::new(),
            live: Arc::default(),
        };
        book.sessions.insert(secret::digest(&[&cookie]), session);
        Ok(Some(Opened { cookie, identity }))
    }

    /// The person behind a cookie. `by_hand`: a person asked, which keeps the session from going idle.
    #[must_use]
    pub fn guest(&self, cookie: &str, by_hand: bool) -> Option<Guest> {
        let now = self.clock.now();
        let key = secret::digest(&[cookie]);
        let mut book = self.book();
        let session = book.sessions.get_mut(&key)?;
        if !session.holds(now) {
            book.sessions.remove(&key);
            return None;
        }
        if by_hand {
            session.seen = session.seen.max(now);
        }
        Some(Guest {
            session: key,
            identity: session.identity.clone(),
            csrf: session.csrf.clone(),
            live: Arc::clone(&session.live),
        })
    }

    /// Whether a session still holds, for connections that outlive their request.
    #[must_use]
    pub fn holds(&self, session: &Digest) -> bool {
        let now = self.clock.now();
        self.book().sessions.get(session).is_some_and(|session| session.holds(now))
    }

    /// Ends the sessions of everybody else, and makes their links useless.
    pub fn keep_only(&self, stays: impl Fn(&Identity) -> bool) {
        let mut book = self.book();
        book.sessions.retain(|_, session| stays(&session.identity));
        book.links.retain(|_, link| stays(&link.identity));
    }

    pub fn sign_out(&self, session: &Digest) {
        self.book().sessions.remove(session);
    }

    /// Keeps an answer for its asker; gives the name to ask for it by.
    pub fn keep(&self, session: &Digest, answer: Answer) -> Result<String, NoEntropy> {
        let name: String = secret::token()?.chars().take(12).collect();
        if let Some(session) = self.book().sessions.get_mut(session) {
            if session.answers.len() >= ANSWERS {
                session.answers.pop_front();
            }
            session.answers.push_back((name.clone(), answer));
        }
        Ok(name)
    }

    #[must_use]
    pub fn answer(&self, session: &Digest, name: &str) -> Option<Answer> {
        let book = self.book();
        let answers = &book.sessions.get(session)?.answers;
        answers.iter().find(|(kept, _)| kept == name).map(|(_, answer)| answer.clone())
    }

    /// A panic while it was held left no half-made entry: every change is one insertion or removal.
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book {
    fn longest_unused(&self, which: impl Fn(&Session) -> bool) -> Option<Digest> {
        self.sessions.iter().filter(|(_, s)| which(s)).min_by_key(|(_, s)| s.seen).map(|(key, _)| *key)
    }
}

impl std::fmt::Debug for LoginDesk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let book = self.book();
        write!(f, "LoginDesk({} links, {} sessions)", book.links.len(), book.sessions.len())
    }
}
