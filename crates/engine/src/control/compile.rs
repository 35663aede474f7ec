//! Compiles a session to a plan, pass by pass: connect, validate, order, prune, build, align.

use super::plan::{ClipPlan, Feed, Key, KindRef, Plan, ProcessorPlan, StripPlan, Warning};
use super::routing::{Connection, Way, connections, index_of};
use topdown_dsp::{Kind, ParamKind, ParamSpec, ProcessSpec};
use topdown_session::{
    FileId, ProcessorId, ProcessorNode, Session, Strip, StripId, StripKind, Tap, Value,
};
use topdown_units::FADER_FLOOR_DB;

/// Highest level of a fader or send in dB; what a session may hold is decided there, this only keeps
/// a wild value from breaking the sum.
const LEVEL_MAX_DB: f64 = 40.0;
/// Most side level, as a factor.
const WIDTH_MAX: f64 = 2.0;

/// How to compile.
#[derive(Clone, Copy)]
pub struct CompileOptions<'a> {
    /// Knows the kinds of processors.
    pub kinds: &'a dyn Fn(&str) -> Option<&'static Kind>,
    /// Strips whose outputs are wanted beside the mix.
    pub taps: &'a [StripId],
    /// Whether solo is obeyed.
    pub solo: bool,
    /// Keeps what is not heard, and pans ready to move, so that mute, solo and every knob can change
    /// while it runs. Otherwise all that does not reach the mix or a tap is left out.
    pub live: bool,
}

impl Default for CompileOptions<'_> {
    fn default() -> Self {
        Self { kinds: &Kind::by_id, taps: &[], solo: true, live: false }
    }
}

impl std::fmt::Debug for CompileOptions<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { kinds: _, taps, solo, live } = self;
        write!(f, "CompileOptions {{ taps: {taps:?}, solo: {solo}, live: {live} }}")
    }
}

/// Why a session cannot be rendered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CompileError {
    /// Not exactly one mix bus.
    #[error("a session has exactly one mix bus, this one has {found}")]
    Bus {
        /// How many there are.
        found: usize,
    },
    /// Two strips with one id.
    #[error("two strips are called `{0}`")]
    Duplicate(StripId),
    /// Neither mono nor stereo.
    #[error("{strip}: has {channels} channels, 1 or 2 are possible")]
    Channels {
        /// Which strip.
        strip: StripId,
        /// Its channels.
        channels: usize,
    },
    /// A strip without an output that is not the bus, or a bus with one.
    #[error("{0}: every strip but the mix bus needs an output, and the mix bus has none")]
    Output(StripId),
    /// An output, send, key or tap that names no strip.
    #[error("{strip}: {what} `{to}`, which does not exist")]
    UnknownStrip {
        /// Which strip.
        strip: StripId,
        /// What leads there.
        what: &'static str,
        /// The name that is not there.
        to: StripId,
    },
    /// An output or send that leads to a track.
    #[error("{strip}: {what} `{to}`, which is a track and cannot take it")]
    IntoTrack {
        /// Which strip.
        strip: StripId,
        /// What leads there.
        what: &'static str,
        /// The track.
        to: StripId,
    },
    /// A clip of a file that the session does not know.
    #[error("{strip}: a clip plays the file `{file}`, which the session does not have")]
    UnknownFile {
        /// Which track.
        strip: StripId,
        /// The file.
        file: FileId,
    },
    /// Strips that wait for each other.
    #[error("sound would go in a circle: {}", names(.0))]
    Cycle(Vec<StripId>),
}

fn names(strips: &[StripId]) -> String {
    let names: Vec<_> = strips.iter().map(StripId::as_str).collect();
    names.join(", ")
}

/// Compiles a session to a plan.
///
/// # Errors
/// The first thing that makes rendering impossible. What can be rendered with a reservation is a
/// [`Warning`] in the plan.
pub fn compile(session: &Session, options: &CompileOptions<'_>) -> Result<Plan, CompileError> {
    let bus = validate(session)?;
    let taps = tap_indices(session, options.taps)?;
    let mut all = connections(session, options.solo);
    let order = order(session, &all)?;
    if !options.live {
        all.retain(|connection| connection.open || is_key(connection));
    }
    let kept = if options.live { order } else { reaching(&order, &all, bus, &taps) };
    let mut build = Build { session, options, all: &all, kept: &kept, warnings: Vec::new() };
    let mut strips: Vec<_> = kept.iter().map(|&at| build.strip(at)).collect();
    let warnings = build.warnings;
    align(&mut strips);
    mark_pre_taps(&mut strips);
    let place = |at: usize| kept.iter().position(|&kept| kept == at);
    Ok(Plan {
        sample_rate: session.sample_rate,
        output: place(bus).unwrap_or_default(),
        taps: taps.iter().filter_map(|&tap| place(tap)).collect(),
        end_frame: session.end_frame(),
        strips,
        warnings,
    })
}

fn is_key(connection: &Connection) -> bool {
    matches!(connection.way, Way::Key { .. })
}

// Pass 1: is it a session that can be rendered? Returns the place of the mix bus.
fn validate(session: &Session) -> Result<usize, CompileError> {
    let buses: Vec<_> = session
        .strips
        .iter()
        .enumerate()
        .filter(|(_, strip)| strip.kind == StripKind::Bus)
        .map(|(at, _)| at)
        .collect();
    let &[bus] = &buses[..] else { return Err(CompileError::Bus { found: buses.len() }) };
    for (at, strip) in session.strips.iter().enumerate() {
        if index_of(session, &strip.id) != Some(at) {
            return Err(CompileError::Duplicate(strip.id.clone()));
        }
        validate_strip(session, strip)?;
    }
    Ok(bus)
}

fn validate_strip(session: &Session, strip: &Strip) -> Result<(), CompileError> {
    if !(1..=2).contains(&strip.channels) {
        let (strip, channels) = (strip.id.clone(), strip.channels);
        return Err(CompileError::Channels { strip, channels });
    }
    if (strip.kind == StripKind::Bus) != strip.output.is_none() {
        return Err(CompileError::Output(strip.id.clone()));
    }
    let outputs = strip.output.iter().map(|to| ("its output is", to));
    let sends = strip.sends.iter().map(|send| ("it sends to", &send.to));
    for (what, to) in outputs.chain(sends) {
        let (strip, to) = (strip.id.clone(), to.clone());
        match session.strip(&to).map(|target| target.kind) {
            None => return Err(CompileError::UnknownStrip { strip, what, to }),
            Some(StripKind::Track) => return Err(CompileError::IntoTrack { strip, what, to }),
            Some(_) => {}
        }
    }
    for key in strip.chain.iter().filter_map(|node| node.key.as_ref()) {
        if session.strip(key).is_none() {
            let (strip, to) = (strip.id.clone(), key.clone());
            return Err(CompileError::UnknownStrip { strip, what: "a processor listens to", to });
        }
    }
    match strip.clips.iter().find(|clip| !session.files.contains_key(&clip.file)) {
        Some(clip) if strip.excluded.is_none() => {
            let (strip, file) = (strip.id.clone(), clip.file.clone());
            Err(CompileError::UnknownFile { strip, file })
        }
        _ => Ok(()),
    }
}

fn tap_indices(session: &Session, taps: &[StripId]) -> Result<Vec<usize>, CompileError> {
    let bus = StripId::from("taps");
    taps.iter()
        .map(|tap| {
            let unknown = || CompileError::UnknownStrip {
                strip: bus.clone(),
                what: "asks for",
                to: tap.clone(),
            };
            index_of(session, tap)
                .filter(|&at| session.strips[at].excluded.is_none())
                .ok_or_else(unknown)
        })
        .collect()
}

// Pass 2: each strip after everything it listens to; among those that are ready, session order.
// Muted connections count too: whether a session is possible does not depend on a mute button.
fn order(session: &Session, all: &[Connection]) -> Result<Vec<usize>, CompileError> {
    let count = session.strips.len();
    let mut waits = vec![0_usize; count];
    for connection in all {
        waits[connection.to] += 1;
    }
    let mut open: std::collections::BTreeSet<usize> =
        (0..count).filter(|&at| waits[at] == 0 && session.strips[at].excluded.is_none()).collect();
    let mut done = Vec::with_capacity(count);
    while let Some(at) = open.pop_first() {
        done.push(at);
        for connection in all.iter().filter(|connection| connection.from == at) {
            waits[connection.to] -= 1;
            if waits[connection.to] == 0 {
                open.insert(connection.to);
            }
        }
    }
    let stuck = (0..count).filter(|&at| waits[at] > 0);
    let stuck: Vec<_> = stuck.map(|at| session.strips[at].id.clone()).collect();
    if stuck.is_empty() { Ok(done) } else { Err(CompileError::Cycle(stuck)) }
}

// Pass 3: only what reaches the mix bus or a tap, in the same order.
fn reaching(order: &[usize], all: &[Connection], bus: usize, taps: &[usize]) -> Vec<usize> {
    let mut wanted: std::collections::BTreeSet<usize> = taps.iter().copied().collect();
    wanted.insert(bus);
    for &at in order.iter().rev() {
        if wanted.contains(&at) {
            let from = all.iter().filter(|connection| connection.to == at && connection.open);
            wanted.extend(from.map(|connection| connection.from));
        }
    }
    order.iter().copied().filter(|at| wanted.contains(at)).collect()
}

// Pass 4: strips out of the session, with their connections, latencies still open.
struct Build<'a> {
    session: &'a Session,
    options: &'a CompileOptions<'a>,
    all: &'a [Connection],
    kept: &'a [usize],
    warnings: Vec<Warning>,
}

impl Build<'_> {
    fn strip(&mut self, at: usize) -> StripPlan {
        let strip = &self.session.strips[at];
        let moves = self.options.live || strip.pan != Value::Constant(0.0);
        let level = (FADER_FLOOR_DB, LEVEL_MAX_DB);
        let fader_db = match strip.kind == StripKind::Bus && strip.mute {
            true => Value::Constant(FADER_FLOOR_DB),
            false => self.value(strip, "fader_db", &strip.fader_db, level, 0.0),
        };
        StripPlan {
            id: strip.id.clone(),
            kind: strip.kind,
            channels: strip.channels,
            post_channels: if moves { 2 } else { strip.channels },
            clips: self.clips(strip),
            feeds: self.feeds(at),
            chain: self.chain(at),
            fader_db,
            pan: self.value(strip, "pan", &strip.pan, (-1.0, 1.0), 0.0),
            width: self.value(strip, "width", &strip.width, (0.0, WIDTH_MAX), 1.0),
            pre_tap: false,
            latency_in_frames: 0,
            latency_frames: 0,
        }
    }

    fn place(&self, at: usize) -> Option<usize> {
        self.kept.iter().position(|&kept| kept == at)
    }

    fn clips(&mut self, strip: &Strip) -> Vec<ClipPlan> {
        let mut clips = Vec::with_capacity(strip.clips.len());
        for clip in &strip.clips {
            let in_file = self.session.files.get(&clip.file).map_or(1, |file| file.channels);
            if in_file > 2 && clip.channel.is_none() {
                let file = clip.file.to_string();
                self.warnings.push(Warning::Channels { strip: strip.id.clone(), file });
            }
            let channels = if clip.channel.is_some() || in_file < 2 { 1 } else { 2 };
            clips.push(ClipPlan { clip: clip.clone(), channels });
        }
        clips
    }

    fn feeds(&mut self, at: usize) -> Vec<Feed> {
        let all = self.all;
        let mut feeds = Vec::new();
        for connection in all.iter().filter(|connection| connection.to == at) {
            let (level_db, tap) = match &connection.way {
                Way::Main => (Value::Constant(0.0), Tap::Post),
                Way::Send { level_db, tap } => {
                    let from = &self.session.strips[connection.from];
                    let range = (FADER_FLOOR_DB, LEVEL_MAX_DB);
                    (self.value(from, "send", level_db, range, 0.0), *tap)
                }
                Way::Key { .. } => continue,
            };
            if let Some(from) = self.place(connection.from) {
                feeds.push(Feed { from, tap, level_db, delay_frames: 0, open: connection.open });
            }
        }
        feeds
    }

    fn chain(&mut self, at: usize) -> Vec<ProcessorPlan> {
        let strip = &self.session.strips[at];
        let mut chain = Vec::with_capacity(strip.chain.len());
        for (number, node) in strip.chain.iter().enumerate() {
            let Some(kind) = (self.options.kinds)(&node.kind) else {
                let (strip, processor) = (strip.id.clone(), node.id.clone());
                let kind = node.kind.clone();
                self.warnings.push(Warning::UnknownKind { strip, processor, kind });
                continue;
            };
            let values = self.values(strip, node, kind);
            chain.push(ProcessorPlan {
                id: node.id.clone(),
                kind: KindRef(kind),
                latency_frames: self.latency(kind, &values, strip.channels),
                values,
                bypass: node.bypass,
                key: self.key(at, number, node, kind),
                latency_in_frames: 0,
            });
        }
        chain
    }

    fn latency(&self, kind: &Kind, values: &[Value], channels: usize) -> usize {
        let plain: Vec<_> = values.iter().map(Value::resting).collect();
        let sample_rate = self.session.sample_rate;
        kind.build(&plain, &ProcessSpec { sample_rate, channels, max_frames: 1 }).latency_frames()
    }

    fn values(&mut self, strip: &Strip, node: &ProcessorNode, kind: &Kind) -> Vec<Value> {
        for param in node.values.keys().filter(|param| kind.param(param).is_none()) {
            let (strip, processor) = (strip.id.clone(), node.id.clone());
            self.warnings.push(Warning::UnknownParam { strip, processor, param: param.clone() });
        }
        let value = |spec: &ParamSpec| match node.values.get(spec.id) {
            Some(value) => self.param_value(strip, &node.id, value, spec),
            None => Value::Constant(spec.default),
        };
        kind.params.iter().map(value).collect()
    }

    fn param_value(
        &mut self,
        strip: &Strip,
        processor: &ProcessorId,
        value: &Value,
        spec: &ParamSpec,
    ) -> Value {
        let whole = !matches!(spec.kind, ParamKind::Number { .. });
        let fixed = Value::Constant(value.resting());
        let value = if spec.rebuilds { &fixed } else { value };
        let what = || format!("{processor}/{}", spec.id);
        let value = self.value_named(strip, what, value, spec.range(), spec.default);
        if whole { map(&value, f64::round) } else { value }
    }

    fn value(
        &mut self,
        strip: &Strip,
        what: &str,
        value: &Value,
        range: (f64, f64),
        default: f64,
    ) -> Value {
        self.value_named(strip, || what.to_owned(), value, range, default)
    }

    /// The value with everything outside the range brought to its nearest end, and a warning if so.
    fn value_named(
        &mut self,
        strip: &Strip,
        what: impl FnOnce() -> String,
        value: &Value,
        (min, max): (f64, f64),
        default: f64,
    ) -> Value {
        let inside = |x: f64| if x.is_nan() { default } else { x.clamp(min, max) };
        let allowed = match value {
            Value::Automation(points) if points.is_empty() => Value::Constant(default),
            value => map(value, inside),
        };
        if allowed != *value {
            self.warnings.push(Warning::Value { strip: strip.id.clone(), what: what() });
        }
        allowed
    }

    fn key(&mut self, at: usize, number: usize, node: &ProcessorNode, kind: &Kind) -> Key {
        let Some(id) = node.key.as_ref().filter(|_| !node.bypass) else { return Key::Own };
        let strip = &self.session.strips[at].id;
        let mut warn = |why| {
            let (strip, processor, key) = (strip.clone(), node.id.clone(), id.clone());
            self.warnings.push(Warning::Key { strip, processor, key, why });
        };
        if !kind.takes_key {
            warn("this kind takes no key");
            return Key::Own;
        }
        let found = self.all.iter().find(|connection| {
            connection.to == at
                && matches!(connection.way, Way::Key { processor } if processor == number)
        });
        let Some(connection) = found else {
            warn("the strip is left out of the mix");
            return Key::Silent;
        };
        match self.place(connection.from).filter(|_| connection.open || self.options.live) {
            None => Key::Silent,
            Some(from) => Key::From(Feed {
                from,
                tap: Tap::Pre,
                level_db: Value::Constant(0.0),
                delay_frames: 0,
                open: connection.open,
            }),
        }
    }
}

fn map(value: &Value, change: impl Fn(f64) -> f64) -> Value {
    match value {
        Value::Constant(x) => Value::Constant(change(*x)),
        Value::Automation(points) => {
            let mut points = points.clone();
            for point in &mut points {
                point.value = change(point.value);
            }
            Value::Automation(points)
        }
    }
}

// Pass 5: every path that meets another one arrives with the same latency, keys included. A strip's
// input waits for its latest feed, and longer where a processor's key is later than its input would be.
fn align(strips: &mut [StripPlan]) {
    for at in 0..strips.len() {
        let (done, rest) = strips.split_at_mut(at);
        let Some(strip) = rest.first_mut() else { return };
        let mut input = strip.feeds.iter().map(|feed| done[feed.from].latency_frames).max();
        let mut before = 0;
        for processor in &strip.chain {
            if let Key::From(feed) = &processor.key {
                let key = done[feed.from].latency_frames;
                input = input.max(Some(key.saturating_sub(before)));
            }
            before += processor.latency_frames;
        }
        strip.latency_in_frames = input.unwrap_or(0);
        for feed in &mut strip.feeds {
            feed.delay_frames = strip.latency_in_frames - done[feed.from].latency_frames;
        }
        let mut latency = strip.latency_in_frames;
        for processor in &mut strip.chain {
            processor.latency_in_frames = latency;
            if let Key::From(feed) = &mut processor.key {
                feed.delay_frames = latency - done[feed.from].latency_frames;
            }
            latency += processor.latency_frames;
        }
        strip.latency_frames = latency;
    }
}

// Pass 6: who has to keep its sound from before the fader.
fn mark_pre_taps(strips: &mut [StripPlan]) {
    let taps = |strip: &StripPlan| -> Vec<usize> {
        let feeds = strip.feeds.iter().chain(strip.keys());
        feeds.filter(|feed| feed.tap == Tap::Pre).map(|feed| feed.from).collect()
    };
    let wanted: Vec<_> = strips.iter().flat_map(taps).collect();
    for at in wanted {
        strips[at].pre_tap = true;
    }
}
