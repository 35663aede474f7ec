//! The mix engineer: proposes moves, tries them through the bus, keeps what helps
#![forbid(unsafe_code)]
