use super::*;
use crate::flow::runbook::{Comparison, EnvValue};

/// Reads one runbook from a folder that also has a script and a data file.
fn read_one(source: &str) -> (Option<Runbook>, Vec<Problem>) {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("book.toml"), source).unwrap();
    std::fs::write(dir.path().join("fix.sh"), "#!/bin/sh\n").unwrap();
    let mut catalogue = load(dir.path(), &|name| name == "token");
    (catalogue.runbooks.remove("book"), catalogue.problems)
}

fn good(source: &str) -> Runbook {
    let (runbook, problems) = read_one(source);
    runbook.unwrap_or_else(|| panic!("{}", said(&problems)))
}

fn lines<'p>(problems: impl IntoIterator<Item = &'p Problem>) -> String {
    problems.into_iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn errors(problems: &[Problem]) -> String {
    lines(problems.iter().filter(|problem| problem.is_error()))
}

fn said(problems: &[Problem]) -> String {
    problems.iter().map(|p| p.to_string().rsplit_once("book.toml:").unwrap().1.to_owned() + "\n").collect()
}

const WHOLE: &str = r#"
title = "Restart a service"
risk = "medium"
when = ['service="checkout", severity=~"critical|page"', 'alertname="Down"']
timeout = "1m"

[[params]]
name = "service"
help = "which one"
kind = "service"

[[params]]
name = "count"
help = "how many"
kind = "integer"
min = 1
max = 9
default = "2"

[[steps]]
exec = ["./fix.sh", "--service", "{service}", "{{x}}", '{"a": 1}', "{.items}"]
env = { LANG = "C", TOKEN = { secret = "token" } }
cwd = "/tmp"

[[steps]]
http = { post = "http://127.0.0.1:8080/restart/{service}?n={count}", headers = { authorization = { secret = "token" } }, body = '{"service": "{service}"}', status = [200, 204] }
timeout = "5s"

[[verify]]
http = { get = "http://127.0.0.1:8080/healthz", contains = "ok" }
within = "30s"
every = "500ms"

[[verify]]
command = ["/bin/sh", "./fix.sh", "{service}"]

[[verify]]
promql = { server = "http://127.0.0.1:9090", query = 'up{service="{service}"}', is = ">= 1" }
"#;

#[test]
fn everything_a_runbook_can_say_is_read() {
    let book = good(WHOLE);
    assert_eq!((book.name.as_str(), book.risk, book.approvals), ("book", Risk::Medium, 1));
    assert_eq!(book.when.iter().map(Vec::len).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(book.params.len(), 2);
    let hole = |name: &str| Piece::Hole(name.to_owned());
    let text = |text: &str| Piece::Text(text.to_owned());
    let StepTemplate::Exec { argv, env, cwd, timeout_ms } = &book.steps[0] else { panic!("a program") };
    let Piece::Text(program) = &argv[0] else { panic!("a path") };
    assert!(program.starts_with('/') && program.ends_with("/fix.sh"));
    assert_eq!(argv[1..], [text("--service"), hole("service"), text("{{x}}"), text("{\"a\": 1}"), text("{.items}")]);
    assert_eq!(env[1], ("TOKEN".to_owned(), EnvValue::Secret("token".to_owned())));
    assert_eq!((cwd.as_deref(), *timeout_ms), (Some("/tmp"), 60_000));
    let StepTemplate::Http(request) = &book.steps[1] else { panic!("a request") };
    assert_eq!((request.method.as_str(), request.origin.as_str()), ("POST", "http://127.0.0.1:8080"));
    assert_eq!(request.path, [text("/restart/"), hole("service"), text("?n="), hole("count")]);
    assert_eq!(request.body.as_deref().unwrap(), [text("{\"service\": \""), hole("service"), text("\"}")]);
    assert_eq!((request.expect_status.as_slice(), request.timeout_ms), ([200, 204].as_slice(), 5_000));
    assert_eq!((book.verify[0].within_ms, book.verify[0].every_ms), (30_000, 500));
    let ProbeTemplate::Command { argv, .. } = &book.verify[1].probe else { panic!("a command") };
    assert_eq!(argv[1], Piece::Text(program.clone()), "the interpreter's script has its full path");
    let ProbeTemplate::Promql { op, query, .. } = &book.verify[2].probe else { panic!("a query") };
    assert_eq!((*op, &query[1]), (Comparison::Ge, &hole("service")));
    let files: Vec<&str> = book.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(files, ["/bin/sh", program.as_str()]);
    assert!(book.files.iter().all(|file| file.sha256.len() == 64) && book.revision.len() == 64);
}

#[test]
fn mistakes_are_said_all_at_once_with_their_place() {
    let (runbook, problems) = read_one(
        r#"titel = "x"
risk = "lo"
timeout = "30"
when = ['service=']
[[params]]
name = "service"
help = "which"
kind = "naem"
[[steps]]
exec = ["kubectl", "{servce}", "--n={service}"]
tiemout = "3s"
"#,
    );
    assert!(runbook.is_none());
    insta::assert_snapshot!(said(&problems));
}

/// Each row: what stands below `[[steps]]`, and a part of what is said about it.
#[test]
fn what_could_become_code_or_another_address_is_refused() {
    for (step, said_about_it) in [
        (r#"exec = ["{free}", "x"]"#, "the program itself is a hole"),
        (r#"exec = ["/bin/sh", "-c", "{free}"]"#, "executes a text"),
        (r#"exec = ["/bin/sh", "-c", "echo hello"]"#, "executes a text"),
        (r#"exec = ["/bin/bash", "-euxc", "x", "{free}"]"#, "executes a text"),
        (r#"exec = ["/bin/sh", "{free}"]"#, "stands where `sh` reads code"),
        (r#"exec = ["/usr/bin/env", "bash", "-c", "{free}"]"#, "executes a text"),
        (r#"exec = ["/usr/bin/env", "-i", "python3.12", "{free}"]"#, "stands where `python` reads code"),
        (r#"exec = ["/usr/bin/python3", "-c", "{free}"]"#, "executes a text"),
        (r#"exec = ["/usr/bin/python3", "-m", "{free}"]"#, "stands where `python` reads code"),
        (r#"exec = ["/usr/bin/perl", "-ne", "x"]"#, "executes a text"),
        (r#"exec = ["/usr/bin/node", "--eval=1", "x"]"#, "executes a text"),
        (r#"exec = ["/usr/bin/awk", "{free}", "/etc/x"]"#, "stands where `awk` reads code"),
        (r#"exec = ["/bin/sed", "-i", "{free}", "/etc/x"]"#, "stands where `sed` reads code"),
        (r#"exec = ["/bin/busybox", "sh", "-c", "x"]"#, "executes a text"),
        (r#"exec = ["/usr/bin/kubectl", "exec", "pod", "--", "sh", "-c", "{free}"]"#, "executes a text"),
        (r#"exec = ["/usr/bin/npx", "{free}"]"#, "runs what it is given"),
        (r#"exec = ["/usr/bin/xargs", "-n1", "{free}"]"#, "runs what it is given"),
        (r#"exec = ["/usr/bin/ssh", "host", "systemctl", "restart", "{free}"]"#, "to a shell at the other end"),
        (r#"exec = ["/usr/bin/find", "--name={free}"]"#, "mixes a hole with text"),
        (r#"exec = ["systemctl", "restart"]"#, "is not a path"),
        (r#"exec = ["../x.sh"]"#, "leaves the runbook folder"),
        (r#"exec = ["./a/../../x.sh"]"#, "leaves the runbook folder"),
        (r#"exec = ["/usr/../x"]"#, "goes up"),
        ("exec = []", "no program"),
        (
            r#"exec = ["/bin/true"]
            env = { LD_PRELOAD = "/x" }"#,
            "is not a name that can stand here",
        ),
        (
            r#"exec = ["/bin/true"]
            env = { A = "{free}" }"#,
            "holes and control characters",
        ),
        (
            r#"exec = ["/bin/true"]
            env = { A = { secret = "tokne" } }"#,
            "the secret `tokne` is not configured",
        ),
        (
            r#"exec = ["/bin/true"]
            cwd = "x""#,
            "not an absolute path",
        ),
        (
            r#"exec = ["/bin/true"]
            timeout = "2h""#,
            "must be at most 1 h",
        ),
        (r#"http = { post = "http://{free}/x" }"#, "the host has a hole"),
        (r#"http = { post = "http://a.{free}:80/x" }"#, "the host has a hole"),
        (r#"http = { post = "file:///etc/passwd" }"#, "not an address of http"),
        (r#"http = { post = "127.0.0.1/x" }"#, "not an address of http"),
        (r#"http = { post = "http://user:pw@host/x" }"#, "holds a password"),
        (r#"http = { post = "http://0x7f.1/x" }"#, "read in another way"),
        (r#"http = { post = "http://host/a/../b" }"#, "read in another way"),
        (r#"http = { post = "http://host/%2e%2e/{free}" }"#, "read in another way"),
        (r#"http = { post = "http://host/x", headers = { authorization = { secret = "token" } } }"#, "clear text"),
        (r#"http = { post = "http://host/x", headers = { host = "evil" } }"#, "cannot stand here|can stand here"),
        (r#"http = { post = "http://host/x", body = '{"a": {free}}' }"#, "outside double quotes"),
        (r#"http = { post = "http://host/x", body = '{"a": ' }"#, "is not JSON"),
        (r#"http = { post = "http://host/x", status = 42 }"#, "HTTP status"),
        (r#"http = { post = "http://host/x", get = "http://host/x" }"#, "one method and address"),
        (
            r#"http = { post = "http://host/x" }
            exec = ["/bin/true"]"#,
            "either `exec` or `http`",
        ),
        (r#"shell = "rm -rf /""#, "does nothing"),
    ] {
        let source = format!(
            "title = \"x\"\nrisk = \"low\"\n[[params]]\nname = \"free\"\nhelp = \"x\"\nkind = \"pattern\"\npattern = \".*\"\n[[steps]]\n{step}\n"
        );
        let (runbook, problems) = read_one(&source);
        let errors = errors(&problems);
        assert!(runbook.is_none(), "{step}");
        assert!(said_about_it.split('|').any(|part| errors.contains(part)), "{step}: {errors}");
        assert!(problems.iter().filter(|p| p.is_error()).all(|p| p.line > 0 && p.hint.is_some()), "{errors}");
    }
}

#[test]
fn what_is_safe_is_not_refused() {
    for step in [
        r#"exec = ["/bin/sh", "./fix.sh", "{free}"]"#,
        r#"exec = ["/bin/bash", "-eu", "./fix.sh", "{free}"]"#,
        r#"exec = ["./fix.sh", "-c", "{free}"]"#,
        r#"exec = ["/usr/bin/kubectl", "get", "node", "--", "{free}"]"#,
        r#"exec = ["/usr/bin/kubectl", "-n", "shop", "rollout", "restart", "deployment", "{name}"]"#,
        r#"exec = ["/usr/bin/ssh", "-F", "/dev/null", "host", "systemctl", "restart", "{name}"]"#,
        r#"exec = ["/usr/bin/sudo", "-n", "/usr/bin/systemctl", "restart", "{name}"]"#,
        r#"exec = ["/bin/sed", "-n", "1p", "{free}"]"#,
        r#"http = { delete = "https://cache.internal/keys/{free}", headers = { authorization = { secret = "token" } } }"#,
    ] {
        let params = "[[params]]\nname = \"free\"\nhelp = \"x\"\nkind = \"pattern\"\npattern = \".*\"\n[[params]]\nname = \"name\"\nhelp = \"x\"\nkind = \"name\"\n";
        good(&format!("title = \"x\"\nrisk = \"low\"\n{params}[[steps]]\n{step}\n"));
    }
}

#[test]
fn approvals_are_never_fewer_than_the_risk_asks_for() {
    let book = |risk: &str, approvals: &str| {
        read_one(&format!("title = \"x\"\nrisk = \"{risk}\"\n{approvals}\n[[steps]]\nexec = [\"./fix.sh\"]\n")).0
    };
    assert_eq!(book("high", "").unwrap().approvals, 2);
    assert_eq!(book("low", "approvals = 3").unwrap().approvals, 3);
    assert_eq!(book("read", "approvals = 0").unwrap().approvals, 0);
    for (risk, approvals) in
        [("low", "approvals = 0"), ("high", "approvals = 1"), ("low", "approvals = 9"), ("low", "approvals = -1")]
    {
        assert!(book(risk, approvals).is_none(), "{risk} {approvals}");
    }
}

#[test]
fn parameters_are_checked_like_what_people_type() {
    let book = |param: &str| {
        let source = format!(
            "title = \"x\"\nrisk = \"low\"\n[[params]]\nhelp = \"x\"\n{param}\n[[steps]]\nexec = [\"./fix.sh\"]\n"
        );
        let (runbook, problems) = read_one(&source);
        (runbook.is_some(), said(&problems))
    };
    for (param, part) in [
        ("name = \"A\"\nkind = \"name\"", "cannot be a parameter's name"),
        ("name = \"a\"\nkind = \"integer\"", "an integer has bounds"),
        ("name = \"a\"\nkind = \"integer\"\nmin = -1\nmax = 5", "must be at least 0"),
        (
            "name = \"a\"\nkind = \"integer\"\nmin = 1\nmax = 5\ndefault = \"9\"",
            "the default `9` must be a whole number",
        ),
        ("name = \"a\"\nkind = \"one_of\"", "nothing to choose from"),
        ("name = \"a\"\nkind = \"one_of\"\nvalues = [\"--all\"]", "this value must not begin with"),
        ("name = \"a\"\nkind = \"one_of\"\nvalues = [\"a\"]\ndefault = \"b\"", "the default `b` must be one of a"),
        ("name = \"a\"\nkind = \"pattern\"\npattern = \"(\"", "this is not a pattern"),
        ("name = \"a\"\nkind = \"name\"\nmin = 1", "unknown key `min`"),
    ] {
        let (usable, problems) = book(param);
        assert!(!usable && problems.contains(part), "{param}: {problems}");
    }
}

#[test]
fn a_missing_program_is_a_warning_here_and_a_refusal_when_asked_for() {
    let (runbook, problems) = read_one("title = \"x\"\nrisk = \"low\"\n[[steps]]\nexec = [\"/no/such/program\"]\n");
    assert!(said(&problems).contains("warning: /no/such/program cannot be read"), "{}", said(&problems));
    let refused =
        crate::flow::render::render(&runbook.unwrap(), crate::flow::incident::IncidentId(1), &[], &BTreeMap::new());
    assert_eq!(refused.unwrap_err()[0].to_string(), "its program /no/such/program is not on this machine");
}

#[test]
fn files_nobody_can_use_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(dir.path().join(name), bytes).unwrap();
    write("Bad Name.toml", b"");
    write("big.toml", &vec![b'#'; 70_000]);
    write("broken.toml", b"title = \n");
    write("latin.toml", b"title = \"\xe9\"");
    write("hidden.toml", "title = \"a\u{202e}b\"".as_bytes());
    write("notes.md", b"not read");
    std::fs::create_dir(dir.path().join("folder.toml")).unwrap();
    let catalogue = load(dir.path(), &|_| false);
    assert!(catalogue.runbooks.is_empty());
    let all = lines(&catalogue.problems);
    for part in ["cannot be a runbook's name", "larger than", "broken.toml:1:", "not UTF-8", "U+202E", "not a file"] {
        assert!(all.contains(part), "{part} in {all}");
    }
    let nowhere = load(&dir.path().join("nowhere"), &|_| false);
    assert!(nowhere.problems[0].to_string().contains("the runbook folder cannot be read"));
}

#[test]
fn the_runbooks_we_deliver_pass() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/runbooks");
    let catalogue = load(&folder, &|name| name == "redis_password");
    let errors = errors(&catalogue.problems);
    assert!(errors.is_empty(), "{errors}");
    assert!(catalogue.runbooks.len() >= 5);
    let other = catalogue
        .problems
        .iter()
        .filter(|p| !p.what.contains("cannot be read") && !p.what.contains("whether it worked"));
    assert_eq!(other.count(), 0, "only absent programs, and the one that changes nothing");
}

#[test]
fn a_parameter_that_stands_nowhere_is_noticed() {
    let (runbook, problems) = read_one(
        "title = \"x\"\nrisk = \"read\"\n[[params]]\nname = \"a\"\nhelp = \"x\"\nkind = \"name\"\n[[steps]]\nexec = [\"./fix.sh\", \"a\"]\n",
    );
    assert!(runbook.is_some());
    assert!(said(&problems).contains("warning: the parameter `a` stands nowhere"), "{}", said(&problems));
}

/// Beginnings of a whole runbook, and single bytes replaced by ones that mean something to TOML.
#[test]
fn no_damage_makes_the_reader_panic_or_says_nothing() {
    let folder = Path::new("/nowhere");
    let file = Path::new("book.toml");
    let read = |source: &str| {
        let mut report = Report::new(file, source);
        let (document, errors) = toml::de::DeTable::parse_recoverable(source);
        let sheet = Sheet::new(document.get_ref(), 0..0);
        let book = runbook(&mut report, sheet, "book".to_owned(), String::new(), folder, &|_| true);
        let wrong = !errors.is_empty() || report.problems.iter().any(Problem::is_error);
        (book.is_some(), wrong)
    };
    for end in (0..WHOLE.len()).step_by(3) {
        let (whole, wrong) = read(&WHOLE[..end]);
        assert!(whole || wrong, "{end}");
    }
    for (at, byte) in
        (0..WHOLE.len()).step_by(7).flat_map(|at| [b'"', b'[', b'{', b'}', b'\n', b'9'].map(|byte| (at, byte)))
    {
        let mut damaged = WHOLE.as_bytes().to_vec();
        damaged[at] = byte;
        let (whole, wrong) = read(std::str::from_utf8(&damaged).unwrap());
        assert!(whole || wrong, "{at} {byte}");
    }
}
