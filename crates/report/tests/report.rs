//! Promises of the page and the summary, on facts made up here.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use topdown_report::facts::{
    BandFact, Facts, GroupFact, LoudnessPoint, MoveFact, Places, PrintFact, TimePoint, TrackFact,
};
use topdown_report::{html, text};
use topdown_session::{Author, MoveState, Stage};

const HOSTILE: &str = "<img src=x onerror=alert(1)>";

fn a_move(id: &str, stage: Stage, state: MoveState, title: &str) -> MoveFact {
    MoveFact {
        id: id.to_owned(),
        stage,
        author: if stage == Stage::Person { Author::Person } else { Author::Topdown },
        state,
        on: true,
        amount_percent: 100.0,
        locked: stage == Stage::Person,
        stale: false,
        title: title.to_owned(),
        reason: format!("Because of {title}."),
        cost_change: (stage == Stage::Bus).then_some(-0.125),
        terms: vec![("tone".to_owned(), -0.15), ("economy".to_owned(), 0.025)],
        leverage: vec![("Lead Vocal".to_owned(), 0.8)],
    }
}

fn track(name: &str, left_out: Option<&str>) -> TrackFact {
    TrackFact {
        strip: "strip".to_owned(),
        name: name.to_owned(),
        role: "kick".to_owned(),
        confidence: 0.97,
        group: "Drums".to_owned(),
        loudness_lufs: left_out.is_none().then_some(-23.4),
        fader_db: -3.5,
        pan: -0.4,
        touched: left_out.is_none(),
        left_out: left_out.map(str::to_owned),
    }
}

fn facts() -> Facts {
    let costs =
        |tone: f64| BTreeMap::from([("tone".to_owned(), tone), ("total".to_owned(), tone + 0.1)]);
    Facts {
        song: "Blue".to_owned(),
        sample_rate_hz: 48_000,
        duration_s: 62.4,
        places: Places {
            print: "blue.wav".to_owned(),
            session: "blue.topdown".to_owned(),
            report: "blue.topdown/report.html".to_owned(),
        },
        tracks: vec![track("Kick", None), track("Room", Some("silent"))],
        groups: vec![GroupFact {
            name: "Drums".to_owned(),
            before_lu: Some(-2.0),
            after_lu: Some(-4.1),
            target_lu: Some(-4.0),
            tolerance_lu: 1.5,
        }],
        levels: "Levels found anew.".to_owned(),
        profile: "Target: rock (asked for).".to_owned(),
        moves: vec![
            a_move("prep-01", Stage::Prep, MoveState::Kept, "2 tracks into the group Drums"),
            a_move("levels-01", Stage::Levels, MoveState::Kept, "Drums 3.5 dB down"),
            a_move("bus-01", Stage::Bus, MoveState::Kept, "Broad tone of the whole mix"),
            a_move("bus-02", Stage::Bus, MoveState::Rejected, "Glue"),
            a_move("groups-01", Stage::Groups, MoveState::Kept, "Drums less around 400 Hz"),
            a_move("person-01", Stage::Person, MoveState::Kept, "Fader of Kick from -3.5 to -2 dB"),
        ],
        cost_before: costs(0.9),
        cost_after: costs(0.6),
        print: PrintFact {
            target: "pre-master".to_owned(),
            target_lufs: -18.0,
            integrated_lufs: -18.6,
            range_lu: Some(5.2),
            true_peak_dbtp: -1.0,
            ceiling_dbtp: -1.0,
            plr_lu: 17.6,
            psr_min_lu: Some(9.1),
            correlation: 0.62,
            mono_loss_db: 1.1,
            gain_db: 2.41,
            limiting_db: None,
            shortfall: Some("0.6 LU short of -18.0 LUFS".to_owned()),
        },
        spectrum: vec![
            BandFact { hz: 100.0, before_db: -8.0, after_db: -9.0, low_db: -12.0, high_db: -6.0 },
            BandFact {
                hz: 1_000.0,
                before_db: -10.0,
                after_db: -10.5,
                low_db: -14.0,
                high_db: -8.0,
            },
            BandFact {
                hz: 8_000.0,
                before_db: -22.0,
                after_db: -18.0,
                low_db: -21.0,
                high_db: -15.0,
            },
        ],
        loudness: (0..20)
            .map(|n| LoudnessPoint {
                time_s: 3.0 + f64::from(n),
                before_lufs: Some(-20.0),
                after_lufs: Some(-19.0 + 0.1 * f64::from(n)),
            })
            .collect(),
        bus_glue_db: Some(1.9),
        bus_gain_reduction: vec![
            TimePoint { time_s: 0.0, value: 0.0 },
            TimePoint { time_s: 1.0, value: 2.0 },
        ],
        sections: Vec::new(),
        warnings: vec!["Room left out: silent".to_owned()],
    }
}

#[test]
fn names_are_text_on_the_page_wherever_they_come_from() {
    let mut facts = facts();
    facts.song = HOSTILE.to_owned();
    facts.tracks[0].name = HOSTILE.to_owned();
    facts.tracks[0].group = HOSTILE.to_owned();
    facts.tracks[0].role = HOSTILE.to_owned();
    facts.tracks[1].left_out = Some(HOSTILE.to_owned());
    facts.groups[0].name = HOSTILE.to_owned();
    facts.levels = HOSTILE.to_owned();
    facts.profile = HOSTILE.to_owned();
    facts.warnings = vec![HOSTILE.to_owned()];
    facts.places.print = HOSTILE.to_owned();
    facts.print.shortfall = Some(HOSTILE.to_owned());
    facts.print.target = HOSTILE.to_owned();
    for fact in &mut facts.moves {
        fact.title = HOSTILE.to_owned();
        fact.reason = HOSTILE.to_owned();
        fact.terms[0].0 = HOSTILE.to_owned();
        fact.leverage[0].0 = HOSTILE.to_owned();
    }
    facts.sections = vec![topdown_report::facts::SectionFact {
        name: "\"><script>alert(1)</script>".to_owned(),
        from_s: 0.0,
        to_s: 9.0,
    }];
    let page = html::page(&facts);
    assert!(!page.contains("<img"));
    assert!(!page.contains("<script"));
    assert!(page.matches("&lt;img src=x onerror=alert(1)&gt;").count() > 15);
}

#[test]
fn the_page_shows_every_move() {
    let (facts, page) = (facts(), html::page(&facts()));
    for fact in &facts.moves {
        assert!(page.contains(&format!("<code>{}</code> {}", fact.id, fact.title)), "{}", fact.id);
        assert!(page.contains(&fact.reason), "{}", fact.id);
    }
    let kept = page.split("<details>").next().unwrap();
    assert!(!kept.contains("bus-02") && page.contains("1 moves tried and not kept"));
}

#[test]
fn the_page_asks_nothing_of_any_network() {
    let page = html::page(&facts()).replace("http://www.w3.org/2000/svg", "");
    for way in ["http:", "https:", "//", "src=", "href=", "url(", "@import", "<script", "<link"] {
        assert!(!page.contains(way), "{way}");
    }
    assert!(page.contains("default-src 'none'"));
}

#[test]
fn the_page_says_what_the_print_measures_and_what_it_fell_short_of() {
    let page = html::page(&facts());
    for words in
        ["-18.6", "-1.0", "17.6", "0.6 LU short", "Room left out: silent", "left out: silent"]
    {
        assert!(page.contains(words), "{words}");
    }
}

#[test]
fn the_summary_reads_well() {
    insta::assert_snapshot!(text::summary(&facts()));
}

#[test]
fn the_journal_marks_what_is_not_simply_in_force() {
    let mut facts = facts();
    facts.moves[2].on = false;
    facts.moves[4].amount_percent = 60.0;
    facts.moves[4].stale = true;
    insta::assert_snapshot!(text::journal(&facts.moves, true));
}
