"""Names that a table of operations lacks: operations.py TABLE NAMES"""

import re
import sys

table, names = (open(path, encoding="utf-8").read() for path in sys.argv[1:3])
listed = set(re.findall(r"\w+", table))
missing = [name for line in names.splitlines() if not line.startswith("#") for name in line.split() if name not in listed]
if missing:
    sys.exit("missing: " + " ".join(missing))
