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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::compile::{CompileOptions, compile};
    use topdown_session::{Session, Strip, StripKind};
    use topdown_units::SampleRate;

    /// 24 tracks in 5 groups, as the reference workload has them.
    fn plan() -> Plan {
        let mut session = Session::empty("test", SampleRate::STUDIO);
        for group in 0..5 {
            let id = format!("group-{group}");
            session.strips.push(Strip::new(id.as_str().into(), StripKind::Group, &id, 2));
        }
        for track in 0..24 {
            let id = format!("track-{track}");
            let mut strip = Strip::new(id.as_str().into(), StripKind::Track, &id, 1);
            strip.output = Some(format!("group-{}", track % 5).as_str().into());
            session.strips.push(strip);
        }
        compile(&session, &CompileOptions::default()).unwrap()
    }

    /// Time until all is done when a task takes what `cost` says and `workers` share the tasks.
    fn makespan(plan: &Plan, blocks: u64, workers: usize, cost: impl Fn(usize) -> u64) -> u64 {
        let mut schedule = Schedule::new(plan, blocks);
        let mut running: Vec<(u64, Task)> = Vec::new();
        let mut now = 0;
        while !schedule.is_over() {
            while running.len() < workers
                && let Some(task) = schedule.take()
            {
                running.push((now + cost(task.node), task));
            }
            let first = running.iter().enumerate().min_by_key(|(_, (end, _))| *end);
            let (at, _) = first.expect("nothing runs and nothing can run");
            let (end, task) = running.swap_remove(at);
            now = end;
            schedule.finish(task);
        }
        now
    }

    #[test]
    fn two_workers_are_nearly_twice_as_fast_although_the_bus_is_one_long_task() {
        let plan = plan();
        // A bus with a limiter takes as long as eight tracks, the sink as long as one.
        let cost = |node: usize| match plan.strips.get(node).map(|strip| strip.kind) {
            Some(StripKind::Track) => 10,
            Some(StripKind::Bus) => 80,
            Some(_) => 15,
            None => 10,
        };
        let one = makespan(&plan, 1000, 1, cost);
        let two = makespan(&plan, 1000, 2, cost);
        assert_eq!(one, 1000 * (24 * 10 + 5 * 15 + 80 + 10));
        assert!(one as f64 / two as f64 > 1.9, "{one} / {two}");
    }

    #[test]
    fn one_worker_holds_no_more_blocks_than_there_is_room_for() {
        let plan = plan();
        let mut schedule = Schedule::new(&plan, 50);
        let mut tasks = 0;
        while let Some(task) = schedule.take() {
            let slowest = schedule.done.iter().min().copied().unwrap_or(0);
            assert!(task.block < slowest + DEPTH as u64);
            schedule.finish(task);
            tasks += 1;
        }
        assert!(schedule.is_over());
        assert_eq!(tasks, 50 * (plan.strips.len() + 1));
    }
}
