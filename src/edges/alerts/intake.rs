//! How much may be coming in at once: deliveries, bytes, time. What is over the bounds is told to come again.
//!
//! Knows bodies; knows nothing of what is in them.

use super::auth::Admitted;
use super::{Kind, MAX_BODY, Reading, Scrub, Setting, Unreadable, json};
use crate::config::mapping::Mapping;
use crate::flow::moment::At;
use axum::body::{Body, Bytes};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_LENGTH;
use futures::StreamExt as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Deliveries being taken in at once. Each waits for one group commit; more only wait longer.
pub const MAX_DELIVERIES: usize = 128;
/// Of those whose body has to prove who sent it, being taken in besides: whoever makes up deliveries keeps only such from coming in.
pub const MAX_UNPROVEN: usize = 32;
/// KiB of their bodies in memory at once: one of the largest, or 16 of those that are about one thing.
const MAX_UNPROVEN_KIB: usize = MAX_BODY / 1024 + 1024;
/// KiB of bodies in memory at once: two of the largest, or thousands of the usual size.
const MAX_KIB: usize = 2 * MAX_BODY / 1024 + 1024;
/// A body above this is parsed alone, for it takes several times its size while it is read.
const LARGE_BODY: usize = 1024 * 1024;
/// A whole body must be here within this time. Alertmanager itself waits at least 10 s for the answer.
pub const BODY_DEADLINE: Duration = Duration::from_secs(8);
/// Storage must have answered within this time, for the same reason.
pub const TAKE_DEADLINE: Duration = Duration::from_secs(8);
/// Bytes of a body that is too large, kept for the sample.
const START: usize = 8 * 1024;

/// The bounds, for whoever has reason to set others.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub deliveries: usize,
    pub unproven: usize,
    pub body_deadline: Duration,
    pub take_deadline: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            deliveries: MAX_DELIVERIES,
            unproven: MAX_UNPROVEN,
            body_deadline: BODY_DEADLINE,
            take_deadline: TAKE_DEADLINE,
        }
    }
}

pub struct Intake {
    pub limits: Limits,
    known: Pool,
    unproven: Pool,
    large: Semaphore,
}

/// Places, and memory for the bodies of those who have one.
struct Pool {
    places: Semaphore,
    kib: Semaphore,
}

impl Pool {
    fn new(places: usize, kib: usize) -> Self {
        Self { places: Semaphore::new(places), kib: Semaphore::new(kib) }
    }
}

/// How a source's bodies are read: by its kind, or by a mapping of its own.
#[derive(Clone, Debug)]
pub struct Reader {
    pub kind: &'static Kind,
    pub mapping: Option<Arc<Mapping>>,
}

impl Reader {
    /// Pure.
    ///
    /// # Errors
    /// [`Unreadable`]: nothing of it can be used.
    pub fn read(&self, setting: &Setting<'_>, bytes: &[u8]) -> Result<Reading, Unreadable> {
        match &self.mapping {
            Some(mapping) => json::read(mapping, setting, bytes),
            None => (self.kind.read)(setting, bytes),
        }
    }
}

/// A delivery's place among those that are taken in; left when it is dropped.
pub struct Slot<'i> {
    intake: &'i Intake,
    pool: &'i Pool,
    _place: SemaphorePermit<'i>,
}

/// A body that is here, and its share of the memory.
pub struct Whole<'i> {
    bytes: Bytes,
    _share: SemaphorePermit<'i>,
}

/// Why a body did not come in.
pub enum Broken {
    /// More than its kind may have; how it starts, as far as it was read.
    TooLarge(Bytes),
    Slow,
    /// Other bodies fill the memory set aside for them.
    Full,
    /// The connection broke, or the framing of the request is wrong.
    Cut,
}

impl std::ops::Deref for Whole<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Intake {
    pub fn new(limits: Limits) -> Self {
        let (known, unproven) = (Pool::new(limits.deliveries, MAX_KIB), Pool::new(limits.unproven, MAX_UNPROVEN_KIB));
        Self { limits, known, unproven, large: Semaphore::new(1) }
    }

    /// Who is known and who is not yet do not take each other's places. `None`: full.
    pub fn enter(&self, admitted: Admitted) -> Option<Slot<'_>> {
        let pool = match admitted {
            Admitted::Known => &self.known,
            Admitted::IfSigned => &self.unproven,
        };
        pool.places.try_acquire().ok().map(|place| Slot { intake: self, pool, _place: place })
    }
}

impl<'i> Slot<'i> {
    /// At most `max` bytes of it.
    pub async fn read(&self, headers: &HeaderMap, body: Body, max: usize) -> Result<Whole<'i>, Broken> {
        let promised = headers.get(CONTENT_LENGTH).and_then(|v| v.to_str().ok()).and_then(|v| v.parse::<u64>().ok());
        if promised.is_some_and(|n| n > max as u64) {
            return Err(Broken::TooLarge(Bytes::new()));
        }
        tokio::time::timeout(self.intake.limits.body_deadline, self.collect(body, max))
            .await
            .unwrap_or(Err(Broken::Slow))
    }

    /// The share of memory grows with what is really here, so promises cost nothing.
    async fn collect(&self, body: Body, max: usize) -> Result<Whole<'i>, Broken> {
        let kib = &self.pool.kib;
        let mut share = kib.try_acquire_many(0).map_err(|_| Broken::Full)?;
        let mut bytes = Vec::new();
        let mut stream = body.into_data_stream();
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.map_err(|_| Broken::Cut)?;
            if bytes.len() + chunk.len() > max {
                bytes.truncate(START);
                return Err(Broken::TooLarge(bytes.into()));
            }
            bytes.extend_from_slice(&chunk);
            let want = bytes.len().div_ceil(1024);
            if want > share.num_permits() {
                // A step of 64 KiB, so that small chunks do not each ask.
                let more = (want - share.num_permits()).next_multiple_of(64);
                let more = kib.try_acquire_many(u32::try_from(more).unwrap_or(u32::MAX)).map_err(|_| Broken::Full)?;
                share.merge(more);
            }
        }
        Ok(Whole { bytes: bytes.into(), _share: share })
    }

    /// Outer error: it broke on our side.
    pub async fn parse(
        &self,
        reader: Reader,
        source: &str,
        headers: &HeaderMap,
        body: &Whole<'_>,
        now: At,
        scrub: Scrub,
    ) -> Result<Result<Reading, Unreadable>, String> {
        let (bytes, source, headers) = (body.bytes.clone(), Arc::<str>::from(source), headers.clone());
        let _alone = if bytes.len() > LARGE_BODY {
            let turn = tokio::time::timeout(self.intake.limits.take_deadline, self.intake.large.acquire()).await;
            Some(turn.map_err(|_| "other large deliveries are before it")?.map_err(|e| e.to_string())?)
        } else {
            None
        };
        // Off the threads that serve everybody: a large body takes a while.
        tokio::task::spawn_blocking(move || {
            reader.read(&Setting { source: &source, now, headers: &headers, scrub: &*scrub }, &bytes)
        })
        .await
        .map_err(|e| e.to_string())
    }
}
