# Runs a command; succeeds when it exits with the given status.
import subprocess
import sys

status, command = int(sys.argv[1]), sys.argv[2:]
done = subprocess.run(command).returncode
if done != status:
    sys.exit(f"{command[0]}: status {done}, expected {status}")
