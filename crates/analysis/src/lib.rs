//! What can be heard: loudness, peaks, spectrum, dynamics, stereo, roles, sections
#![forbid(unsafe_code)]
