//! A guess at what a track is, from its file name and folders.
//!
//! Names are messy but follow habits: a strip number in front, a take, side or microphone behind, the
//! song's title in all of them. The order of precision is: strip the number in front; set aside words that
//! most files of the session share (song, artist, date, tempo); split at separators, camel case and digits;
//! match the longest known word or phrase; take glued words apart (`snrtop`, `ldvoxdbl`); and only if
//! nothing was found, allow a typing mistake or a known beginning. Words name roles with a level of trust
//! (see `words`): *certain* instruments beat *places* of microphones, these beat *broad* families and
//! treatments, and *hints* count last; between equals the later word wins, since names end on what the
//! thing is (*guitar amp kick* is rare, *bass synth pad* a pad). If the file's name says nothing certain,
//! a folder whose every word is known may speak.

use super::words::{Level, Says, WORDS};
pub use super::words::{Mic, Side};
use super::{Exclude, Group, Role};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a name says about a track.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Guess {
    /// The most likely role; [`Role::Other`] if the name says nothing.
    pub role: Role,
    /// The role's group.
    pub group: Group,
    /// 0 (the name says nothing) to 1 (no doubt).
    pub confidence: f64,
    /// Left or right file of a pair, by name.
    pub side: Option<Side>,
    /// What is left of folder and name without strip number, side, microphone, double and index: files
    /// with equal keys belong to one source.
    pub pair_key: String,
    /// Which microphone or line of the source.
    pub mic: Option<Mic>,
    /// The first number behind the words: *Gtr 2*.
    pub index: Option<u32>,
    /// The second number behind the words: *Gtr 2_03*.
    pub take: Option<u32>,
    /// The name calls it a double.
    pub double: bool,
    /// The name speaks of a printed effect beside its source: *LeadVox Verb*.
    pub printed_effect: bool,
    /// Why this is no track of the song, if it is none.
    pub exclude: Option<Exclude>,
    /// The words that decided, for the explanation.
    pub matched: Vec<String>,
}

/// Trust in a name that names the instrument; what is left is mislabelled files.
const CONFIDENCE_CERTAIN: f64 = 0.97;
const CONFIDENCE_PLACE: f64 = 0.92;
const CONFIDENCE_BROAD: f64 = 0.85;
const CONFIDENCE_HINT: f64 = 0.45;
/// Factors for roads that are less sure.
const FROM_FOLDER: f64 = 0.85;
const FROM_TYPO: f64 = 0.75;
const FROM_BEGINNING: f64 = 0.6;
const WORDS_DISAGREE: f64 = 0.85;

/// A word that at least this share of the files have is about the song, not about the track.
const SHARED_BY: f64 = 0.7;
const SHARED_MIN_FILES: usize = 3;
/// Longest phrase looked up, in tokens.
const PHRASE_TOKENS: usize = 4;

/// Guesses one track. `components` are its folders below the session's folder, then the file stem (no
/// extension); `all` are the components of every track of the session, this one included, which tell what
/// the names have in common.
#[must_use]
pub fn guess(components: &[&str], all: &[Vec<&str>]) -> Guess {
    let mut guess = guess_alone(components, &shared_words(all));
    let lead_elsewhere = all.iter().any(|c| names_a_lead(c));
    settle_plain_vocal(&mut guess, lead_elsewhere);
    guess
}

/// Guesses all tracks of a session at once: `result[i]` belongs to `all[i]`.
#[must_use]
pub fn guess_all(all: &[Vec<&str>]) -> Vec<Guess> {
    let shared = shared_words(all);
    let lead_elsewhere = all.iter().any(|c| names_a_lead(c));
    all.iter()
        .map(|components| {
            let mut guess = guess_alone(components, &shared);
            settle_plain_vocal(&mut guess, lead_elsewhere);
            guess
        })
        .collect()
}

fn names_a_lead(components: &[&str]) -> bool {
    let guess = guess_alone(components, &BTreeMap::new());
    guess.role == Role::LeadVocal && guess.confidence > CONFIDENCE_HINT && guess.exclude.is_none()
}

/// A voice without any addition leads, unless another track is called the lead or it is a later number.
fn settle_plain_vocal(guess: &mut Guess, lead_elsewhere: bool) {
    if guess.role == Role::Vocal && !lead_elsewhere && guess.index.is_none_or(|i| i <= 1) {
        guess.role = Role::LeadVocal;
        guess.confidence *= WORDS_DISAGREE;
    }
}

/// Words of the stems that most files share, with 1 for shared.
fn shared_words(all: &[Vec<&str>]) -> BTreeMap<String, bool> {
    let mut count: BTreeMap<String, usize> = BTreeMap::new();
    for components in all {
        let mut words: Vec<String> = components
            .last()
            .map(|s| tokens(s))
            .unwrap_or_default()
            .into_iter()
            .map(|t| t.text)
            .collect();
        words.sort();
        words.dedup();
        for word in words {
            *count.entry(word).or_default() += 1;
        }
    }
    let enough = (SHARED_BY * all.len() as f64).max(SHARED_MIN_FILES as f64);
    count
        .into_iter()
        .filter(|(word, n)| *n as f64 >= enough && word.chars().any(char::is_alphabetic))
        .map(|(word, _)| (word, true))
        .collect()
}

#[derive(Clone, Debug, PartialEq)]
struct Token {
    text: String,
    /// No separator stands before it.
    glued: bool,
}

impl Token {
    fn number(&self) -> Option<u32> {
        self.text.parse().ok()
    }
}

/// Lower case without accents; other scripts stay as they are.
fn fold(c: char, out: &mut String) {
    let plain = match c {
        'ä' | 'Ä' | 'æ' | 'Æ' => "ae",
        'à'..='å' | 'À'..='Å' | 'ą' => "a",
        'ç' | 'Ç' | 'č' | 'ć' => "c",
        'è'..='ë' | 'È'..='Ë' | 'ę' | 'ě' => "e",
        'ì'..='ï' | 'Ì'..='Ï' => "i",
        'ñ' | 'Ñ' | 'ń' => "n",
        'ö' | 'Ö' | 'œ' => "oe",
        'ò'..='õ' | 'Ò'..='Õ' | 'ø' | 'Ø' => "o",
        'ü' | 'Ü' => "ue",
        'ù'..='û' | 'Ù'..='Û' | 'ů' => "u",
        'ß' => "ss",
        'ł' | 'Ł' => "l",
        'ś' | 'š' | 'Š' => "s",
        'ý' | 'ÿ' => "y",
        'ž' | 'ź' | 'ż' => "z",
        // A combining accent behind its letter.
        '\u{300}'..='\u{36f}' => "",
        _ => {
            out.extend(c.to_lowercase());
            return;
        }
    };
    out.push_str(plain);
}

/// Splits at separators, camel case and digits.
fn tokens(stem: &str) -> Vec<Token> {
    let chars: Vec<char> = stem.chars().collect();
    let mut out: Vec<Token> = Vec::new();
    let mut text = String::new();
    let mut glued = false;
    let flush = |text: &mut String, glued: bool, out: &mut Vec<Token>| {
        if !text.is_empty() {
            out.push(Token { text: std::mem::take(text), glued });
        }
    };
    for (i, &c) in chars.iter().enumerate() {
        if !c.is_alphanumeric() && !('\u{300}'..='\u{36f}').contains(&c) {
            flush(&mut text, glued, &mut out);
            glued = c == '-' && i > 0;
            continue;
        }
        let before = (i > 0).then(|| chars.get(i - 1)).flatten().copied().unwrap_or(' ');
        let after = chars.get(i + 1).copied().unwrap_or(' ');
        let digit_border = before.is_alphanumeric() && before.is_numeric() != c.is_numeric();
        let camel = before.is_lowercase() && c.is_uppercase();
        let acronym_ends = before.is_uppercase() && c.is_uppercase() && after.is_lowercase();
        // "BGVs", "OHs": a plural's s does not end an acronym.
        let plural = after == 's' && !chars.get(i + 2).is_some_and(|n| n.is_lowercase());
        if digit_border || camel || (acronym_ends && !plural) {
            flush(&mut text, glued, &mut out);
            glued = true;
        }
        fold(c, &mut text);
    }
    flush(&mut text, glued, &mut out);
    out
}

/// A token or phrase of a name with what it says.
struct Hit {
    text: String,
    says: Vec<Says>,
    /// Factor on the confidence, below 1 for typing mistakes and beginnings.
    trust: f64,
    shared: bool,
}

/// Drops the strip number in front and what is certainly a date, tempo or sample rate.
fn without_numbers_around(mut list: Vec<Token>) -> Vec<Token> {
    let words_follow = list.iter().skip(1).any(|t| t.number().is_none());
    if words_follow {
        // "808 Kick" and "2mix" begin with a word made of digits.
        let phrase = list.iter().take(2).map(|t| t.text.as_str()).collect::<String>();
        let is_word =
            list.first().is_some_and(|t| WORDS.contains_key(t.text.as_str()) && t.text.len() >= 3)
                || (list.get(1).is_some_and(|t| t.glued) && WORDS.contains_key(phrase.as_str()));
        while !is_word && list.first().is_some_and(|t| t.number().is_some()) {
            list.remove(0);
        }
    }
    let mut keep = vec![true; list.len()];
    for (i, token) in list.iter().enumerate() {
        let next = list.get(i + 1).map_or("", |t| t.text.as_str());
        let is_number = token.text.chars().all(|c| c.is_ascii_digit());
        let rate = matches!(next, "bpm" | "khz" | "hz" | "bit" | "k" | "kbps");
        let date = is_number && token.text.len() >= 6;
        if is_number && (rate || date) {
            keep[i] = false;
            if rate {
                keep[i + 1] = false;
            }
        }
        if token.text == "bpm" && list.get(i + 1).is_some_and(|t| t.number().is_some()) {
            keep[i] = false;
            keep[i + 1] = false;
        }
    }
    let mut keep = keep.into_iter();
    list.retain(|_| keep.next().unwrap_or(true));
    list
}

fn look_up(word: &str) -> Option<Vec<Says>> {
    WORDS.get(word).cloned()
}

/// The longest phrase that starts at `list[0]`, and how many tokens it takes.
fn longest_phrase(list: &[Token]) -> Option<(usize, Vec<Says>)> {
    (1..=PHRASE_TOKENS.min(list.len())).rev().find_map(|n| {
        let part = &list[..n];
        // "B3" and "808 bass" are words, "Vox B 3" and "1 Bass" are not.
        let broken = n > 1
            && (1..n).any(|i| {
                let behind = part[i].number().is_some();
                let before = part[i - 1].number().is_some() && part[i - 1].text.len() < 2;
                (behind || before) && !part[i].glued
            });
        if broken {
            return None;
        }
        let text: String = part.iter().map(|t| t.text.as_str()).collect();
        look_up(&text).map(|says| (n, says))
    })
}

/// Takes a glued word apart into known words, the fewest possible, covering all of it.
fn segments(word: &str) -> Option<Vec<String>> {
    const SHORT: [&str; 24] = [
        "oh", "hh", "bg", "bv", "ld", "lv", "di", "in", "rm", "fx", "sn", "bd", "sd", "kd", "ac",
        "el", "eg", "ag", "ft", "bs", "vx", "hi", "lo", "kb",
    ];
    let chars: Vec<char> = word.chars().collect();
    let len = chars.len();
    if len < 3 {
        return None;
    }
    // best[i]: fewest pieces that cover the first i letters.
    let mut best: Vec<Option<Vec<String>>> = vec![None; len + 1];
    best[0] = Some(Vec::new());
    for end in 1..=len {
        for start in 0..end {
            let Some(head) = best[start].clone() else { continue };
            let piece: String = chars[start..end].iter().collect();
            let size = end - start;
            let known = match size {
                1 => end == len && start >= 2 && (piece == "l" || piece == "r" || piece == "s"),
                2 => SHORT.contains(&piece.as_str()),
                _ => WORDS.contains_key(piece.as_str()),
            };
            if known && best[end].as_ref().is_none_or(|b| b.len() > head.len() + 1) {
                let mut pieces = head;
                pieces.push(piece);
                best[end] = Some(pieces);
            }
        }
    }
    best[len].clone().filter(|pieces| pieces.len() > 1)
}

/// Whether `a` and `b` differ by one letter inserted, left out, replaced or swapped with its neighbour.
fn one_mistake_apart(a: &[char], b: &[char]) -> bool {
    let same = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let (ra, rb) = (&a[same..], &b[same..]);
    match (ra.len(), rb.len()) {
        (x, y) if x == y => {
            x > 0
                && (ra[1..] == rb[1..]
                    || (x > 1 && ra[0] == rb[1] && ra[1] == rb[0] && ra[2..] == rb[2..]))
        }
        (x, y) if x == y + 1 => ra[1..] == *rb,
        (x, y) if x + 1 == y => *ra == rb[1..],
        _ => false,
    }
}

fn only_roles(says: &[Says]) -> bool {
    says.iter().any(|s| matches!(s, Says::Role(_, level) if *level > Level::Hint))
}

/// A known word one typing mistake away, or a known beginning.
fn nearly(word: &str) -> Option<(Vec<Says>, f64)> {
    let chars: Vec<char> = word.chars().collect();
    if chars.len() >= 5 {
        let near = WORDS.iter().find(|(known, says)| {
            let k: Vec<char> = known.chars().collect();
            k.len() >= 5
                && k.first() == chars.first()
                && only_roles(says)
                && one_mistake_apart(&k, &chars)
        });
        if let Some((_, says)) = near {
            return Some((says.clone(), FROM_TYPO));
        }
    }
    (4..chars.len()).rev().find_map(|n| {
        let beginning: String = chars[..n].iter().collect();
        look_up(&beginning).filter(|says| only_roles(says)).map(|says| (says, FROM_BEGINNING))
    })
}

/// All words of a stem with their meanings, in order. Unknown tokens come as hits that say nothing known.
fn read(list: &[Token], shared: &BTreeMap<String, bool>) -> Vec<Hit> {
    let mut hits = Vec::new();
    let mut at = 0;
    while at < list.len() {
        // A phrase does not cross from words of the song into words of the track.
        let is_shared = shared.contains_key(&list[at].text);
        let run =
            list[at..].iter().take_while(|t| shared.contains_key(&t.text) == is_shared).count();
        if let Some((n, says)) = longest_phrase(&list[at..at + run]) {
            let text =
                list[at..at + n].iter().map(|t| t.text.as_str()).collect::<Vec<_>>().join(" ");
            hits.push(Hit { text, says, trust: 1.0, shared: is_shared });
            at += n;
            continue;
        }
        let word = &list[at].text;
        if let Some(pieces) = segments(word) {
            for piece in pieces {
                let says = match piece.as_str() {
                    "l" => vec![Says::Side(Side::Left)],
                    "r" => vec![Says::Side(Side::Right)],
                    other => look_up(other).unwrap_or_else(|| vec![Says::Nothing]),
                };
                hits.push(Hit { text: piece, says, trust: 1.0, shared: is_shared });
            }
        } else {
            hits.push(Hit { text: word.clone(), says: Vec::new(), trust: 1.0, shared: is_shared });
        }
        at += 1;
    }
    let says_something = hits.iter().any(|h| only_roles(&h.says) || leaves(h).is_some());
    if !says_something {
        for hit in hits.iter_mut().filter(|h| h.says.is_empty() && !h.shared) {
            if let Some((says, trust)) = nearly(&hit.text) {
                hit.says = says;
                hit.trust = trust;
            }
        }
    }
    hits
}

fn leaves(hit: &Hit) -> Option<Exclude> {
    hit.says.iter().find_map(|s| match s {
        Says::Leave(reason) => Some(*reason),
        _ => None,
    })
}

/// The role that the words agree on best.
struct Verdict {
    role: Role,
    level: Level,
    confidence: f64,
    word: String,
}

fn verdict(hits: &[&Hit]) -> Option<Verdict> {
    let mut best: Option<Verdict> = None;
    let mut groups = Vec::new();
    for hit in hits {
        for says in &hit.says {
            let Says::Role(role, level) = *says else { continue };
            if level == Level::Certain {
                groups.push(role.group());
            }
            if best.as_ref().is_none_or(|b| level >= b.level) {
                let base = match level {
                    Level::Certain => CONFIDENCE_CERTAIN,
                    Level::Place => CONFIDENCE_PLACE,
                    Level::Broad => CONFIDENCE_BROAD,
                    Level::Hint => CONFIDENCE_HINT,
                };
                best = Some(Verdict {
                    role,
                    level,
                    confidence: base * hit.trust,
                    word: hit.text.clone(),
                });
            }
        }
    }
    groups.dedup();
    let mut best = best?;
    if groups.len() > 1 {
        best.confidence *= WORDS_DISAGREE;
    }
    refine(&mut best, hits);
    Some(best)
}

/// Lets the other words of the name make the role precise: *backing* + voice, *acoustic* + guitar.
fn refine(best: &mut Verdict, hits: &[&Hit]) {
    let says = |what: Says| hits.iter().any(|h| h.text != best.word && h.says.contains(&what));
    best.role = match best.role {
        Role::Vocal if says(Says::Backing) => Role::BackingVocal,
        Role::Vocal if says(Says::Lead) => Role::LeadVocal,
        Role::ElectricGuitar if best.level == Level::Certain && says(Says::Acoustic) => {
            Role::AcousticGuitar
        }
        Role::Strings | Role::Choir if says(Says::Synthetic) => Role::Pad,
        Role::Brass | Role::Woodwind if says(Says::Synthetic) => Role::Synth,
        role => role,
    };
}

/// Reads folders, nearest first: only a folder whose every word is known may speak.
fn folder_verdict(folders: &[&str]) -> Option<Verdict> {
    folders.iter().rev().find_map(|folder| {
        let hits = read(&without_numbers_around(tokens(folder)), &BTreeMap::new());
        let all_known = hits.iter().all(|h| {
            (!h.says.is_empty() && h.trust >= 1.0) || h.text.chars().all(|c| c.is_ascii_digit())
        });
        if !all_known {
            return None;
        }
        let refs: Vec<&Hit> = hits.iter().collect();
        verdict(&refs).filter(|v| v.level > Level::Hint)
    })
}

fn exclusion(hits: &[&Hit], role_level: Option<(Role, Level)>) -> Option<(Exclude, String)> {
    let named = hits.iter().filter_map(|h| leaves(h).map(|reason| (reason, h.text.clone())));
    let certain = role_level.filter(|(_, level)| *level > Level::Hint);
    for (reason, word) in named {
        let holds = match reason {
            Exclude::Count | Exclude::Talkback | Exclude::Guide => true,
            // The click of a beater is part of the kit.
            Exclude::Click => certain.is_none_or(|(role, _)| role.group() != Group::Drums),
            Exclude::FullMix => {
                certain.is_none()
                    || matches!(
                        word.replace(' ', "").as_str(),
                        "novox"
                            | "novocal"
                            | "novocals"
                            | "voxup"
                            | "vocalup"
                            | "backingtrack"
                            | "vocaldown"
                            | "voxdown"
                    )
            }
        };
        if holds {
            return Some((reason, word));
        }
    }
    let scratch = hits.iter().find(|h| h.says.contains(&Says::Scratch))?;
    let played =
        certain.is_some_and(|(role, _)| matches!(role.group(), Group::Vocals | Group::Guitars));
    played.then(|| (Exclude::Guide, scratch.text.clone()))
}

fn guess_alone(components: &[&str], shared: &BTreeMap<String, bool>) -> Guess {
    let (stem, folders) = components.split_last().map_or(("", &[][..]), |(s, f)| (*s, f));
    let list = without_numbers_around(tokens(stem));
    let hits = read(&list, shared);
    let own: Vec<&Hit> = hits.iter().filter(|h| !h.shared).collect();
    let all: Vec<&Hit> = hits.iter().collect();
    let mut found = verdict(&own);
    if found.as_ref().is_none_or(|v| v.level == Level::Hint) {
        // Words that all files share may still be the instrument: a folder of guitars.
        found = verdict(&all).filter(|v| v.level > Level::Hint).or(found);
    }
    let own_level = found.as_ref().map(|v| (v.role, v.level));
    let own_role_only = verdict(&own).map(|v| (v.role, v.level));
    let exclude = exclusion(&own, own_role_only);
    if own_level.is_none_or(|(_, level)| level == Level::Hint) && exclude.is_none() {
        found = from_folders(folders, &own).or(found);
    }
    describe(folders, &hits, found.as_ref(), exclude)
}

/// A folder's word for a file that says nothing itself; a hint of the file that fits the folder stays.
fn from_folders(folders: &[&str], own: &[&Hit]) -> Option<Verdict> {
    let mut folder = folder_verdict(folders)?;
    folder.confidence *= FROM_FOLDER;
    let hint = own.iter().rev().find_map(|h| {
        h.says.iter().find_map(|s| match s {
            Says::Role(role, _) if role.group() == folder.role.group() => {
                Some((*role, h.text.clone()))
            }
            _ => None,
        })
    });
    if let Some((role, word)) = hint {
        folder.role = role;
        folder.word = word;
    } else {
        let refs: Vec<&Hit> = own.to_vec();
        refine(&mut folder, &refs);
    }
    Some(folder)
}

/// Side, microphone, numbers and key: what tells files of one source apart.
fn describe(
    folders: &[&str],
    hits: &[Hit],
    found: Option<&Verdict>,
    exclude: Option<(Exclude, String)>,
) -> Guess {
    let word = found.map(|v| v.word.clone());
    let mut guess = Guess {
        role: found.map_or(Role::Other, |v| v.role),
        group: Group::Other,
        confidence: found.map_or(0.0, |v| v.confidence),
        side: None,
        pair_key: String::new(),
        mic: None,
        index: None,
        take: None,
        double: false,
        printed_effect: false,
        exclude: exclude.as_ref().map(|(reason, _)| *reason),
        matched: word.iter().cloned().chain(exclude.map(|(_, w)| w)).collect(),
    };
    let nothing_own = hits.iter().all(|h| h.shared || h.text.chars().all(char::is_numeric));
    let (mut key, mut numbers, mut sides): (Vec<&str>, Vec<u32>, Vec<Side>) = Default::default();
    for (i, hit) in hits.iter().enumerate() {
        let is_role = word.as_deref() == Some(hit.text.as_str());
        let mic_model = hit.says.contains(&Says::Mic(Mic::Model)) && hit.text.len() > 1;
        let is_number = !(is_role || mic_model && i > 0);
        if let (Ok(n), true) = (hit.text.parse::<u32>(), is_number) {
            numbers.push(n);
            continue;
        }
        let mut tells_apart = false;
        for says in &hit.says {
            match *says {
                Says::Side(side) if i > 0 && !is_role => {
                    sides.push(side);
                    tells_apart = true;
                }
                Says::Mic(mic) if i > 0 && mic_fits(mic, guess.role) => {
                    guess.mic = Some(mic);
                    tells_apart = true;
                }
                Says::Index(n) => {
                    numbers.push(n);
                    tells_apart = true;
                }
                Says::Double => {
                    guess.double = true;
                    tells_apart = true;
                }
                Says::Effect => guess.printed_effect |= guess.role != Role::Fx && !is_role,
                _ => {}
            }
        }
        if is_role || !(tells_apart || (hit.shared && !nothing_own)) {
            key.push(&hit.text);
        }
    }
    // Both sides named means one stereo file.
    guess.side = sides.first().copied().filter(|s| sides.iter().all(|t| t == s));
    guess.index = numbers.first().copied();
    guess.take = numbers.get(1).copied();
    let folder = folders.last().map(|f| format!("{}/", f.to_lowercase())).unwrap_or_default();
    guess.pair_key = folder + &key.join(" ");
    guess.group = guess.role.group();
    guess
}

/// *In* and *out* are microphones of a kick, *top* and *bottom* of drums or a rotary cabinet.
fn mic_fits(mic: Mic, role: Role) -> bool {
    match mic {
        Mic::In | Mic::Out => matches!(role, Role::Kick | Role::Other),
        Mic::Top | Mic::Bottom => {
            matches!(role.group(), Group::Drums | Group::Percussion) && role != Role::Loop
                || role == Role::Organ
        }
        Mic::Di | Mic::Amp => !matches!(role.group(), Group::Drums | Group::Vocals),
        Mic::Model => true,
    }
}

#[cfg(test)]
#[path = "name_table.rs"]
mod table;
