//! Moments and durations on a page: short words to read, the exact moment in `title`. The script turns both to the reader's zone.

use crate::flow::moment::{At, DAY, span};
use maud::{Markup, html};

/// `3 min ago`, `in 4 min`.
pub fn ago(at: At, now: At) -> Markup {
    let words = if at > now { format!("in {}", span(at.since(now))) } else { format!("{} ago", span(now.since(at))) };
    html! { time datetime=(at.rfc3339()) title=(exact(at)) data-ago=(at.0) { (words) } }
}

/// How long something has lasted, or did last: `2 h 5 min`.
pub fn lasting(from: At, until: Option<At>, now: At) -> Markup {
    html! {
        @if let Some(until) = until {
            time title={ (exact(from)) " to " (exact(until)) } { (span(until.since(from))) }
        } @else {
            time datetime=(from.rfc3339()) title={ "since " (exact(from)) } data-since=(from.0) { (span(now.since(from))) }
        }
    }
}

/// `10:02` today, with its day otherwise.
pub fn clock(at: At, now: At) -> Markup {
    let far = at.day() != now.day() && now.since(at).max(at.since(now)) > DAY / 24;
    let words = if far { format!("{} {}", at.day(), at.hm()) } else { at.hm() };
    html! { time datetime=(at.rfc3339()) title=(exact(at)) data-clock=(at.0) { (words) } }
}

fn exact(at: At) -> String {
    at.rfc3339().replace('T', " ").replace('Z', " UTC")
}
