//! A strip's processors, with their automation and their keys.
//!
//! An automated parameter is aimed at its next value at every automation point and, while it moves, at
//! every frame of a fixed grid counted in session frames. Where the calls are cut in between depends on
//! nothing but the session, so the bytes do not depend on the block size.

use super::curve::Curve;
use super::delay::Delay;
use super::strip::{Outputs, Span};
use super::sum::KeyRunner;
use crate::control::plan::ProcessorPlan;
use topdown_dsp::{Buffer, Curve as Scale, Io, ProcessSpec, Processor, Status};
use topdown_session::Value;

/// Frames between two aims of a moving parameter.
const GRID: i64 = 32;

/// What a processor listens to.
pub(crate) enum Listening {
    Own,
    Silent(Buffer),
    Key(Box<KeyRunner>),
}

/// One place in a chain.
pub(crate) enum Link {
    Running(Box<Running>),
    Bypassed(Delay),
}

pub(crate) struct Running {
    processor: Box<dyn Processor>,
    key: Listening,
    latency_in_frames: i64,
    automation: Vec<Automated>,
    /// Session frame where automation is aimed next.
    next_aim: i64,
}

struct Automated {
    param: usize,
    curve: Curve,
    aimed_at: f64,
}

impl Link {
    /// The running half of `plan`, from stream frame `start` on. Allocates.
    pub(crate) fn new(
        plan: &ProcessorPlan,
        spec: &ProcessSpec,
        start: u64,
        key: Listening,
    ) -> Self {
        if plan.bypass {
            return Self::Bypassed(Delay::new(spec.channels, plan.latency_frames));
        }
        let latency_in_frames = plan.latency_in_frames as i64;
        let frame = start as i64 - latency_in_frames;
        let mut plain = Vec::with_capacity(plan.values.len());
        let mut automation = Vec::new();
        for (param, (value, spec)) in plan.values.iter().zip(plan.kind.0.params).enumerate() {
            plain.push(match value {
                Value::Constant(value) => *value,
                Value::Automation(points) => {
                    let mut curve = Curve::new(points, spec.curve == Scale::Log);
                    let aimed_at = curve.value(frame);
                    automation.push(Automated { param, curve, aimed_at });
                    aimed_at
                }
            });
        }
        let processor = plan.kind.0.build(&plain, spec);
        let next_aim = if automation.is_empty() { i64::MAX } else { frame };
        Self::Running(Box::new(Running { processor, key, latency_in_frames, automation, next_aim }))
    }

    pub(crate) fn set(&mut self, param: usize, value: f64) {
        if let Self::Running(running) = self {
            // A hand takes the parameter over.
            running.automation.retain(|automated| automated.param != param);
            running.processor.set(param, value, 0);
        }
    }

    pub(crate) fn set_key_open(&mut self, open: bool) {
        if let Self::Running(running) = self
            && let Listening::Key(key) = &mut running.key
        {
            key.set_open(open);
        }
    }

    pub(crate) fn take_gain_reduction_db(&mut self) -> Option<f32> {
        match self {
            Self::Running(running) => running.processor.take_gain_reduction_db(),
            Self::Bypassed(_) => None,
        }
    }

    pub(crate) fn cleaned_samples(&self) -> u64 {
        match self {
            Self::Running(running) => running.processor.cleaned_samples(),
            Self::Bypassed(_) => 0,
        }
    }

    /// Processes a block in place.
    pub(crate) fn process(
        &mut self,
        span: Span,
        outputs: &impl Outputs,
        audio: &mut Buffer,
        input: Status,
    ) -> Status {
        match self {
            Self::Running(running) => running.process(span, outputs, audio, input),
            Self::Bypassed(delay) => {
                if delay.is_idle(input) {
                    return Status::Silent;
                }
                let status = delay.note(span.frames, input);
                for channel in 0..audio.channels() {
                    delay.channel(channel, &mut audio.channel_mut(channel)[..span.frames]);
                }
                delay.advance(span.frames);
                status
            }
        }
    }
}

impl Running {
    fn process(
        &mut self,
        span: Span,
        outputs: &impl Outputs,
        audio: &mut Buffer,
        input: Status,
    ) -> Status {
        let first = span.start as i64 - self.latency_in_frames;
        let Self { processor, key, automation, next_aim, .. } = self;
        let key = match key {
            Listening::Own => None,
            Listening::Silent(silence) => Some(&*silence),
            Listening::Key(key) => Some(key.listen(first, span.frames, outputs)),
        };
        let mut status = Status::Silent;
        let mut at = 0;
        while at < span.frames {
            let frame = first + at as i64;
            if frame >= *next_aim {
                *next_aim = aim(automation, processor.as_mut(), frame);
            }
            let run = usize::try_from(next_aim.saturating_sub(frame)).unwrap_or(usize::MAX);
            let end = span.frames.min(at.saturating_add(run));
            if processor.process(&mut Io::new(audio, key, at..end, input)) == Status::Filled {
                status = Status::Filled;
            }
            at = end;
        }
        status
    }
}

/// Aims every automated parameter at where it is to be at the end of the next stretch; returns that end.
fn aim(automation: &mut [Automated], processor: &mut dyn Processor, frame: i64) -> i64 {
    let grid = (frame.div_euclid(GRID) + 1) * GRID;
    let end = automation.iter_mut().fold(i64::MAX, |end, automated| {
        let point = automated.curve.next_point(frame);
        // A value that has just jumped gets there within one step of the grid.
        let resting =
            !automated.curve.moves(frame) && automated.curve.value(frame) == automated.aimed_at;
        end.min(if resting { point } else { point.min(grid) })
    });
    for automated in automation {
        let value = automated.curve.value_before(end);
        if value != automated.aimed_at {
            automated.aimed_at = value;
            let frames = usize::try_from(end.saturating_sub(frame)).unwrap_or(usize::MAX);
            processor.set(automated.param, value, frames);
        }
    }
    end
}
