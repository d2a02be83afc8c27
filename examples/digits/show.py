#!/usr/bin/env python3
"""Draws handwritten digits and what the compiled model says about them.

    show.py images.npy probabilities.npy [labels.npy] [--count N]

Plain Python: the three files are what went into the executable, what came out of
it, and the truth.
"""

import array
import ast
import struct
import sys

COLUMNS = 4


def load(path):
    """A little-endian, C-ordered .npy file as (shape, flat values)."""
    with open(path, "rb") as file:
        magic = file.read(8)
        if magic[:6] != b"\x93NUMPY":
            sys.exit(f"{path}: not a .npy file")
        size = struct.unpack("<H", file.read(2))[0] if magic[6] == 1 else struct.unpack("<I", file.read(4))[0]
        header = ast.literal_eval(file.read(size).decode())
        values = array.array({"<f4": "f", "<f8": "d", "<i8": "q", "<i4": "i"}[header["descr"]])
        values.frombytes(file.read())
    return header["shape"], values


def picture(pixels, colour):
    """8x8 pixels as four lines of half blocks, or of shades without colour."""
    lines = []
    for row in range(0, 8, 2):
        line = ""
        for column in range(8):
            top, bottom = (pixels[(row + k) * 8 + column] for k in (0, 1))
            if colour:
                top, bottom = (232 + round(max(0.0, min(1.0, v)) * 23) for v in (top, bottom))
                line += f"\x1b[38;5;{top}m\x1b[48;5;{bottom}m▀▀"
            else:
                line += " ░▒▓█"[round((top + bottom) * 2)] * 2
        lines.append(line + ("\x1b[0m" if colour else ""))
    return lines


def bars(scores, truth, colour):
    """The three most likely classes with a bar each."""
    lines = []
    best = sorted(range(10), key=lambda c: -scores[c])
    for rank, c in enumerate(best[:3]):
        bar = "█" * round(scores[c] * 10)
        mark = ("✓" if c == truth else "✗") if truth is not None and rank == 0 else " "
        text = f"{c} {bar:<10}{scores[c] * 100:6.1f} % {mark}"
        if colour:
            paint = ("32" if c == truth or truth is None else "31") if rank == 0 else "2"
            text = f"\x1b[{paint}m{text}\x1b[0m"
        lines.append(text)
    return [*lines, " " * 22]


def main():
    sys.stdout.reconfigure(encoding="utf-8")
    arguments = sys.argv[1:]
    count = 16
    if "--count" in arguments:
        at = arguments.index("--count")
        count = int(arguments[at + 1])
        del arguments[at:at + 2]
    (total, *_), images = load(arguments[0])
    _, scores = load(arguments[1])
    labels = load(arguments[2])[1] if len(arguments) > 2 else [None] * total
    colour = sys.stdout.isatty()
    answers = [max(range(10), key=lambda c: scores[n * 10 + c]) for n in range(total)]
    wrong = [n for n in range(total) if labels[n] is not None and answers[n] != labels[n]]
    # One of each digit first; mistakes are worth seeing and close the list.
    right = [n for n in range(total) if n not in wrong]
    rounds = {n: answers[:n].count(answers[n]) for n in right}
    right.sort(key=lambda n: (rounds[n], answers[n]))
    wrong_shown = wrong[:count // 2]
    shown = right[:count - len(wrong_shown)] + wrong_shown
    for first in range(0, len(shown), COLUMNS):
        blocks = [[f"{a}  {b}" for a, b in zip(picture(images[n * 64:n * 64 + 64], colour),
                                               bars(scores[n * 10:n * 10 + 10], labels[n], colour))]
                  for n in shown[first:first + COLUMNS]]
        print("\n".join("   ".join(parts) for parts in zip(*blocks)), end="\n\n")
    if labels[0] is not None:
        share = 100 * len(right) / total
        print(f"{len(right)} of {total} held-out digits read correctly ({share:.1f} %)")


if __name__ == "__main__":
    main()
