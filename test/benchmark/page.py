#!/usr/bin/env python3
"""Writes a page from what race.py measured: page.py RESULTS.json... PAGE.md

Each file is a table; plots (SVG) go beside the page.
"""

import json
import math
import pathlib
import sys

COLORS = {"tenon": "#1b6ca8"}
OTHER = "#b0b7bf"


def number(value):
    """Milliseconds with three digits."""
    if value is None:
        return ""
    for scale, unit in ((1, "ms"), (1e3, "µs"), (1e6, "ns")):
        if value * scale >= 1 or unit == "ns":
            return f"{value * scale:.3g} {unit}"


def size(value):
    if value is None:
        return ""
    return f"{value / 2**20:.1f} MiB" if value >= 2**20 else f"{value / 2**10:.0f} KiB"


def plot(lines, title):
    """Bars of how many times faster Tenon is than the best peer, on a
    logarithmic scale around 1."""
    lines = [line for line in lines if line.get("ratio")]
    left, width, height, step = 190, 420, 24, 22
    most = max(2.0, *(max(line["ratio"], 1 / line["ratio"]) for line in lines))
    span = math.log(min(most, 16.0))

    def at(ratio):
        return left + width / 2 * (1 + max(-1, min(1, math.log(ratio) / span)))

    parts = [f'<text x="4" y="16" font-weight="bold">{title}</text>']
    for mark in (0.25, 0.5, 1, 2, 4, 8, 16):
        if abs(math.log(mark)) <= span:
            color = "#444" if mark == 1 else "#ddd"
            parts.append(f'<line x1="{at(mark):.1f}" x2="{at(mark):.1f}" y1="{height}" '
                         f'y2="{height + step * len(lines)}" stroke="{color}"/>')
            parts.append(f'<text x="{at(mark):.1f}" y="{height + step * len(lines) + 14}" text-anchor="middle">'
                         f'{mark:g}</text>')
    for i, line in enumerate(lines):
        y, x = height + step * i, at(line["ratio"])
        start, end = sorted((at(1), x))
        color = COLORS["tenon"] if line["ratio"] >= 1 else OTHER
        parts.append(f'<rect x="{start:.1f}" y="{y + 4}" width="{max(end - start, 1):.1f}" height="{step - 8}" '
                     f'fill="{color}"/>')
        parts.append(f'<text x="{left - 6}" y="{y + 15}" text-anchor="end">{line["row"]}</text>')
        parts.append(f'<text x="{left + width + 8}" y="{y + 15}">{line["ratio"]:.2f} × {line["best_peer"]}</text>')
    total = left + width + 170
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{total}" height="{height + step * len(lines) + 24}" '
            f'font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="white"/>'
            f'{"".join(parts)}</svg>\n')


def table(lines):
    columns = list(dict.fromkeys(peer for line in lines for peer in line["peers"] if peer != "tenon"))
    text = "| row | Tenon | of roofline | error | ratio | " + " | ".join(columns) + " |\n"
    text += "|---" * (5 + len(columns)) + "|\n"
    for line in lines:
        own = line["peers"].get("tenon", {})
        cells = [line["row"], number(own.get("min_ms")),
                 f"{own['of_roofline']:.0%}" if "of_roofline" in own else own.get("error", ""),
                 f"{own['max_error']:.0e}" if own.get("max_error") is not None else "",
                 f"{line['ratio']:.2f}" if line.get("ratio") else ""]
        for peer in columns:
            result = line["peers"].get(peer, {})
            cell = number(result.get("min_ms")) if "error" not in result else "fails"
            cells.append(f"**{cell}**" if peer == line.get("best_peer") else cell)
        text += "| " + " | ".join(cells) + " |\n"
    return text


def facts(lines):
    text = "| row | compile | program without weights | memory above weights | from start to first result, Tenon | best peer |\n"
    text += "|---|---|---|---|---|---|\n"
    for line in lines:
        own = line["peers"].get("tenon", {})
        if "compile_s" not in own:
            continue
        starts = {peer: result["start_ms"] for peer, result in line["peers"].items()
                  if peer != "tenon" and "start_ms" in result and "error" not in result}
        best = min(starts, key=starts.get) if starts else None
        text += "| " + " | ".join([
            line["row"], f"{own['compile_s']:.2f} s", size(own["code_bytes"]), size(own["memory_above_weights"]),
            number(own["start_ms"]), f"{number(starts[best])} ({best})" if best else ""]) + " |\n"
    return text


def main():
    *sources, page = map(pathlib.Path, sys.argv[1:])
    text = "# Races\n\nWritten by `page.py` from what `race.py` measured; times are the least of all calls, peers took turns.\n"
    text += "A ratio above 1: Tenon is faster than the best peer, whose time is bold. Errors are those of Tenon against\n"
    text += "TensorFlow in float64, in parts of the result's largest value. The roofline is the larger of arithmetic and\n"
    text += "memory traffic at the rates that were measured between the rounds.\n"
    for source in sources:
        results = json.loads(source.read_text())
        lines = results["rows"]
        threads, machine = len(lines[0]["cores"].split(",")), results["machine"]
        title = f"{lines[0]['precision']}, {threads} thread{'s' if threads > 1 else ''}"
        picture = page.with_name(f"{source.stem}.svg")
        picture.write_text(plot(lines, f"times faster than the best peer: {title}"))
        text += f"\n## {title}\n\n{machine['cpu']}, {machine['cores']} cores. {results.get('note', '')}\n\n![{title}]({picture.name})\n\n"
        text += table(lines) + "\n" + facts(lines)
    page.write_text(text)


if __name__ == "__main__":
    main()
