#!/usr/bin/env python3
"""Compares the support table of README.md with what the driver says: support.py TENON README [--write]"""

import difflib
import re
import subprocess
import sys

tenon, readme = sys.argv[1:3]
table = subprocess.run([tenon, "--support-table"], capture_output=True, text=True, check=True).stdout
text = open(readme, encoding="utf-8").read()
section = re.compile(r"(<!-- support:begin[^\n]*-->\n)(.*?)(<!-- support:end -->)", re.S)
if "--write" in sys.argv:
    open(readme, "w", encoding="utf-8").write(section.sub(lambda m: m[1] + "\n" + table + "\n" + m[3], text))
    sys.exit(0)
known = section.search(text)[2].strip()
difference = list(difflib.unified_diff(known.splitlines(), table.strip().splitlines(), "README.md", "tenon --support-table", lineterm=""))
print("\n".join(difference) or "the support table is up to date")
sys.exit(1 if difference else 0)
