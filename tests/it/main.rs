//! The one test binary: stories in the user's words, contracts, the process, and the rules of the house.

mod demo_memory;
