//! What is known about a song before anything is decided: its tracks as measured once, what they are, how
//! they belong together, its sections and the excerpts that stand for it.

use topdown_analysis::TrackMeasurements;
use topdown_session::{FileId, Marker, SourceFile};
use topdown_units::SampleRate;

/// A song, as scanned.
#[derive(Clone, Debug, PartialEq)]
pub struct Song {
    /// What it is called.
    pub name: String,
    /// The rate of the session.
    pub sample_rate: SampleRate,
    /// The tracks, in the order in which they are to be shown; prep keeps it within the groups.
    pub tracks: Vec<SongTrack>,
    /// Files that belong together.
    pub links: Vec<Link>,
    /// Sections, tempo and song range, as guessed.
    pub markers: Vec<Marker>,
    /// What trials listen to.
    pub excerpts: Vec<Excerpt>,
    /// A rough mix whose balance is the target.
    pub rough: Option<RoughBalance>,
}

/// One track of the song: a file, or one channel of it.
#[derive(Clone, Debug, PartialEq)]
pub struct SongTrack {
    /// Id of the file in the session.
    pub file: FileId,
    /// The file.
    pub source: SourceFile,
    /// One channel of the file, or all.
    pub channel: Option<u16>,
    /// What a person reads.
    pub name: String,
    /// Where it starts on the timeline, in session frames.
    pub at_frame: u64,
    /// Its length in session frames.
    pub frames: u64,
    /// 1 or 2.
    pub channels: usize,
    /// Its role's id (`kick`, `lead vocal`); `other` when nobody knows.
    pub role: String,
    /// How sure, 0 to 1.
    pub role_confidence: f64,
    /// Why it is thought to be that, in plain words.
    pub role_reason: String,
    /// Why it is no track of the song (click, full mix, ...), if so.
    pub exclude: Option<String>,
    /// What was measured.
    pub sound: TrackSound,
}

/// What prep and levels need to know of a track, measured over its whole length.
#[derive(Clone, Debug, PartialEq)]
pub struct TrackSound {
    /// Integrated loudness over active frames; minus infinity when silent.
    pub loudness_lufs: f64,
    /// Highest sample, dBFS.
    pub peak_dbfs: f64,
    /// Share of the song in which it plays, 0 to 1.
    pub active_share: f64,
    /// Mean over all samples, linear full scale; the worse channel's, signed.
    pub dc_offset: f64,
    /// Runs of samples at the ceiling.
    pub clipped_runs: u64,
    /// Samples that are no numbers or infinite.
    pub broken_samples: u64,
    /// Mean power (linear) in each third of an octave, see [`topdown_analysis::third_centre_hz`].
    pub third_power: Vec<f64>,
}

impl From<&TrackMeasurements> for TrackSound {
    fn from(track: &TrackMeasurements) -> Self {
        let sound = &track.sound;
        let active: f64 = track.active_spans.iter().map(|span| span.end_s - span.start_s).sum();
        let worst = |worst: f64, &dc: &f64| if dc.abs() > worst.abs() { dc } else { worst };
        Self {
            loudness_lufs: sound.summary.integrated_lufs,
            peak_dbfs: sound.levels.sample_peak_dbfs,
            active_share: if sound.duration_s > 0.0 { active / sound.duration_s } else { 0.0 },
            dc_offset: sound.levels.dc.iter().fold(0.0, worst),
            clipped_runs: sound.levels.clipped_runs,
            broken_samples: sound.broken_samples,
            third_power: sound.spectrum.power.clone(),
        }
    }
}

impl TrackSound {
    /// Whether there is nothing to hear.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        !self.loudness_lufs.is_finite()
    }
}

/// Two tracks (indices into [`Song::tracks`]) that belong together.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    /// The first: left, top, in, DI.
    pub first: usize,
    /// The second: right, bottom, out, amp.
    pub second: usize,
    /// How they belong together.
    pub kind: LinkKind,
    /// Correlation of the second with the first at the best lag, -1 to 1; `None` if not measured.
    pub correlation: Option<f64>,
    /// How much later the second arrives, in session frames; `None` if not measured.
    pub lag_frames: Option<f64>,
    /// Where it was heard best, in session frames.
    pub span_frames: Option<(u64, u64)>,
}

/// How two tracks belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkKind {
    /// Left and right of one source.
    StereoPair,
    /// Two microphones or lines on one source.
    MultiMic,
    /// The same part played twice.
    Double,
    /// The same file again.
    Duplicate,
}

/// A span of the song that trials listen to.
#[derive(Clone, Debug, PartialEq)]
pub struct Excerpt {
    /// What it stands for.
    pub kind: ExcerptKind,
    /// Start and end, in session frames.
    pub span_frames: (u64, u64),
}

/// What an excerpt stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExcerptKind {
    /// The loudest part (10 s if the song has them): bus gain reduction is solved here.
    Loudest,
    /// A typical verse.
    Typical,
    /// Where most plays at once.
    Densest,
    /// The quietest part in which the lead plays.
    QuietLead,
}

/// The balance of a rough mix, fitted by band powers.
#[derive(Clone, Debug, PartialEq)]
pub struct RoughBalance {
    /// The rough mix's name, for the journal.
    pub name: String,
    /// For each track of the song, its fader in dB in the rough mix; `None` if it could not be told.
    pub fader_db: Vec<Option<f64>>,
    /// Share of the rough mix's band powers that the fit explains, 0 to 1.
    pub explained: f64,
}
