# Runs TENON with wrong arguments; prints status and the first line of stderr.
import subprocess
import sys

tenon, model = sys.argv[1:]
cases = [
    [],
    ["compile", "--nonsense", model],
    ["compile"],
    ["compile", model, "--entry", "main(x"],
    ["compile", model, "--shape", "x=1y2"],
    ["compile", model, "-O7"],
    ["compile", model, "--weights", "inside"],
    ["compile", model, "--emit", "elf"],
    ["compile", model, "--format", "caffe"],
    ["compile", "nothing.pb"],
    ["compile", model, "-o", "out.o", "--cpu", "z80"],
    ["compile", model, "-o", "out.o", "--entry", "main(x) -> nowhere"],
    ["compile", model, "-o", "out.o", "--precision", "f8"],
    ["compile", model, "-o", "out", "--triple", "x86_64-linux-musl"],
    ["compile", model, "-o", "/nowhere/out"],
    ["compile", model, "-o", "/"],
    ["verify", model, "x=1", "--reference", "nothing.npz"],
]
for arguments in cases:
    done = subprocess.run([tenon] + arguments, capture_output=True, text=True)
    first = (done.stderr.splitlines() or [""])[0]
    print(done.returncode, first.replace(model, "MODEL"), flush=True)
