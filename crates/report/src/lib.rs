//! The journal and the measurements as text, JSON and HTML
#![forbid(unsafe_code)]
