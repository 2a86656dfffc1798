//! The hidden marker by which our issues are known: an HTML comment on the last line of the body.
//!
//! Anybody can copy it into another issue: it says where to look, and proves nothing.

use crate::flow::incident::IncidentId;
use crate::ports::IssueDraft;

const BEGIN: &str = "<!-- smokejumper:op=";
const END: &str = " -->";

/// What it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marker {
    pub op: String,
    pub incident: IncidentId,
    pub follow_up: u32,
}

impl Marker {
    pub fn of(op: &str, draft: &IssueDraft) -> Self {
        // What could end the comment early never stands in an operation's name.
        let op = op.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_')).collect();
        Self { op, incident: draft.incident, follow_up: draft.follow_up }
    }

    /// From a body; of several the last counts, which is ours.
    pub fn read(body: &str) -> Option<Self> {
        let at = body.rfind(BEGIN)?;
        let rest = body.get(at + BEGIN.len()..)?;
        let text = rest.get(..rest.find(END)?)?;
        let mut words = text.split(' ');
        let op = words.next()?.to_owned();
        let incident = words.next()?.strip_prefix("incident=INC-")?.parse().ok()?;
        let follow_up = words.next()?.strip_prefix("follow-up=F-")?.parse().ok()?;
        (words.next().is_none() && !op.is_empty()).then_some(Self { op, incident: IncidentId(incident), follow_up })
    }
}

impl std::fmt::Display for Marker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{BEGIN}{} incident={} follow-up=F-{}{END}", self.op, self.incident, self.follow_up)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_as_it_was_written() {
        let marker = Marker { op: "i57.2-1795168800000".to_owned(), incident: IncidentId(12), follow_up: 3 };
        let body = format!("text <!-- smokejumper:op=x incident=INC-1 follow-up=F-1 --> text\n\n{marker}\n");
        assert_eq!(marker.to_string(), "<!-- smokejumper:op=i57.2-1795168800000 incident=INC-12 follow-up=F-3 -->");
        assert_eq!(Marker::read(&body), Some(marker));
    }

    #[test]
    fn what_is_none_is_none() {
        for body in [
            "",
            "<!-- smokejumper:op=x -->",
            "<!-- smokejumper:op= incident=INC-1 follow-up=F-1 -->",
            "<!-- smokejumper:op=x incident=INC-1 follow-up=F-99999999999 -->",
            "<!-- smokejumper:op=x incident=INC-1 follow-up=F-1 more -->",
            "<!-- smokejumper:op=x incident=INC-1 follow-up=F-1",
        ] {
            assert_eq!(Marker::read(body), None, "{body}");
        }
    }
}
