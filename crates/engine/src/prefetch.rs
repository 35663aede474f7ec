//! Reads clips ahead of the renderer, on a thread of its own, into one ring a track.

use crate::feed::{ClipPlayer, FeedError, IdleFiles, Reader, Sources};
use crate::rt::ClipBlock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use topdown_dsp::{Buffer, Status};

/// How long the thread sleeps when every ring is full.
const NAP: Duration = Duration::from_millis(5);
/// Blocks read of one track before the next one has its turn.
const TURN: usize = 4;
/// Blocks of every track that are read before a deck starts to play.
const HEAD_START: usize = 8;

/// Fills the ring of one track.
pub(crate) struct Feeder {
    player: ClipPlayer,
    filling: rtrb::Producer<f32>,
    channels: usize,
    /// Session frame to read next.
    frame: i64,
    block: ClipBlock,
    block_frames: usize,
}

impl Feeder {
    pub(crate) fn new(
        player: ClipPlayer,
        filling: rtrb::Producer<f32>,
        channels: usize,
        frame: i64,
        block_frames: usize,
    ) -> Self {
        let buffer = Buffer::new(channels, block_frames);
        let block = ClipBlock { buffer, status: Status::Silent };
        Self { player, filling, channels, frame, block, block_frames }
    }

    /// Reads up to `blocks` blocks; false when there was no room for one.
    fn fill(&mut self, reader: Reader<'_>, blocks: usize) -> Result<bool, FeedError> {
        for at in 0..blocks {
            if self.filling.slots() < self.block_frames * self.channels {
                return Ok(at > 0);
            }
            let result = self.player.play(reader, self.frame, self.block_frames, &mut self.block);
            if result.is_err() {
                self.block.buffer.clear();
            }
            self.push();
            result?;
        }
        Ok(true)
    }

    fn push(&mut self) {
        self.frame += self.block_frames as i64;
        let Ok(chunk) = self.filling.write_chunk_uninit(self.block_frames * self.channels) else {
            return;
        };
        let buffer = &self.block.buffer;
        let frames = 0..self.block_frames;
        let channels = 0..self.channels;
        chunk.fill_from_iter(
            frames.flat_map(|frame| {
                channels.clone().map(move |channel| buffer.channel(channel)[frame])
            }),
        );
    }
}

#[derive(Default)]
struct Shared {
    arriving: Mutex<Vec<Feeder>>,
    error: Mutex<Option<FeedError>>,
    stop: AtomicBool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The thread that reads ahead; ends when this is dropped.
pub(crate) struct Prefetch {
    shared: Arc<Shared>,
    sources: Arc<dyn Sources>,
    thread: Option<JoinHandle<()>>,
}

impl Prefetch {
    pub(crate) fn start(sources: Arc<dyn Sources>) -> Self {
        let shared = Arc::new(Shared::default());
        let (theirs, files) = (shared.clone(), sources.clone());
        let thread = std::thread::spawn(move || read_ahead(&theirs, &*files));
        Self { shared, sources, thread: Some(thread) }
    }

    /// Takes over rings, after a head start on this thread.
    pub(crate) fn add(&self, mut feeders: Vec<Feeder>) {
        let idle = IdleFiles::default();
        let reader = Reader { sources: &*self.sources, idle: &idle };
        for feeder in &mut feeders {
            self.shared.note(feeder.fill(reader, HEAD_START));
        }
        lock(&self.shared.arriving).append(&mut feeders);
        if let Some(thread) = &self.thread {
            thread.thread().unpark();
        }
    }

    pub(crate) fn take_error(&self) -> Option<FeedError> {
        lock(&self.shared.error).take()
    }
}

impl Shared {
    /// Keeps the first error; true when something was read.
    fn note(&self, result: Result<bool, FeedError>) -> bool {
        result.unwrap_or_else(|error| {
            lock(&self.error).get_or_insert(error);
            true
        })
    }
}

fn read_ahead(shared: &Shared, sources: &dyn Sources) {
    let idle = IdleFiles::default();
    let reader = Reader { sources, idle: &idle };
    let mut feeders: Vec<Feeder> = Vec::new();
    while !shared.stop.load(Ordering::Relaxed) {
        feeders.append(&mut lock(&shared.arriving));
        // A ring whose other end is gone belonged to a deck that has been dropped.
        feeders.retain(|feeder| !feeder.filling.is_abandoned());
        let mut busy = false;
        for feeder in &mut feeders {
            busy |= shared.note(feeder.fill(reader, TURN));
        }
        if !busy {
            std::thread::park_timeout(NAP);
        }
    }
}

impl Drop for Prefetch {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // A panic over there has been reported by its own thread.
            let _ = thread.join();
        }
    }
}
