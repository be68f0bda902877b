//! What an audio callback runs allocates nothing and asks the operating system for nothing but the time: no lock is
//! waited for, no line is logged.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "common/counting.rs"]
#[allow(dead_code, reason = "only a part is used here")]
mod counting;

use std::sync::Arc;
use std::time::Duration;

use lorgnette_device::clock::MonotonicClock;
use lorgnette_device::microphone::ring::{Intake, Outlet, ring};
use lorgnette_device::microphone::{Format, Mute};

const FORMAT: Format = Format { rate: 48_000, channels: 2 };

fn open() -> (Intake, Outlet, Mute) {
    let mute = Mute::new(Arc::new(MonotonicClock));
    let (intake, outlet) = ring(FORMAT, &mute).unwrap();
    (intake, outlet, mute)
}

/// What callbacks do: three seconds of blocks, more than the ring holds, then some while it is muted.
fn play(intake: &mut Intake, mute: &Mute) {
    let block = [12_345i16; 960];
    for _ in 0..300 {
        intake.push_now(&block, Duration::from_millis(12), &MonotonicClock, |&it| f32::from(it) / 32768.0);
    }
    let signals = intake.signals();
    signals.overrun();
    signals.lost(lorgnette_device::ErrorKind::Gone);
    drop(signals);
    mute.mute();
    intake.push_now(&[f32::NAN; 960], Duration::ZERO, &MonotonicClock, |&sample| sample);
}

#[test]
fn the_callback_allocates_nothing() {
    let (mut intake, _outlet, mute) = open();
    let before = counting::in_this_thread();
    play(&mut intake, &mute);
    assert_eq!(counting::in_this_thread(), before);
    drop(vec![0u8; 1]);
    assert_eq!(counting::in_this_thread(), before + 2, "the counter counts");
}

/// The callback runs in a process of its own, which the kernel ends at the first system call that is not for the time.
#[cfg(target_os = "linux")]
mod system_calls {
    use std::os::unix::process::ExitStatusExt;
    use std::process::{Command, ExitStatus};

    use lorgnette_device::clock::{Clock, MonotonicClock};

    use super::{open, play};

    const ROLE: &str = "LORGNETTE_TEST_ROLE";

    #[test]
    fn the_callback_makes_no_system_call() {
        if let Ok(role) = std::env::var(ROLE) {
            let (mut intake, _outlet, mute) = open();
            // The first call looks up how the kernel tells the time.
            MonotonicClock.now();
            seal();
            play(&mut intake, &mute);
            if role == "noisy" {
                std::io::Write::write_all(&mut std::io::stderr(), b"a line in the log\n").unwrap();
            }
            // SAFETY: ends the process, which needs nothing.
            unsafe { libc::_exit(0) }
        }
        assert!(run("quiet").success());
        assert_eq!(run("noisy").signal(), Some(libc::SIGSYS), "the seal seals");
    }

    fn run(role: &str) -> ExitStatus {
        let name = "system_calls::the_callback_makes_no_system_call";
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", name, "--nocapture", "--test-threads=1"]).env(ROLE, role);
        child.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
        child.status().unwrap()
    }

    /// From now on, this thread may ask for the time and end the process.
    fn seal() {
        let load_number = libc::sock_filter {
            code: (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16,
            jt: 0,
            jf: 0,
            k: 0,
        };
        let answer = |k| libc::sock_filter { code: (libc::BPF_RET | libc::BPF_K) as u16, jt: 0, jf: 0, k };
        let unless = |number: libc::c_long| libc::sock_filter {
            code: (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16,
            jt: 0,
            jf: 1,
            k: number as u32,
        };
        let mut rules = [
            load_number,
            unless(libc::SYS_clock_gettime),
            answer(libc::SECCOMP_RET_ALLOW),
            unless(libc::SYS_exit_group),
            answer(libc::SECCOMP_RET_ALLOW),
            answer(libc::SECCOMP_RET_KILL_PROCESS),
        ];
        let program = libc::sock_fprog { len: rules.len() as u16, filter: rules.as_mut_ptr() };
        // SAFETY: the program and its rules live through the calls, which copy them.
        let sealed = unsafe {
            libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
                && libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program) == 0
        };
        assert!(sealed, "{}", std::io::Error::last_os_error());
    }
}
