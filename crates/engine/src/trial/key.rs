//! Keys of rendered sound: a hash over everything that went into it.

use super::Window;
use crate::control::plan::{Feed, Key, Plan, StripPlan};
use topdown_session::{Session, Tap, Value};

/// Stands for samples: equal keys, equal samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AudioKey([u8; 32]);

/// The keys of every strip of a plan over one excerpt.
pub(super) struct Keys {
    /// Of what the chain makes, before the fader.
    pub(super) chain: Vec<AudioKey>,
    /// Of what the strip hands out.
    pub(super) output: Vec<AudioKey>,
}

impl Keys {
    pub(super) fn new(plan: &Plan, session: &Session, window: Window) -> Self {
        let mut keys = Self { chain: Vec::new(), output: Vec::new() };
        for strip in &plan.strips {
            let mut hash = Hash::new();
            hash.number(u64::from(plan.sample_rate.get()));
            hash.number(window.start).number(window.end);
            keys.strip(strip, session, &mut hash);
            let chain = hash.finish();
            let mut hash = Hash::new();
            hash.bytes(&chain.0).number(strip.post_channels as u64);
            hash.value(&strip.fader_db).value(&strip.pan).value(&strip.width);
            keys.chain.push(chain);
            keys.output.push(hash.finish());
        }
        keys
    }

    /// The key of the part of a strip's output that is listened to.
    pub(super) fn tap(&self, strip: usize, window: Window) -> AudioKey {
        let mut hash = Hash::new();
        hash.bytes(&self.output[strip].0).number(window.from).number(window.to).finish()
    }

    fn strip(&self, strip: &StripPlan, session: &Session, hash: &mut Hash) {
        hash.number(strip.channels as u64).number(strip.latency_in_frames as u64);
        hash.number(strip.clips.len() as u64);
        for clip in &strip.clips {
            let file = session.files.get(&clip.clip.file);
            hash.text(file.map_or("", |file| &file.hash));
            let clip = (&clip.clip, clip.channels);
            hash.number(clip.0.channel.map_or(u64::MAX, u64::from)).number(clip.1 as u64);
            hash.number(clip.0.at_frame).number(clip.0.from_frame).number(clip.0.frames);
            hash.number(clip.0.gain_db.to_bits());
            hash.number(clip.0.fades.in_frames).number(clip.0.fades.out_frames);
        }
        hash.number(strip.feeds.len() as u64);
        for feed in &strip.feeds {
            self.feed(feed, hash);
        }
        hash.number(strip.chain.len() as u64);
        for processor in &strip.chain {
            hash.text(processor.kind.0.id).number(u64::from(processor.bypass));
            hash.number(processor.latency_frames as u64).number(processor.values.len() as u64);
            for value in &processor.values {
                hash.value(value);
            }
            match &processor.key {
                Key::Own => {
                    hash.number(0);
                }
                Key::Silent => {
                    hash.number(1);
                }
                Key::From(feed) => self.feed(feed, hash.number(2)),
            }
        }
    }

    fn feed(&self, feed: &Feed, hash: &mut Hash) {
        let key = match feed.tap {
            Tap::Pre => &self.chain[feed.from],
            Tap::Post => &self.output[feed.from],
        };
        hash.bytes(&key.0).number(u64::from(feed.tap == Tap::Pre));
        hash.number(feed.delay_frames as u64).number(u64::from(feed.open)).value(&feed.level_db);
    }
}

struct Hash(blake3::Hasher);

impl Hash {
    fn new() -> Self {
        Self(blake3::Hasher::new())
    }

    fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.update(bytes);
        self
    }

    fn number(&mut self, number: u64) -> &mut Self {
        self.bytes(&number.to_le_bytes())
    }

    fn text(&mut self, text: &str) -> &mut Self {
        self.number(text.len() as u64).bytes(text.as_bytes())
    }

    fn value(&mut self, value: &Value) -> &mut Self {
        match value {
            Value::Constant(value) => self.number(u64::MAX).number(value.to_bits()),
            Value::Automation(points) => {
                self.number(points.len() as u64);
                for point in points {
                    self.number(point.frame).number(point.value.to_bits());
                }
                self
            }
        }
    }

    fn finish(&self) -> AudioKey {
        AudioKey(*self.0.finalize().as_bytes())
    }
}
