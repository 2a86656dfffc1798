use super::*;

/// Made up, in parts so that no scanner takes this file for a leak; each with the part that must be gone.
fn canaries() -> Vec<(String, String)> {
    let word = "c4n4ryC4N4RYc4n4ryC4N4RYc4n4ryC4N4RYc4n4ry";
    let upper = "C4NARYC2NARYC3NA";
    let upper: String = upper.replace('4', "2");
    let mut all = Vec::new();
    let mut add = |text: String, gone: &str| all.push((text, gone.to_owned()));
    for prefix in ["AKIA", "ASIA"] {
        add(format!("key {prefix}{upper} used"), &upper);
    }
    for prefix in ["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "npm_", "sk-"] {
        add(format!("using {prefix}{word}."), word);
    }
    for prefix in ["sk_live_", "rk_test_"] {
        add(format!("{prefix}{word}"), word);
    }
    add(format!("AIza{}", word.get(..35).unwrap()), word.get(..35).unwrap());
    for prefix in ["xoxb-", "xoxp-", "xoxa-", "xoxs-", "xapp-"] {
        add(format!("slack={prefix}1234567890-{word}"), word);
    }
    add(format!("https://hooks.slack.com/services/T000/B000/{word}"), word);
    add(format!("https://discord.com/api/webhooks/123/{word}"), word);
    add(format!("M{}.abcdef.{}", word.get(..24).unwrap(), word.get(..30).unwrap()), word.get(..24).unwrap());
    add(format!("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.{word}"), word);
    for header in ["Authorization: Bearer ", "authorization: Basic ", "AUTHORIZATION=token ", "Authorization: "] {
        add(format!("> {header}{word}\r"), word);
    }
    add(format!("Bearer {word}"), word);
    add(format!("Set-Cookie: session={word}; Path=/"), word);
    for scheme in ["postgres", "https", "redis", "amqp", "mongodb+srv"] {
        add(format!("connecting to {scheme}://admin:{word}@db.internal:5432/x"), word);
    }
    add(format!("redis://:{word}@cache"), word);
    for name in [
        "password",
        "PASSWORD",
        "db_password",
        "PGPASSWORD",
        "secret",
        "client_secret",
        "token",
        "api_key",
        "API-KEY",
        "apikey",
        "passwd",
    ] {
        add(format!("{name}={word}"), word);
        add(format!("{name}: {word}"), word);
        add(format!("{{\"{name}\": \"{word}\", \"x\": 1}}"), word);
        add(format!("export {name}='{word}'"), word);
        add(format!("?a=1&{name}={word}&b=2"), word);
    }
    add(format!("{{\"password\":\"quo\\\"te {word}\"}}"), word);
    for kind in ["RSA PRIVATE KEY", "PRIVATE KEY", "OPENSSH PRIVATE KEY", "EC PRIVATE KEY", "PGP PRIVATE KEY BLOCK"] {
        let body = format!("{word}\n{word}\n{word}");
        add(format!("-----BEGIN {kind}-----\n{body}\n-----END {kind}-----\nafter"), word);
        add(format!("-----BEGIN {kind}-----\n{body}"), word);
        add(format!("{body}\n-----END {kind}-----"), word);
    }
    all
}

#[test]
fn every_known_shape_is_taken_out() {
    let redactor = Redactor::default();
    let canaries = canaries();
    assert!(canaries.len() >= 40);
    for (text, gone) in canaries {
        let clean = redactor.redact(&text);
        assert!(clean.contains(REDACTED) && !clean.contains(&gone), "{text} -> {clean}");
        assert_eq!(redactor.redact(&clean), clean, "twice is the same as once");
    }
}

#[test]
fn what_only_looks_random_stays() {
    let text = "commit 3c96609d5b0e3ad1f2f8a0a1f1d6f4c2b7f0e9aa pod checkout-7d9c6b5f4-x2x9z at 10.0.0.1\n\
                sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 took 12ms\n\
                user:group /var/lib/x http://127.0.0.1:8080/healthz 550e8400-e29b-41d4-a716-446655440000\n\
                the token was refused; secrets are rotated; tokens used: many";
    assert_eq!(Redactor::default().redact(text), text);
}

#[test]
fn known_values_go_in_every_form_they_take() {
    let redactor = Redactor::new([
        "p@ss \"w\\rd/1".to_owned(),
        "on".to_owned(),
        "line-one-of-a-key-file\nline-two-of-a-key-file\n".to_owned(),
    ]);
    let text = "raw p@ss \"w\\rd/1 url p%40ss%20%22w%5Crd%2F1 json p@ss \\\"w\\\\rd/1 b64 cEBzcyAid1xyZC8x end; on; line-two-of-a-key-file";
    assert_eq!(
        redactor.redact(text),
        "raw [redacted] url [redacted] json [redacted] b64 [redacted] end; on; [redacted]"
    );
    assert!(!format!("{redactor:?}").contains("p@ss"));
}
