//! Powers by band: the shape in which decisions hear a strip.
//!
//! A [`BandFrames`] holds the power of a signal in [`ERB_BANDS`] auditory bands, in frames of about
//! [`FRAME_MS`]. Levels, masking and the predictor are all sums over it.

/// Auditory bands of a frame.
pub const ERB_BANDS: usize = 40;
/// Nominal length of a frame.
pub const FRAME_MS: f64 = 100.0;
/// Thirds of an octave, from 25 Hz to 20 kHz.
pub const THIRDS: usize = 30;

/// Power in auditory bands over time: `power[frame * ERB_BANDS + band]`, linear.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BandFrames {
    power: Vec<f32>,
}

impl BandFrames {
    /// Frames of [`ERB_BANDS`] powers each; a last frame that is not whole is dropped.
    #[must_use]
    pub fn new(mut power: Vec<f32>) -> Self {
        power.truncate(power.len() / ERB_BANDS * ERB_BANDS);
        Self { power }
    }

    /// How many frames there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.power.len() / ERB_BANDS
    }

    /// Whether there is no frame.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.power.is_empty()
    }

    /// The frames in order, each with [`ERB_BANDS`] powers.
    pub fn frames(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        self.power.chunks_exact(ERB_BANDS)
    }
}
