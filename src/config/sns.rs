//! Which topics of Amazon SNS are believed, and where their certificates and confirmations may be.

use super::checked::Checker;
use super::raw::Sns;
use super::source::SnsTrust;
use super::value::OneOrMany;
use super::wording::short;
use crate::egress::Allowed;
use std::fmt::Display;
use std::str::FromStr;
use toml::Spanned;

/// Topics of one source; more are several sources.
const MAX_TOPICS: usize = 50;
/// Bytes of certificate authorities as PEM.
const MAX_CA: usize = 64 * 1024;

pub(super) fn resolve(checker: &mut Checker<'_>, written: &Spanned<Sns>) -> SnsTrust {
    let sns = written.get_ref();
    let topics = sns.topics.get_ref().0.clone();
    if topics.is_empty() || topics.len() > MAX_TOPICS {
        let what = format!("one to {MAX_TOPICS} topics are expected here");
        checker.error(&sns.topics.span(), what, "write the ARN of each topic that alarms are sent to");
    }
    let mut own = Vec::new();
    for topic in &topics {
        if let Some(host) = host(topic) {
            own.extend(host.parse().ok());
        } else {
            let what = format!("`{}` is not the ARN of a topic", short(topic));
            checker.error(&sns.topics.span(), what, "write it like arn:aws:sns:eu-west-1:123456789012:alarms");
        }
    }
    let hosts = sns.hosts.as_ref().map_or(own, |hosts| each(checker, hosts, "a host"));
    let private = sns.allow_private_cidrs.as_ref().map_or_else(Vec::new, |all| each(checker, all, "a network"));
    let ca_pem = sns.ca_file.as_ref().and_then(|file| {
        let path = checker.folder.join(file.get_ref());
        match std::fs::read(&path) {
            Ok(pem) if pem.len() <= MAX_CA => Some(pem),
            Ok(_) => {
                checker.error(&file.span(), "this is too large for a certificate authority", "name a PEM file");
                None
            }
            Err(e) => {
                let what = format!("{} cannot be read: {e}", path.display());
                checker.error(&file.span(), what, "name a PEM file this user may read");
                None
            }
        }
    });
    SnsTrust { topics, allowed: Allowed { hosts, private, allow_plaintext: sns.allow_plaintext }, ca_pem }
}

/// `sns.eu-west-1.amazonaws.com` for `arn:aws:sns:eu-west-1:123456789012:alarms`.
fn host(topic: &str) -> Option<String> {
    let parts: Vec<&str> = topic.split(':').collect();
    let [arn, partition, service, region, account, name] = parts.as_slice() else { return None };
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let whole = *arn == "arn" && *service == "sns" && !account.is_empty() && !name.is_empty();
    if !whole || region.is_empty() || !region.chars().all(plain) {
        return None;
    }
    match *partition {
        "aws" | "aws-us-gov" => Some(format!("sns.{region}.amazonaws.com")),
        "aws-cn" => Some(format!("sns.{region}.amazonaws.com.cn")),
        _ => None,
    }
}

fn each<T: FromStr<Err: Display>>(
    checker: &mut Checker<'_>,
    written: &Spanned<OneOrMany<String>>,
    what: &str,
) -> Vec<T> {
    let mut all = Vec::new();
    for text in &written.get_ref().0 {
        match text.parse::<T>() {
            Ok(one) => all.push(one),
            Err(e) => checker.error(&written.span(), format!("`{}` is not {what}", short(text)), e.to_string()),
        }
    }
    all
}
