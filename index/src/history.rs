//! Reads a team's past incidents from JSON lines, plain or gzip.
//!
//! A row: `id`, `opened_at` (RFC 3339), and any of `title`, `description`, `service`, `labels` (known when it opened),
//! `resolved_at`, `responder`, `root_cause`, `resolution`, `cluster`, `related`, `url` (known later). Unknown keys are
//! ignored. A bad row is listed with its line and reason and left out; it never stops the reading.

use crate::case::{Case, CaseId, Probe};
use flate2::bufread::MultiGzDecoder;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

/// Bytes of one line; a longer one is a bad row.
pub const LINE_BYTES: usize = 1 << 20;
/// Rows that are read: at 15 GB of the longest lines somebody gave the wrong file.
pub const ROWS: usize = 2_000_000;
/// Bad rows that are listed; the rest is counted.
pub const BAD_ROWS: usize = 1_000;

/// One past incident with what became known of it later.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    pub id: String,
    pub opened_at: Timestamp,
    pub resolved_at: Option<Timestamp>,
    pub title: String,
    pub description: String,
    pub service: Option<String>,
    pub labels: BTreeMap<String, String>,
    pub responder: Option<String>,
    pub root_cause: Option<String>,
    pub resolution: Option<String>,
    /// Incidents of one cluster are the same problem.
    pub cluster: Option<String>,
    /// Ids of incidents that somebody linked.
    pub related: Vec<String>,
    pub url: Option<String>,
}

impl Record {
    /// What is known when it opens.
    #[must_use]
    pub fn probe(&self) -> Probe {
        Probe {
            at: self.opened_at.as_millisecond(),
            title: self.title.clone(),
            text: self.description.clone(),
            service: self.service.clone(),
            labels: self.labels.clone(),
            exclude: Some(CaseId(self.id.clone())),
        }
    }

    /// As a case while it is open, without what became known later.
    #[must_use]
    pub fn opened(&self) -> Case {
        Case {
            id: CaseId(self.id.clone()),
            opened_at: self.opened_at.as_millisecond(),
            closed_at: None,
            title: self.title.clone(),
            text: self.description.clone(),
            service: self.service.clone(),
            labels: self.labels.clone(),
            cause: None,
            resolution: None,
            responders: Vec::new(),
            runbooks: Vec::new(),
            url: self.url.clone(),
        }
    }

    /// As a case when all is known.
    #[must_use]
    pub fn closed(&self) -> Case {
        Case {
            closed_at: self.resolved_at.map(Timestamp::as_millisecond),
            cause: self.root_cause.clone(),
            resolution: self.resolution.clone(),
            responders: self.responder.iter().cloned().collect(),
            ..self.opened()
        }
    }
}

/// A row that could not be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRow {
    /// Counted from 1.
    pub line: u64,
    pub reason: String,
}

/// Rows in order of opening, then of id.
#[derive(Clone, Debug, Default)]
pub struct History {
    pub records: Vec<Record>,
    /// The first [`BAD_ROWS`] of them.
    pub bad: Vec<BadRow>,
    pub bad_count: u64,
}

/// Reads a file; gzip is recognised by its first bytes. An error only if it can't be opened or begun.
pub fn open(path: &Path) -> io::Result<History> {
    let mut file = BufReader::new(File::open(path)?);
    if file.fill_buf()?.starts_with(&[0x1f, 0x8b]) {
        Ok(read(BufReader::new(MultiGzDecoder::new(file))))
    } else {
        Ok(read(file))
    }
}

/// Reads JSON lines to the end, or to where the input breaks off.
pub fn read(mut input: impl BufRead) -> History {
    let mut history = History::default();
    let mut ids = HashSet::new();
    let mut line = Vec::new();
    for number in 1.. {
        let parsed = match next_line(&mut input, &mut line) {
            Ok(false) => break,
            Ok(true) => parse(&line),
            Err(e) => {
                history.refuse(number, format!("the rest can't be read: {e}"));
                break;
            }
        };
        match parsed {
            Ok(None) => {}
            Ok(Some(_)) if history.records.len() >= ROWS => {
                history.refuse(number, format!("only the first {ROWS} rows are read"));
                break;
            }
            Ok(Some(record)) if !ids.insert(record.id.clone()) => {
                history.refuse(number, format!("id {} was there before", crate::tokenize::clip(&record.id, 80)));
            }
            Ok(Some(record)) => history.records.push(record),
            Err(reason) => history.refuse(number, reason),
        }
    }
    history.records.sort_by(|a, b| (a.opened_at, &a.id).cmp(&(b.opened_at, &b.id)));
    history
}

impl History {
    fn refuse(&mut self, line: u64, reason: String) {
        self.bad_count += 1;
        if self.bad.len() < BAD_ROWS {
            self.bad.push(BadRow { line, reason });
        }
    }
}

/// The next line without its end; false at the end of the input. A line over [`LINE_BYTES`] is cut there and skipped.
fn next_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    let limit = LINE_BYTES as u64 + 1;
    if input.by_ref().take(limit).read_until(b'\n', line)? == 0 {
        return Ok(false);
    }
    let whole = line.pop_if(|last| *last == b'\n').is_some();
    if !whole && line.len() > LINE_BYTES {
        input.skip_until(b'\n')?;
    }
    Ok(true)
}

#[derive(Deserialize)]
struct Row {
    id: Value,
    opened_at: String,
    resolved_at: Option<String>,
    title: Option<String>,
    description: Option<String>,
    service: Option<String>,
    labels: Option<BTreeMap<String, Value>>,
    responder: Option<String>,
    root_cause: Option<String>,
    resolution: Option<String>,
    cluster: Option<String>,
    related: Option<Vec<String>>,
    url: Option<String>,
}

fn parse(line: &[u8]) -> Result<Option<Record>, String> {
    if line.len() > LINE_BYTES {
        return Err(format!("longer than {LINE_BYTES} bytes"));
    }
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    if line.trim_ascii().is_empty() {
        return Ok(None);
    }
    let row: Row = serde_json::from_slice(line).map_err(|e| e.to_string())?;
    let id = scalar(&row.id).filter(|id| !id.is_empty()).ok_or("id must be a string or a number")?;
    let time = |name, text: &str| {
        text.parse::<Timestamp>()
            .map_err(|_| format!("{name} is not an RFC 3339 time: {:?}", crate::tokenize::clip(text, 40)))
    };
    let labels = row.labels.unwrap_or_default().into_iter();
    Ok(Some(Record {
        id,
        opened_at: time("opened_at", &row.opened_at)?,
        resolved_at: row.resolved_at.as_deref().map(|t| time("resolved_at", t)).transpose()?,
        title: row.title.unwrap_or_default(),
        description: row.description.unwrap_or_default(),
        service: row.service,
        labels: labels.filter_map(|(key, value)| Some((key, label_value(&value)?))).collect(),
        responder: row.responder,
        root_cause: row.root_cause,
        resolution: row.resolution,
        cluster: row.cluster,
        related: row.related.unwrap_or_default(),
        url: row.url,
    }))
}

/// A label is a scalar or a list of scalars; anything else has no plain meaning and is left out.
fn label_value(value: &Value) -> Option<String> {
    match value {
        Value::Array(items) => {
            let items: Vec<String> = items.iter().filter_map(scalar).collect();
            (!items.is_empty()).then(|| items.join(", "))
        }
        single => scalar(single),
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    const GOOD: &str = r#"{"id":"B","opened_at":"2024-03-01T10:00:00Z","title":"disk full","labels":{"env":"prod","affects":["1.0",2],"x":{}}}"#;

    #[test]
    fn rows_are_sorted_and_bad_ones_listed_with_line_and_reason() {
        let text = format!(
            "\u{feff}{GOOD}\r\n\nnonsense\n{}\n{GOOD}\n{}\n{}",
            r#"{"id":"C","opened_at":"yesterday"}"#,
            r#"{"opened_at":"2024-01-01T00:00:00Z"}"#,
            r#"{"id":7,"opened_at":"2024-03-01T11:00:00+02:00","resolved_at":"2024-03-02T00:00:00Z","responder":"ana"}"#,
        );
        let history = read(text.as_bytes());
        assert_eq!(history.records.iter().map(|r| r.id.as_str()).collect::<Vec<_>>(), ["7", "B"]);
        assert_eq!(history.bad.iter().map(|b| b.line).collect::<Vec<_>>(), [3, 4, 5, 6]);
        assert!(history.bad[1].reason.contains("yesterday"), "{:?}", history.bad);
        let labels = &history.records[1].labels;
        assert_eq!(
            labels.iter().collect::<Vec<_>>(),
            [(&"affects".into(), &"1.0, 2".into()), (&"env".into(), &"prod".into())]
        );
        assert_eq!(history.records[0].opened().responders, Vec::<String>::new());
        assert_eq!(history.records[0].closed().responders, ["ana"]);
    }

    #[test]
    fn a_line_that_is_too_long_costs_only_itself() {
        let text = format!("{{\"id\":\"{}\"}}\n{GOOD}\n", "x".repeat(LINE_BYTES * 2));
        let history = read(text.as_bytes());
        assert_eq!((history.records.len(), history.bad[0].line), (1, 1));
    }

    #[test]
    fn gzip_is_recognised_and_a_torn_file_gives_what_it_has() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("history");
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        writeln!(gz, "{GOOD}").unwrap();
        let whole = gz.finish().unwrap();
        std::fs::write(&path, &whole).unwrap();
        assert_eq!(open(&path).unwrap().records.len(), 1);
        std::fs::write(&path, &whole[..whole.len() - 4]).unwrap();
        assert_eq!(open(&path).unwrap().bad_count, 1);
    }
}
