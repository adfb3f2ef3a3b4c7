"""Draws what `fitrelu experiment NAME --output FOLDER` wrote: NAME.csv and NAME.json into NAME.png and NAME.svg.

The program calls it; by hand: python3 experiment_plot.py NAME FOLDER. Exit code 77 where matplotlib is missing.
"""
import csv
import json
import math
import os
import sys
from collections import defaultdict

try:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
except ImportError:
    sys.exit(77)

# Okabe and Ito's colours, told apart by colour-blind readers; the yellow is left out, too faint on white.
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"]
GREY = "#6B6B6B"


def style():
    plt.rcParams.update({
        "font.family": "DejaVu Sans", "font.size": 15, "axes.labelsize": 15, "axes.titlesize": 16,
        "axes.spines.top": False, "axes.spines.right": False, "axes.edgecolor": "#404040",
        "axes.labelcolor": "#202020", "xtick.color": "#404040", "ytick.color": "#404040",
        "svg.fonttype": "none", "svg.hashsalt": "fitrelu"})


def read(folder, name):
    with open(os.path.join(folder, name + ".csv"), newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    with open(os.path.join(folder, name + ".json"), encoding="utf-8") as file:
        return rows, json.load(file)


def label_ends(panel, ends):
    """Labels right of the axes at the height of their curve's end, pushed apart where they would overlap."""
    panel.figure.draw_without_rendering()
    gap = 1.35 * 15 * panel.figure.dpi / 72 / panel.get_window_extent().height
    to_axes = panel.transData + panel.transAxes.inverted()
    placed = []
    for y, label, colour in sorted(ends):
        at = to_axes.transform((panel.get_xlim()[1], y))[1]
        placed.append([max(at, placed[-1][0] + gap) if placed else max(at, 0), label, colour])
    over = placed[-1][0] - 1
    for i in range(len(placed) - 1, -1, -1) if over > 0 else []:
        placed[i][0] = min(placed[i][0], 1 - gap * (len(placed) - 1 - i))
    for at, label, colour in placed:
        panel.annotate(label, (1, at), xycoords="axes fraction", xytext=(12, 0), textcoords="offset points",
                       va="center", ha="left", color=colour, fontweight="medium")


def geometric_mean(values):
    return math.exp(sum(math.log(v) for v in values) / len(values))


def curves(rows, summary, figure):
    """Figure 1: the geometric mean over the seeds, their range as a band, the theorem's line dashed."""
    panel = figure.subplots()
    points = defaultdict(lambda: defaultdict(list))
    for row in rows:
        error = float(row["relative_error"])
        if math.isfinite(error) and error > 0:
            points[int(row["batch"]), int(row["bits"])][int(row["iteration"])].append(error)
    ends = []
    for i, curve in enumerate(summary["curves"]):
        found = points[curve["batch"], curve["bits"]]
        steps, colour = sorted(found), COLOURS[i % len(COLOURS)]
        middle = [geometric_mean(found[t]) for t in steps]
        panel.fill_between(steps, [min(found[t]) for t in steps], [max(found[t]) for t in steps], color=colour,
                           alpha=0.25, linewidth=0)
        panel.plot(steps, middle, color=colour, linewidth=2.6)
        panel.plot(steps, [middle[0] * curve["theorem_rate"] ** (t / 2) for t in steps], color=colour, linewidth=1.6,
                   linestyle=(0, (5, 3)))
        ends.append((middle[-1], curve["name"], colour))
    panel.set_yscale("log")
    panel.set_xlim(0, max(t for found in points.values() for t in found))
    panel.grid(True, color="#E4E4E4", linewidth=0.9)
    panel.set_axisbelow(True)
    panel.tick_params(axis="y", which="minor", length=0)
    panel.set_xlabel("iteration")
    panel.set_ylabel("relative error  ‖w − w*‖ / ‖w*‖")
    panel.set_ylim(top=3)
    panel.text(0.02, 1.0, "dashed: the bound of Theorem " + ("3.2" if summary["experiment"] == "fig1b" else "3.1"),
               transform=panel.transAxes, va="top", color=GREY, fontsize=13)
    label_ends(panel, ends)


def heat_map(rows, summary, figure):
    """Figure 2: the share of successes of each cell, bright for success, and the line where half succeed."""
    panel = figure.subplots()
    cells = defaultdict(list)
    for row in rows:
        cells[int(row["features"]), int(row["samples"])].append(int(row["success"]))
    ds, ns = sorted({d for d, _ in cells}), sorted({n for _, n in cells})
    shares = [[sum(cells[d, n]) / len(cells[d, n]) for d in ds] for n in ns]
    half_d, half_n = (ds[0] if len(ds) < 2 else ds[1] - ds[0]) / 2, (ns[0] if len(ns) < 2 else ns[1] - ns[0]) / 2
    image = panel.imshow(shares, origin="lower", aspect="auto", cmap="cividis", vmin=0, vmax=1,
                         extent=(ds[0] - half_d, ds[-1] + half_d, ns[0] - half_n, ns[-1] + half_n))
    panel.set_xlabel("features d")
    panel.set_ylabel("samples n")
    bar = figure.colorbar(image, ax=panel, label="share of trials that find w*", pad=0.02)
    bar.outline.set_visible(False)
    if summary["slope"] is not None:
        ends = [ds[0] - half_d, ds[-1] + half_d]
        panel.plot(ends, [summary["slope"] * d + summary["intercept"] for d in ends], color="#D55E00", linewidth=3)
        panel.set_ylim(ns[0] - half_n, ns[-1] + half_n)
        panel.set_xlim(*ends)
        text = f"half succeed at n = {summary['slope']:.2f} d {summary['intercept']:+.0f}"
        panel.text(0.03, 0.95, text, color="#202020", transform=panel.transAxes, va="top",
                   bbox={"facecolor": "white", "edgecolor": "#D55E00", "linewidth": 2, "boxstyle": "round"})


def bars(summary, figure, group, series, xlabel):
    """Last errors as marks, a row for each group; what diverged stands at the top edge as an empty triangle."""
    panel = figure.subplots()
    cells = summary["cells"]
    groups, names = list(dict.fromkeys(c[group] for c in cells)), list(dict.fromkeys(c[series] for c in cells))
    ends = []
    top = max([1.0] + [3 * c["error"] for c in cells if c["error"] is not None])
    for i, name in enumerate(names):
        colour = COLOURS[i % len(COLOURS)]
        errors = {c[group]: c["error"] for c in cells if c[series] == name}
        known = [(at, errors[g]) for at, g in enumerate(groups) if errors[g] is not None]
        lost = [at + 0.06 * (i - (len(names) - 1) / 2) for at, g in enumerate(groups) if errors[g] is None]
        panel.plot([at for at, _ in known], [e for _, e in known], "o-", color=colour, linewidth=2.2, markersize=9)
        panel.plot(lost, [top] * len(lost), "^", markerfacecolor="white", markeredgecolor=colour, markersize=11,
                   markeredgewidth=2, clip_on=False, zorder=5)
        ends.append((known[-1][1] if known and not lost else top, name, colour))
    panel.set_yscale("log")
    panel.set_ylim(top=top)
    panel.set_xlim(-0.3, len(groups) - 0.7)
    panel.set_xticks(range(len(groups)), [str(g) for g in groups])
    panel.grid(True, axis="y", color="#E4E4E4", linewidth=0.9)
    panel.set_axisbelow(True)
    panel.set_xlabel(xlabel + "      (open triangle: diverged)")
    panel.set_ylabel("relative error at the end")
    label_ends(panel, ends)


def scales(_rows, summary, figure):
    bars(summary, figure, "batch", "gradient", "mini-batch m")


def collectives(_rows, summary, figure):
    bars(summary, figure, "workers", "way", "workers K")


DRAW = {"fig1a": curves, "fig1b": curves, "fig2a": heat_map, "fig2b": heat_map, "scales": scales,
        "collectives": collectives}


def main():
    name, folder = sys.argv[1:3]
    rows, summary = read(folder, name)
    style()
    for kind in ("png", "svg"):
        figure = plt.figure(figsize=(9.5, 5.6), layout="constrained")
        figure.suptitle(summary["title"], fontsize=16, color="#202020")
        DRAW[name](rows, summary, figure)
        target = os.path.join(folder, f"{name}.{kind}")
        figure.savefig(target + ".part", format=kind, dpi=110, facecolor="white",
                       metadata={"Date": None} if kind == "svg" else None)
        os.replace(target + ".part", target)
        plt.close(figure)


if __name__ == "__main__":
    main()
