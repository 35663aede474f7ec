//! Mixes one folder and tells how long each phase took: `cargo run --example decide_song -- DIR OUT.wav [LEVELS]`.
#![expect(clippy::print_stdout, reason = "it is a program")]

use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Instant;
use topdown_app::mix::{MixRequest, mix};
use topdown_app::model::{Levels, Strategy};
use topdown_app::{Context, Progress};

struct Watch(Mutex<(Instant, String)>);

impl Progress for Watch {
    fn phase(&self, name: &str, _total: Option<u64>) {
        if let Ok(mut now) = self.0.lock() {
            println!("{:6.2} s  {}", now.0.elapsed().as_secs_f64(), now.1);
            *now = (Instant::now(), name.to_owned());
        }
    }

    fn say(&self, text: &str) {
        println!("          {text}");
    }
}

fn main() {
    let mut args = std::env::args_os().skip(1);
    let (Some(folder), Some(out)) = (args.next(), args.next()) else {
        println!("usage: decide_song DIR OUT.wav [keep|find|bottom-up]");
        return;
    };
    let mut request = MixRequest::new(vec![PathBuf::from(folder)]);
    request.output = Some(PathBuf::from(out));
    request.fresh = true;
    match args.next().as_deref().and_then(|word| word.to_str()) {
        Some("keep") => request.levels = Some(Levels::Keep),
        Some("find") => request.levels = Some(Levels::Find),
        Some("again") => request.fresh = false,
        Some("bottom-up") => request.strategy = Some(Strategy::BottomUp),
        _ => {}
    }
    let watch = Watch(Mutex::new((Instant::now(), "start".to_owned())));
    match mix(&request, &Context::new(&watch)) {
        Ok(facts) => {
            watch.phase("end", None);
            println!("{}\n{}", facts.levels, facts.profile);
            println!("before {:?}\nafter  {:?}", facts.cost_before, facts.cost_after);
            facts.warnings.iter().for_each(|warning| println!("! {warning}"));
        }
        Err(error) => println!("{error}"),
    }
}
