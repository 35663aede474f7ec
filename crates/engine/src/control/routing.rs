//! Who is connected to whom, and which connections mute and solo leave open.
//!
//! Mute closes everything that leaves a strip: its way to the output, its sends, what it keys. A muted
//! group closes the sends and keys of its members too. Solo is in place: open are the ways of soloed
//! strips, of their members, of what is solo-safe, and of every group on the way to the bus; the sends
//! of what is heard; and, when a return is soloed, whatever feeds it. Solo leaves keys alone, so that
//! what is heard alone sounds as it does in the mix.

use topdown_session::{Session, Strip, StripId, StripKind, Tap, Value};

/// A connection in terms of the session: strips by their place in it.
#[derive(Clone, Debug)]
pub(super) struct Connection {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) way: Way,
    pub(super) open: bool,
}

/// What a connection carries.
#[derive(Clone, Debug)]
pub(super) enum Way {
    /// The strip's output into the strip that sums it.
    Main,
    /// A send.
    Send { level_db: Value, tap: Tap },
    /// What processor number `processor` listens to.
    Key { processor: usize },
}

pub(super) fn index_of(session: &Session, id: &StripId) -> Option<usize> {
    session.strips.iter().position(|strip| strip.id == *id)
}

/// Every connection between strips that are not excluded, sums in session order.
pub(super) fn connections(session: &Session, honour_solo: bool) -> Vec<Connection> {
    let view = View::new(session, honour_solo);
    let mut found = Vec::new();
    for (from, strip) in session.strips.iter().enumerate() {
        if strip.excluded.is_some() {
            continue;
        }
        if let Some(to) = view.parent[from] {
            found.push(Connection { from, to, way: Way::Main, open: view.main_open(from) });
        }
        for send in &strip.sends {
            if let Some(to) = index_of(session, &send.to) {
                let way = Way::Send { level_db: send.level_db.clone(), tap: send.tap };
                found.push(Connection { from, to, way, open: view.send_open(from, to) });
            }
        }
    }
    for (to, strip) in session.strips.iter().enumerate() {
        if strip.excluded.is_none() {
            found.extend(keys(session, &view, to, strip));
        }
    }
    found
}

fn keys<'a>(
    session: &'a Session,
    view: &'a View<'_>,
    to: usize,
    strip: &'a Strip,
) -> impl Iterator<Item = Connection> + 'a {
    strip.chain.iter().enumerate().filter_map(move |(processor, node)| {
        let from = index_of(session, node.key.as_ref()?)?;
        let open = !view.muted_with_groups(from);
        (session.strips[from].excluded.is_none() && !node.bypass).then_some(Connection {
            from,
            to,
            way: Way::Key { processor },
            open,
        })
    })
}

/// Mute and solo, answered strip by strip.
struct View<'a> {
    strips: &'a [Strip],
    parent: Vec<Option<usize>>,
    solo: Option<Solo>,
}

/// Who is heard while something is soloed.
struct Solo {
    soloed: Vec<bool>,
    /// Soloed itself, or inside something soloed.
    inside: Vec<bool>,
    /// On the way from something soloed or solo-safe to the bus, itself included.
    on_the_way: Vec<bool>,
    /// Member of a group that feeds a soloed return.
    feeds: Vec<bool>,
}

impl<'a> View<'a> {
    fn new(session: &'a Session, honour_solo: bool) -> Self {
        let strips = &session.strips[..];
        let parent = strips
            .iter()
            .map(|strip| strip.output.as_ref().and_then(|id| index_of(session, id)))
            .collect();
        let mut view = Self { strips, parent, solo: None };
        let soloing =
            |strip: &Strip| strip.solo && strip.excluded.is_none() && strip.kind != StripKind::Bus;
        if honour_solo && strips.iter().any(soloing) {
            view.solo = Some(view.solo(strips.iter().map(soloing).collect()));
        }
        view
    }

    fn solo(&self, soloed: Vec<bool>) -> Solo {
        let count = self.strips.len();
        let inside = (0..count).map(|at| self.with_parents(at).any(|up| soloed[up])).collect();
        let mut on_the_way = vec![false; count];
        for at in (0..count).filter(|&at| soloed[at] || self.strips[at].solo_safe) {
            for up in self.with_parents(at) {
                on_the_way[up] = true;
            }
        }
        let sends_to_soloed = |at: usize| {
            self.strips[at].sends.iter().any(|send| {
                self.strips.iter().zip(&soloed).any(|(strip, solo)| *solo && strip.id == send.to)
            })
        };
        let feeds =
            (0..count).map(|at| self.with_parents(at).skip(1).any(sends_to_soloed)).collect();
        Solo { soloed, inside, on_the_way, feeds }
    }

    /// A strip and the strips above it; ends even where the session goes in a circle.
    fn with_parents(&self, at: usize) -> impl Iterator<Item = usize> + '_ {
        std::iter::successors(Some(at), |&at| self.parent[at]).take(self.strips.len())
    }

    fn muted_with_groups(&self, at: usize) -> bool {
        self.with_parents(at)
            .any(|up| self.strips[up].mute && self.strips[up].kind != StripKind::Bus)
    }

    fn main_open(&self, at: usize) -> bool {
        let heard = self
            .solo
            .as_ref()
            .is_none_or(|solo| solo.inside[at] || solo.on_the_way[at] || solo.feeds[at]);
        heard && !self.strips[at].mute
    }

    fn send_open(&self, from: usize, to: usize) -> bool {
        let heard = self
            .solo
            .as_ref()
            .is_none_or(|solo| solo.inside[from] || solo.on_the_way[from] || solo.soloed[to]);
        heard && !self.muted_with_groups(from)
    }
}
