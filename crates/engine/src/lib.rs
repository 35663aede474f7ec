//! The engine: compiles a session to a schedule and renders it, offline and live
#![forbid(unsafe_code)]
