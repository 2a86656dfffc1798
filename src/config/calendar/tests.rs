use super::*;

fn at(text: &str) -> At {
    At(text.parse::<Timestamp>().unwrap().as_millisecond())
}

fn whom(name: &str) -> Option<PersonId> {
    let known = [("ana", "ana"), ("bo", "bo"), ("ana@example.org", "ana"), ("Bo Lind (primary)", "bo")];
    known.iter().find(|(n, _)| *n == name).map(|(_, id)| PersonId((*id).to_owned()))
}

/// Shifts as `who from until`, in UTC.
fn read(events: &str, now: &str) -> (Vec<String>, Vec<String>) {
    let text = format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//t//EN\r\n{}END:VCALENDAR\r\n",
        events.replace('\n', "\r\n")
    );
    let zone = TimeZone::get("Europe/Madrid").unwrap();
    let (shifts, troubles) = shifts(&text, &Reading { now: at(now), zone, zone_is_given: false, whom: &whom });
    let shift = |s: &Shift| format!("{} {} {} {} {}", s.who.0, s.from.day(), s.from.hm(), s.until.day(), s.until.hm());
    (shifts.iter().map(shift).collect(), troubles.into_iter().map(|t| format!("{}: {}", t.line, t.what)).collect())
}

fn event(uid: &str, more: &str) -> String {
    format!("BEGIN:VEVENT\nUID:{uid}\nDTSTAMP:20260101T000000Z\n{more}\nEND:VEVENT\n")
}

const NOW: &str = "2026-10-24T12:00:00Z";

#[test]
fn moments_are_read_in_their_zones() {
    let events = [
        event("1", "SUMMARY:ana\nDTSTART:20261025T080000Z\nDTEND:20261025T200000Z"),
        event("2", "SUMMARY:bo\nDTSTART;TZID=Europe/Madrid:20261026T090000\nDTEND;TZID=Europe/Madrid:20261026T170000"),
        event("3", "SUMMARY:bo\nDTSTART;TZID=\"/x.org/America/New_York\":20261027T090000\nDURATION:PT8H"),
        event(
            "4",
            "SUMMARY:night shift\nATTENDEE;CN=Ana:mailto:ana@example.org\nDTSTART;VALUE=DATE:20261028\nDTEND;VALUE=DATE:20261029",
        ),
        event("5", "SUMMARY:Bo Lind (primary)\nDTSTART;VALUE=DATE:20261030"),
        event("6", "SUMMARY:ana\nSTATUS:CANCELLED\nDTSTART:20261025T080000Z\nDTEND:20261025T200000Z"),
    ];
    let (shifts, troubles) = read(&events.concat(), NOW);
    assert_eq!(troubles, Vec::<String>::new());
    assert_eq!(
        shifts,
        [
            "ana 2026-10-25 08:00 2026-10-25 20:00",
            "bo 2026-10-26 08:00 2026-10-26 16:00",
            "bo 2026-10-27 13:00 2026-10-27 21:00",
            "ana 2026-10-27 23:00 2026-10-28 23:00",
            "bo 2026-10-29 23:00 2026-10-30 23:00",
        ]
    );
}

#[test]
fn repetitions_follow_the_wall_and_their_exceptions() {
    // From Sunday nine to the next Sunday nine, over the night in which Madrid puts its clocks back (25 October 2026).
    let weekly = "SUMMARY:ana\nDTSTART;TZID=Europe/Madrid:20261004T090000\nDTEND;TZID=Europe/Madrid:20261011T090000\n\
                  RRULE:FREQ=WEEKLY;INTERVAL=2;UNTIL=20261130\nEXDATE;TZID=Europe/Madrid:20261101T090000";
    let moved = "SUMMARY:bo\nRECURRENCE-ID;TZID=Europe/Madrid:20261115T090000\n\
                 DTSTART;TZID=Europe/Madrid:20261115T120000\nDTEND;TZID=Europe/Madrid:20261122T090000";
    let (shifts, troubles) = read(&[event("w", weekly), event("w", moved)].concat(), NOW);
    assert_eq!(troubles, Vec::<String>::new());
    assert_eq!(
        shifts,
        [
            "ana 2026-10-18 07:00 2026-10-25 08:00",
            "bo 2026-11-15 11:00 2026-11-22 08:00",
            "ana 2026-11-29 08:00 2026-12-06 08:00",
        ]
    );
}

#[test]
fn what_cannot_be_used_is_said_with_its_line() {
    let events = [
        event("nobody", "SUMMARY:zed\nDTSTART:20261025T080000Z\nDTEND:20261025T200000Z"),
        event("windows", "SUMMARY:ana\nDTSTART;TZID=W. Europe Standard Time:20261025T080000\nDURATION:PT1H"),
        event("fast", "SUMMARY:ana\nDTSTART:20261025T080000Z\nDURATION:PT1S\nRRULE:FREQ=SECONDLY"),
        event("rule", "SUMMARY:ana\nDTSTART:20261025T080000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;BYMONTH=99"),
        event("date", "SUMMARY:ana\nDTSTART:20261399T080000Z"),
    ];
    let (shifts, troubles) = read(&events.concat(), NOW);
    assert_eq!(shifts, Vec::<String>::new());
    assert_eq!(
        troubles,
        [
            "5: nobody is called `zed`",
            "12: `W. Europe Standard Time` is no time zone of the IANA database",
            "35: `20261399T080000Z` is no date of iCalendar",
            "19: `FREQ=SECONDLY` is no rule for shifts",
            "27: `FREQ=DAILY;BYMONTH=99` is no rule of iCalendar",
        ]
    );
}

#[test]
fn hostile_calendars_end_soon() {
    let deep = "BEGIN:VEVENT\r\n".repeat(50_000);
    assert!(read(&deep, NOW).1[0].contains("too deep"));
    let never =
        event("n", "SUMMARY:ana\nDTSTART:19700101T000000Z\nDURATION:PT1H\nRRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30");
    let _ = read(&never, NOW);
    let (shifts, _) = read(&event("d", "SUMMARY:ana\nDTSTART:19700101T000000Z\nDURATION:P1D\nRRULE:FREQ=DAILY"), NOW);
    assert_eq!(shifts.len(), 65);
    let overlong = event("o", "SUMMARY:ana\nDTSTART:20200101T000000Z\nDURATION:P10000000D");
    let _ = read(&overlong, NOW);
    for text in ["", "BEGIN:VCALENDAR", "\u{0}\u{1}", "END:VCALENDAR\n"] {
        let zone = TimeZone::UTC;
        let _ = super::shifts(text, &Reading { now: at(NOW), zone, zone_is_given: false, whom: &whom });
    }
}
