//! The fold, as far as it is about rooms: opened, changed by hand, left, archived. Total, like the rest of it.

use super::Incident;
use crate::flow::fact::{Room, RoomChange};
use crate::flow::identity::Platform;
use crate::flow::rooms;

impl Incident {
    /// A room where there was none, or in the place of one that is gone.
    pub(super) fn room_opened(&mut self, platform: Platform, room: &Room) {
        if self.rooms.contains_key(&platform) {
            return;
        }
        self.rooms.insert(platform, room.clone());
        self.lost_rooms.remove(&platform);
        self.upkeep.archived.remove(&platform);
        self.upkeep.named_by_hand.remove(&platform);
        let opened = self.upkeep.opened.entry(platform).or_default();
        *opened = opened.saturating_add(1);
    }

    pub(super) fn room_changed(&mut self, platform: Platform, room: &str, change: &RoomChange) {
        let ours = |name: &str| rooms::is_name(self, name);
        let by_hand = matches!(change, RoomChange::Renamed(name) if !ours(name));
        let Some(own) = self.rooms.get_mut(&platform).filter(|own| own.id == room) else { return };
        match change {
            RoomChange::Renamed(name) => {
                own.name.clone_from(name);
                if by_hand {
                    self.upkeep.named_by_hand.insert(platform);
                }
            }
            RoomChange::Archived => {
                self.lost_rooms.insert(platform, rooms::ARCHIVED_BY_HAND.to_owned());
            }
            RoomChange::Gone { why } => {
                self.rooms.remove(&platform);
                self.upkeep.archived.remove(&platform);
                self.lost_rooms.insert(platform, format!("the channel is gone: {why}"));
            }
            RoomChange::Unarchived => {
                self.lost_rooms.remove(&platform);
                self.upkeep.archived.remove(&platform);
            }
        }
    }

    pub(super) fn room_left(&mut self, platform: Platform, room: &str, anew: bool) {
        if self.rooms.get(&platform).is_some_and(|own| own.id == room) {
            self.rooms.remove(&platform);
            self.upkeep.archived.remove(&platform);
            if !anew {
                self.lost_rooms.insert(platform, "the channel was open to others".to_owned());
            }
        }
    }

    pub(super) fn rooms_archived(&mut self) {
        let there = self.rooms.keys().filter(|p| p.is_chat() && !self.lost_rooms.contains_key(p));
        self.upkeep.archived.extend(there);
        self.upkeep.put_away = true;
    }

    /// Whether anything can be said on this platform, now or as soon as its room is there.
    #[must_use]
    pub fn speaks_on(&self, platform: Platform) -> bool {
        let shut = self.upkeep.console_only
            || self.lost_rooms.contains_key(&platform)
            || self.upkeep.archived.contains(&platform);
        !platform.is_chat() || !shut
    }

    /// Whether a room is to be opened here that is not there.
    #[must_use]
    pub fn lacks_room(&self, platform: Platform) -> bool {
        let opened = self.upkeep.opened.get(&platform).copied().unwrap_or_default();
        let waived = platform.is_chat() && self.upkeep.console_only;
        !self.rooms.contains_key(&platform) && !waived && opened < rooms::MAX_ROOMS
    }
}
