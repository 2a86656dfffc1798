//! Somebody with the database file changes the journal: every edit, deletion, insertion and swap is found.

use super::disk::story;
use super::facts::ana;
use super::site::{Site, on_both};
use smokejumper::edges::store::audit::Verified;
use smokejumper::flow::fact::Fact;
use smokejumper::flow::incident::IncidentId;
use smokejumper::ports::Views as _;

on_both!(an_untouched_journal_is_whole_with_its_erasures, every_change_is_found, another_key_or_anchor_is_found,);

async fn verify(site: &Site) -> Verified {
    let reader = site.read().await.unwrap();
    let verified = reader.verify_chain().await.unwrap();
    reader.close().await;
    verified
}

async fn an_untouched_journal_is_whole_with_its_erasures(site: Site) {
    story(&site).await;
    let verified = verify(&site).await;
    assert!(matches!(verified, Verified::Whole { entries: 12, redacted: 1, .. }), "{verified:?}");
    let reader = site.read().await.unwrap();
    assert_eq!(reader.entries(&ana(), IncidentId(1)).await.unwrap()[2].fact, Fact::Redacted { n: 3 });
}

const KEEP: &str =
    "CREATE SCHEMA kept; CREATE TABLE kept.journal AS TABLE journal; CREATE TABLE kept.head AS TABLE head";
const PUT_BACK: &str = "DELETE FROM journal; INSERT INTO journal SELECT * FROM kept.journal; DELETE FROM head; \
                        INSERT INTO head SELECT * FROM kept.head; DROP TABLE IF EXISTS o";

async fn every_change_is_found(site: Site) {
    let mut changes = Vec::new();
    for seq in 1..=12 {
        for column in ["incident", "n", "v", "at"] {
            changes.push(format!("UPDATE journal SET {column} = {column} + 100 WHERE seq = {seq}"));
        }
        for column in ["kind", "actor", "commitment", "chain"] {
            changes.push(format!("UPDATE journal SET {column} = {column} || ' ' WHERE seq = {seq}"));
        }
        changes.push(format!("DELETE FROM journal WHERE seq = {seq}"));
        // Entry 3 of incident 1 (seq 5) has no payload any more.
        if seq != 5 {
            changes.push(format!("UPDATE journal SET body = body || ' ' WHERE seq = {seq}"));
            changes.push(format!("UPDATE journal SET salt = salt || '0' WHERE seq = {seq}"));
            changes.push(format!("UPDATE journal SET body = NULL, salt = NULL WHERE seq = {seq}"));
        }
    }
    for (a, b) in [(1, 2), (3, 4), (7, 12), (2, 11)] {
        changes.push(format!(
            "UPDATE journal SET seq = 99 WHERE seq = {a}; UPDATE journal SET seq = {a} WHERE seq = {b}; \
             UPDATE journal SET seq = {b} WHERE seq = 99"
        ));
        // Payload, salt and commitment together: consistent in itself, but not what was chained.
        changes.push(format!(
            "CREATE TABLE o AS SELECT * FROM journal; UPDATE journal SET (body, salt, commitment) = \
             (SELECT body, salt, commitment FROM o WHERE o.seq = {b}) WHERE seq = {a}"
        ));
    }
    changes.push("UPDATE journal SET body = '{\"text\":\"never said\"}', salt = '00' WHERE seq = 5".to_owned());
    // The end cut off, and the head set to fit.
    changes.push(
        "DELETE FROM journal WHERE seq = 12; UPDATE head SET seq = 11, \
         chain = (SELECT chain FROM journal WHERE seq = 11)"
            .to_owned(),
    );
    changes.push("DELETE FROM journal; UPDATE head SET seq = 0, chain = ''".to_owned());
    changes.push("UPDATE head SET chain = 'f'".to_owned());
    changes.push(
        "INSERT INTO journal SELECT 13, incident, 7, kind, v, at, actor, body, salt, commitment, chain, epoch \
         FROM journal WHERE seq = 12"
            .to_owned(),
    );
    story(&site).await;
    if !site.is_sqlite() {
        site.meddle(KEEP).await;
    }
    for change in &changes {
        // Files are copied in no time; Postgres puts its tables back.
        let copy = if site.is_sqlite() { Some(site.copy().await) } else { None };
        let victim = copy.as_ref().unwrap_or(&site);
        assert!(victim.meddle(change).await > 0, "{change} changed nothing");
        assert!(matches!(verify(victim).await, Verified::Tampered { .. }), "not found: {change}");
        if copy.is_none() {
            site.meddle(PUT_BACK).await;
        }
    }
    assert!(matches!(verify(&site).await, Verified::Whole { .. }));
    println!("{} changes, all found", changes.len());
}

async fn another_key_or_anchor_is_found(site: Site) {
    story(&site).await;
    let anchor = site.path().join("journal.anchor");
    let text = std::fs::read_to_string(&anchor).unwrap();
    std::fs::write(&anchor, text.replace("\"seq\":12", "\"seq\":11")).unwrap();
    assert!(matches!(verify(&site).await, Verified::Tampered { seq: 0, .. }));
    std::fs::write(&anchor, text).unwrap();
    assert!(matches!(verify(&site).await, Verified::Whole { .. }));
    std::fs::remove_file(&anchor).unwrap();
    std::fs::write(site.path().join("journal.key"), "ab".repeat(32)).unwrap();
    assert!(matches!(verify(&site).await, Verified::Tampered { seq: 1, .. }));
}
