# Interrupts compilations at many moments and looks for remains.
import os
import signal
import subprocess
import sys
import time

tenon, model, folder = sys.argv[1:]
interrupted = 0
for step in range(12):
    process = subprocess.Popen(
        [tenon, "compile", model, "-o", os.path.join(folder, "net.so")],
        stderr=subprocess.DEVNULL)
    time.sleep(0.05 + 0.15 * step)
    process.send_signal(signal.SIGTERM if step % 2 else signal.SIGINT)
    if process.wait() < 0:
        interrupted += 1
    else:
        for name in ["net.so", "frozen.h"]:
            if os.path.exists(os.path.join(folder, name)):
                os.remove(os.path.join(folder, name))
print("interrupted", interrupted, "times, left behind:", os.listdir(folder))
