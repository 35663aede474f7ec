//! Sessions out to and in from DAWs
#![forbid(unsafe_code)]
