//! A block of sound: planar `f32`, one or two channels, room for a fixed number of frames.

/// The most channels that version 1 validates; the type carries a count, so that more can come.
pub const MAX_CHANNELS: usize = 2;

/// A block of sound with room for `capacity` frames of each of its channels.
///
/// How many of those frames hold sound at the moment is said by whoever passes the buffer on
/// (see [`crate::Io`]). Made once, outside the audio path; nothing here allocates afterwards.
#[derive(Clone, Debug, PartialEq)]
pub struct Buffer {
    data: Vec<f32>,
    channels: usize,
    capacity: usize,
}

impl Buffer {
    /// A silent buffer of `channels` (1 or 2) times `capacity` frames. Allocates.
    ///
    /// # Panics
    /// When `channels` is not 1 or 2: a fault of the program, never of input.
    #[must_use]
    pub fn new(channels: usize, capacity: usize) -> Self {
        assert!((1..=MAX_CHANNELS).contains(&channels), "a buffer has one or two channels");
        Self { data: vec![0.0; channels * capacity], channels, capacity }
    }

    /// A buffer that holds exactly these channels. Allocates.
    ///
    /// # Panics
    /// When the planes differ in length or are not one or two: a fault of the program.
    #[must_use]
    pub fn from_planes(planes: &[&[f32]]) -> Self {
        let capacity = planes.first().map_or(0, |plane| plane.len());
        let mut buffer = Self::new(planes.len(), capacity);
        for (channel, plane) in planes.iter().enumerate() {
            buffer.channel_mut(channel).copy_from_slice(plane);
        }
        buffer
    }

    /// How many channels, 1 or 2.
    #[must_use]
    pub const fn channels(&self) -> usize {
        self.channels
    }

    /// Room for this many frames.
    #[must_use]
    pub const fn capacity(&self) -> usize {
        self.capacity
    }

    /// All frames of one channel.
    #[must_use]
    pub fn channel(&self, channel: usize) -> &[f32] {
        &self.data[channel * self.capacity..(channel + 1) * self.capacity]
    }

    /// All frames of one channel, to write to.
    pub fn channel_mut(&mut self, channel: usize) -> &mut [f32] {
        &mut self.data[channel * self.capacity..(channel + 1) * self.capacity]
    }

    /// The channels, each as one slice of `capacity` frames.
    pub fn planes(&self) -> impl Iterator<Item = &[f32]> {
        // chunks_exact(0) would panic on an empty buffer
        self.data.chunks_exact(self.capacity.max(1))
    }

    /// The channels to write to, each as one slice of `capacity` frames.
    pub fn planes_mut(&mut self) -> impl Iterator<Item = &mut [f32]> {
        self.data.chunks_exact_mut(self.capacity.max(1))
    }

    /// Both channels at once: the left one, and the right one if this is stereo.
    pub fn split_mut(&mut self) -> (&mut [f32], Option<&mut [f32]>) {
        let (left, right) = self.data.split_at_mut(self.capacity);
        (left, (self.channels == 2).then_some(right))
    }

    /// Writes silence over everything.
    pub fn clear(&mut self) {
        self.data.fill(0.0);
    }
}
