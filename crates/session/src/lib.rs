//! The session document: strips, chains, clips, moves, history and the file format
#![forbid(unsafe_code)]
