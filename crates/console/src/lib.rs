//! The local server behind the web console
#![forbid(unsafe_code)]
