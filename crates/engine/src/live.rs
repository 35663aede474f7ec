//! The live driver: plays a session that changes while it plays.
//!
//! Three threads. The owner of [`Live`] compiles, builds decks (a plan, running), and drops what comes back.
//! A prefetch thread reads clips into rings. The owner of the [`Renderer`] pulls blocks and does nothing
//! that could make it late. A change of values is a message each; anything else, and every seek, is a new
//! deck: run in up to the frame where it takes over, so that filters and compressors have settled, then
//! crossfaded to. Live and offline give the same samples, because both run the same strips.

use crate::control::compile::{CompileError, CompileOptions, compile};
use crate::control::diff::{Change, diff};
use crate::control::plan::{Plan, Warning};
use crate::feed::{ClipPlayer, FeedError, IdleFiles, Reader, Sources};
use crate::prefetch::{Feeder, Prefetch};
use crate::rt::deck::{ClipStream, Deck};
use crate::rt::meter::MeterSlot;
use crate::rt::renderer::{Message, Renderer, Status};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use topdown_dsp::Kind;
use topdown_session::{Session, StripId};

/// Messages that may wait for the renderer.
const MESSAGES: usize = 1024;
/// Run-in of a new deck.
const RUN_IN_SECONDS: f64 = 1.0;
/// How far ahead of what plays a new deck is to take over, at least.
const LEAD_SECONDS: f64 = 0.1;
/// How much of every track is read ahead.
const PREFETCH_SECONDS: f64 = 1.0;

/// Why the live driver did not do as told. What was playing plays on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LiveError {
    /// The session cannot be rendered.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// A file could not be read.
    #[error(transparent)]
    Feed(#[from] FeedError),
    /// The renderer has not taken what was sent before.
    #[error("the player is not keeping up; try again")]
    Busy,
}

/// The control side of a player.
pub struct Live {
    sources: Arc<dyn Sources>,
    kinds: fn(&str) -> Option<&'static Kind>,
    plan: Plan,
    max_frames: usize,
    to_renderer: rtrb::Producer<Message>,
    returned: rtrb::Consumer<Box<Deck>>,
    status: Arc<Status>,
    meters: BTreeMap<StripId, Arc<MeterSlot>>,
    prefetch: Prefetch,
    decks_sent: u64,
    /// Where the deck that was sent last begins.
    sent_frame: u64,
}

impl std::fmt::Debug for Live {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Live").field("status", &self.status).finish()
    }
}

impl Live {
    /// A player of `session`, paused at its start, and the renderer that plays. The renderer works in
    /// blocks of at most `max_frames` inside.
    ///
    /// # Errors
    /// When the session cannot be rendered or a file cannot be read.
    pub fn new(
        session: &Session,
        sources: Arc<dyn Sources>,
        max_frames: usize,
        kinds: fn(&str) -> Option<&'static Kind>,
    ) -> Result<(Self, Renderer), LiveError> {
        let plan = compile_live(session, kinds)?;
        let (to_renderer, inbox) = rtrb::RingBuffer::new(MESSAGES);
        let (outbox, returned) = rtrb::RingBuffer::new(MESSAGES);
        let status = Arc::new(Status::default());
        let renderer =
            Renderer::new(session.sample_rate, max_frames, inbox, outbox, status.clone());
        let prefetch = Prefetch::start(sources.clone());
        let meters = BTreeMap::new();
        let mut live = Self {
            sources,
            kinds,
            plan: plan.clone(),
            max_frames,
            to_renderer,
            returned,
            status,
            meters,
            prefetch,
            decks_sent: 0,
            sent_frame: 0,
        };
        live.load(&plan, 0, false)?;
        Ok((live, renderer))
    }

    /// Plays the session as it is now: values move there, anything else is crossfaded to.
    ///
    /// # Errors
    /// When the new session cannot be played; the old one plays on.
    pub fn update(&mut self, session: &Session) -> Result<Change, LiveError> {
        self.drop_returned();
        let plan = compile_live(session, self.kinds)?;
        let change = diff(&self.plan, &plan);
        match &change {
            Change::None => {}
            Change::Values(sets) => {
                if self.to_renderer.slots() < sets.len() {
                    return Err(LiveError::Busy);
                }
                for set in sets {
                    self.send(Message::Set(*set))?;
                }
            }
            Change::Structure => {
                let frame = self.session_frame();
                self.load(&plan, frame, true)?;
            }
        }
        self.plan = plan;
        Ok(change)
    }

    /// Goes on at a session frame.
    ///
    /// # Errors
    /// When a file cannot be read there.
    pub fn seek(&mut self, frame: u64) -> Result<(), LiveError> {
        self.drop_returned();
        self.load(&self.plan.clone(), frame, false)
    }

    /// Plays, or pauses.
    ///
    /// # Errors
    /// [`LiveError::Busy`].
    pub fn play(&mut self, playing: bool) -> Result<(), LiveError> {
        self.send(Message::Play(playing))
    }

    /// Session frame of the next sample that is rendered.
    #[must_use]
    pub fn session_frame(&self) -> u64 {
        if self.status.decks_taken.load(Ordering::Acquire) < self.decks_sent {
            return self.sent_frame;
        }
        self.status.session_frame.load(Ordering::Relaxed)
    }

    /// Frames so far for which a track's sound came too late; silence stood in for it.
    #[must_use]
    pub fn missing_frames(&self) -> u64 {
        self.status.missing_frames.load(Ordering::Relaxed)
    }

    /// What a person should know about the session that plays.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.plan.warnings
    }

    /// The first file that could not be read while playing, if any; its track is silent from there on.
    #[must_use]
    pub fn take_error(&self) -> Option<FeedError> {
        self.prefetch.take_error()
    }

    /// The meter of a strip; measures while somebody is subscribed to it.
    #[must_use]
    pub fn meter(&self, strip: &StripId) -> Option<&Arc<MeterSlot>> {
        self.meters.get(strip)
    }

    /// Drops what the renderer has sent back. Called by every other method that changes something; call it
    /// now and then while nothing changes.
    pub fn drop_returned(&mut self) {
        while self.returned.pop().is_ok() {}
    }

    fn send(&mut self, message: Message) -> Result<(), LiveError> {
        self.to_renderer.push(message).map_err(|_| LiveError::Busy)
    }

    /// Builds a deck for `frame`, or in time for what is playing, and sends it.
    fn load(&mut self, plan: &Plan, frame: u64, in_time: bool) -> Result<(), LiveError> {
        let slots: Vec<_> = plan
            .strips
            .iter()
            .map(|strip| self.meters.entry(strip.id.clone()).or_default().clone())
            .collect();
        let rate = plan.sample_rate.hz();
        let run_in = (RUN_IN_SECONDS * rate) as u64;
        let start = frame.saturating_sub(run_in);
        let mut warming = Warming::new(plan, &slots, start, self.max_frames);
        let latency = plan.latency_frames() as u64;
        let idle = IdleFiles::default();
        let reader = Reader { sources: &*self.sources, idle: &idle };
        warming.run_until(frame + latency, reader)?;
        if in_time && self.status.playing.load(Ordering::Relaxed) {
            // What plays moves on while this runs in; running in is faster.
            let lead = (LEAD_SECONDS * rate) as u64;
            while warming.deck.session_frame() < self.session_frame() + lead {
                let goal = self.session_frame() + 2 * lead + latency;
                warming.run_until(goal, reader)?;
            }
        }
        let feeders = warming.connect(plan, (PREFETCH_SECONDS * rate) as usize);
        self.prefetch.add(feeders);
        let frame = warming.deck.session_frame();
        self.send(Message::Deck { deck: Box::new(warming.deck), in_time })?;
        (self.sent_frame, self.decks_sent) = (frame, self.decks_sent + 1);
        Ok(())
    }
}

fn compile_live(
    session: &Session,
    kinds: fn(&str) -> Option<&'static Kind>,
) -> Result<Plan, CompileError> {
    compile(session, &CompileOptions { kinds: &kinds, taps: &[], solo: true, live: true })
}

/// A deck that is run in, with the clips that it plays.
struct Warming {
    deck: Deck,
    players: BTreeMap<usize, ClipPlayer>,
}

impl Warming {
    fn new(plan: &Plan, slots: &[Arc<MeterSlot>], start: u64, max_frames: usize) -> Self {
        let tracks = plan.strips.iter().enumerate().filter(|(_, strip)| !strip.clips.is_empty());
        let players = tracks.map(|(at, strip)| (at, ClipPlayer::new(strip, max_frames)));
        Self { deck: Deck::new(plan, slots, start, max_frames), players: players.collect() }
    }

    /// Runs until the next block begins at stream frame `end`.
    fn run_until(&mut self, end: u64, reader: Reader<'_>) -> Result<(), FeedError> {
        while self.deck.position() < end {
            let left = usize::try_from(end - self.deck.position()).unwrap_or(usize::MAX);
            let frames = left.min(self.deck.max_frames());
            let players = &mut self.players;
            self.deck.warm(frames, |strip, start, block| match players.get_mut(&strip) {
                Some(player) => player.play(reader, start, frames, block),
                None => Ok(()),
            })?;
        }
        Ok(())
    }

    /// From here on the clips come through rings; returns what fills them.
    fn connect(&mut self, plan: &Plan, ring_frames: usize) -> Vec<Feeder> {
        let position = self.deck.position() as i64;
        let mut feeders = Vec::with_capacity(self.players.len());
        for (at, player) in std::mem::take(&mut self.players) {
            let strip = &plan.strips[at];
            let (filling, samples) = rtrb::RingBuffer::new(ring_frames * strip.channels);
            self.deck.connect(at, ClipStream::new(samples, strip.channels));
            let start = position - strip.latency_in_frames as i64;
            feeders.push(Feeder::new(
                player,
                filling,
                strip.channels,
                start,
                self.deck.max_frames(),
            ));
        }
        feeders
    }
}
