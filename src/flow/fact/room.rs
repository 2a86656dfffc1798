//! Rooms as facts tell of them. Knows no platform's rules.

use serde::{Deserialize, Serialize};

/// Where an incident is talked about on a platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Room {
    /// The platform's id of it.
    pub id: String,
    /// As it was really named there.
    pub name: String,
    pub link: Option<String>,
    /// Only who is invited can see it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub private: bool,
}

/// What became of a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoomChange {
    /// It is called this now.
    Renamed(String),
    /// Nothing more can be said there, until it is unarchived.
    Archived,
    Unarchived,
    /// It was deleted, or nobody lets us in any more.
    Gone {
        why: String,
    },
}
