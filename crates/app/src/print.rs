//! From the mix at the bus output to the print: a gain solved once, and for loud targets a limiter.
//!
//! A *pre-master* is gain only: as near to -18 LUFS as -1 dBTP allows. A loud print goes through the true-peak
//! limiter twice (what the first pass leaves between the samples the second one finds) and a final trim. The
//! gain stops where limiting would exceed 3 dB. What was solved is stored in the session; [`PrintChain`]
//! plays it back without measuring anything, so that `render` gives the bytes that `mix` gave.

use crate::error::AppError;
use crate::spool::Spool;
use topdown_analysis::{MixListener, MixMeasurements};
use topdown_dsp::{Buffer, Io, Kind, ProcessSpec, Processor, Status};
use topdown_session::Print;
use topdown_units::{SampleRate, db_to_gain};

/// Name of the print that `mix` solves and `render` prints.
pub(crate) const MAIN: &str = "main";
/// Where pre-masters aim (see docs/delivery in the README: room for the mastering engineer).
pub(crate) const PRE_MASTER_LUFS: f64 = -18.0;
/// Streaming services normalise near this.
pub(crate) const STREAMING_LUFS: f64 = -14.0;
/// No print goes over this, by either true-peak reading.
pub(crate) const CEILING_DBTP: f64 = -1.0;
/// Most limiting in a print.
pub(crate) const LIMITING_MAX_DB: f64 = 3.0;
/// The limiter works this far under the ceiling: the two readings of true peak differ by about as much.
const LIMITER_MARGIN_DB: f64 = 0.1;
/// A loud print that misses its target by less is on target.
const CLOSE_LU: f64 = 0.05;
/// How often a loud print is tried again.
const PASSES: usize = 3;
const BLOCK: usize = 1 << 14;

/// What a print shall be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Loudness {
    /// Gain only, near -18 LUFS.
    PreMaster,
    /// -14 LUFS.
    Streaming,
    /// A loudness in LUFS.
    Lufs(f64),
}

impl Loudness {
    fn lufs(self) -> f64 {
        match self {
            Self::PreMaster => PRE_MASTER_LUFS,
            Self::Streaming => STREAMING_LUFS,
            Self::Lufs(lufs) => lufs,
        }
    }

    fn name(self) -> String {
        match self {
            Self::PreMaster => "pre-master".to_owned(),
            Self::Streaming => "streaming".to_owned(),
            Self::Lufs(lufs) => format!("{lufs} LUFS"),
        }
    }
}

/// A solved print.
pub(crate) struct Solved {
    pub(crate) print: Print,
    /// Why the target is not reached, if it is not.
    pub(crate) shortfall: Option<String>,
    /// Most gain reduction of the limiter, dB below zero as a positive number.
    pub(crate) limiting_db: Option<f64>,
}

/// Solves gain and trim for a mix that measures `mix` at the bus output.
pub(crate) fn solve(
    target: Loudness,
    mix: &MixMeasurements,
    spool: &mut Spool,
    rate: SampleRate,
) -> Result<Solved, AppError> {
    let loudness = mix.summary.integrated_lufs;
    let peak = mix.true_peak.dbtp.max(mix.itu_dbtp);
    let mut print = Print {
        target: target.name(),
        target_lufs: target.lufs(),
        ceiling_dbtp: CEILING_DBTP,
        gain_db: 0.0,
        limiter: false,
        trim_db: 0.0,
    };
    if !loudness.is_finite() || !peak.is_finite() {
        let shortfall = Some("the mix is silent, or too quiet to measure".to_owned());
        return Ok(Solved { print, shortfall, limiting_db: None });
    }
    let wanted_db = print.target_lufs - loudness;
    let room_db = CEILING_DBTP - peak;
    if wanted_db <= room_db || target == Loudness::PreMaster {
        print.gain_db = floor_db(wanted_db.min(room_db));
        let reached = loudness + print.gain_db;
        let short = print.target_lufs - reached;
        let shortfall = (short > CLOSE_LU).then(|| {
            format!(
                "{short:.1} LU short of {:.1} LUFS: the highest peak is {:.1} dB above the loudness, and a \
                 pre-master is gain only",
                print.target_lufs,
                peak - loudness
            )
        });
        return Ok(Solved { print, shortfall, limiting_db: None });
    }
    limited(print, wanted_db, room_db + LIMITING_MAX_DB, spool, rate)
}

/// Solves a print that needs the limiter: the gain by trying, the trim by measuring.
fn limited(
    mut print: Print,
    wanted_db: f64,
    most_db: f64,
    spool: &mut Spool,
    rate: SampleRate,
) -> Result<Solved, AppError> {
    print.limiter = true;
    print.gain_db = floor_db(wanted_db.min(most_db));
    for pass in 0..PASSES {
        print.trim_db = 0.0;
        let mut chain = PrintChain::new(&print, rate)?;
        let mut listener = MixListener::new(rate, 2);
        spool.read(|planes| chain.push(planes, &mut |planes| hear(&mut listener, planes)))?;
        chain.finish(&mut |planes| hear(&mut listener, planes))?;
        let heard = listener.finish();
        let over_db = heard.true_peak.dbtp.max(heard.itu_dbtp) - print.ceiling_dbtp;
        print.trim_db = floor_db(-over_db.max(0.0));
        let short = print.target_lufs - (heard.summary.integrated_lufs + print.trim_db);
        let capped = print.gain_db >= floor_db(most_db);
        if short.abs() <= CLOSE_LU || (capped && short > 0.0) || pass + 1 == PASSES {
            let shortfall = (short > CLOSE_LU).then(|| {
                format!(
                    "{short:.1} LU short of {:.1} LUFS: limiting stops at {LIMITING_MAX_DB:.0} dB",
                    print.target_lufs
                )
            });
            let limiting_db = Some(chain.deepest_db());
            return Ok(Solved { print, shortfall, limiting_db });
        }
        print.gain_db = floor_db((print.gain_db + short).min(most_db));
    }
    Ok(Solved { print, shortfall: None, limiting_db: None })
}

#[expect(clippy::unnecessary_wraps, reason = "a sink may fail, this one does not")]
fn hear(listener: &mut MixListener, planes: &[&[f32]]) -> Result<(), AppError> {
    listener.push(planes);
    Ok(())
}

/// Down to whole hundredths: what is stored is what is played, and it never goes over.
fn floor_db(db: f64) -> f64 {
    (db * 100.0).floor() / 100.0
}

/// Gain, limiter twice, trim: a mix becomes a print, block by block, without delay and without measuring.
pub(crate) struct PrintChain {
    gain: f64,
    trim: f64,
    limiters: Vec<Box<dyn Processor>>,
    buffer: Buffer,
    /// Latency still to be swallowed.
    lead: usize,
    latency: usize,
    deepest_db: f64,
}

type Sink<'a> = dyn FnMut(&[&[f32]]) -> Result<(), AppError> + 'a;

impl PrintChain {
    pub(crate) fn new(print: &Print, rate: SampleRate) -> Result<Self, AppError> {
        let limiters = if print.limiter {
            vec![limiter(print, rate)?, limiter(print, rate)?]
        } else {
            Vec::new()
        };
        let latency = limiters.iter().map(|limiter| limiter.latency_frames()).sum();
        Ok(Self {
            gain: db_to_gain(print.gain_db),
            trim: db_to_gain(print.trim_db),
            limiters,
            buffer: Buffer::new(2, BLOCK),
            lead: latency,
            latency,
            deepest_db: 0.0,
        })
    }

    /// Takes equally long planes (a mono mix goes to both channels), gives what is ready to `sink`.
    pub(crate) fn push(&mut self, planes: &[&[f32]], sink: &mut Sink<'_>) -> Result<(), AppError> {
        let Some(&left) = planes.first() else { return Ok(()) };
        let right = planes.get(1).copied().unwrap_or(left);
        for (left, right) in left.chunks(BLOCK).zip(right.chunks(BLOCK)) {
            for (channel, plane) in [left, right].into_iter().enumerate() {
                for (out, x) in self.buffer.channel_mut(channel).iter_mut().zip(plane) {
                    *out = (f64::from(*x) * self.gain) as f32;
                }
            }
            self.block(left.len(), sink)?;
        }
        Ok(())
    }

    /// Gives what the limiters still hold.
    pub(crate) fn finish(&mut self, sink: &mut Sink<'_>) -> Result<(), AppError> {
        let mut left = self.latency;
        while left > 0 {
            let frames = left.min(BLOCK);
            self.buffer.clear();
            self.block(frames, sink)?;
            left -= frames;
        }
        Ok(())
    }

    /// Most gain reduction so far, both passes together, as a positive number.
    pub(crate) fn deepest_db(&self) -> f64 {
        self.deepest_db
    }

    fn block(&mut self, frames: usize, sink: &mut Sink<'_>) -> Result<(), AppError> {
        let mut reduction_db = 0.0;
        for limiter in &mut self.limiters {
            limiter.process(&mut Io::new(&mut self.buffer, None, 0..frames, Status::Filled));
            reduction_db -= f64::from(limiter.take_gain_reduction_db().unwrap_or(0.0));
        }
        self.deepest_db = self.deepest_db.max(reduction_db);
        if self.trim != 1.0 {
            for plane in self.buffer.planes_mut() {
                for x in &mut plane[..frames] {
                    *x = (f64::from(*x) * self.trim) as f32;
                }
            }
        }
        let skip = self.lead.min(frames);
        self.lead -= skip;
        sink(&[&self.buffer.channel(0)[skip..frames], &self.buffer.channel(1)[skip..frames]])
    }
}

fn limiter(print: &Print, rate: SampleRate) -> Result<Box<dyn Processor>, AppError> {
    let kind = Kind::by_id("limiter")
        .ok_or_else(|| AppError::Render("this build has no limiter".to_owned()))?;
    let mut values = kind.defaults();
    if let Some((index, _)) = kind.param("ceiling_dbtp") {
        values[index] = print.ceiling_dbtp - LIMITER_MARGIN_DB;
    }
    Ok(kind.build(&values, &ProcessSpec { sample_rate: rate, channels: 2, max_frames: BLOCK }))
}
