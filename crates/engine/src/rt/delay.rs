//! A delay of whole frames: aligns paths, and stands in for a bypassed processor.

use topdown_dsp::Status;

/// A delay line of one or two channels.
#[derive(Clone, Debug)]
pub(crate) struct Delay {
    lines: Vec<Vec<f32>>,
    at: usize,
    /// Frames until everything that is not silent has left; 0 when it is empty.
    sounding: usize,
}

impl Delay {
    /// A line that holds `frames` frames. Allocates.
    pub(crate) fn new(channels: usize, frames: usize) -> Self {
        Self { lines: vec![vec![0.0; frames]; channels], at: 0, sounding: 0 }
    }

    fn length(&self) -> usize {
        self.lines.first().map_or(0, Vec::len)
    }

    /// Whether `input` may be skipped because what comes out is silent and stays so.
    pub(crate) fn is_idle(&self, input: Status) -> bool {
        input == Status::Silent && self.sounding == 0
    }

    /// Says what the next `frames` frames that go in are. Returns what comes out meanwhile.
    pub(crate) fn note(&mut self, frames: usize, input: Status) -> Status {
        let output = if self.sounding > 0 { Status::Filled } else { Status::Silent };
        match input {
            Status::Filled => {
                self.sounding = self.length();
                if frames > self.length() { Status::Filled } else { output }
            }
            Status::Silent => {
                self.sounding = self.sounding.saturating_sub(frames);
                output
            }
        }
    }

    /// Delays one channel in place. The position moves on with [`Self::advance`].
    pub(crate) fn channel(&mut self, channel: usize, samples: &mut [f32]) {
        let Some(line) = self.lines.get_mut(channel).filter(|line| !line.is_empty()) else {
            return;
        };
        let mut at = self.at;
        let mut rest = samples;
        while !rest.is_empty() {
            let run = (line.len() - at).min(rest.len());
            let (now, later) = rest.split_at_mut(run);
            now.swap_with_slice(&mut line[at..at + run]);
            at = (at + run) % line.len();
            rest = later;
        }
    }

    /// Moves on, after each channel had its `frames` frames.
    pub(crate) fn advance(&mut self, frames: usize) {
        if self.length() > 0 {
            self.at = (self.at + frames) % self.length();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_in_comes_out_so_many_frames_later_in_pieces_of_any_size() {
        let input: Vec<f32> = (1..=50).map(|n| n as f32).collect();
        for length in [0, 1, 3, 17] {
            let mut delay = Delay::new(1, length);
            let mut output = input.clone();
            for piece in output.chunks_mut(7) {
                delay.channel(0, piece);
                delay.advance(piece.len());
            }
            let expected: Vec<f32> =
                std::iter::repeat_n(0.0, length).chain(input.iter().copied()).take(50).collect();
            assert_eq!(output, expected, "{length}");
        }
    }

    #[test]
    fn it_is_idle_only_when_the_last_sound_has_left() {
        let mut delay = Delay::new(1, 10);
        assert!(delay.is_idle(Status::Silent));
        assert_eq!(delay.note(4, Status::Filled), Status::Silent);
        assert_eq!(delay.note(9, Status::Silent), Status::Filled);
        assert!(!delay.is_idle(Status::Silent));
        assert_eq!(delay.note(1, Status::Silent), Status::Filled);
        assert!(delay.is_idle(Status::Silent));
    }
}
