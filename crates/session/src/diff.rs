//! What turns one session into another, as edits; and edits in words.

use crate::edit::{Edit, Facts, ParamPath};
use crate::model::{ProcessorNode, Send, Session, Strip, StripId, Value};
use crate::spec;
use std::collections::{BTreeMap, BTreeSet};
use topdown_dsp::{Kind, ParamKind, ParamSpec, Unit};

/// The edits that turn `a` into `b` when applied in order: strips are matched by id, processors by id
/// within their chain.
///
/// Compared is what moves explain: files, strips, clips, chains, values, sends, facts, markers. Name, rate,
/// settings, prints, moves, and solo, lock and stale of strips that both have, are not. Both sessions are
/// taken as documents hold them ([`Strip::canonical`]).
#[must_use]
pub fn diff(a: &Session, b: &Session) -> Vec<Edit> {
    let mut edits = Vec::new();
    diff_files(a, b, &mut edits);
    diff_strips(a, b, &mut edits);
    if a.markers != b.markers {
        edits.push(Edit::SetMarkers { old: a.markers.clone(), new: b.markers.clone() });
    }
    edits
}

fn diff_files(a: &Session, b: &Session, edits: &mut Vec<Edit>) {
    let ids: BTreeSet<_> = a.files.keys().chain(b.files.keys()).collect();
    for id in ids {
        let (old, new) = (a.files.get(id).cloned(), b.files.get(id).cloned());
        if old != new {
            edits.push(Edit::SetFile { file: id.clone(), old, new });
        }
    }
}

/// Strips that stay in place are changed where they stand; all others leave and come in anew.
fn diff_strips(a: &Session, b: &Session, edits: &mut Vec<Edit>) {
    let same = |x: &Strip, y: &Strip| x.id == y.id && x.kind == y.kind && x.channels == y.channels;
    let staying = in_place(&a.strips, &b.strips, same);
    for (index, strip) in a.strips.iter().enumerate().rev() {
        if !staying.contains_key(&index) {
            edits.push(Edit::RemoveStrip { index, strip: strip.clone() });
        }
    }
    let old_of: BTreeMap<usize, usize> = staying.into_iter().map(|(old, new)| (new, old)).collect();
    for (index, strip) in b.strips.iter().enumerate() {
        match old_of.get(&index).and_then(|old| a.strips.get(*old)) {
            Some(old) => diff_strip(old, strip, edits),
            None => {
                edits.push(Edit::InsertStrip { index, strip: strip.clone().canonical() });
            }
        }
    }
}

/// Pairs of places (in `a`, in `b`) of the longest run of items that stand in the same order in both.
fn in_place<T>(a: &[T], b: &[T], same: impl Fn(&T, &T) -> bool) -> BTreeMap<usize, usize> {
    let pairs: Vec<(usize, usize)> = a
        .iter()
        .enumerate()
        .filter_map(|(i, x)| b.iter().position(|y| same(x, y)).map(|j| (i, j)))
        .collect();
    // Longest ascending chain of places in b; sessions are small enough for the plain way.
    let mut best: Vec<(usize, Option<usize>)> = Vec::with_capacity(pairs.len());
    for (k, &(_, j)) in pairs.iter().enumerate() {
        let before = (0..k).filter(|&m| pairs[m].1 < j).max_by_key(|&m| (best[m].0, k - m));
        best.push((before.map_or(1, |m| best[m].0 + 1), before));
    }
    let mut next = (0..best.len()).max_by_key(|&k| (best[k].0, best.len() - k));
    let mut kept = BTreeMap::new();
    while let Some(k) = next {
        kept.insert(pairs[k].0, pairs[k].1);
        next = best[k].1;
    }
    kept
}

fn diff_strip(a: &Strip, b: &Strip, edits: &mut Vec<Edit>) {
    let strip = || a.id.clone();
    if Facts::of(a) != Facts::of(b) {
        edits.push(Edit::SetFacts { strip: strip(), old: Facts::of(a), new: Facts::of(b) });
    }
    for (at, old, new) in [
        (ParamPath::Fader(strip()), &a.fader_db, &b.fader_db),
        (ParamPath::Pan(strip()), &a.pan, &b.pan),
        (ParamPath::Width(strip()), &a.width, &b.width),
    ] {
        push_set(at, Some(old), Some(new), edits);
    }
    if a.clips != b.clips {
        let (old, new) = (a.clips.clone(), b.clips.clone());
        edits.push(Edit::SetClips { strip: strip(), old, new });
    }
    diff_sends(a, b, edits);
    diff_chain(a, b, edits);
}

fn push_set(at: ParamPath, old: Option<&Value>, new: Option<&Value>, edits: &mut Vec<Edit>) {
    if old != new {
        edits.push(Edit::Set { at, old: old.cloned(), new: new.cloned() });
    }
}

fn diff_sends(a: &Strip, b: &Strip, edits: &mut Vec<Edit>) {
    let routes = |sends: &[Send]| -> Vec<_> {
        sends.iter().map(|send| (send.to.clone(), send.tap)).collect()
    };
    let twice = routes(&a.sends).iter().map(|(to, _)| to).collect::<BTreeSet<_>>().len();
    if routes(&a.sends) != routes(&b.sends) || twice != a.sends.len() {
        if a.sends != b.sends {
            let (old, new) = (a.sends.clone(), b.sends.clone());
            edits.push(Edit::SetSends { strip: a.id.clone(), old, new });
        }
        return;
    }
    for (old, new) in a.sends.iter().zip(&b.sends) {
        let at = ParamPath::Send(a.id.clone(), old.to.clone());
        push_set(at, Some(&old.level_db), Some(&new.level_db), edits);
    }
}

fn diff_chain(a: &Strip, b: &Strip, edits: &mut Vec<Edit>) {
    let canonical = |strip: &Strip| -> Vec<ProcessorNode> {
        strip.chain.iter().cloned().map(ProcessorNode::canonical).collect()
    };
    let (old_chain, new_chain) = (canonical(a), canonical(b));
    let same = |x: &ProcessorNode, y: &ProcessorNode| {
        x.id == y.id && x.kind == y.kind && x.unknown == y.unknown
    };
    let staying = in_place(&old_chain, &new_chain, same);
    for (index, node) in old_chain.iter().enumerate().rev() {
        if !staying.contains_key(&index) {
            let (strip, processor) = (a.id.clone(), node.clone());
            edits.push(Edit::RemoveProcessor { strip, index, processor });
        }
    }
    let old_of: BTreeMap<usize, usize> = staying.into_iter().map(|(old, new)| (new, old)).collect();
    for (index, node) in new_chain.iter().enumerate() {
        match old_of.get(&index).and_then(|old| old_chain.get(*old)) {
            Some(old) => diff_processor(&a.id, old, node, edits),
            None => {
                let (strip, processor) = (a.id.clone(), node.clone());
                edits.push(Edit::InsertProcessor { strip, index, processor });
            }
        }
    }
}

fn diff_processor(strip: &StripId, a: &ProcessorNode, b: &ProcessorNode, edits: &mut Vec<Edit>) {
    if (a.bypass, &a.key) != (b.bypass, &b.key) {
        let side = |node: &ProcessorNode| (node.bypass, node.key.clone());
        let (strip, processor, old, new) = (strip.clone(), a.id.clone(), side(a), side(b));
        edits.push(Edit::SetProcessor { strip, processor, old, new });
    }
    let params: BTreeSet<&String> = a.values.keys().chain(b.values.keys()).collect();
    for param in params {
        let at = ParamPath::Processor(strip.clone(), a.id.clone(), param.clone());
        push_set(at, a.values.get(param), b.values.get(param), edits);
    }
}

/// An edit in words, for titles and reports: `Fader of Drums from -3.0 to -1.5 dB`. `session` is one in
/// which what the edit names can be found, before it or after it.
#[must_use]
pub fn describe(edit: &Edit, session: &Session) -> String {
    let name =
        |id: &StripId| session.strip(id).map_or_else(|| id.to_string(), |strip| strip.name.clone());
    match edit {
        Edit::Set { at, old, new } => describe_set(at, (old.as_ref(), new.as_ref()), session),
        Edit::InsertProcessor { strip, processor, .. } => {
            format!("{} on {}", label(processor), name(strip))
        }
        Edit::RemoveProcessor { strip, processor, .. } => {
            format!("{} taken off {}", label(processor), name(strip))
        }
        Edit::SetProcessor { strip, processor, old, new } => {
            let what = match (old.0, new.0, &new.1) {
                (false, true, _) => "bypassed".to_owned(),
                (true, false, _) => "no longer bypassed".to_owned(),
                (_, _, Some(key)) => format!("keyed by {}", name(key)),
                (_, _, None) => "no longer keyed".to_owned(),
            };
            format!("{processor} of {} {what}", name(strip))
        }
        Edit::InsertStrip { strip, .. } => format!("{} added", strip.name),
        Edit::RemoveStrip { strip, .. } => format!("{} removed", strip.name),
        Edit::SetFacts { strip, old, new } => describe_facts(&name(strip), old, new, &name),
        Edit::SetSends { strip, old, new } => {
            let to = |sends: &[Send]| -> BTreeSet<StripId> {
                sends.iter().map(|send| send.to.clone()).collect()
            };
            let (old, new) = (to(old), to(new));
            let list = |ids: &mut dyn Iterator<Item = &StripId>| {
                ids.map(&name).collect::<Vec<_>>().join(", ")
            };
            let (added, gone) = (list(&mut new.difference(&old)), list(&mut old.difference(&new)));
            match (added.as_str(), gone.as_str()) {
                ("", "") => format!("Sends of {} changed", name(strip)),
                (added, "") => format!("Send from {} to {added}", name(strip)),
                ("", gone) => format!("No more send from {} to {gone}", name(strip)),
                (added, gone) => format!("Send from {} to {added} instead of {gone}", name(strip)),
            }
        }
        Edit::SetClips { strip, old, new } if old.len() == new.len() => {
            format!("Clips of {} changed", name(strip))
        }
        Edit::SetClips { strip, old, new } => {
            format!("Clips of {}: {} instead of {}", name(strip), new.len(), old.len())
        }
        Edit::SetFile { new: Some(file), old: None, .. } => format!("File {} added", file.path),
        Edit::SetFile { new: Some(file), .. } => format!("File {} replaced", file.path),
        Edit::SetFile { file, old, new: None } => {
            let path = old.as_ref().map_or(file.as_str(), |old| &old.path);
            format!("File {path} removed")
        }
        Edit::SetMarkers { .. } => "Markers changed".to_owned(),
    }
}

fn label(node: &ProcessorNode) -> String {
    Kind::by_id(&node.kind).map_or_else(|| node.kind.clone(), |kind| kind.label.to_owned())
}

fn describe_set(
    at: &ParamPath,
    sides: (Option<&Value>, Option<&Value>),
    session: &Session,
) -> String {
    let name = |id: &StripId| session.strip(id).map_or(id.as_str(), |strip| &strip.name).to_owned();
    let (what, spec) = match at {
        ParamPath::Fader(strip) => (format!("Fader of {}", name(strip)), Some(&spec::FADER)),
        ParamPath::Pan(strip) => (format!("Pan of {}", name(strip)), Some(&spec::PAN)),
        ParamPath::Width(strip) => (format!("Width of {}", name(strip)), Some(&spec::WIDTH)),
        ParamPath::Send(strip, to) => {
            let what = format!("Send from {} to {}", name(strip), name(to));
            (what, Some(&spec::SEND_LEVEL))
        }
        ParamPath::Processor(strip, id, param) => {
            let spec = session.spec(at);
            let label = spec.map_or(param.as_str(), |spec| spec.label);
            (format!("{label} of {id} on {}", name(strip)), spec)
        }
    };
    let Some(spec) = spec else { return format!("{what} changed") };
    let default = Value::Constant(spec.default);
    let (old, new) = (sides.0.unwrap_or(&default), sides.1.unwrap_or(&default));
    let unit = unit_text(spec.unit);
    match (old, new) {
        (Value::Constant(old), Value::Constant(new)) => {
            format!("{what} from {} to {}{unit}", plain(spec, *old), plain(spec, *new))
        }
        (_, Value::Automation(points)) => format!("{what} rides on {} points", points.len()),
        (_, Value::Constant(new)) => format!("{what} at {}{unit} throughout", plain(spec, *new)),
    }
}

fn plain(spec: &ParamSpec, value: f64) -> String {
    match spec.kind {
        ParamKind::Number { .. } => format!("{value:?}"),
        ParamKind::Choice(names) => {
            names.get(value as usize).map_or_else(|| value.to_string(), |name| (*name).to_owned())
        }
        ParamKind::Switch => if value == 0.0 { "off" } else { "on" }.to_owned(),
    }
}

const fn unit_text(unit: Unit) -> &'static str {
    match unit {
        Unit::Db => " dB",
        Unit::Hz => " Hz",
        Unit::Ms => " ms",
        Unit::Seconds => " s",
        Unit::Percent => " %",
        Unit::Ratio => ":1",
        Unit::Lufs => " LUFS",
        Unit::Frames => " frames",
        Unit::None => "",
    }
}

fn describe_facts(
    strip: &str,
    old: &Facts,
    new: &Facts,
    name: &dyn Fn(&StripId) -> String,
) -> String {
    let mut parts = Vec::new();
    if old.name != new.name {
        parts.push(format!("{} renamed {}", old.name, new.name));
    }
    if old.role != new.role {
        parts.push(format!(
            "Role of {strip} from {} to {}",
            or_none(&old.role),
            or_none(&new.role)
        ));
    } else if old.role_confidence != new.role_confidence {
        parts.push(format!("Role of {strip} confirmed at {:?}", new.role_confidence));
    }
    if old.output != new.output {
        let to = new.output.as_ref().map_or_else(|| "nothing".to_owned(), name);
        parts.push(format!("{strip} routed to {to}"));
    }
    if old.mute != new.mute {
        parts.push(format!("{strip} {}", if new.mute { "muted" } else { "no longer muted" }));
    }
    match (&old.excluded, &new.excluded) {
        (old, new) if old == new => {}
        (_, Some(why)) => parts.push(format!("{strip} left out: {why}")),
        (_, None) => parts.push(format!("{strip} back in")),
    }
    parts.join("; ")
}

fn or_none(role: &str) -> &str {
    if role.is_empty() { "none" } else { role }
}
