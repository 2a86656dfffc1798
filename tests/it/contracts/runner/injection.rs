//! F28: whatever a person types is one argument at its place, or refused; there is no shell anywhere.

use super::bench::{Bench, output};
use crate::world::wait::ends;
use smokejumper::flow::fact::Ended;

const BOOK: &str = r#"
[[params]]
name = "free"
help = "anything"
kind = "pattern"
pattern = '(?s).*'
[[steps]]
exec = ["./record.sh", "first", "{free}", "last"]
env = { OUT = "@OUT@" }
"#;

const PAYLOADS: [&str; 40] = [
    "; id",
    "| id",
    "|| id",
    "& id",
    "&& id",
    "$(id)",
    "`id`",
    "${IFS}id",
    "$((1+1))",
    "$HOME",
    "> /tmp/x",
    "< /etc/passwd",
    "a b c",
    "a' 'b",
    "a\" \"b",
    "\\",
    "\\\\'",
    "'",
    "\"",
    "*",
    "?",
    "[a-z]",
    "~",
    "~root",
    "{a,b}",
    "{free}",
    "{{7*7}}",
    "${jndi:ldap://x}",
    "#",
    "!!",
    "%00",
    "%n%s",
    "../../etc/passwd",
    "/etc/passwd",
    "file:///etc/passwd",
    "ext::sh -c id",
    "a=b",
    "x -oProxyCommand=id",
    "\u{ff0d}\u{ff0d}help",
    "e\u{301}\u{1f525}",
];

#[tokio::test]
async fn every_value_arrives_as_one_argument_at_its_place() {
    let bench = Bench::new();
    bench.script("record.sh", "#!/bin/sh\nprintf '%s\\0' \"$@\" > \"$OUT\"\n");
    let out = bench.free("argv");
    let book = BOOK.replace("@OUT@", out.to_str().unwrap());
    for payload in PAYLOADS {
        let plan = bench.plan(&book, &[("free", payload)]);
        let outcome = ends(payload, bench.run(&plan)).await;
        assert_eq!(outcome.ended, Ended::Succeeded, "{payload:?}: {outcome:?}");
        let argv = std::fs::read(&out).unwrap();
        assert_eq!(argv, format!("first\0{payload}\0last\0").as_bytes(), "{payload:?}");
        assert!(plan.shown()[0].is_ascii());
    }
}

#[tokio::test]
async fn a_program_gets_its_name_its_arguments_and_nothing_of_ours() {
    let bench = Bench::new();
    let plan = bench.plan("[[steps]]\nexec = [\"/usr/bin/env\"]\nenv = { LANG = \"C\" }\n", &[]);
    assert_eq!(output(&bench.run(&plan).await).head, "LANG=C\n", "the environment is what the step says");
    let plan = bench.plan("[[steps]]\nexec = [\"/bin/ls\", \"/proc/self/fd\"]\n", &[]);
    assert_eq!(
        output(&bench.run(&plan).await).head,
        "0\n1\n2\n3\n",
        "three descriptors, and that of the listing itself"
    );
    let plan = bench.plan("[[steps]]\nexec = [\"/bin/pwd\"]\ncwd = \"/usr\"\n", &[]);
    assert_eq!(output(&bench.run(&plan).await).head, "/usr\n");
    let plan = bench.plan("[[steps]]\nexec = [\"/bin/cat\", \"/proc/self/cmdline\"]\n", &[]);
    assert_eq!(
        output(&bench.run(&plan).await).head,
        "/bin/cat/proc/self/cmdline",
        "by its own name, not a descriptor's"
    );
    let plan = bench
        .plan("[[steps]]\nexec = [\"/bin/grep\", \"-E\", \"^(NoNewPrivs|Seccomp):\", \"/proc/self/status\"]\n", &[]);
    assert!(output(&bench.run(&plan).await).head.contains("NoNewPrivs:\t1"));
    let plan = bench.shell("ulimit -c; ulimit -n", "5s");
    assert_eq!(output(&bench.run(&plan).await).head, "0\n1024\n");
}

#[tokio::test]
async fn an_interpreter_reads_the_approved_script_and_its_arguments() {
    let bench = Bench::new();
    bench.script("by.sh", "echo \"$# $1\"\n");
    let plan = bench.plan("[[steps]]\nexec = [\"/bin/sh\", \"-eu\", \"./by.sh\", \"a b\"]\n", &[]);
    assert_eq!(output(&bench.run(&plan).await).head, "1 a b\n");
}
