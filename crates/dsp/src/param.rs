//! What a parameter is: one definition that files, checks, help, console and amounts all read.

/// The unit in which a parameter's plain value is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Decibels.
    Db,
    /// Hertz.
    Hz,
    /// Milliseconds.
    Ms,
    /// Seconds.
    Seconds,
    /// Percent, 0 to 100.
    Percent,
    /// `n` in n:1.
    Ratio,
    /// Loudness, LUFS.
    Lufs,
    /// Frames of the session, may be fractional.
    Frames,
    /// A number without a unit (Q, for one).
    None,
}

/// The scale on which a parameter moves: knobs and automation are linear on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Curve {
    /// Linear in the plain value (dB values among them).
    Linear,
    /// Linear in the logarithm of the plain value (frequencies, times).
    Log,
}

/// What the amount of a move, 0 to 100 %, does to this parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AmountRule {
    /// Goes from the old value to the new one in proportion (dB values, pan, width, mix).
    Scale,
    /// Is as the move set it, whatever the amount (frequencies, times, ratios, thresholds).
    Fixed,
}

/// What values a parameter takes. The session stores all of them as `f64`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ParamKind {
    /// A number within inclusive bounds.
    Number {
        /// Lowest value.
        min: f64,
        /// Highest value.
        max: f64,
    },
    /// One of these names; stored as the index into them, written to files as the name.
    Choice(&'static [&'static str]),
    /// 0 is no, 1 is yes; written to files as a boolean.
    Switch,
}

/// One parameter of one kind of processor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ParamSpec {
    /// Stable id, snake case with the unit at its end; at most one dot makes a group (`band_1.gain_db`).
    pub id: &'static str,
    /// What a person reads.
    pub label: &'static str,
    /// Unit of the plain value.
    pub unit: Unit,
    /// What values it takes.
    pub kind: ParamKind,
    /// The value when a session does not say.
    pub default: f64,
    /// Scale of knob and automation.
    pub curve: Curve,
    /// What a move's amount does to it.
    pub amount: AmountRule,
    /// A change takes effect by building the processor anew, because it changes the latency: such a
    /// parameter is a constant in a session, never automation, and `Processor::set` leaves it alone.
    pub rebuilds: bool,
    /// One line of help.
    pub doc: &'static str,
}

impl ParamSpec {
    /// A number on a linear scale that amounts leave alone.
    #[must_use]
    pub const fn number(
        id: &'static str,
        label: &'static str,
        unit: Unit,
        (min, max): (f64, f64),
        default: f64,
        doc: &'static str,
    ) -> Self {
        let (curve, amount) = (Curve::Linear, AmountRule::Fixed);
        let kind = ParamKind::Number { min, max };
        Self { id, label, unit, kind, default, curve, amount, rebuilds: false, doc }
    }

    /// One of several names.
    #[must_use]
    pub const fn choice(
        id: &'static str,
        label: &'static str,
        names: &'static [&'static str],
        default: usize,
        doc: &'static str,
    ) -> Self {
        let (curve, amount) = (Curve::Linear, AmountRule::Fixed);
        let (unit, kind) = (Unit::None, ParamKind::Choice(names));
        let default = default as f64;
        Self { id, label, unit, kind, default, curve, amount, rebuilds: false, doc }
    }

    /// Yes or no.
    #[must_use]
    pub const fn switch(
        id: &'static str,
        label: &'static str,
        default: bool,
        doc: &'static str,
    ) -> Self {
        let (curve, amount) = (Curve::Linear, AmountRule::Fixed);
        let default = if default { 1.0 } else { 0.0 };
        let (unit, kind) = (Unit::None, ParamKind::Switch);
        Self { id, label, unit, kind, default, curve, amount, rebuilds: false, doc }
    }

    /// The same parameter on a logarithmic scale.
    #[must_use]
    pub const fn log(mut self) -> Self {
        self.curve = Curve::Log;
        self
    }

    /// The same parameter, scaled by a move's amount.
    #[must_use]
    pub const fn scaled(mut self) -> Self {
        self.amount = AmountRule::Scale;
        self
    }

    /// The same parameter, taking effect only when the processor is built anew.
    #[must_use]
    pub const fn rebuilding(mut self) -> Self {
        self.rebuilds = true;
        self
    }

    /// The inclusive bounds of the plain value.
    #[must_use]
    pub fn range(&self) -> (f64, f64) {
        match self.kind {
            ParamKind::Number { min, max } => (min, max),
            ParamKind::Choice(names) => (0.0, names.len().saturating_sub(1) as f64),
            ParamKind::Switch => (0.0, 1.0),
        }
    }

    /// Whether `value` may be stored: finite, inside the range, whole where only whole values exist.
    #[must_use]
    pub fn accepts(&self, value: f64) -> bool {
        let (min, max) = self.range();
        let whole = matches!(self.kind, ParamKind::Number { .. }) || value.fract() == 0.0;
        value.is_finite() && (min..=max).contains(&value) && whole
    }
}
