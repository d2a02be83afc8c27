"""How programs take turns. Both sides of a race are here.

A worker is a program that loads a model, makes one call, prints one line
`{"ready": true, ...facts}`, answers each line `measure SECONDS` on its input
with `{"min_ms": ..., "median_ms": ..., "calls": ...}`, and ends with its input.
It may add `cpu_ms`, the processor's time for a call, which others' work on the
machine changes little.
Instead of any line it may print `{"error": "why"}`. native/protocol.h is the same
in C.
"""

import json
import os
import select
import statistics
import subprocess
import sys
import tempfile
import time


def peak_kib():
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def measure(call, seconds):
    """Times of `call`, in groups where one call is shorter than the clock likes."""
    clock = time.perf_counter
    single = 1.0
    for _ in range(2):
        start = clock()
        call()
        single = min(single, clock() - start)
    group = int(20e-6 / max(single, 1e-9)) + 1 if single < 20e-6 else 1
    times, now, used = [], clock(), time.process_time()
    end = now + seconds
    while now < end or len(times) < 3:
        start = now
        for _ in range(group):
            call()
        now = clock()
        times.append((now - start) / group * 1e3)
    count = len(times) * group
    return {"min_ms": min(times), "median_ms": statistics.median(times), "calls": count,
            "cpu_ms": (time.process_time() - used) / count * 1e3}


def serve(prepare):
    """Runs a worker: `prepare()` loads, calls once and gives (call, facts)."""
    # What libraries print must not mix with answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def say(facts):
        print(json.dumps(facts), file=answers, flush=True)

    try:
        call, facts = prepare()
        say({"ready": True, "peak_kib": peak_kib(), **facts})
        for line in sys.stdin:
            say(measure(call, float(line.split()[1])))
    except BaseException as error:
        say({"error": f"{type(error).__name__}: {error}".replace("\n", " ")[:400]})
    # Some libraries' threads do not end by themselves.
    os._exit(0)


class Worker:
    """A worker seen from the race; `facts` has what its first line said."""

    def __init__(self, command, cores="0", environment=None, timeout=900):
        self.timeout, self.log, start = timeout, tempfile.TemporaryFile("w+"), time.perf_counter()
        self.process = subprocess.Popen(pinned(command, cores), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=self.log, text=True, env={**os.environ, **(environment or {})})
        self.facts = self.answer()
        self.facts["start_ms"] = (time.perf_counter() - start) * 1e3

    def answer(self):
        end = time.monotonic() + self.timeout
        while True:
            ready, _, _ = select.select([self.process.stdout], [], [], max(0, end - time.monotonic()))
            if not ready:
                self.process.kill()
                return {"error": f"no answer in {self.timeout} s"}
            line = self.process.stdout.readline()
            if not line:
                self.log.seek(0)
                words = self.log.read().strip().splitlines()
                return {"error": f"ended with status {self.process.wait()}: {words[-1][-200:] if words else ''}"}
            if line.startswith("{"):
                return json.loads(line)

    def measure(self, seconds):
        try:
            print("measure", seconds, file=self.process.stdin, flush=True)
        except BrokenPipeError:
            return {"error": "has ended"}
        return self.answer()

    def close(self):
        try:
            self.process.stdin.close()
            self.process.wait(5)
        except (BrokenPipeError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        self.log.close()


# Set by races that may: others' work on the machine then waits for a turn.
urgent = False


def pinned(command, cores):
    prefix = ["nice", "-n", "-19"] if urgent else []
    return [*prefix, "taskset", "-c", cores, *map(str, command)]


def threads_of(cores):
    return len(cores.split(","))


def take_turns(runners, rounds, seconds):
    """Measures each of `runners` (by name) once a round. Gives, by name, the
    minimum, the median of the rounds' medians and these, or an error."""
    answers = {name: [] for name in runners}
    for _ in range(rounds):
        for name, runner in runners.items():
            answers[name].append(runner.measure(seconds))
    results = {}
    for name, got in answers.items():
        good = [answer for answer in got if "error" not in answer]
        if not good:
            results[name] = {"error": got[0]["error"]}
            continue
        medians = [answer["median_ms"] for answer in good]
        results[name] = {"min_ms": min(answer["min_ms"] for answer in good),
                         "median_ms": statistics.median(medians), "round_medians": medians}
        if all("cpu_ms" in answer for answer in good):
            results[name]["cpu_ms"] = min(answer["cpu_ms"] for answer in good)
    return results
