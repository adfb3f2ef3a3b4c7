"""Draws what `fitrelu experiment NAME --output FOLDER` wrote: NAME.csv and NAME.json into NAME.png and NAME.svg.

The program calls it; by hand: python3 experiment_plot.py NAME FOLDER. Exit code 77 where matplotlib is missing.
"""
import csv
import json
import math
import os
import sys
from collections import defaultdict

from plot_labels import label_ends

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
        begun = [k for k, error in enumerate(middle) if error < 0.1]
        if begun and curve["predicted_rate"] is not None:
            since, at = steps[begun[0]], middle[begun[0]]
            line = [t for t in steps if t >= since]
            panel.plot(line, [at * curve["predicted_rate"] ** ((t - since) / 2) for t in line], color="#202020",
                       linewidth=1.3, linestyle=(0, (5, 3)))
        ends.append((middle[-1], curve["name"], colour))
    panel.set_yscale("log")
    panel.set_xlim(0, max(t for found in points.values() for t in found))
    panel.grid(True, color="#E4E4E4", linewidth=0.9)
    panel.set_axisbelow(True)
    panel.tick_params(axis="y", which="minor", length=0)
    panel.set_xlabel("iteration")
    panel.set_ylabel("relative error  ‖w − w*‖ / ‖w*‖")
    panel.set_ylim(top=3)
    seeds = summary["settings"]["seeds"]
    note(panel, 0.02, 0.13 if len(summary["curves"]) > 3 else 0.2, "dashed: rate predicted for this step size, m and n"
         + (f"\nband: least to most of {seeds} seeds" if seeds > 1 else ""))
    label_ends(panel, ends)


def heat_map(rows, summary, figure):
    """Figure 2: the share of successes of each cell, bright for success, and the line where half succeed."""
    panel = figure.subplots()
    cells = defaultdict(list)
    for row in rows:
        cells[int(row["features"]), int(row["samples"])].append(int(row["success"]))
    ds = sorted({d for d, _ in cells})
    half_d = (ds[0] if len(ds) < 2 else ds[1] - ds[0]) / 2
    places, shares, happens = [], [], 0
    for d in ds:
        ns = sorted(n for at, n in cells if at == d)
        high = (ns[1] - ns[0] if len(ns) > 1 else ns[0]) / 2
        for n in ns:
            places.append(matplotlib.patches.Rectangle((d - half_d, n - high), 2 * half_d, 2 * high))
            shares.append(sum(cells[d, n]) / len(cells[d, n]))
            happens = max(happens, n + high)
    image = matplotlib.collections.PatchCollection(places, cmap="cividis", array=shares, clim=(0, 1), edgecolor="face",
                                                   linewidth=0.3)
    panel.add_collection(image)
    ends = [ds[0] - half_d, ds[-1] + half_d]
    panel.set_xlim(*ends)
    panel.set_ylim(0, happens)
    panel.set_xticks(ds)
    panel.set_xlabel("features d")
    panel.set_ylabel("samples n")
    bar = figure.colorbar(image, ax=panel, label="share of trials that find w*", pad=0.02)
    bar.outline.set_visible(False)
    panel.plot(ends, [2 * d for d in ends], color="#FFFFFF", linewidth=2, linestyle=(0, (5, 3)))
    panel.text(0.03, 0.83, "dashed: n = 2 d, below which\nw* is not determined", transform=panel.transAxes, va="top",
               fontsize=13, color="#202020", bbox={"facecolor": "white", "edgecolor": "#C0C0C0", "boxstyle": "round"})
    if summary["slope"] is not None:
        panel.plot(ends, [summary["slope"] * d + summary["intercept"] for d in ends], color="#D55E00", linewidth=3)
        text = f"half succeed at n = ({summary['slope']:.2f} ± {summary['slope_interval']:.2f}) d {summary['intercept']:+.0f}"
        panel.text(0.03, 0.96, text, color="#202020", transform=panel.transAxes, va="top",
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


def bit_lines(panel, rows, cells, features):
    """Error over the bits that a worker has sent, a coordinate: SGD, and the thriftiest method of each collective."""
    reached = [c for c in cells if c["bits_to_1e-6"] is not None]
    chosen = [min((c for c in reached if c["bits"] == 0), key=lambda c: c["bits_to_1e-6"], default=None)]
    for name in dict.fromkeys(c["collective"] for c in cells):
        chosen.append(min((c for c in reached if c["bits"] and c["collective"] == name),
                          key=lambda c: c["bits_to_1e-6"], default=None))
    axes_of(panel, "bits sent by a worker, a coordinate", "relative error  ‖w − w*‖ / ‖w*‖", "The thriftiest to 1e-6", logx=True)
    for i, cell in enumerate(c for c in chosen if c):
        points = defaultdict(list)
        for row in rows:
            if (row["collective"], row["scale"], int(row["bits"]), row["wire"]) == (
                    cell["collective"], cell["scale"] or "", cell["bits"], cell["wire"]):
                points[float(row["bits_sent"]) / features].append(float(row["relative_error"]))
        x = [b for b in sorted(points) if b > 0 and min(points[b]) > 0]
        y = [geometric_mean(points[b]) for b in x]
        panel.plot(x, y, color=COLOURS[i], linewidth=2.4)
        label = ", SGD in float64" if cell["bits"] == 0 else f", {cell['scale']}, b = {cell['bits']}, {cell['wire']}"
        note(panel, 0.02, 0.36 - 0.07 * i, cell["collective"] + label, COLOURS[i])
    panel.set_ylim(1e-13, 1)
    panel.set_xlim(left=0.3)


def bit_counts(panel, cells):
    """Bits to 1e-6 over b, a line for each collective and scale, on its shortest wire."""
    axes_of(panel, "bits b of a level", "bits sent to an error of 1e-6, a coordinate", "Which b is enough", logx=False)
    ends, features = [], next(c["bits_to_1e-6"] / c["steps_to_1e-6"] / c["bits_a_coordinate"] for c in cells if c["steps_to_1e-6"])
    sgd = min((c["bits_to_1e-6"] for c in cells if c["bits"] == 0 and c["bits_to_1e-6"]), default=None)
    names = list(dict.fromkeys(c["collective"] for c in cells if c["bits"]))
    for i, name in enumerate(names):
        for scale, line in (("l2", (0, (2, 1.5))), ("max", "-")):
            best = {}
            for c in cells:
                if c["bits"] and (c["collective"], c["scale"]) == (name, scale) and c["bits_to_1e-6"] is not None:
                    best[c["bits"]] = min(best.get(c["bits"], math.inf), c["bits_to_1e-6"] / features)
            if not best:
                continue
            panel.plot(list(best), list(best.values()), "o", color=COLOURS[1 + i], linestyle=line, linewidth=2, markersize=6)
            ends.append((best[max(best)], name, COLOURS[1 + i])) if scale == "max" else None
    if sgd:
        panel.axhline(sgd / features, color=COLOURS[0], linewidth=2)
        ends.append((sgd / features, "SGD, float64", COLOURS[0]))
    panel.set_xlim(0.7, 7.3)
    note(panel, 0.98, 0.99, "solid: max, dotted: l2;\neach on its shortest wire", ha="right")
    label_ends(panel, ends)


def bits(rows, summary, figure):
    figure.get_layout_engine().set(wspace=0.04)
    panels = figure.subplots(1, 2)
    if any(c["bits_to_1e-6"] is not None for c in summary["cells"]):
        bit_lines(panels[0], rows, summary["cells"], summary["settings"]["features"])
        bit_counts(panels[1], summary["cells"])


def scales(_rows, summary, figure):
    bars(summary, figure, "batch", "gradient", "mini-batch m")


def collectives(_rows, summary, figure):
    bars(summary, figure, "workers", "way", "workers K")


def axes_of(panel, xlabel, ylabel, title, logx=True):
    panel.set_yscale("log")
    if logx:
        panel.set_xscale("log")
    panel.grid(True, color="#E4E4E4", linewidth=0.9)
    panel.set_axisbelow(True)
    panel.tick_params(which="minor", length=0)
    panel.set_xlabel(xlabel)
    panel.set_ylabel(ylabel)
    panel.set_title(title, loc="left", fontsize=15, color="#202020")


def ticks(panel, values):
    panel.set_xticks(values, [f"{v:g}" for v in values])
    panel.set_xticks([], minor=True)


def note(panel, x, y, text, colour=GREY, ha="left"):
    panel.text(x, y, text, transform=panel.transAxes, va="top", ha=ha, color=colour, fontsize=13)


def column(cells, name):
    return [math.nan if c[name] is None else c[name] for c in cells]


def lemma_6_1(panel, cells):
    x = column(cells, "n/d")
    axes_of(panel, "n / d", "‖w − w* − ∇L(w)‖ / ‖w − w*‖", "Lemma 6.1: at most 1/4 in the ball")
    for name, theory, label, colour in (("hardest", "gaussian_hardest", "hardest\ndirection", COLOURS[1]),
                                        ("mean", "gaussian_mean", "random\npoints", COLOURS[0])):
        panel.plot(x, column(cells, theory), color=colour, linewidth=1.4, linestyle=(0, (5, 3)))
        panel.plot(x, column(cells, name), "o", color=colour, markersize=8)
        panel.annotate(label, (x[0], cells[0][name]), xytext=(12, 0), textcoords="offset points", va="center",
                       color=colour, fontweight="medium", annotation_clip=False)
    panel.axhline(0.25, color="#000000", linewidth=1.6)
    panel.annotate("bound, 1/4", (1, 0.25), xycoords=("axes fraction", "data"), xytext=(12, 0), textcoords="offset points",
                   va="center")
    ticks(panel, x[::-1][::2])
    note(panel, 0.02, 0.08, "dashed: Gaussian theory")


def lemma_6_2(panel, cells):
    near = sorted((c for c in cells if c["radius"] < 0.01), key=lambda c: c["batch"])
    edge = sorted((c for c in cells if c["radius"] > 0.01), key=lambda c: c["batch"])
    x = column(near, "batch")
    axes_of(panel, "mini-batch m", "E ‖gradient‖² / ‖w − w*‖²", "Lemma 6.2: second moment")
    panel.plot(x, column(near, "bound"), color="#000000", linewidth=2)
    panel.plot(x, column(near, "gaussian"), color=COLOURS[0], linewidth=1.4, linestyle=(0, (5, 3)))
    for points, colour, marker, aside in ((near, COLOURS[0], "o", 0.93), (edge, COLOURS[1], "D", 1.07)):
        panel.errorbar([m * aside for m in column(points, "batch")], column(points, "second_moment"),
                       column(points, "interval"), fmt=marker, color=colour, markersize=6, capsize=5, markeredgewidth=1.5,
                       elinewidth=1.5)
    ends = [(near[-1]["bound"], "bound", "#000000"), (near[-1]["second_moment"], "near w*", COLOURS[0]),
            (edge[-1]["second_moment"], "edge", COLOURS[1])] if edge else []
    label_ends(panel, ends)
    ticks(panel, x)
    note(panel, 0.98, 0.98, "bars: 95 % intervals\ndashed: Gaussian theory, near w*", ha="right")


def lemma_6_3(panel, cells):
    axes_of(panel, "levels s", "E ‖Q(v) − v‖² / ‖v‖²", "Lemma 6.3: variance of Q")
    kinds = list(dict.fromkeys(c["vector"] for c in cells))
    first = [c for c in cells if c["vector"] == kinds[0]]
    x = column(first, "levels")
    panel.plot(x, column(first, "bound"), color="#000000", linewidth=2.2)
    ends = [(first[-1]["bound"], "bound", "#000000")]
    for i, kind in enumerate(kinds):
        found = [c for c in cells if c["vector"] == kind]
        panel.plot(x, column(found, "exact"), color=COLOURS[i], linewidth=1.4, linestyle=(0, (5, 3)))
        panel.plot(x, column(found, "variance"), "osD^"[i % 4], color=COLOURS[i], markersize=8)
        ends.append((found[-1]["variance"], kind, COLOURS[i]))
    ticks(panel, x)
    note(panel, 0.02, 0.08, "dashed: exact formula")
    label_ends(panel, ends)


def lemmas(_rows, summary, figure):
    figure.get_layout_engine().set(wspace=0.03)
    panels = figure.subplots(1, 3)
    lemma_6_1(panels[0], summary["lemma_6_1"])
    lemma_6_2(panels[1], summary["lemma_6_2"])
    lemma_6_3(panels[2], summary["lemma_6_3"])


def bounds(panel, cells):
    """Mean of the squared error of all runs, at n = 40 d and, dotted, at n = 10 d; the theorems' bound dashed."""
    axes_of(panel, "iteration t", "E ‖w − w*‖² / ‖w₀ − w*‖²", "Theorems 3.1 and 3.2", logx=False)
    ends = []
    sizes = list(dict.fromkeys(c["samples"] for c in cells))
    for i, name in enumerate(dict.fromkeys(c["scheme"] for c in cells)):
        for size in sizes:
            curve = [c for c in cells if c["scheme"] == name and c["samples"] == size and c["mean"]]
            t, mean = column(curve, "iteration"), column(curve, "mean")
            promised = size == sizes[0]
            panel.plot(t, mean, color=COLOURS[i], linewidth=2.4 if promised else 1.2,
                       linestyle="-" if promised else (0, (1, 1.2)))
            if promised:
                panel.plot(t, column(curve, "bound"), color=COLOURS[i], linewidth=1.6, linestyle=(0, (5, 3)))
                ends.append((t[-1], mean[-1], name.replace("QSGD, ", ""), COLOURS[i]))
    last = max(ends)[0]
    panel.set_xlim(0, last)
    panel.set_ylim(bottom=min(y for _, y, _, _ in ends) / 100)
    for t, y, name, colour in ends:
        if t < last:
            panel.annotate(name, (t, y), xytext=(8, 0), textcoords="offset points", va="center", color=colour,
                           fontweight="medium")
    label_ends(panel, [(y, name, colour) for t, y, name, colour in ends if t == last])
    note(panel, 0.74, 0.05, "at rest: float64's rounding", ha="right")
    note(panel, 0.98, 0.99, "dashed: bounds at n = 40 d\ndotted: n = 10 d, not promised", ha="right")


def gradient_start(panel, cells, begins):
    x = column(cells, "n/d")
    axes_of(panel, "n / d", "error of the gradient start", "Remark 3.2: where (II) begins")
    panel.plot(x, column(cells, "gaussian"), color=COLOURS[0], linewidth=1.4, linestyle=(0, (5, 3)))
    panel.plot(x, column(cells, "error"), "o", color=COLOURS[0], markersize=9)
    panel.axhline(cells[0]["allowed"], color=COLOURS[1], linewidth=2)
    note(panel, 0.98, 0.97, "dashed: √((2d + 3)/n)", ha="right")
    text = "allowed by (II), δ₁ = 1/2"
    if begins:
        panel.plot([begins], [cells[0]["allowed"]], "D", color=COLOURS[1], markersize=9)
        text += f":\nfrom n = {begins:.0f} d on"
    panel.annotate(text, (0.02, cells[0]["allowed"]), xycoords=("axes fraction", "data"), xytext=(0, -7),
                   textcoords="offset points", va="top", color=COLOURS[1], fontsize=14)
    panel.set_yticks([0.02, 0.05, 0.1, 0.2, 0.5], ["0.02", "0.05", "0.1", "0.2", "0.5"])
    panel.set_yticks([], minor=True)


def remark_bits(panel, cells):
    axes_of(panel, "features d", "progress a step, QSGD / SGD", "Remark 3.9: bits as d grows")
    panel.set_yscale("linear")
    ends = []
    for i, name in enumerate(dict.fromkeys(c["scheme"] for c in cells)):
        found = [c for c in cells if c["scheme"] == name]
        x = column(found, "features")
        panel.plot(x, column(found, "share_theory"), color=COLOURS[i], linewidth=1.6, linestyle=(0, (5, 3)))
        panel.plot(x, column(found, "share_measured"), "o-", color=COLOURS[i], linewidth=2.4, markersize=8)
        label = "b ≈ log₂√d" if i == 0 else f"b = {found[0]['bits']}"
        ends.append((found[-1]["share_measured"], label, COLOURS[i]))
    panel.set_ylim(0, 1)
    ticks(panel, x[::2])
    note(panel, 0.02, 0.98, "dashed: (3.3) against (3.1)")
    label_ends(panel, ends)


def theorems(_rows, summary, figure):
    figure.get_layout_engine().set(wspace=0.03)
    panels = figure.subplots(1, 3)
    bounds(panels[0], summary["theorem"])
    gradient_start(panels[1], summary["start"], summary["condition_ii_from"])
    remark_bits(panels[2], summary["bits"])


def ensemble(_rows, summary, figure):
    """Failures with their intervals; where none failed an open triangle at the interval's upper end."""
    panel = figure.subplots()
    axes_of(panel, "runs L in the ensemble\n(it fails when its winner has ‖w − w*‖² > 9 ε ‖w₀ − w*‖², ε = 10⁻³; a single run: > ε)",
            "probability of failure", "", logx=False)
    panel.xaxis.label.set_fontsize(13)
    ends, sizes = [], []
    for i, name in enumerate(dict.fromkeys(c["regime"] for c in summary["cells"])):
        colour = COLOURS[i]
        found = [c for c in summary["cells"] if c["regime"] == name]
        some, none = [c for c in found if c["failed"]], [c for c in found if not c["failed"]]
        sizes = column(found, "runs")
        panel.plot(sizes, column(found, "bound"), color=colour, linewidth=1.6, linestyle=(0, (5, 3)))
        panel.errorbar(column(some, "runs"), column(some, "failure"),
                       [[c["failure"] - c["low"] for c in some], [c["high"] - c["failure"] for c in some]], fmt="o-",
                       color=colour, linewidth=2.4, markersize=8, capsize=5)
        panel.plot(column(none, "runs"), column(none, "high"), "v", markerfacecolor="white", markeredgecolor=colour,
                   markersize=11, markeredgewidth=2)
        ends.append(((none or some)[-1]["high" if none else "failure"],
                     f"single run fails\nwith p = {found[0]['single_failure']:.2f}", colour))
    panel.set_xticks(sizes)
    panel.set_ylim(top=1.5)
    note(panel, 0.02, 0.19, "dashed: bound, the majority fails\nbars: 95 % intervals\nopen: none failed, upper end")
    label_ends(panel, ends)


def table2(_rows, summary, figure):
    """Seconds by scheme on a scale of powers of ten: in all, of it communication and computation; hollow, the paper's."""
    panels = figure.subplots(1, 2, sharey=True)
    marks = (("total", "in all", "o", COLOURS[6]), ("communication", "communication", "v", COLOURS[1]),
             ("computation", "computation", "s", COLOURS[0]))
    for scenario, panel in enumerate(panels, 1):
        cells = [c for c in summary["cells"] if c["scenario"] == scenario]
        axes_of(panel, "", "seconds of a run" if scenario == 1 else "", f"scenario {scenario}", logx=False)
        for i, cell in enumerate(cells):
            for name, _, marker, colour in marks:
                panel.plot([i - 0.12], [cell[name]], marker, color=colour, markersize=9)
                if "paper_total" in cell:
                    panel.plot([i + 0.12], [cell["paper_" + name]], marker, markerfacecolor="white", markeredgecolor=colour,
                               markeredgewidth=2, markersize=9)
            panel.annotate(f"{cell['total']:.3g}", (i - 0.12, cell["total"]), xytext=(0, 8), textcoords="offset points",
                           ha="center", fontsize=12)
        panel.set_xlim(-0.5, len(cells) - 0.5)
        panel.set_xticks(range(len(cells)), [c["scheme"].replace(", ", ",\n") for c in cells], fontsize=11)
    for i, (_, words, _, colour) in enumerate(marks):
        note(panels[1], 0.98, 0.97 - 0.07 * i, words, colour, ha="right")
    note(panels[1], 0.98, 0.76, f"hollow: the paper's\nlinks of {summary['rate_mbit']:.0f} Mbit/s", ha="right")


DRAW = {"fig1a": curves, "fig1b": curves, "fig2a": heat_map, "fig2b": heat_map, "scales": scales,
        "collectives": collectives, "bits": bits, "lemmas": lemmas, "theorems": theorems, "ensemble": ensemble,
        "table2": table2}
WIDE = {"bits": (15, 6), "table2": (15, 5.8), "lemmas": (17, 5.6), "theorems": (17, 5.6)}


def main():
    name, folder = sys.argv[1:3]
    rows, summary = read(folder, name)
    style()
    for kind in ("png", "svg"):
        figure = plt.figure(figsize=WIDE.get(name, (9.5, 5.6)), layout="constrained")
        figure.suptitle(summary["title"] + "\n", fontsize=16, color="#202020")
        figure.text(0.5, 0.945, summary["setup"], ha="center", va="top", fontsize=11.5, color=GREY)
        DRAW[name](rows, summary, figure)
        target = os.path.join(folder, f"{name}.{kind}")
        figure.savefig(target + ".part", format=kind, dpi=110, facecolor="white",
                       metadata={"Date": None} if kind == "svg" else None)
        os.replace(target + ".part", target)
        plt.close(figure)


if __name__ == "__main__":
    main()
