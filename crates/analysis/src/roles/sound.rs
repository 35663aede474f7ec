//! A guess at what a track is, from its sound, and what name and sound say together.
//!
//! Each role's evidence is a sum of curves, one for each feature (see [`super::features`]): linear in the
//! feature's standardised value and in its hinges at -1, 0 and 1 deviations, clipped at 3. Softmax at a
//! temperature makes probabilities of it. The table `sound_table.txt` holds the curves; `tools/train_roles`
//! makes it from synthesised sounds, its figures are in `docs/hearing.md`.
//!
//! Name and sound are fused as P(name) P(sound)^0.5: people label better than this listens. What the name does
//! not say is spread evenly, what the sound does not tell apart (lead and backing, overhead and room)
//! is shared out by how common the roles are. Too little certainty stays [`Role::Other`].

use super::name::Guess;
use super::{Group, Role, features};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::LazyLock;
use topdown_dsp::math;
use topdown_units::SampleRate;

const HINGES: [f64; 3] = [-1.0, 0.0, 1.0];
const LIMIT: f64 = 3.0;
/// Sound counts as this power beside the name.
const SOUND_POWER: f64 = 0.5;
/// Least probability of a group before a track is sorted into it by sound alone.
const GROUP_CERTAIN: f64 = 0.4;
/// No evidence is certain: the least probability of any role.
const LEAST: f64 = 1e-4;

/// What a track is, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Heard {
    /// The most likely role; [`Role::Other`] if nothing is likely enough.
    pub role: Role,
    /// Probability of the role's group, 0 to 1, calibrated on held-out sounds.
    pub confidence: f64,
    /// The likeliest roles with their probabilities, at most three, falling.
    pub candidates: Vec<(Role, f64)>,
}

struct Table {
    temperature: f64,
    scale: Vec<(f64, f64)>,
    roles: Vec<(Role, f64, Vec<[f64; 4]>)>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| parse(include_str!("sound_table.txt")));

/// Reads the table; what cannot be read is left out, so that a damaged table gives no roles.
fn parse(text: &str) -> Table {
    let mut table = Table { temperature: 1.0, scale: Vec::new(), roles: Vec::new() };
    let number = |word: Option<&str>| word.and_then(|w| w.parse::<f64>().ok()).unwrap_or(0.0);
    for line in text.lines().filter(|l| !l.starts_with('#')) {
        let mut words = line.split_whitespace();
        match words.next() {
            Some("temperature") => table.temperature = number(words.next()).max(0.1),
            Some("feature") => {
                let mean = number(words.nth(1));
                table.scale.push((mean, number(words.next()).max(1e-6)));
            }
            Some("role") => {
                let id = words.next().unwrap_or_default().replace('_', " ");
                if let Some(role) = Role::from_id(&id) {
                    table.roles.push((role, number(words.next()), Vec::new()));
                }
            }
            Some(_) => {
                let mut row = line.split_whitespace();
                if let Some((_, _, weights)) = table.roles.last_mut() {
                    weights.push(std::array::from_fn(|_| number(row.next())));
                }
            }
            None => {}
        }
    }
    table
}

/// Probability of each role that can be told by sound, from the sound's features.
#[must_use]
pub fn probabilities(features: &[f64]) -> BTreeMap<Role, f64> {
    let table = &*TABLE;
    let curves: Vec<[f64; 4]> = features
        .iter()
        .zip(&table.scale)
        .map(|(x, (mean, deviation))| {
            let z = ((x - mean) / deviation).clamp(-LIMIT, LIMIT);
            let [a, b, c] = HINGES.map(|h| (z - h).max(0.0));
            [z, a, b, c]
        })
        .collect();
    let score = |bias: f64, weights: &[[f64; 4]]| {
        let terms = weights.iter().zip(&curves).flat_map(|(w, c)| w.iter().zip(c));
        (bias + terms.map(|(w, c)| w * c).sum::<f64>()) / table.temperature
    };
    let scores: Vec<(Role, f64)> =
        table.roles.iter().map(|(role, bias, weights)| (*role, score(*bias, weights))).collect();
    let highest = scores.iter().map(|s| s.1).fold(f64::NEG_INFINITY, f64::max);
    let raised: Vec<(Role, f64)> =
        scores.iter().map(|(role, s)| (*role, math::exp(s - highest))).collect();
    let total: f64 = raised.iter().map(|r| r.1).sum();
    raised.into_iter().map(|(role, p)| (role, p / total)).collect()
}

/// The role of the table that sounds like this one.
fn sounds_like(role: Role) -> Option<Role> {
    match role {
        Role::LeadVocal | Role::BackingVocal => Some(Role::Vocal),
        Role::Overhead | Role::Room | Role::Loop => Some(Role::DrumKit),
        Role::SubBass => Some(Role::Bass),
        Role::ElectricPiano => Some(Role::Keys),
        Role::Harp | Role::Orchestral => Some(Role::Strings),
        Role::Other => None,
        same => Some(same),
    }
}

/// What a sound is, without its name. `None` if there is too little to hear.
#[must_use]
pub fn hear(planes: &[&[f32]], rate: SampleRate) -> Option<Heard> {
    features::features(planes, rate).map(|f| settle(&probabilities(&f)))
}

/// What name and sound say together. `features` as from [`features::features`], if there is sound.
#[must_use]
pub fn fuse(name: &Guess, features: Option<&[f64]>) -> Heard {
    let said = name.role != Role::Other;
    let Some(features) = features else {
        let candidates = if said { vec![(name.role, name.confidence)] } else { Vec::new() };
        return Heard { role: name.role, confidence: name.confidence, candidates };
    };
    let sound = probabilities(features);
    if !said {
        return settle(&sound);
    }
    let by_sound = |role: Role| {
        sounds_like(role).and_then(|r| sound.get(&r)).copied().unwrap_or(0.0).max(LEAST)
    };
    // The name's role keeps its own id (lead, overhead); every other is told as the sound tells it.
    let others = sound.keys().filter(|&&r| Some(r) != sounds_like(name.role)).count().max(1) as f64;
    let mut fused: BTreeMap<Role, f64> = BTreeMap::new();
    fused.insert(name.role, name.confidence * by_sound(name.role).sqrt());
    for (&role, _) in sound.iter().filter(|(r, _)| Some(**r) != sounds_like(name.role)) {
        let left = (1.0 - name.confidence) / others;
        fused.insert(role, left * math::pow(by_sound(role), SOUND_POWER));
    }
    let total: f64 = fused.values().sum::<f64>().max(f64::MIN_POSITIVE);
    settle(&fused.into_iter().map(|(role, p)| (role, p / total)).collect())
}

/// Groups that are mixed alike count together when certainty is judged.
fn family(group: Group) -> Group {
    match group {
        Group::Percussion => Group::Drums,
        Group::Synths => Group::Keys,
        same => same,
    }
}

fn settle(probability: &BTreeMap<Role, f64>) -> Heard {
    let mut ranked: Vec<(Role, f64)> = probability.iter().map(|(r, p)| (*r, *p)).collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let mut groups: BTreeMap<Group, f64> = BTreeMap::new();
    for (role, p) in &ranked {
        *groups.entry(family(role.group())).or_default() += p;
    }
    // The likeliest group first, then the likeliest role in it: three kinds of drum outvote one bass.
    let best_group = groups
        .iter()
        .max_by(|a, b| a.1.total_cmp(b.1))
        .map_or((Group::Other, 0.0), |g| (*g.0, *g.1));
    let role =
        ranked.iter().find(|(r, _)| family(r.group()) == best_group.0).map_or(Role::Other, |r| r.0);
    let role = if best_group.1 >= GROUP_CERTAIN { role } else { Role::Other };
    ranked.truncate(3);
    Heard { role, confidence: best_group.1, candidates: ranked }
}

#[cfg(test)]
mod tests {
    use super::super::name::guess;
    use super::*;

    fn tone(hz: f64) -> Vec<f32> {
        (0..88_200)
            .map(|i| (0.3 * math::sin(math::TAU * hz * f64::from(i) / 44_100.0)) as f32)
            .collect()
    }

    #[test]
    fn the_table_fits_the_features() {
        assert_eq!(TABLE.scale.len(), features::names().len());
        assert!(TABLE.roles.len() >= 18);
        for (role, _, weights) in &TABLE.roles {
            assert_eq!(weights.len(), TABLE.scale.len(), "{}", role.id());
        }
        for &role in Role::ALL.iter().filter(|r| **r != Role::Other) {
            let like = sounds_like(role).unwrap();
            assert!(TABLE.roles.iter().any(|r| r.0 == like), "{}", role.id());
        }
    }

    #[test]
    fn probabilities_add_up_whatever_the_features_are() {
        for value in [0.0, -1e9, 1e9, 3.0] {
            let sum: f64 = probabilities(&vec![value; features::names().len()]).values().sum();
            assert!((sum - 1.0).abs() < 1e-9, "{sum}");
        }
    }

    #[test]
    fn a_clear_name_beats_the_sound_and_a_hint_does_not() {
        let name = |text: &str| {
            let all = vec![vec![text]];
            guess(&all[0], &all)
        };
        let low = features::features(&[&tone(55.0)], SampleRate::CD).unwrap();
        assert_eq!(fuse(&name("Overhead L"), Some(&low)).role, Role::Overhead);
        let sound = fuse(&name("xyzzy"), Some(&low));
        assert!(sound.candidates.iter().any(|c| c.0 == Role::Bass), "{sound:?}");
        assert_eq!(fuse(&name("Kick"), None).role, Role::Kick);
        assert_eq!(fuse(&name("xyzzy"), None).role, Role::Other);
    }

    #[test]
    fn a_damaged_table_gives_no_roles() {
        let table = parse("role nonsense x\n1 2 3\nfeature\n");
        assert!(table.roles.is_empty());
    }
}
