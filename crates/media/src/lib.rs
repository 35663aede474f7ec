//! Audio files in and out: decode, encode, resample, hash, cache
#![forbid(unsafe_code)]
