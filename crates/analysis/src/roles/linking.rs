//! Which files belong together, by their names and lengths.
//!
//! Names propose, sound disposes: a pair found here is looked at by [`crate::pairs`], which tells the two
//! microphones of one performance from a part played twice. Files are compared within one source: equal
//! [`Guess::pair_key`] and role; all kick files count as one source, and so do all snare files.

use super::Role;
use super::name::{Guess, Mic, Side};
use serde::{Deserialize, Serialize};

/// How two files belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinkKind {
    /// Left and right of one recording.
    StereoPair,
    /// Two microphones on one source.
    MultiMic,
    /// The direct line and the amplifier of one instrument.
    DiAmp,
    /// The same part played again, to sound with the first.
    Double,
    /// Another take of the same part: only one of them is meant to sound.
    Take,
}

/// Two files that belong together, as indices into the list that was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Link {
    /// Left, in, top, direct, or the original.
    pub first: usize,
    /// Right, out, bottom, amplifier, or the double.
    pub second: usize,
    /// How they belong together.
    pub kind: LinkKind,
}

/// Files of one recording differ in length by rounding, not by more than this share.
const SAME_LENGTH: f64 = 0.01;

/// Links files by their guesses and `frames`, their lengths at one sample rate; in order of the files.
/// Files that are left out are not linked.
#[must_use]
pub fn link(guesses: &[Guess], frames: &[u64]) -> Vec<Link> {
    let mut links = Vec::new();
    for (i, a) in guesses.iter().enumerate() {
        for (j, b) in guesses.iter().enumerate().skip(i + 1) {
            let length = |k: usize| frames.get(k).copied().unwrap_or(0) as f64;
            let equal = (length(i) - length(j)).abs() <= SAME_LENGTH * length(i).max(length(j));
            let left_out = a.exclude.is_some() || b.exclude.is_some();
            if left_out || !equal || source(a) != source(b) {
                continue;
            }
            if let Some((kind, swap)) = relation(a, b) {
                let (first, second) = if swap { (j, i) } else { (i, j) };
                links.push(Link { first, second, kind });
            }
        }
    }
    links
}

fn source(guess: &Guess) -> (Role, &str) {
    match guess.role {
        Role::Kick | Role::Snare => (guess.role, ""),
        role => (role, guess.pair_key.as_str()),
    }
}

/// How two files of one source differ, and whether the second comes first.
fn relation(a: &Guess, b: &Guess) -> Option<(LinkKind, bool)> {
    let sides = (a.side, b.side);
    let opposite = matches!(
        sides,
        (Some(Side::Left), Some(Side::Right)) | (Some(Side::Right), Some(Side::Left))
    );
    let same_number = a.index == b.index && a.take == b.take;
    let same_mic = a.mic == b.mic;
    if opposite && same_mic && a.double == b.double && (same_number || a.role == Role::Overhead) {
        return Some((LinkKind::StereoPair, a.side == Some(Side::Right)));
    }
    if a.side != b.side {
        return None;
    }
    if a.double != b.double && same_mic {
        return Some((LinkKind::Double, a.double));
    }
    let drum = matches!(a.role, Role::Kick | Role::Snare);
    let mics_differ = !same_mic || a.mic == Some(Mic::Model) || (drum && a.pair_key != b.pair_key);
    if mics_differ && (a.index == b.index || drum) {
        let di = |g: &Guess| g.mic == Some(Mic::Di);
        if di(a) != di(b) && !drum {
            return Some((LinkKind::DiAmp, di(b)));
        }
        return Some((LinkKind::MultiMic, rank(b.mic) < rank(a.mic)));
    }
    let takes = same_mic && a.index == b.index && a.take.is_some() && a.take != b.take;
    takes.then_some((LinkKind::Take, b.take < a.take))
}

/// The order in which the microphones of a source are told: the near one first.
fn rank(mic: Option<Mic>) -> u8 {
    match mic {
        Some(Mic::In | Mic::Top | Mic::Di) => 0,
        None => 1,
        Some(Mic::Model) => 2,
        Some(Mic::Out | Mic::Bottom | Mic::Amp) => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::super::name::guess_all;
    use super::*;

    fn links(names: &[&str]) -> Vec<(usize, usize, LinkKind)> {
        let all: Vec<Vec<&str>> = names.iter().map(|n| n.split('/').collect()).collect();
        let frames = vec![48_000 * 60; names.len()];
        link(&guess_all(&all), &frames).iter().map(|l| (l.first, l.second, l.kind)).collect()
    }

    #[test]
    fn files_that_belong_together_are_linked() {
        use LinkKind::*;
        type Row = (&'static [&'static str], &'static [(usize, usize, LinkKind)]);
        let rows: &[Row] = &[
            (&["OH R", "OH L", "Kick"], &[(1, 0, StereoPair)]),
            (&["Piano.L", "Piano.R"], &[(0, 1, StereoPair)]),
            (&["OHL_01", "OHR_02"], &[(0, 1, StereoPair)]),
            (&["Kick Out", "Kick In"], &[(1, 0, MultiMic)]),
            (&["Kick In", "Subkick"], &[(0, 1, MultiMic)]),
            (&["Snare Bot", "Snare Top"], &[(1, 0, MultiMic)]),
            (&["Bass Amp", "Bass DI"], &[(1, 0, DiAmp)]),
            (&["Gtr 1 57", "Gtr 1 421", "Gtr 2 57"], &[(0, 1, MultiMic)]),
            (&["Lead Vox Dbl", "Lead Vox"], &[(1, 0, Double)]),
            (&["Lead Vox 1_02", "Lead Vox 1_01"], &[(1, 0, Take)]),
            (&["Gtr L", "Keys R"], &[]),
            (&["Gtr 1 L", "Gtr 2 R"], &[]),
            (&["Tom 1", "Tom 2"], &[]),
            (&["Guide Vox L", "Guide Vox R"], &[]),
        ];
        for (names, expected) in rows {
            assert_eq!(links(names), *expected, "{names:?}");
        }
    }

    #[test]
    fn files_of_different_length_are_no_pair() {
        let all = vec![vec!["Pad L"], vec!["Pad R"]];
        assert_eq!(link(&guess_all(&all), &[48_000, 96_000]), []);
        assert_eq!(link(&guess_all(&all), &[48_000, 48_001]).len(), 1);
    }
}
