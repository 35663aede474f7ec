//! The realtime end of the live driver: takes messages, runs the deck, crossfades to the next one.
//!
//! What comes in by queue leaves by queue: a deck that has been replaced is sent back to be dropped where
//! that may take time. Playing and pausing fade; so does every change of deck, by half a cosine.

use super::deck::Deck;
use crate::control::diff::SetValue;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use topdown_dsp::smooth::{Ramp, hand_frames};
use topdown_units::SampleRate;

/// Most messages taken in a block; the rest waits for the next.
const MESSAGES_PER_BLOCK: usize = 64;

/// From the control thread to the renderer.
pub(crate) enum Message {
    /// Aims a value of the newest deck at something new.
    Set(SetValue),
    /// Crossfade to this deck.
    Deck {
        deck: Box<Deck>,
        /// Waits until what plays has reached the session frame where the deck begins.
        in_time: bool,
    },
    /// Play, or pause.
    Play(bool),
}

/// What the renderer tells whoever looks.
#[derive(Debug, Default)]
pub(crate) struct Status {
    /// Session frame of the next sample.
    pub(crate) session_frame: AtomicU64,
    /// Decks that have come in; written after `session_frame`.
    pub(crate) decks_taken: AtomicU64,
    pub(crate) playing: AtomicBool,
    /// Frames for which a track's sound came too late.
    pub(crate) missing_frames: AtomicU64,
}

/// Plays. Belongs to the thread that feeds the device or the socket.
pub struct Renderer {
    deck: Option<Box<Deck>>,
    next: Option<Box<Deck>>,
    /// A deck that found no room in the outbox.
    leaving: Option<Box<Deck>>,
    /// From `deck` (0) to `next` (1).
    crossfade: Ramp,
    /// Paused (0) to playing (1).
    gate: Ramp,
    hand_frames: usize,
    decks_taken: u64,
    inbox: rtrb::Consumer<Message>,
    outbox: rtrb::Producer<Box<Deck>>,
    status: Arc<Status>,
    max_frames: usize,
}

impl std::fmt::Debug for Renderer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Renderer").field("status", &self.status).finish()
    }
}

impl Renderer {
    pub(crate) fn new(
        sample_rate: SampleRate,
        max_frames: usize,
        inbox: rtrb::Consumer<Message>,
        outbox: rtrb::Producer<Box<Deck>>,
        status: Arc<Status>,
    ) -> Self {
        Self {
            deck: None,
            next: None,
            leaving: None,
            crossfade: Ramp::new(0.0),
            gate: Ramp::new(0.0),
            hand_frames: hand_frames(sample_rate),
            decks_taken: 0,
            inbox,
            outbox,
            status,
            max_frames,
        }
    }

    /// Frames that can be rendered now without a gap, whatever is playing or about to.
    #[must_use]
    pub fn ready_frames(&self) -> usize {
        let decks = [&self.deck, &self.next];
        decks.into_iter().flatten().map(|deck| deck.ready_frames()).min().unwrap_or(usize::MAX)
    }

    /// Fills both planes, which have one length, with what comes next: the mix, or silence when paused.
    ///
    /// # Realtime safety
    /// Does not allocate, lock, log, read a clock or panic.
    pub fn render(&mut self, left: &mut [f32], right: &mut [f32]) {
        self.take_messages();
        let mut left = left.chunks_mut(self.max_frames);
        let mut right = right.chunks_mut(self.max_frames);
        for (left, right) in left.by_ref().zip(right.by_ref()) {
            let mut at = 0;
            while at < left.len() {
                let frames = self.frames_until_next(left.len() - at);
                self.piece(&mut left[at..at + frames], &mut right[at..at + frames]);
                at += frames;
            }
        }
        self.publish();
    }

    fn publish(&self) {
        let waiting = self.is_waiting();
        let heard = self.next.as_ref().filter(|_| !waiting).or(self.deck.as_ref());
        if let Some(deck) = heard {
            self.status.session_frame.store(deck.session_frame(), Ordering::Relaxed);
        }
        self.status.decks_taken.store(self.decks_taken, Ordering::Release);
    }

    fn take_messages(&mut self) {
        if let Some(deck) = self.leaving.take() {
            self.send_back(deck);
        }
        for _ in 0..MESSAGES_PER_BLOCK {
            // Two decks at a time are enough: a third one waits for the crossfade.
            let busy = self.next.is_some() || self.leaving.is_some();
            match self.inbox.peek() {
                Ok(Message::Deck { .. }) if busy => return,
                Ok(_) => {}
                Err(_) => return,
            }
            match self.inbox.pop() {
                Ok(Message::Set(set)) => {
                    if let Some(deck) = self.next.as_mut().or(self.deck.as_mut()) {
                        deck.set(set);
                    }
                }
                Ok(Message::Deck { deck, in_time }) => {
                    self.next = Some(deck);
                    self.decks_taken += 1;
                    self.crossfade = Ramp::new(0.0);
                    if !in_time {
                        self.begin_crossfade();
                    }
                }
                Ok(Message::Play(playing)) => {
                    self.gate.go(if playing { 1.0 } else { 0.0 }, 0, self.hand_frames);
                    self.status.playing.store(playing, Ordering::Relaxed);
                }
                Err(_) => return,
            }
        }
    }

    fn begin_crossfade(&mut self) {
        self.crossfade.go(1.0, 0, self.hand_frames);
        if self.deck.is_none() {
            self.crossfade.settle();
        }
    }

    fn is_paused(&self) -> bool {
        !self.gate.is_moving() && self.gate.target() == 0.0
    }

    /// Whether there is a next deck whose time has not come.
    fn is_waiting(&self) -> bool {
        self.next.is_some() && self.crossfade.target() == 0.0
    }

    /// How many frames can be rendered in one go before a waiting deck's time comes.
    fn frames_until_next(&mut self, frames: usize) -> usize {
        if !self.is_waiting() {
            return frames;
        }
        let now = self.deck.as_ref().map_or(0, |deck| deck.session_frame());
        let then = self.next.as_ref().map_or(0, |deck| deck.session_frame());
        if now >= then || self.is_paused() {
            self.begin_crossfade();
            return frames;
        }
        frames.min(usize::try_from(then - now).unwrap_or(usize::MAX))
    }

    fn piece(&mut self, left: &mut [f32], right: &mut [f32]) {
        if self.is_paused() {
            left.fill(0.0);
            right.fill(0.0);
            if self.next.is_some() && !self.is_waiting() {
                self.change_deck();
            }
            return;
        }
        let missing = write(self.deck.as_deref_mut(), left, right);
        self.status.missing_frames.fetch_add(missing as u64, Ordering::Relaxed);
        if !self.is_waiting()
            && let Some(next) = &mut self.next
        {
            let missing = mix(next, &mut self.crossfade, left, right);
            self.status.missing_frames.fetch_add(missing as u64, Ordering::Relaxed);
            if !self.crossfade.is_moving() {
                self.change_deck();
            }
        }
        if self.gate.is_moving() {
            for (left, right) in left.iter_mut().zip(right) {
                let gain = self.gate.next_frame() as f32;
                (*left, *right) = (*left * gain, *right * gain);
            }
        }
    }

    fn change_deck(&mut self) {
        self.crossfade = Ramp::new(0.0);
        let old = std::mem::replace(&mut self.deck, self.next.take());
        if let Some(old) = old {
            self.send_back(old);
        }
    }

    fn send_back(&mut self, deck: Box<Deck>) {
        if let Err(rtrb::PushError::Full(deck)) = self.outbox.push(deck) {
            self.leaving = Some(deck);
        }
    }
}

/// Writes a deck's next frames, mono to both sides. Returns how many frames were missing.
fn write(deck: Option<&mut Deck>, left: &mut [f32], right: &mut [f32]) -> usize {
    let Some(deck) = deck else {
        left.fill(0.0);
        right.fill(0.0);
        return 0;
    };
    let frames = left.len();
    let (mix, missing) = deck.run(frames);
    left.copy_from_slice(&mix.buffer.channel(0)[..frames]);
    right.copy_from_slice(&mix.buffer.channel(mix.buffer.channels() - 1)[..frames]);
    missing
}

/// Mixes the next deck in.
fn mix(deck: &mut Deck, crossfade: &mut Ramp, left: &mut [f32], right: &mut [f32]) -> usize {
    let frames = left.len();
    let (mix, missing) = deck.run(frames);
    let new_left = &mix.buffer.channel(0)[..frames];
    let new_right = &mix.buffer.channel(mix.buffer.channels() - 1)[..frames];
    for (((left, right), new_left), new_right) in
        left.iter_mut().zip(right).zip(new_left).zip(new_right)
    {
        let share = crossfade.next_frame() as f32;
        *left = *left * (1.0 - share) + new_left * share;
        *right = *right * (1.0 - share) + new_right * share;
    }
    missing
}
