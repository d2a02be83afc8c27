#!/usr/bin/env python3
"""Draws the curves of a training program's --history: as a picture, and in the terminal.

    curve.py history.csv curve.svg

Plain Python. A column `val_x` is drawn into the picture of its `x`.
"""

import csv
import sys

WIDTH, HEIGHT, MARGIN = 420, 260, 46
COLOURS = {False: "#1f77b4", True: "#ff7f0e"}


def read(path):
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    if not rows:
        sys.exit(f"{path}: no epoch yet")
    names = [n for n in rows[0] if n != "epoch"]
    return [int(r["epoch"]) + 1 for r in rows], {n: [float(r[n]) for r in rows] for n in names}


def panel(left, title, epochs, curves):
    """One metric: its axes, and a line for each of training and validation."""
    low, high = min(min(c) for c in curves.values()), max(max(c) for c in curves.values())
    span, steps = (high - low) or 1, (epochs[-1] - epochs[0]) or 1

    def place(epoch, value):
        x = left + MARGIN + (epoch - epochs[0]) / steps * (WIDTH - 2 * MARGIN)
        return f"{x:.1f},{HEIGHT - MARGIN - (value - low) / span * (HEIGHT - 2 * MARGIN):.1f}"

    parts = [f'<text x="{left + WIDTH / 2}" y="24" text-anchor="middle" font-size="15">{title}</text>']
    for value in (low, high):
        x, y = place(epochs[0], value).split(",")
        parts.append(f'<text x="{left + MARGIN - 6}" y="{float(y) + 4}" text-anchor="end">{value:.3g}</text>'
                     f'<line x1="{x}" x2="{left + WIDTH - MARGIN}" y1="{y}" y2="{y}" stroke="#ddd"/>')
    for epoch in (epochs[0], epochs[-1]):
        x = place(epoch, low).split(",")[0]
        parts.append(f'<text x="{x}" y="{HEIGHT - MARGIN + 18}" text-anchor="middle">{epoch}</text>')
    for row, (name, values) in enumerate(curves.items()):
        colour = COLOURS[name.startswith("val_")]
        points = " ".join(place(e, v) for e, v in zip(epochs, values))
        parts.append(f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="{points}"/>'
                     f'<text x="{left + WIDTH - MARGIN}" y="{44 + 16 * row}" text-anchor="end" fill="{colour}">{name}</text>')
    return "\n".join(parts)


def draw(epochs, curves):
    metrics = [n for n in curves if not n.startswith("val_")]
    panels = [panel(i * WIDTH, m, epochs, {n: curves[n] for n in (m, "val_" + m) if n in curves}) for i, m in enumerate(metrics)]
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{len(metrics) * WIDTH}" height="{HEIGHT}" '
            'font-family="sans-serif" font-size="11"><rect width="100%" height="100%" fill="white"/>\n' + "\n".join(panels) + "\n</svg>\n")


def bars(values):
    """A line of blocks, one for each epoch."""
    low, span = min(values), (max(values) - min(values)) or 1
    return "".join("▁▂▃▄▅▆▇█"[round((v - low) / span * 7)] for v in values)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    epochs, curves = read(sys.argv[1])
    with open(sys.argv[2], "w") as file:
        file.write(draw(epochs, curves))
    for name, values in curves.items():
        print(f"{name:>14} {bars(values)} {values[0]:.3f} → {values[-1]:.3f}")
    print(f"drawn in {sys.argv[2]}")


if __name__ == "__main__":
    main()
