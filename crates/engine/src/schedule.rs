//! Which strip may run which block: a wavefront over (node, block), the same for any number of threads.
//!
//! A node runs block `n` when it has done `n - 1`, when everything it listens to has done `n`, and when
//! whoever listens to it has done `n - DEPTH`, because that is the room that the block goes into. So the
//! bus works on one block while the tracks work on the next. The last node is the sink; it listens to the
//! mix bus and to the taps. What a node computes depends on what it listens to and not on when it ran.

use crate::control::plan::{Plan, StripPlan};

/// Blocks of each strip that exist at a time.
pub(crate) const DEPTH: usize = 3;

/// A block of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Task {
    pub(crate) node: usize,
    pub(crate) block: u64,
}

/// Who listens to whom; does not change while it runs.
#[derive(Debug)]
struct Graph {
    listens_to: Vec<Vec<usize>>,
    heard_by: Vec<Vec<usize>>,
}

/// What has been done so far.
#[derive(Debug)]
pub(crate) struct Schedule {
    graph: Graph,
    blocks: u64,
    done: Vec<u64>,
    running: Vec<bool>,
    stopped: bool,
}

impl Schedule {
    /// The strips of `plan` and, after them, the sink.
    pub(crate) fn new(plan: &Plan, blocks: u64) -> Self {
        let mut listens_to: Vec<_> = plan.strips.iter().map(StripPlan::listens_to).collect();
        let mut sink = plan.taps.clone();
        sink.push(plan.output);
        sink.sort_unstable();
        sink.dedup();
        listens_to.push(sink);
        let mut heard_by = vec![Vec::new(); listens_to.len()];
        for (node, from) in listens_to.iter().enumerate() {
            for from in from {
                heard_by[*from].push(node);
            }
        }
        let count = listens_to.len();
        let graph = Graph { listens_to, heard_by };
        Self { graph, blocks, done: vec![0; count], running: vec![false; count], stopped: false }
    }

    /// The strips that a node listens to, ascending.
    pub(crate) fn listens_to(&self, node: usize) -> &[usize] {
        &self.graph.listens_to[node]
    }

    /// Takes the next task: of all that can run the earliest block, and there the strip nearest to the
    /// mix, because others wait for it.
    pub(crate) fn take(&mut self) -> Option<Task> {
        if self.stopped {
            return None;
        }
        let ready = (0..self.done.len()).rev().filter(|&node| self.is_ready(node));
        let node = ready.min_by_key(|&node| self.done[node])?;
        self.running[node] = true;
        Some(Task { node, block: self.done[node] })
    }

    fn is_ready(&self, node: usize) -> bool {
        let block = self.done[node];
        !self.running[node]
            && block < self.blocks
            && self.graph.listens_to[node].iter().all(|&from| self.done[from] > block)
            && self.graph.heard_by[node].iter().all(|&to| self.done[to] + DEPTH as u64 > block)
    }

    pub(crate) fn finish(&mut self, task: Task) {
        self.running[task.node] = false;
        self.done[task.node] = task.block + 1;
    }

    /// No more tasks.
    pub(crate) const fn stop(&mut self) {
        self.stopped = true;
    }

    /// Whether nothing will come any more: all is done, or it was stopped.
    pub(crate) fn is_over(&self) -> bool {
        self.stopped || self.done.last().is_none_or(|done| *done >= self.blocks)
    }
}
