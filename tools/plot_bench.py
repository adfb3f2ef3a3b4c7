"""Pictures of what `fitrelu bench --json` wrote, for plot.py: one file, time and bandwidth of the exchanges over their size;
two files, what became slower or faster.

A difference counts as noise where the median of each file lies below the other's 99th percentile: runs of both overlap.
"""
import json
import math

from plot_labels import label_ends

COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"]
GREY = "#6B6B6B"
UNQUANTIZED = ("f64", "f32", "bf16")


def read(path):
    """The object, or None where the file is no result of bench."""
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
    except (OSError, ValueError):
        return None
    rows = found.get("results") if isinstance(found, dict) else None
    return found if isinstance(rows, list) and rows and all("what" in row and "us" in row for row in rows) else None


def name_of(row):
    levels = f", s = {row['levels']}" if row.get("levels") else ""
    return " ".join(str(word) for word in (row["collective"] or row["what"], row["wire"] or "") if word) + levels


def curves_of(rows):
    """{(collective, wire, levels): rows by count} of the exchanges."""
    curves = {}
    for row in rows:
        if row["what"] == "exchange":
            curves.setdefault((row["collective"], row["wire"], row["levels"]), []).append(row)
    return {key: sorted(curve, key=lambda row: row["count"]) for key, curve in curves.items()}


def chosen_curves(curves):
    """Of each collective its fastest curve with levels and without, at the largest size."""
    chosen = []
    for collective in dict.fromkeys(key[0] for key in curves):
        for plain in (True, False):
            keys = [key for key in curves if key[0] == collective and (key[1] in UNQUANTIZED) == plain]
            if keys:
                chosen.append(min(keys, key=lambda key: curves[key][-1]["us"]))
    return chosen


def where_levels_win(curves):
    """The smallest size from which on the fastest exchange with levels is faster than any without; None: nowhere."""
    best = {}
    for key, curve in curves.items():
        for row in curve:
            kind = best.setdefault(row["count"], {})
            plain = key[1] in UNQUANTIZED
            kind[plain] = min(kind.get(plain, math.inf), row["us"])
    wins = None
    for count in sorted(best, reverse=True):
        if not best[count].get(False, math.inf) < best[count].get(True, math.inf):
            break
        wins = count
    return wins


def style(panel, xlabel, ylabel):
    panel.set_xscale("log")
    panel.set_yscale("log")
    panel.set_xlabel(xlabel)
    panel.set_ylabel(ylabel)
    panel.grid(True, color="#E4E4E4", linewidth=0.9)
    panel.set_axisbelow(True)
    panel.tick_params(which="minor", length=0)
    panel.spines[["top", "right"]].set_visible(False)


def over_size(plt, found, title):
    curves = curves_of(found["results"])
    if not curves:
        raise ValueError("no exchange is in it; 'fitrelu bench exchange --json' has them")
    collectives = list(dict.fromkeys(key[0] for key in curves))
    figure, panels = plt.subplots(1, 2, figsize=(15, 5.8), layout="constrained")
    figure.get_layout_engine().set(wspace=0.05)
    for panel, value, ylabel in ((panels[0], "us", "microseconds of an exchange"), (panels[1], "busbw", "busbw, GB/s")):
        style(panel, "numbers in a vector", ylabel)
        ends = []
        for key in chosen_curves(curves):
            points = [(row["count"], row[value]) for row in curves[key] if row[value]]
            if not points:
                continue
            colour, plain = COLOURS[collectives.index(key[0]) % len(COLOURS)], key[1] in UNQUANTIZED
            panel.plot(*zip(*points), "o", color=colour, linestyle=(0, (4, 2)) if plain else "-", linewidth=2,
                       markersize=6, markerfacecolor="white" if plain else colour)
            ends.append((points[-1][1], name_of(curves[key][-1]), colour))
        label_ends(panel, ends, size=11)
    wins = where_levels_win(curves)
    if wins:
        panels[0].axvline(wins, color=GREY, linewidth=1.2, linestyle=(0, (1, 2)))
    words = f"levels win from {wins} numbers on" if wins else "levels win at no size here"
    panels[0].text(0.02, 0.98, f"{words}\ndashed: without levels", transform=panels[0].transAxes, va="top", color=GREY)
    ranks = {row["units"] for row in found["results"] if row["what"] == "exchange"}
    hosts = {process["host"] for process in found["conditions"]["processes"]}
    figure.suptitle(title or f"Exchanges between {max(ranks)} ranks on {', '.join(sorted(hosts))}, "
                             f"{found['conditions']['when'][:10]}", fontsize=15)
    return figure


def compare(plt, first, second, labels, title):
    """The second file's median over the first's, a row each; grey where that is within noise."""
    before = {(row["what"], row["collective"], row["wire"], row["levels"], row["count"], row["units"]): row
              for row in first["results"]}
    found = []
    for row in second["results"]:
        old = before.get((row["what"], row["collective"], row["wire"], row["levels"], row["count"], row["units"]))
        if old and row["us"] and old["us"]:
            noise = row["us"] <= old["us_p99"] and old["us"] <= row["us_p99"]
            found.append((row["us"] / old["us"], noise, f"{name_of(row)}, {row['count']}"))
    if not found:
        raise ValueError("the two files measured nothing alike")
    found.sort()
    figure, panel = plt.subplots(figsize=(11, 1.6 + 0.24 * len(found)), layout="constrained")
    colours = [GREY if noise else COLOURS[1] if ratio > 1 else COLOURS[0] for ratio, noise, _ in found]
    panel.axvline(1, color="#202020", linewidth=1)
    for at, ((ratio, noise, _), colour) in enumerate(zip(found, colours)):
        panel.plot([1, ratio], [at, at], color=colour, linewidth=1.2)
        panel.plot([ratio], [at], "o", color=colour, markerfacecolor="white" if noise else colour, markersize=6)
    panel.set_xscale("log")
    panel.set_yticks(range(len(found)), [name for _, _, name in found], fontsize=9)
    ticks = [t for t in (0.1, 0.2, 0.5, 1, 2, 5, 10) if found[0][0] * 0.9 <= t <= found[-1][0] * 1.1]
    panel.set_xticks(ticks, [f"{t:g}" for t in ticks])
    panel.set_xticks([], minor=True)
    panel.set_ylim(-1, len(found))
    panel.grid(True, axis="x", color="#E4E4E4")
    panel.spines[["top", "right"]].set_visible(False)
    slower, faster = (sum(not noise and (ratio > 1) == more for ratio, noise, _ in found) for more in (True, False))
    panel.set_xlabel(f"time of {labels[1]} over {labels[0]}")
    figure.suptitle(title or f"{slower} slower, {faster} faster, {len(found) - slower - faster} within noise (hollow): each median "
                             "below the other's p99", fontsize=12)
    return figure


def draw(paths, labels, title, output, kind):
    """A picture of one or two files of bench into output. ValueError says what cannot be drawn."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    plt.rcParams.update({"font.family": "DejaVu Sans", "font.size": 13, "svg.fonttype": "none", "svg.hashsalt": "fitrelu"})
    found = [read(path) for path in paths]
    if len(found) > 2:
        raise ValueError("results of bench are drawn one by one, or two beside each other")
    figure = over_size(plt, found[0], title) if len(found) == 1 else compare(plt, *found, labels, title)
    figure.savefig(output, format=kind, dpi=110, facecolor="white", metadata={"Date": None} if kind == "svg" else None)
    plt.close(figure)
