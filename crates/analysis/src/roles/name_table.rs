//! Several hundred names as people write them, and what they must be read as.

use super::*;

/// Role id, then names separated by `|`; each is read alone, `/` parts folders from the stem.
const ROWS: &[(&str, &str)] = &[
    (
        "kick",
        "01_Kick|Kick In|kick_out|KickSub|KIK 01|BD|Kick.In.D112|BassDrum|Bass Drum|bass_drum_02|KD 03-01|Kick Sample|\
        KickTrig_01|Sub Kick|Subkick Trig|Kick Click|02 Kick Beater|Kick 91|kick_b52|Kick+Sub|Grosse Trommel|Bombo|\
        grosse caisse|808 Kick|KICK IN.05|Audio 3_Kick-01|kickin|kickout_dup1|12-Kick_Layer|Kick (Bounced)|003 Kik Out_03|\
        KickRoom|Kick_Verb|Cassa 1|Drums/Kick|Bumbo|Kick808 120bpm|2021-03-14 Kick|kick 909|キック",
    ),
    (
        "snare",
        "02_Snare|Snare Top|snare_bottom|SnrTop|snr bot|SN Top 57|SD 01|SnareUp_441|Snare Btm-02|Snare Under|Snare_2|\
        sntop|snrbot|Snare Sample|Snare Rim|Rimshot|Side Stick|SideStick_03|Snare Verb|Snare Plate|Snare Room|04 Sn Tp|Caja|\
        Rullante|Caisse Claire|Snare Body|SNARE_CRUSH|Kleine Trommel|Snare 57.dup1|Xstick|Snare Roll|Snare Clap Layer 1 Snare|\
        Snare Top Gated|Tarola|01-Snare Dbl|Werbel",
    ),
    (
        "clap",
        "Clap|Claps 2|Handclaps|HandClap_L|Snaps|Finger Snaps|Clap Stack|Palmas|StompClap|CLP 1|Snap-01|Clap Verb",
    ),
    (
        "hi-hat",
        "HiHat|Hi-Hat|hi hat|HH|HH_01|Hat Closed|open hat|OpenHats|HiHat 451|Hats|ClosedHat_02|Hihat_KM84|HH Top|\
        05.HiHat_03|Charley|charles|HH Open|hat loop hats|HIHAT|Hi_Hats_R|OHH",
    ),
    (
        "cymbals",
        "Ride|Crash L|Crash_2|Cymbals|CymL|China|Splash 01|Ride Bell Ride|Becken|Platos|Cymbale|Piatti|Rides|Cyms|\
        Crash-Ride|Crash 1 (low)|Ride_KM184",
    ),
    (
        "overhead",
        "OH|OH L|OHL|OHR|oh_r|Overheads|Overhead L|OverHead_R|OHs|OVH|Drum OH|OH Spaced L|Overheads XY|OVHD_1|\
        11_Overheads|DrumsOH|OH-L_01|Kit OH|OH Coles",
    ),
    (
        "room",
        "Room|Room L|RoomMics|Drum Room|DrumRoom_R|Rm Far|Room Mono|Rooms Stereo|Crotch|Knee Mic|Drum Amb|Raum|Room Crush|\
        roomL|Drums Room Close|Far Room|13_Room|Mono Room|rms 2",
    ),
    (
        "tom",
        "Tom 1|Toms|Floor Tom|FloorTom_02|Rack Tom|Rack|Floor|Tom1|tom_hi|TomLow|tomTwo|Tom Mid 421|FT|Rack 2|HiTom|Lo Tom|\
        Floor Tom Bottom|Tom Floor|tom_l_01|Toms St|Tom 3 Trig|Standtom|Tom1 Top",
    ),
    (
        "drum kit",
        "Drums|Drum Kit|DrumKit|Drum Bus|DRUMS STEM|Drm|Schlagzeug|Batería|Batterie|Drum Mix|Drum Submix|\
        kit|Perkusja|Drums_Bounce|Full Kit|DrumSet|07_Drums_L|Drums Stereo|Trummor|Bateria|Acoustic Drums|Drum Comp|E-Drums|барабаны",
    ),
    (
        "loop",
        "Drum Loop|DrumLoop1|Loop|Beat|Breakbeat|Loop 120 BPM|Tops|Top Loop|Beat_01|Groove 2|Drum Loop 2 L|Drum Machine|Loops",
    ),
    (
        "percussion",
        "Perc|Percussion|Perc 1|Tamb|Tambourine|Tambo_02|Shaker|Shkr|Congas|Conga Hi|Bongos|Cabasa|Clave|Guiro|Cowbell|\
        Djembe|Cajon|Timbales|Timpani|Triangle|Maracas|Wood Block|WoodBlock|Tabla|Perc Loop|Udu|Wind Chimes|Gong|PercL|\
        Pandereta|Percusión|Schellenkranz|Rassel|Sleigh Bells|Egg Shaker|Castanets|Perc_Shaker_R|14_Tambourine|Surdo|Pauken|Taiko Ens Taiko",
    ),
    (
        "bass",
        "Bass|BassDI|Bass DI|bass_amp|Bass Amp RE20|02_BassDI|bassdi|BassAmp|Bass Gtr|BassGuitar|Bass Guitar DI|Synth Bass|\
        SynthBass|Bass Synth|BS|Bs DI|Upright Bass|Upright|Double Bass|Moog Bass|Moog|Reese|Slap Bass|E-Bass|Bajo|Basse|Basso|\
        Baixo|Bass 2|Bass Line|Bassline_03|Bass Mic|Bass Cab|bass fuzz|Bass Dist|Bass_L|Fretless|303|Bass_SansAmp|BASS-01_07|бас|String Bass|5-Bass (Comp)|\
        Bass Dbl|bass drop bass|Bass Verse|Acid Bass",
    ),
    ("sub bass", "Sub|Sub Bass|SubBass|808|808 Bass|808s|Sub_01|SUB BASS L"),
    (
        "electric guitar",
        "Gtr|GTR 1|Gtrs|Guitar|Elec Gtr|ElecGtr1a|04_ElecGtr1a|EGtr|E Gtr L|Electric Guitar|EGT 2|Lead Guitar|LeadGtr|\
        Gtr Solo|Solo Gtr|Guitar Solo|Gtr Lead 57|Rhythm Gtr L|RhythmGtr_R|Gtr Amp 121|Gtr DI|Gtr_Clean|Clean Guitar|Dist Gtr R|\
        DistGtr1_01|Guitarra|Gitarre Links|Guitare 2|Chitarra|E-Gitarre|Slide Guitar|Pedal Steel|Lap Steel|Gtr Dbl|Guitars|Gtr1L|gtrr|Tele|Strat Clean|\
        Baritone Gtr|Wah Gtr|GTR-Crunch-DBL-L|guitar_chorus|Gtr Room|Gtr_1_SM57|Gtr 1 421|Rhy Gtr|Power Chords|Gtr Harm|gitara|Guitar Chugs|Rhythm L|Solo|\
        Riff|Guitar Verb|elecgtr|GuitarLoop|Gtr Riff 2|吉他",
    ),
    (
        "acoustic guitar",
        "Acoustic|Acoustic Gtr|AcGtr|AC GTR L|ac_gtr_2|Aco Gtr|AcousGtr|Acoustic Guitar|AGtr|A Gtr|Nylon|Nylon Gtr|Gtr 12 String|\
        12-String Gtr|Banjo|Mando|Mandolin|Ukulele|Uke|Gtr Acoustic|Guitar (Acoustic)|Akustikgitarre|Guitarra Acústica|Guitare Acoustique|\
        Chitarra acustica|Violão|Ac Strum|Acoustic Gtr DI|Steel String|Dobro|Bouzouki|Lute|AcousticGuitar_DBL_R|acgtr|Spanish Guitar|Classical Guitar|Acc Gtr Acoustic",
    ),
    (
        "piano",
        "Piano|Pno|Piano L|Grand Piano|Upright Piano|PianoR_02|Klavier|Piano Room|09.Piano|Pianos|Felt Piano|Pno Hi|Piano Low|Flügel|\
        Piano Verb|Tack Piano|пианино пиано|Piano_MIDI",
    ),
    (
        "electric piano",
        "Rhodes|E-Piano|EPiano|Wurli|Wurlitzer|Wurly L|Electric Piano|Elec Piano|Rhodes Amp|EP 1|Fender Rhodes|Wurl DI|e piano",
    ),
    (
        "organ",
        "Organ|B3|Hammond|Hammond B3|Organ Hi|Organ Leslie Top|Leslie Lo|Farfisa|Orgel|Org|Organ_L|C3|Orgue|Church Organ|B-3",
    ),
    (
        "keys",
        "Keys|Keys 1|Keyboard|Kybd|Clav|Clavinet|Celesta|Harpsichord|Accordion|Vibes|Vibraphone|Marimba|Glock|Glockenspiel|Xylophone|\
        Mellotron|Teclado|Tastiera|Claviers|Keys_DX|Music Box|Kalimba|Keyz|Melodica|Akkordeon|Nord",
    ),
    (
        "synth",
        "Synth|Syn|Synth 2|Synth Lead|Lead Synth|LeadSynth|Arp|Arpeggio|Pluck|Synth Pluck|Stab|Stabs|Juno|Minilogue|Synth Brass|\
        Saw Lead Synth|Supersaw|Chords|Sequence|Seq 1|Sine|DX7|Synth Arp|Synth_FX Synth|Melody|Sintetizador|Poly Synth|Bleeps|Moog Lead Synth|JP8|MS20",
    ),
    (
        "pad",
        "Pad|Pads|Synth Pad|PadSynth|String Pad|Choir Pad|Warm Pad L|Vox Pad|Synth Strings|Drone|Nappe|Pad_02",
    ),
    (
        "strings",
        "Strings|Violin|Violin 1|Vln1|Vlns|Viola|Vla|Cello|Celli|Vc|String Quartet|Fiddle|Contrabass|Kontrabass|Strings Hi|Strgs|Geige|\
        Streicher|Cuerdas|Violon|Archi|Bratsche|Pizz|Pizz Strings|Strings Low|Strings_Spot_L|Violoncello|Str Ens Strings",
    ),
    ("harp", "Harp|Harp L|Harfe|Arpa"),
    ("orchestral", "Orchestra|Orch|Orchestra Hit|Orch Hit|Tutti|Orchester"),
    (
        "brass",
        "Brass|Horns|Horn|Trumpet|Tpt 1|Trumpets|Trombone|Tbn|Bass Trombone|Tuba|French Horn|FrHorn|Flugelhorn|Flugel|Horn Section|Trompete|Posaune|\
        Trompeta|Cuivres|Ottoni|Trp|Bone|Bläser|Brass Stab|Cornet|Euphonium",
    ),
    (
        "woodwind",
        "Sax|Alto Sax|Tenor Sax|Bari Sax|Tenor|Saxes|Saxophone|Flute|Flt|Clarinet|Bass Clarinet|Oboe|Bassoon|Woodwinds|Harmonica|Recorder|Flöte|\
        Querflöte|Flauta|Fagott|Soprano Sax L|English Horn|Harmonica Amp|Tin Whistle|Sax Solo|Klarinette",
    ),
    (
        "lead vocal",
        "Lead Vox|LeadVox|09_LeadVox|Lead Vocal|LdVox|LD VOX|LV|LVox|Vox|Vocal|Vocals|Main Vox|Main Vocal|VOX LEAD|Vox Dbl|Lead Vox Dbl|LeadVoxDT|\
        Lead Vocal Double L|Vox Comp|Lead Vocal Verse|Voz|Voix|Stimme|Gesang|Voce|Zang|Singer|Rap|Vox 1|Lead|ldvoxdbl|Vocal_Lead_01|Voz Principal|Vox (Tuned)|\
        Vox Verse|Lead Vox U87|вокал|ボーカル|Lead Vox Delay|Lead Vocal - Main|Vox L|Voice|Leadgesang|VoxMain",
    ),
    ("vocal", "Vox 2|Vocal 3|Voice 4_02|Vox5"),
    (
        "backing vocal",
        "BV|BVs|BGV|BGVs|BG Vox|BGVox|BackingVox1|10_BackingVox1|Backing Vocals|Backing Vox L|Back Vox|Harm Vox|Vox Harm|Vocal Harmony|Harmony Vox|\
        HarmVoc 2|Gang Vox|Gang Vocals|Adlibs|Ad Libs|Ad-lib|BV 1 L|bgv_high_R|BG 2|Background Vocals|Backup Vox|Vox Ooh|Oohs|Ahs|Coros|Coro Voz|Choeurs|\
        BGVOX ECHO|BGVs Dbl|Vox Backing 3|BV_Low|La La|BVox|Vox Stack 1|Vocal Throw|Group Vox|Harmony|Hintergrundgesang",
    ),
    ("choir", "Choir|Choir L|Chor|Gospel Choir|Choir Room|Childrens Choir"),
    (
        "fx",
        "FX|SFX|Riser|Uplifter|Impact|Sweep|Noise|White Noise|Reverb|Verb Return|Delay|Plate|FX Return|Reverse Cymbal|Downlifter|Whoosh|Texture|Atmos|\
        Foley|Vinyl Crackle|Swell|H3000|Echo|Hall|Spring Reverb|Efectos|Effekte|Ambience|Transition FX|Scratch|FX_01 (bounce)|Build|Rise",
    ),
    (
        "other",
        "Audio 1|Track 12|01|Untitled|Take 3|New Recording 7|xyzzy|Inst|Bob|0012_03|Marseille|ZOOM0007|Recording_2019-03-02|Popular|Hatred|Basement|Subway",
    ),
];

/// Reason, then names that are no tracks of the song.
const LEFT_OUT: &[(&str, &str)] = &[
    (
        "full mix",
        "Mix|Full Mix|Rough Mix|Song_Mix_01|Master|MASTER 24bit|Mixdown|Print|Ref|Reference|2mix|2-Mix|Bounce|Stereo Out|My Song Bounce 2|\
        Final Mix v3|RoughMix_0312|Main Out|TV Mix|Instrumental Mix|No Vox|Vocal Up|Backing Track|Mix Bus|Song (Mastered)|00_Mix_Ref|Stereo Mix|Karaoke",
    ),
    (
        "click",
        "Click|Click Track|ClickTrack|Metronome|00 Click|Klick|Metro|Claqueta|click_120bpm|01-Click_01|Clic",
    ),
    (
        "guide",
        "Guide|Guide Vox|GuideVocal|Scratch Vox|Scratch Gtr|Scratch Vocal 2|Guide Gtr|Leitspur|Pilot|Guide Track",
    ),
    ("count", "Count|Count In|Intro Count|CountIn|Count Off|Einzähler"),
    ("talkback", "Talkback|TalkBack Mic|Slate|talkback_01"),
];

fn read_alone(path: &str) -> Guess {
    let components: Vec<&str> = path.split('/').collect();
    guess(&components, std::slice::from_ref(&components))
}

#[test]
fn names_as_people_write_them_are_read_right() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for (role, names) in ROWS {
        assert!(Role::from_id(role).is_some(), "{role}");
        for name in names.split('|') {
            count += 1;
            let got = read_alone(name);
            if got.role.id() != *role || got.exclude.is_some() {
                wrong.push(format!("{name}: {} not {role} ({:?})", got.role.id(), got.exclude));
            }
        }
    }
    assert!(count > 500, "{count}");
    assert!(wrong.is_empty(), "{} of {count} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn mixes_clicks_and_guides_are_left_out_for_the_right_reason() {
    let mut wrong = Vec::new();
    for (reason, names) in LEFT_OUT {
        for name in names.split('|') {
            let got = read_alone(name);
            if got.exclude.map(Exclude::id) != Some(*reason) {
                wrong.push(format!("{name}: {:?} {} not {reason}", got.exclude, got.role.id()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_unknown_name_has_no_confidence_and_a_plain_one_nearly_full() {
    assert_eq!(read_alone("xyzzy").confidence, 0.0);
    assert!(read_alone("Kick").confidence > 0.95);
    assert!(read_alone("Lead").confidence < 0.5, "may be a voice, a guitar or a synth");
    assert!(read_alone("Gutiar").confidence < read_alone("Guitar").confidence);
    assert_eq!(read_alone("Gutiar").role, Role::ElectricGuitar);
}

#[test]
fn side_microphone_double_and_numbers_are_told_apart() {
    type Row = (&'static str, Option<Side>, Option<Mic>, Option<u32>, bool, &'static str);
    let rows: &[Row] = &[
        ("OH L", Some(Side::Left), None, None, false, "oh"),
        ("OHR", Some(Side::Right), None, None, false, "oh"),
        ("Gtr 2 R_01", Some(Side::Right), None, Some(2), false, "gtr"),
        ("Gtr1L", Some(Side::Left), None, Some(1), false, "gtr"),
        ("Piano.L", Some(Side::Left), None, None, false, "piano"),
        ("Gitarre Links", Some(Side::Left), None, None, false, "gitarre"),
        ("Keys L+R", None, None, None, false, "keys"),
        ("Kick In", None, Some(Mic::In), None, false, "kick"),
        ("kick_out", None, Some(Mic::Out), None, false, "kick"),
        ("Snare Btm-02", None, Some(Mic::Bottom), Some(2), false, "snare"),
        ("Bass DI", None, Some(Mic::Di), None, false, "bass"),
        ("Bass Amp", None, Some(Mic::Amp), None, false, "bass"),
        ("Gtr 1 57", None, Some(Mic::Model), Some(1), false, "gtr"),
        ("Lead Vox Dbl", None, None, None, true, "lead vox"),
        ("03_Lead Vox", None, None, None, false, "lead vox"),
        ("tomTwo", None, None, Some(2), false, "tom"),
    ];
    for &(name, side, mic, index, double, key) in rows {
        let got = read_alone(name);
        assert_eq!(
            (got.side, got.mic, got.index, got.double, got.pair_key.as_str()),
            (side, mic, index, double, key),
            "{name}"
        );
    }
    assert_eq!(read_alone("Gtr 2 R_01").take, Some(1));
    assert!(read_alone("LeadVox Verb").printed_effect);
    assert!(!read_alone("Verb").printed_effect);
}

#[test]
fn words_of_the_song_do_not_count() {
    let names =
        ["Bass Culture - Kick", "Bass Culture - Gtr", "Bass Culture - Vox", "Bass Culture - Bass"];
    let all: Vec<Vec<&str>> = names.iter().map(|n| vec![*n]).collect();
    let roles: Vec<Role> = guess_all(&all).iter().map(|g| g.role).collect();
    assert_eq!(roles, [Role::Kick, Role::ElectricGuitar, Role::LeadVocal, Role::Bass]);

    let names = ["Hope_Mix_Kick", "Hope_Mix_Gtr", "Hope_Mix_Vox", "Hope_Mix_02"];
    let all: Vec<Vec<&str>> = names.iter().map(|n| vec![*n]).collect();
    assert!(guess_all(&all).iter().all(|g| g.exclude.is_none()), "the mix they are stems of");

    let guitars: Vec<Vec<&str>> =
        ["Gtr Lead", "Gtr Clean", "Gtr 3"].iter().map(|n| vec![*n]).collect();
    assert!(guess_all(&guitars).iter().all(|g| g.role == Role::ElectricGuitar));
}

#[test]
fn folders_speak_for_files_that_do_not() {
    let role = |path: &str| read_alone(path).role;
    assert_eq!(role("Lead Vocals/01"), Role::LeadVocal);
    assert_eq!(role("Guitars/Lead 2"), Role::ElectricGuitar);
    assert_eq!(role("Drums/Audio 7"), Role::DrumKit);
    assert_eq!(role("Bass Culture/Audio 7"), Role::Other, "a title, not a folder of basses");
    assert_eq!(role("Drums/Vox"), Role::LeadVocal, "the file's own word counts more");
    assert_eq!(role("BG Vox/Anna 2"), Role::BackingVocal);
}

#[test]
fn a_plain_voice_gives_way_to_a_named_lead() {
    let all = vec![vec!["Lead Vox"], vec!["Vox"]];
    assert_eq!(guess(&all[1], &all).role, Role::Vocal);
}

#[test]
fn any_text_is_read_without_a_panic() {
    for text in [
        "",
        " ",
        "-",
        "_._",
        "𝄞𝄢",
        "e\u{301}",
        "L",
        "R",
        "9999999999999999999999",
        "İ",
        "ẞß",
        "\u{0}",
    ] {
        let _ = read_alone(text);
    }
    let long = "snrtopkickbass".repeat(40);
    let _ = read_alone(&long);
    let _ = guess(&[], &[]);
}
