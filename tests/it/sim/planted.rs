//! Faults planted in the ports, one at a time: the simulator must find each, or it proves nothing (acceptance 4).

/// What a port does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A run is marked as started after it started.
    StartsBeforeItSaysSo,
    /// The inbox keeps no deduplication key.
    ForgetsTheKey,
    /// The outbox gives each attempt an operation of its own.
    ForgetsTheOperation,
    /// Runs that a former process left half done are leased again, like everything else.
    LeasesInterruptedRunsAgain,
    /// A delivery is acknowledged before it is on the disk.
    AcknowledgesBeforeTheDisk,
    /// Facts are stored, but not that their event was processed.
    ForgetsThatTheTurnWasTaken,
    /// What became of an effect, and the event it caused, are stored one after the other.
    SettlesInTwoSteps,
    /// Nobody looks at what a former process left half done.
    ForgetsWhatWasInterrupted,
    /// Files are not looked at before a run.
    TrustsOldFiles,
    /// Whoever could approve once can approve for ever.
    TrustsOldMembership,
    /// What was made and whose answer was lost is not found again.
    LooksAway,
    /// What may have had an effect is repeated without a look.
    RepeatsWithoutALook,
    /// The time to ask the next on call is not written down.
    ForgetsWhenToAskTheNext,
    /// One of the messages that become one is not in it.
    FoldForgetsARow,
    /// Messages that became one are said by themselves, too.
    FoldSaysTwice,
}

impl Fault {
    pub const ALL: [Self; 15] = [
        Self::StartsBeforeItSaysSo,
        Self::ForgetsTheKey,
        Self::ForgetsTheOperation,
        Self::LeasesInterruptedRunsAgain,
        Self::AcknowledgesBeforeTheDisk,
        Self::ForgetsThatTheTurnWasTaken,
        Self::SettlesInTwoSteps,
        Self::ForgetsWhatWasInterrupted,
        Self::TrustsOldFiles,
        Self::TrustsOldMembership,
        Self::LooksAway,
        Self::RepeatsWithoutALook,
        Self::ForgetsWhenToAskTheNext,
        Self::FoldForgetsARow,
        Self::FoldSaysTwice,
    ];
}

impl Fault {
    /// What the simulator must say when it finds it.
    pub const fn breaks(self) -> &'static [&'static str] {
        match self {
            Self::StartsBeforeItSaysSo => &["before that was stored", "started 2 times"],
            Self::ForgetsTheKey => &["I3", "was accepted 2 times"],
            Self::ForgetsTheOperation | Self::LooksAway | Self::RepeatsWithoutALook => &["I7"],
            Self::LeasesInterruptedRunsAgain => &["started 2 times"],
            Self::AcknowledgesBeforeTheDisk => &["was accepted 0 times", "I4"],
            Self::ForgetsThatTheTurnWasTaken => &["not at rest"],
            Self::SettlesInTwoSteps | Self::ForgetsWhatWasInterrupted => &["I8"],
            Self::ForgetsWhenToAskTheNext => &["was forgotten at step"],
            Self::FoldForgetsARow | Self::FoldSaysTwice => &["I11"],
            Self::TrustsOldFiles => &["I15"],
            Self::TrustsOldMembership => &["I16"],
        }
    }
}
