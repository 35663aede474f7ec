//! Seeded signals, independent meters, the null test and the allocation guard, for tests only.
//!
//! Nothing here is shared with the code it judges: the meters are slow, plain and written from the formulas.
#![forbid(unsafe_code)]
