use super::*;

#[path = "planted.rs"]
mod planted;

const ROLES: [&str; 5] = ["lead vocal", "drum kit", "bass", "piano", "electric guitar"];

fn ids(planes: &[Vec<f32>], role: &str) -> Vec<String> {
    let slices: Vec<&[f32]> = planes.iter().map(Vec::as_slice).collect();
    find(&slices, SampleRate::CD, Role::from_id(role).unwrap())
        .iter()
        .map(|f| serde_json::to_value(f.kind).unwrap().as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn planted_faults_are_found_and_clean_tracks_have_none() {
    let mut wrong = Vec::new();
    for (i, role) in ROLES.iter().enumerate() {
        let track = planted::clean(role, 10 + i as u64);
        let invented = ids(std::slice::from_ref(&track), role);
        if !invented.is_empty() {
            wrong.push(format!("clean {role}: {invented:?}"));
        }
        for kind in planted::plantable(role) {
            let found = ids(&planted::plant(kind, &track, 1), role);
            if !found.iter().any(|f| f == kind) {
                wrong.push(format!("{kind} in {role} not found, but {found:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_kind_is_planted_somewhere() {
    let planted: Vec<&str> = ROLES.iter().flat_map(|r| planted::plantable(r)).collect();
    for kind in FaultKind::ALL {
        let id = serde_json::to_value(kind).unwrap();
        assert!(planted.contains(&id.as_str().unwrap()), "{id}");
    }
}

#[test]
fn clicks_are_found_where_they_are() {
    let mut track = planted::clean("bass", 3);
    track[(5.0 * planted::RATE) as usize] += 0.4;
    let faults = find(&[&track], SampleRate::CD, Role::Bass);
    let click = faults.iter().find(|f| f.kind == FaultKind::Clicks).unwrap();
    assert_eq!(click.amount, 1.0);
    assert!((click.spans[0].start_s - 5.0).abs() < 0.001, "{:?}", click.spans);
}

#[test]
fn broken_short_and_silent_sound_is_no_panic() {
    for role in [Role::Other, Role::LeadVocal, Role::Kick] {
        assert_eq!(find(&[], SampleRate::CD, role), []);
        assert_eq!(find(&[&[]], SampleRate::CD, role), []);
        assert_eq!(find(&[&[0.0; 100_000]], SampleRate::CD, role), []);
        let _ = find(&[&[f32::NAN; 50_000], &[f32::INFINITY; 50_000]], SampleRate::CD, role);
        let _ = find(&[&[0.1, -0.1, f32::MAX]], SampleRate::new(8_000).unwrap(), role);
    }
}
