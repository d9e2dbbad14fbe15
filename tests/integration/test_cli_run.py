"""`mailalert run`, as cron uses it: the command behaves as if started directly, and its failure is told."""

import fcntl
import os
import signal
import subprocess
import sys
import termios
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.domain.ping import MAX_OUTPUT
from tests.support.mailalert_command import HANG, environment, mailalert
from tests.support.ports import free_port
from tests.support.scripted_daemon import ACCEPTED, INVALID, ScriptedDaemon, scripted_daemon
from tests.support.waiting import until

MAILALERT = [sys.executable, "-m", "app"]
ALL_BYTES = bytes(range(256))


@pytest.fixture
def daemon() -> Iterator[ScriptedDaemon]:
    """A daemon that takes everything."""
    with scripted_daemon() as running:
        yield running


def run(daemon: ScriptedDaemon, home: Path, *words: str, **more: Any) -> subprocess.CompletedProcess[bytes]:
    """Run `mailalert run` with these words."""
    return mailalert("run", "--url", daemon.url, *words, home=home, **more)


def start(daemon: ScriptedDaemon, home: Path, *words: str, **popen: Any) -> subprocess.Popen[bytes]:
    """Start it and wait for nothing."""
    environ = environment(home, {"MAILALERT_URL": daemon.url})
    # What is started under nohup or behind a shell's & ignores signals, and no trap changes that.
    return subprocess.Popen(["env", "--default-signal", *MAILALERT, "run", *words], env=environ, cwd=home, **popen)


def log_of(alert: Any) -> bytes:
    """Return the attached log."""
    (file,) = alert["attachments"]
    assert (file["name"], file["content_type"]) == ("output.log", "text/plain")
    return b64decode(file["content"])


def test_a_command_that_succeeds_is_only_passed_through(daemon: ScriptedDaemon, tmp_path: Path) -> None:
    """Its output and exit code are all that there is; stdin is its own, and nothing is left behind."""
    done = run(daemon, tmp_path, "--", "sh", "-c", "cat; echo err >&2", stdin=ALL_BYTES)
    assert (done.returncode, done.stdout, done.stderr) == (0, ALL_BYTES, b"err\n")
    assert daemon.posts == []
    assert list(tmp_path.iterdir()) == []


def test_a_failure_is_told(daemon: ScriptedDaemon, tmp_path: Path) -> None:
    """Exit code, host, user, duration and the last lines in the mail; the whole log beside it."""
    done = run(daemon, tmp_path, "--name", "backup", "--", "sh", "-c", "echo out; echo err >&2; exit 23")
    assert (done.returncode, done.stdout, done.stderr) == (23, b"out\n", b"err\n")
    host, alert = os.uname().nodename, daemon.alert
    assert alert["subject"] == f"backup failed with exit code 23 on {host}"
    assert (alert["severity"], alert["status"], alert["key"]) == ("error", "firing", f"run/{host}/backup")
    assert alert["labels"] == {"host": host, "job": "backup"}
    for line in ("Exit code: 23", f"Host:      {host}", "Duration:  ", "User:      "):
        assert line in alert["content"]
    assert {"out", "err"} <= set(alert["content"].splitlines())
    assert sorted(log_of(alert).splitlines()) == [b"err", b"out"]


def test_what_goes_to_one_place_keeps_its_order(daemon: ScriptedDaemon, tmp_path: Path) -> None:
    """With 2>&1, as under cron, stdout and stderr come out interleaved as they were written."""
    script = "for i in 1 2 3 4 5 6 7 8 9; do echo out $i; echo err $i >&2; done; exit 1"
    process = start(daemon, tmp_path, "--", "sh", "-c", script, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    output, _ = process.communicate(timeout=HANG)
    expected = "".join(f"out {i}\nerr {i}\n" for i in range(1, 10)).encode()
    assert (output, log_of(daemon.alert)) == (expected, expected)


def test_a_reader_that_goes_away_does_not_hurt_the_command(daemon: ScriptedDaemon, tmp_path: Path) -> None:
    """A closed stdout ends neither the command nor the log of it."""
    process = start(daemon, tmp_path, "--", "sh", "-c", "yes | head -c 300000; exit 9", stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait(HANG) == 9
    assert len(log_of(daemon.alert)) == 300_000


def test_closed_descriptors_are_no_trouble(daemon: ScriptedDaemon, tmp_path: Path) -> None:
    """Some schedulers start jobs without stdin, stdout and stderr."""
    words = " ".join([*MAILALERT, "run", "--", "sh", "-c", "'echo out; exit 4'"])
    environ = environment(tmp_path, {"MAILALERT_URL": daemon.url})
    done = subprocess.run(["sh", "-c", f"{words} <&- >&- 2>&-"], env=environ, cwd=tmp_path, timeout=HANG, check=False)
    assert (done.returncode, log_of(daemon.alert)) == (4, b"out\n")


@pytest.mark.parametrize(
    ("command", "code", "subject"),
    [
        (["sh", "-c", "kill -9 $$"], 137, "sh was killed by SIGKILL on"),
        (["no-such-program"], 127, "no-such-program could not be started (No such file or directory) on"),
        (["/"], 126, "could not be started (Permission denied) on"),
    ],
    ids=["signal", "not found", "not executable"],
)
def test_the_exit_code_is_that_of_a_shell(
    daemon: ScriptedDaemon, tmp_path: Path, command: list[str], code: int, subject: str
) -> None:
    """128 and the signal, 127, 126: scripts know them, and the subject says it in words."""
    assert run(daemon, tmp_path, "--", *command).returncode == code
    assert subject in daemon.alert["subject"]


def test_a_time_limit_ends_all_that_was_started(daemon: ScriptedDaemon, tmp_path: Path) -> None:
    """124 as timeout(1) gives, and no grandchild stays behind."""
    script = "sleep 300 & echo $! > pid; echo begun; wait"
    done = run(daemon, tmp_path, "--timeout", "1s", "--", "sh", "-c", script)
    assert (done.returncode, done.stdout) == (124, b"begun\n")
    assert daemon.alert["subject"].startswith("sh timed out after 1s on")
    grandchild = int((tmp_path / "pid").read_text())
    until(lambda: not is_alive(grandchild))


def is_alive(pid: int) -> bool:
    """Tell whether the process runs; one that waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1])
def test_signals_are_handed_on(daemon: ScriptedDaemon, tmp_path: Path, number: signal.Signals) -> None:
    """The command gets them, and ends as it likes."""
    name = number.name.removeprefix("SIG")
    script = f"trap 'echo caught; exit 7' {name}; echo ready; while :; do sleep 0.05; done"
    with start(daemon, tmp_path, "--", "sh", "-c", script, stdout=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(number)
        assert (process.stdout.read(), process.wait(HANG)) == (b"caught\n", 7)


def test_what_the_command_leaves_behind_keeps_its_output(daemon: ScriptedDaemon, tmp_path: Path) -> None:
    """A service that the job starts is neither waited for nor ended by its next line."""
    script = "(sleep 3; echo late) & echo done"
    with start(daemon, tmp_path, "--", "sh", "-c", script, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"done\n"
        assert process.wait(HANG) == 0
        assert process.stdout.read() == b"late\n"


def test_what_ignores_sigterm_is_killed(daemon: ScriptedDaemon, tmp_path: Path) -> None:
    """Ten seconds after SIGTERM, here less, comes what nobody can ignore."""
    program = "from app.cli import child, main; child.KILL_AFTER_S = 0.3; main.main()"
    words = ["run", "--timeout", "0.5", "--", "sh", "-c", "trap '' TERM; while :; do sleep 0.05; done"]
    environ = environment(tmp_path, {"MAILALERT_URL": daemon.url})
    done = subprocess.run([sys.executable, "-c", program, *words], env=environ, timeout=HANG, check=False)
    assert done.returncode == 124
    assert "Signal:    SIGKILL" in daemon.alert["content"]


def test_ctrl_c_at_a_terminal_reaches_the_command_once(daemon: ScriptedDaemon, tmp_path: Path) -> None:
    """In the foreground the command may read from the terminal, and gets its signals from it alone."""
    ours, theirs = os.openpty()
    script = "trap 'echo caught' INT; read line; echo got $line; read line; exit 3"
    process = start(
        daemon,
        tmp_path,
        *("--", "bash", "-c", script),
        stdin=theirs,
        stdout=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    with process:
        os.write(ours, b"typed\n")
        assert process.stdout is not None
        assert process.stdout.readline() == b"got typed\n"
        os.write(ours, b"\x03")
        assert process.stdout.readline() == b"caught\n"
        os.write(ours, b"\n")
        assert (process.stdout.read(), process.wait(HANG)) == (b"", 3)
    os.close(theirs)
    os.close(ours)


def test_success_is_told_if_that_is_asked_for(daemon: ScriptedDaemon, tmp_path: Path) -> None:
    """--on always: a success resolves what the failure of the same job opened."""
    for code in (1, 0):
        run(daemon, tmp_path, "--on", "always", "--name", "j", "--", "sh", "-c", f"exit {code}")
    failed, succeeded = (post.alert for post in daemon.posts)
    assert (failed["status"], succeeded["status"]) == ("firing", "resolved")
    assert failed["key"] == succeeded["key"]
    assert (succeeded["severity"], succeeded["subject"][:11]) == ("info", "j succeeded")


def test_only_success_is_told_if_that_is_asked_for(daemon: ScriptedDaemon, tmp_path: Path) -> None:
    """--on success tells nothing of a failure."""
    run(daemon, tmp_path, "--on", "success", "--", "false")
    assert daemon.posts == []
    run(daemon, tmp_path, "--on", "success", "--", "true")
    assert daemon.alert["status"] == "resolved"


def test_arguments_are_shown_only_if_that_is_asked_for(daemon: ScriptedDaemon, tmp_path: Path) -> None:
    """A password on the command line does not go into mails by itself."""
    for option in ([], ["--show-command"]):
        run(daemon, tmp_path, *option, "--", "sh", "-c", "exit 1", "canary-8f3a")
    hidden, shown = (post.body for post in daemon.posts)
    assert b"canary-8f3a" not in hidden
    assert b"canary-8f3a" in shown


def test_the_tail_is_as_long_as_asked_for(daemon: ScriptedDaemon, tmp_path: Path) -> None:
    """The mail shows the last lines, the attachment all of them."""
    run(daemon, tmp_path, "--tail", "2", "--", "sh", "-c", "seq 1000; exit 1")
    assert daemon.alert["content"].endswith("\n\n999\n1000")
    assert log_of(daemon.alert).splitlines()[0] == b"1"


def test_people_are_addressed(daemon: ScriptedDaemon, tmp_path: Path) -> None:
    """--to, --receiver and --severity reach the daemon."""
    run(daemon, tmp_path, "--to", "a@example.org", "--receiver", "dba", "--severity", "critical", "--", "false")
    assert (daemon.alert["to"], daemon.alert["severity"]) == (["a@example.org"], "critical")
    assert daemon.posts[0].path == "/alerts/native?receiver=dba"


def test_a_wrong_receiver_does_not_cost_the_alert(tmp_path: Path) -> None:
    """What the daemon refuses because of its addressees goes to those whom it knows."""
    with scripted_daemon((422, {"type": INVALID, "detail": "to: wrong"}), ACCEPTED) as daemon:
        done = run(daemon, tmp_path, "--to", "nobody", "--", "false")
    assert (done.returncode, len(daemon.posts)) == (1, 2)
    assert "to" not in daemon.posts[1].alert


RAISED = (200, b"OK", {"Alert-Raised": "yes"})
NOT_RAISED = (200, b"OK", {"Alert-Raised": "no"})


def test_a_heartbeat_hears_of_start_and_end(tmp_path: Path) -> None:
    """The heartbeat tells of the failure, with the output; a second mail about it would be one too many."""
    with scripted_daemon(NOT_RAISED, RAISED) as daemon:
        run(daemon, tmp_path, "--heartbeat", "nightly", "--", "sh", "-c", "echo why; exit 3")
    begun, ended = daemon.posts
    assert spooled(tmp_path) == []
    assert (begun.path, ended.path) == ("/heartbeats/nightly/start", "/heartbeats/nightly/3")
    assert ended.body.endswith(b"\n\nwhy")


def test_a_heartbeat_hears_the_end_of_a_long_output(daemon: ScriptedDaemon, tmp_path: Path) -> None:
    """What the job said last is why it failed."""
    script = "for _ in range(300): print('x' * 700)\nprint('FATAL: disk full')\nraise SystemExit(1)"
    run(daemon, tmp_path, "--heartbeat", "nightly", "--", sys.executable, "-c", script)
    output = next(post.body for post in daemon.posts if post.path == "/heartbeats/nightly/1")
    assert output.endswith(b"FATAL: disk full")
    assert len(output) <= MAX_OUTPUT


@pytest.mark.parametrize(
    ("answer", "words"),
    [(NOT_RAISED, []), (RAISED, ["--receiver", "dba"]), (RAISED, ["--to", "a@b.example"])],
    ids=["down already", "receiver", "to"],
)
def test_a_failure_that_the_heartbeat_does_not_tell_is_told(
    tmp_path: Path, answer: tuple[Any, ...], words: list[str]
) -> None:
    """One that fails again raises no alert of its heartbeat; and who is named here hears of it in any case."""
    with scripted_daemon(NOT_RAISED, answer, ACCEPTED) as daemon:
        assert run(daemon, tmp_path, "--heartbeat", "x", *words, "--", "false").returncode == 1
    assert daemon.posts[-1].path.startswith("/alerts/native")
    assert len(daemon.posts) == 3


def spooled(home: Path) -> list[Path]:
    """Return the alerts in this user's own spool."""
    return sorted((home / ".local/state/mailalert/spool").glob("*.alert"))


@pytest.mark.parametrize("words", [[], ["--heartbeat", "x"]], ids=["alert", "heartbeat"])
def test_the_alert_is_in_the_spool_before_it_is_posted(tmp_path: Path, words: list[str]) -> None:
    """A daemon that says nothing at all, and a kill that nobody can catch: it is not lost."""
    with scripted_daemon(ACCEPTED) as daemon, daemon.silent("/start" if not words else "/1", "/alerts/native"):
        process = start(daemon, tmp_path, *words, "--", "false")
        until(lambda: bool(spooled(tmp_path)))
        process.kill()
        process.wait(HANG)
    assert len(spooled(tmp_path)) == 1


def test_a_signal_ends_the_wait_for_a_daemon_that_says_nothing(tmp_path: Path) -> None:
    """The exit code stays that of the command, and the alert is kept."""
    with scripted_daemon(ACCEPTED) as daemon, daemon.silent("/alerts/native"):
        process = start(daemon, tmp_path, "--", "sh", "-c", "exit 3", stderr=subprocess.PIPE)
        until(lambda: bool(spooled(tmp_path)))
        process.terminate()
        _, said = process.communicate(timeout=HANG)
    assert (process.returncode, len(spooled(tmp_path))) == (3, 1)
    assert b"a signal came before" in said


def test_a_heartbeat_that_is_not_known_leaves_the_alert(tmp_path: Path) -> None:
    """If the heartbeat cannot tell of the failure, the alert does."""
    unknown = (404, {"detail": "there is no such heartbeat"})
    with scripted_daemon(unknown, unknown, ACCEPTED) as daemon:
        assert run(daemon, tmp_path, "--heartbeat", "x", "--", "false").returncode == 1
    assert daemon.posts[-1].path == "/alerts/native"


def test_without_a_daemon_the_alert_is_kept_and_sent_by_the_next_run(tmp_path: Path) -> None:
    """The exit code stays the command's; the next call that reaches the daemon brings the alert, once."""
    nowhere = {"MAILALERT_URL": f"http://127.0.0.1:{free_port()}", "MAILALERT_WAIT": "0"}
    done = mailalert("run", "--", "sh", "-c", "exit 5", home=tmp_path, environ=nowhere)
    assert done.returncode == 5
    assert b"is kept in" in done.stderr
    with scripted_daemon() as daemon:
        for _ in range(2):
            assert run(daemon, tmp_path, "--", "true").returncode == 0
    assert "exit code 5" in daemon.alert["subject"]


def test_a_script_without_a_shebang_is_one_of_the_shell(daemon: ScriptedDaemon, tmp_path: Path) -> None:
    """As if a shell had started it, by its path or by its name."""
    script = tmp_path / "job"
    script.write_text("echo $1; exit 6\n")
    script.chmod(0o755)
    for word, environ in ((str(script), {}), ("job", {"PATH": f"{tmp_path}:{os.environ['PATH']}"})):
        done = run(daemon, tmp_path, "--", word, "ran", environ=environ)
        assert (done.returncode, done.stdout) == (6, b"ran\n")


def test_descriptors_are_inherited(daemon: ScriptedDaemon, tmp_path: Path) -> None:
    """A lock that a shell holds for the job stays with the job; none of ours goes along."""
    ours, theirs = os.pipe()
    script = f"echo through > /dev/fd/{theirs}; ls /proc/self/fd"
    process = start(daemon, tmp_path, "--", "sh", "-c", script, stdout=subprocess.PIPE, pass_fds=[theirs])
    output, _ = process.communicate(timeout=HANG)
    os.close(theirs)
    with os.fdopen(ours, "rb") as reader:
        assert reader.read() == b"through\n"
    found = set(map(int, output.split()))
    assert {0, 1, 2, theirs} < found
    assert len(found) == 5  # and the directory that ls reads


@pytest.mark.parametrize("value", ["abc", "-1", "nan", "1e9"])
def test_a_wrong_wait_keeps_no_command_from_running(daemon: ScriptedDaemon, tmp_path: Path, value: str) -> None:
    """It is told, and the usual one holds."""
    done = run(daemon, tmp_path, "--", "sh", "-c", "echo ran; exit 6", environ={"MAILALERT_WAIT": value})
    assert (done.returncode, done.stdout) == (6, b"ran\n")
    assert b"MAILALERT_WAIT" in done.stderr
    assert "exit code 6" in daemon.alert["subject"]


def test_a_full_stderr_keeps_no_command_from_running(tmp_path: Path) -> None:
    """What cannot be said changes neither the exit code nor the alert."""
    nowhere = {"MAILALERT_URL": f"http://127.0.0.1:{free_port()}", "MAILALERT_WAIT": "0"}
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*MAILALERT, "run", "--heartbeat", "x", "--", "sh", "-c", "echo ran; exit 6"],
            env=environment(tmp_path, nowhere),
            stdout=subprocess.PIPE,
            stderr=full,
            timeout=HANG,
            check=False,
        )
    assert (done.returncode, done.stdout, len(spooled(tmp_path))) == (6, b"ran\n", 1)


def test_a_limit_of_a_month_is_no_trouble(daemon: ScriptedDaemon, tmp_path: Path) -> None:
    """It is longer than poll(2) can wait."""
    assert run(daemon, tmp_path, "--timeout", "30d", "--", "sh", "-c", "exit 6").returncode == 6


def test_names_that_are_no_utf8_are_no_trouble(daemon: ScriptedDaemon, tmp_path: Path) -> None:
    """Whatever bytes stand on the command line, the command runs and the alert goes out."""
    odd = os.fsdecode(b"\xff")
    done = run(daemon, tmp_path, "--heartbeat", odd, "--receiver", odd, "--name", odd, "--", "sh", "-c", "exit 6")
    assert done.returncode == 6
    assert daemon.posts[-1].path == "/alerts/native?receiver=%3F"


@pytest.mark.parametrize(
    "variables",
    [{"MAILALERT_TOKEN_FILE": "/nonexistent"}, {"MAILALERT_URL": "nonsense"}],
    ids=["no token file", "wrong address"],
)
def test_wrong_settings_keep_no_command_from_running(tmp_path: Path, variables: dict[str, str]) -> None:
    """The job matters more than its alert, which waits in the spool until somebody mends the settings."""
    environ = {"MAILALERT_URL": f"http://127.0.0.1:{free_port()}", "MAILALERT_WAIT": "0", **variables}
    done = mailalert("run", "--", "sh", "-c", "echo ran; exit 6", home=tmp_path, environ=environ)
    assert (done.returncode, done.stdout) == (6, b"ran\n")
    assert len(list((tmp_path / ".local/state/mailalert/spool").glob("*.alert"))) == 1


def test_a_long_log_is_cut_in_its_middle(daemon: ScriptedDaemon, tmp_path: Path) -> None:
    """Memory and mail stay bounded; beginning and end are there."""
    run(
        daemon,
        tmp_path,
        "--",
        "sh",
        "-c",
        "echo first; head -c 9000000 /dev/zero | tr '\\0' x; echo; echo last; exit 1",
    )
    log = log_of(daemon.alert)
    assert len(log) < 4_300_000
    assert log.startswith(b"first\nxx")
    assert log.endswith(b"xx\nlast\n")
    assert b"bytes are left out here" in log


def test_a_command_is_needed(tmp_path: Path) -> None:
    """Nothing to run is a mistake of the command line."""
    assert mailalert("run", home=tmp_path).returncode == 64
