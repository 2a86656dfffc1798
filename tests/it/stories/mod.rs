//! Journeys from one end to the other, as a person sees them.

mod issues;
mod main_job;
mod paging;
mod slack;
