//! What the live loop takes on this machine, as JSON lines; `make live-bench` makes tables of them.
//!
//! - `live latency MODEL MMPROJ ROUNDS SOUND...`: milliseconds from the end of each sound, which is a question about a
//!   picture, to the first text of the answer: in real time, and with all work done after the end of the turn.
//! - `live memory MODEL MMPROJ`: resident bytes after each of 200 turns.

#![allow(clippy::print_stdout, reason = "an example prints what it was asked for")]

use std::error::Error;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lorgnette_device::Timestamp;
use lorgnette_device::camera::{Frame, Layout, PixelFormat};
use lorgnette_device::clock::{Clock, ManualClock, MonotonicClock};
use lorgnette_device::microphone::{AudioChunk, CHUNK_LEN, CHUNK_TIME};
use lorgnette_quant::gguf::Gguf;
use lorgnette_runtime::backend::cpu::Cpu;
use lorgnette_runtime::conversation::{self, AnswerOptions, Conversation, LanguageModel};
use lorgnette_runtime::live::{
    EVENTS, Earshot, Engine, Event, Listening, ListeningOptions, Report, Session, Stage, replay, talk,
};
use lorgnette_runtime::mode::Mode;
use lorgnette_runtime::model::audio::{Clip, decode_wav};
use lorgnette_runtime::model::chat_template::{Message, Part, Role};
use lorgnette_runtime::model::media::{Image, Sound};
use lorgnette_runtime::model::vision::Picture;
use tokio::sync::mpsc;

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;
type Model = Arc<LanguageModel<Cpu>>;

const CAPACITY: usize = 2048;
const SIZE: (usize, usize) = (640, 480);
/// Between two frames of a camera.
const FRAME: Duration = Duration::from_micros(66_667);
/// Silence before a question.
const BEFORE: usize = 16_000 / 2;
/// Silence after it, in which it is answered.
const AFTER: usize = 16_000 * 20;

fn main() -> Result<()> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["latency", model, mmproj, rounds, ref sounds @ ..] => {
            let model = load(model, mmproj)?;
            (0..rounds.parse()?).try_for_each(|round: u64| {
                sounds.iter().try_for_each(|sound| latency(&model, round, Path::new(sound)))
            })
        }
        ["memory", model, mmproj] => memory(&load(model, mmproj)?),
        _ => Err("usage: live latency MODEL MMPROJ ROUNDS SOUND... | live memory MODEL MMPROJ".into()),
    }
}

fn load(model: &str, mmproj: &str) -> Result<Model> {
    let model = LanguageModel::load(Cpu, &Arc::new(Gguf::open(model)?))?;
    Ok(Arc::new(model.with_towers(&Arc::new(Gguf::open(mmproj)?))?))
}

fn options() -> AnswerOptions {
    AnswerOptions { max_tokens: 4, ..AnswerOptions::default() }
}

fn system() -> Message {
    Message::text(Role::System, "Answer in a few words.")
}

fn session(engine: &Engine<Cpu>) -> Session {
    let listening = Listening::new(ListeningOptions::default(), Box::new(Earshot::default()));
    Session::new(listening, Mode::Instant, engine.cancel())
}

/// Prints the two times for one question. Each round has its own picture and its own sound, so that nothing is known from
/// before.
fn latency(model: &Model, round: u64, path: &Path) -> Result<()> {
    let mut samples = decode_wav(&std::fs::read(path)?)?.samples().to_vec();
    let mut hiss = hiss(round);
    samples.iter_mut().for_each(|sample| *sample += hiss());
    let live = in_real_time(model, round, &samples)?;
    let sequential = ListeningOptions::default().end + one_after_the_other(model, round + 1_000, &samples)?;
    let line = serde_json::json!({
        "sound": path.file_stem().and_then(|stem| stem.to_str()),
        "seconds": samples.len() as f64 / 16_000.0,
        "silence_ms": milliseconds(ListeningOptions::default().end),
        "live_ms": milliseconds(live.shown),
        "live_work_ms": milliseconds(live.work),
        "sequential_ms": milliseconds(sequential),
        "blocks_after_the_end": live.blocks,
    });
    println!("{line}");
    Ok(())
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// White noise that nobody hears.
fn hiss(seed: u64) -> impl FnMut() -> f32 {
    let mut state = seed as u32 ^ 0x9E37_79B9;
    move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        1e-4 * ((state >> 8) as f32 / 8_388_608.0 - 1.0)
    }
}

/// How a question was answered while it was heard.
struct Live {
    /// From the end of the sound to the first text.
    shown: Duration,
    /// From when the question seemed to be over until that text was there. It is shown once the turn has ended.
    work: Duration,
    /// Passes of the audio tower after the end.
    blocks: usize,
}

/// Plays a picture and `samples` when their time has come.
fn in_real_time(model: &Model, round: u64, samples: &[f32]) -> Result<Live> {
    let clock: Arc<dyn Clock> = Arc::new(MonotonicClock);
    let engine = Engine::new(Arc::clone(model), CAPACITY, vec![system()], options(), Arc::clone(&clock))?;
    let session = session(&engine);
    let (sender, events) = mpsc::channel(EVENTS);
    let start = clock.now() + Duration::from_millis(50);
    let senses = {
        let mut hiss = hiss(round + 7);
        let silence = (0..BEFORE).map(|_| hiss()).collect::<Vec<_>>();
        let after = (0..AFTER).map(|_| hiss()).collect::<Vec<_>>();
        let sound = [silence, samples.to_vec(), after].concat();
        let (sender, clock) = (sender.clone(), Arc::clone(&clock));
        std::thread::spawn(move || sense(round, &sound, start, &*clock, &sender))
    };
    let end = start + Duration::from_secs_f64((BEFORE + samples.len()) as f64 / 16_000.0);
    let (mut first, mut traces) = (None, Vec::new());
    let shutdown = sender.clone();
    let mut on = |report: Report| match report {
        Report::Piece(_) => drop(first.get_or_insert_with(|| clock.now())),
        Report::Turn(trace) => {
            traces.push(trace);
            drop(shutdown.try_send(Event::Shutdown));
        }
        _ => {}
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    runtime.block_on(talk(session, engine, Arc::clone(&clock), sender, events, &mut on))?;
    senses.join().map_err(|_| "the senses broke down")?;
    let first = first.ok_or("there was no answer")?;
    let [trace] = &traces[..] else { return Err(format!("{} turns, expected one", traces.len()).into()) };
    let (Some(over), Some(ready)) = (trace.question_end, trace.first_piece) else {
        return Err("the trace says of no answer".into());
    };
    Ok(Live { shown: first.since(end), work: ready.since(over), blocks: trace.count(Stage::Hear, end) })
}

/// Sound and frames, each when its time has come.
fn sense(round: u64, sound: &[f32], start: Timestamp, clock: &dyn Clock, sender: &mpsc::Sender<Event>) {
    let (mut next, mut number) = (start, 0);
    for (sequence, samples) in sound.chunks_exact(CHUNK_LEN).enumerate() {
        let captured = start + CHUNK_TIME * sequence as u32;
        clock.sleep_until(captured + CHUNK_TIME);
        if next <= clock.now() {
            number += 1;
            if sender.blocking_send(Event::Frame(frame(round, next, number))).is_err() {
                return;
            }
            next = next + FRAME;
        }
        let samples = Box::new(std::array::from_fn(|i| samples[i]));
        let chunk = AudioChunk { samples, captured, sequence: sequence as u64, overruns: 0 };
        if sender.blocking_send(Event::Sound(chunk)).is_err() {
            return;
        }
    }
}

fn pixels(round: u64) -> Vec<u8> {
    let (width, height) = SIZE;
    let pixel = |x: usize, y: usize, c: usize| ((x / 3 + y * 2 + c * 50 + round as usize * 31) & 255) as u8;
    let rows = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    rows.flat_map(|(x, y)| [pixel(x, y, 0), pixel(x, y, 1), pixel(x, y, 2)]).collect()
}

fn frame(round: u64, captured: Timestamp, number: u64) -> Frame {
    let mut frame = Frame::default();
    let filled = Layout::packed(PixelFormat::Rgb, SIZE.0, SIZE.1)
        .and_then(|layout| frame.fill(layout, captured, number, &pixels(round)));
    debug_assert!(filled.is_ok());
    frame
}

/// All work after the end, the prompt of the system excepted: until the first text.
fn one_after_the_other(model: &Model, round: u64, samples: &[f32]) -> Result<Duration> {
    let mut conversation = Conversation::new(Arc::clone(model), CAPACITY)?;
    conversation.prepare(&[system()], &options(), &mut |_| ControlFlow::Continue(()))?;
    let start = Instant::now();
    let picture = Image::new(Picture::new(SIZE.0, SIZE.1, pixels(round))?);
    let sound = Sound::new(Clip::new(samples.to_vec())?);
    let question = Message::parts(Role::User, vec![Part::Image(picture), Part::Audio(sound)]);
    let mut first = None;
    conversation.answer(&[system(), question], &options(), &mut |event| {
        if matches!(event, conversation::Event::Piece(_)) {
            first.get_or_insert_with(|| start.elapsed());
        }
        ControlFlow::Continue(())
    })?;
    first.ok_or_else(|| "there was no answer".into())
}

/// Turns of two seconds of what sounds like nothing, held by a button: every third about another view.
fn memory(model: &Model) -> Result<()> {
    let clock = Arc::new(ManualClock::default());
    let mut engine = Engine::new(Arc::clone(model), CAPACITY, vec![system()], options(), clock)?;
    let mut session = session(&engine);
    let mut now = Timestamp::default();
    for turn in 1..=200_u64 {
        use lorgnette_runtime::live::Button::{Down, Up};
        let mut hiss = hiss(turn);
        let mut events = vec![(now, Event::Frame(frame(turn / 3, now, turn))), (now, Event::Button(Down))];
        for sequence in 0..100 {
            let samples = Box::new(std::array::from_fn(|_| 100.0 * hiss()));
            let chunk = AudioChunk { samples, captured: now, sequence, overruns: 0 };
            now = now + CHUNK_TIME;
            events.push((now, Event::Sound(chunk)));
        }
        events.push((now, Event::Button(Up)));
        now = now + Duration::from_secs(1);
        let mut failed = None;
        replay(&mut session, &mut engine, events, &mut |_, report| {
            if let Report::Failed(error) = report {
                failed = Some(error);
            }
        });
        if let Some(error) = failed {
            return Err(error.into());
        }
        println!("{}", serde_json::json!({"turns": turn, "resident_bytes": resident()?}));
    }
    Ok(())
}

/// What Linux counts.
fn resident() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").trim().parse::<u64>()? * 1024)
}
