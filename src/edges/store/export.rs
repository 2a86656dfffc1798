//! Export: every incident with its facts, alerts and outbox rows, one JSON object a line, one incident in memory at a time.
//!
//! Private incidents are left out, and what others tell of them.

use super::dialect::explain;
use super::journal::small;
use super::pen::parse;
use super::reader::{Reader, alert, column};
use crate::flow::desk::AlertState;
use crate::flow::effect::Effect;
use crate::flow::fact::Entry;
use crate::flow::incident::{Incident, IncidentId};
use crate::flow::moment::At;
use crate::flow::privacy::veil_effect;
use crate::ports::StoreError;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncWrite, AsyncWriteExt as _};

/// Everything about one incident. Runs and follow-ups are in `incident`, their history in `entries`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Exported {
    pub incident: Incident,
    pub entries: Vec<Entry>,
    pub alerts: Vec<AlertState>,
    pub outbox: Vec<ExportedEffect>,
}

/// An effect and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExportedEffect {
    pub op: String,
    pub effect: Effect,
    pub state: String,
    pub attempts: u32,
    pub queued_at: At,
    pub settled_at: Option<At>,
    /// The platform's id of what was made.
    pub remote: Option<String>,
    pub error: Option<String>,
}

impl Reader {
    /// The next incident after `after` that may leave the house; start with `IncidentId(0)`.
    pub async fn exported(&self, after: IncidentId) -> Result<Option<Exported>, StoreError> {
        let mut after = i64::from(after.0);
        loop {
            let sql = "SELECT incident FROM snapshots WHERE incident > $1 AND private = 0 ORDER BY incident LIMIT 1";
            let row = sqlx::query(sql).bind(after).fetch_optional(self.pool()).await.map_err(|e| explain(&e))?;
            let Some(row) = row else { return Ok(None) };
            after = column(&row, 0)?;
            let id = IncidentId(small(after));
            // Read again: the row may be older than the journal.
            if let Some(incident) = self.load(id).await?.filter(|incident| !incident.private) {
                let (alerts, mut outbox) = (self.alerts_of(id).await?, self.outbox_of(id).await?);
                let (incident, entries) = (self.veiled(incident).await?, self.veiled_entries(id).await?);
                let hidden = self.hidden_from(id).await?;
                for row in &mut outbox {
                    veil_effect(&mut row.effect, &hidden);
                }
                return Ok(Some(Exported { incident, entries, alerts, outbox }));
            }
        }
    }

    /// Writes all incidents as JSON lines; gives their number.
    pub async fn export(&self, out: &mut (dyn AsyncWrite + Unpin + Send)) -> Result<u64, StoreError> {
        let failed = |e: std::io::Error| StoreError::Unavailable(format!("the export cannot be written: {e}"));
        let (mut after, mut number) = (IncidentId(0), 0);
        while let Some(exported) = self.exported(after).await? {
            after = exported.incident.id;
            let mut line = super::pen::json(&exported)?;
            line.push('\n');
            out.write_all(line.as_bytes()).await.map_err(failed)?;
            number += 1;
        }
        out.flush().await.map_err(failed)?;
        Ok(number)
    }

    async fn alerts_of(&self, id: IncidentId) -> Result<Vec<AlertState>, StoreError> {
        let sql = "SELECT body FROM alerts WHERE incident = $1 ORDER BY source, fingerprint";
        let query = sqlx::query(sql).bind(i64::from(id.0));
        query.fetch_all(self.pool()).await.map_err(|e| explain(&e))?.iter().map(alert).collect()
    }

    async fn outbox_of(&self, id: IncidentId) -> Result<Vec<ExportedEffect>, StoreError> {
        let sql = "SELECT op, effect, state, attempts, queued_at, settled_at, remote, error FROM outbox \
                   WHERE incident = $1 ORDER BY id";
        let rows = sqlx::query(sql).bind(i64::from(id.0)).fetch_all(self.pool()).await.map_err(|e| explain(&e))?;
        let mut effects = Vec::with_capacity(rows.len());
        for row in &rows {
            effects.push(ExportedEffect {
                op: column(row, 0)?,
                effect: parse("effect", &column::<String>(row, 1)?)?,
                state: column(row, 2)?,
                attempts: small(column(row, 3)?),
                queued_at: At(column(row, 4)?),
                settled_at: column::<Option<i64>>(row, 5)?.map(At),
                remote: column(row, 6)?,
                error: column(row, 7)?,
            });
        }
        Ok(effects)
    }
}
